import Storage
import Sync
import Transport
import Vault
import Wire

/// Where things stand, and waiting for the server.
extension Device {
  func name(of device: DeviceID) -> String {
    if let name = names[device]?.name { return name }
    return device == settings.device ? ownName : "device \(device.description.prefix(8))"
  }

  func refreshNames() {
    guard let keyring else { return }
    for (id, description) in core.membership.devices {
      // A name that does not open is shown by its id; the device is no less a member.
      if let name = try? keyring.name(of: description) { names[id] = name }
    }
    guard let own = names[settings.device]?.name, own != ownName else { return }
    do {
      // What the locked screen says from the next start on.
      try store.setRow(Onboarding.nameRow, Array(own.utf8))
    } catch {
      complain(error)
    }
  }

  /// When anything was last written, and by which device; nil while there is nothing.
  var newestChange: (at: Int64, device: String)? {
    core.replica.contexts.max { $0.updatedAt < $1.updatedAt }
      .map { ($0.updatedAt, name(of: $0.updatedBy)) }
  }

  func status() -> SyncStatus {
    SyncStatus(
      state: state, waiting: core.isEnded ? 0 : core.waiting, conflicts: core.replica.conflictCount,
      alarms: core.alarms.map { SyncStatus.Alarm(code: $0.code, text: $0.text) },
      push: pushState, pushTransport: pushTransport?.rawValue,
      pushSince: pushSince, peers: peers, former: former,
      revision: core.frontier.heads.values.reduce(0) { $0 + $1.sequence },
      lastReceived: core.lastReceived, lastSent: core.lastSent,
      offlineSince: core.offlineSince, failure: whatHinders,
      nextAttempt: nextAttempt, sealedWaiting: core.sealedWaiting,
      pushRefusals: pushRefusals)
  }

  /// Why the server is not reached, or what it refused for good.
  private var whatHinders: String? {
    (core.failure ?? core.refusal.map { .refused($0) }).map { Failure($0).sentence }
  }

  /// Whether something is on its way after which a synchronisation is over. To an account that was
  /// deleted nothing comes any more.
  var isBusy: Bool {
    guard !core.isEnded else { return false }
    return core.isSynchronising || underway.contains(.fetching)
      || (core.isReplacing && !core.isLocked && core.failure == nil && core.alarms.isEmpty)
  }

  private var state: SyncStatus.State {
    if !core.alarms.isEmpty { return .alarm }
    if core.isEnded { return .deleted }
    if core.isLocked { return .locked }
    if core.failure != nil { return .offline }
    if isBusy { return .syncing }
    return core.waiting > 0 ? .waiting : .current
  }

  private var nextAttempt: Int64? {
    core.nextAttempt.map { due in
      let wait = due - Self.moment.uptime
      return Self.wallClock + wait.components.seconds * 1000
        + wait.components.attoseconds / 1_000_000_000_000_000
    }
  }

  /// Of a device with several identities, the last that was revoked.
  private var former: [SyncStatus.Former] {
    core.membership.order
      .filter { core.membership.revoked[$0] != nil && core.membership.replacements[$0] == nil }
      .map {
        SyncStatus.Former(id: $0, name: name(of: $0), hasErased: farewells.contains($0))
      }
  }

  /// The devices a person can mean: not the former identities of others.
  var nameable: [SyncStatus.Peer] {
    peers.filter { core.membership.replacements[$0.id] == nil }
  }

  private var peers: [SyncStatus.Peer] {
    let own = core.frontier.sequence(of: settings.device)
    return core.membership.active.map { device in
      let isThis = device == settings.device
      let presence = presence[device]
      // Its twin may live on, but what this device wrote since is no debt of it.
      let isReplaced = !isThis && core.membership.replacements[device] != nil
      return SyncStatus.Peer(
        id: device, name: name(of: device) + (isReplaced ? " (replaced)" : ""),
        platform: names[device]?.platform ?? "",
        isThisDevice: isThis, isOnline: isThis || presence?.online == true,
        lastSeen: presence?.at,
        behind: isThis || isReplaced ? 0 : held(by: device).map { Int(own - min(own, $0)) },
        keys: fingerprint(of: device))
    }
  }

  /// The newest commit of this device that the other is known to hold; nil when it never said.
  private func held(by device: DeviceID) -> UInt64? {
    [acknowledged[device], core.heldByPeers[device]].compactMap(\.self).max()
  }

  private var peerBook: PeerBook {
    var book = PeerBook(author: settings.device)
    for device in core.membership.active where device != settings.device {
      let entry = PeerBook.Entry(held: held(by: device), seen: presence[device]?.at)
      if entry != PeerBook.Entry() { book.entries[device] = entry }
    }
    return book
  }

  /// Writes down what was heard of the others, if anything new was.
  func keepPeerBook() {
    let book = peerBook
    guard book != keptBook, wiped == nil else { return }
    book.write(to: store)
    keptBook = book
  }

  /// The beginning of the digest of a device's public keys, as every device of the account shows
  /// it: 80 bits, so that nobody makes keys that look alike.
  private func fingerprint(of device: DeviceID) -> String? {
    core.membership.devices[device].map {
      let keys = $0.signingKey.bytes + $0.sealingKey.bytes + $0.authenticationKey.bytes
      return String(Digest32.sha256(keys).fingerprint.prefix(19))
    }
  }

  /// Synchronises until the server confirmed everything, it failed, or `limit` is over.
  func synchronise(within limit: Duration) async -> SyncOutcome {
    guard !core.isEnded else { return .deleted }
    let end = Self.moment.uptime + limit
    if !core.isSynchronising { attempt(.requested) }
    await wait(until: end) { isBusy }
    // A run on its way may have left before the last commit; one that took nothing is the last.
    var confirmed: Frontier?
    while !isBusy, core.waiting > 0, core.failure == nil, core.alarms.isEmpty,
      confirmed != core.serverFrontier
    {
      confirmed = core.serverFrontier
      attempt(.requested)
      await wait(until: end) { isBusy }
    }
    if let alarm = core.alarms.first { return .alarm(alarm.text) }
    if core.isEnded { return .deleted }
    if let failure = core.failure {
      return .waiting(reason: Failure(failure).sentence, changes: core.waiting)
    }
    if isBusy || core.waiting > 0 {
      return .waiting(
        reason: whatHinders ?? "The server has not confirmed yet.", changes: core.waiting)
    }
    return .confirmed
  }

  /// Synchronises until the server confirmed everything, it failed, or nothing came or went for
  /// `limit`: a first synchronisation takes as long as it takes.
  func synchronise(untilNothingMovesFor limit: Duration) async -> SyncOutcome {
    while true {
      let (held, confirmed, before) = (core.frontier, core.serverFrontier, counted)
      let outcome = await synchronise(within: limit)
      guard case .waiting = outcome, core.failure == nil,
        held != core.frontier || confirmed != core.serverFrontier || before != counted
      else { return outcome }
    }
  }

  /// Waits until a snapshot that is being written or sent is done: a command that ends would lose
  /// what it has of it.
  func finishSnapshot(within limit: Duration) async {
    await wait(until: Self.moment.uptime + limit) {
      !underway.isDisjoint(with: [.writing, .sending])
    }
  }

  /// Waits while that is so, until `end` at the most. What wakes this may be another's end of
  /// waiting, and before its turn comes the next thing may have begun.
  private func wait(until end: Duration, while isUnderway: () -> Bool) async {
    guard isUnderway() else { return }
    let expiry = Task {
      do {
        try await Task.sleep(for: max(.zero, end - Self.moment.uptime))
      } catch {
        return
      }
      self.wakeWaiters()
    }
    while isUnderway(), Self.moment.uptime < end {
      await withCheckedContinuation { waiters.append($0) }
    }
    expiry.cancel()
  }

  func wakeWaiters() {
    for waiter in waiters { waiter.resume() }
    waiters = []
  }
}

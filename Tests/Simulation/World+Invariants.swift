import Sync
import Vault
import Wire

/// Checks after each step.
extension World {
  // MARK: what is noted

  func note(
    signed transaction: Transaction, by keyring: Keyring, membership: Membership
  ) throws {
    newlySigned = []
    for envelope in transaction.commits where envelope.header.device == keyring.device {
      if try shadow.signed(envelope, by: keyring, membership: membership) {
        newlySigned.insert(envelope.hash)
      }
    }
  }

  /// What is on a disk for good is claimed by everybody at the end.
  func note(durable transaction: Transaction, of device: SimulatedDevice) throws {
    try checkCausality(of: transaction.commits, on: device)
    for envelope in transaction.commits where envelope.header.device == device.keyring.device {
      mustHold.formUnion(shadow.commits[envelope.hash]?.versions.map(\.id) ?? [])
    }
    if transaction.settled != nil { try noteSettled(of: device) }
  }

  /// S10: what leaves a log stands behind the checkpoint, by hash.
  func checkPruning(by transaction: Transaction, of device: SimulatedDevice) throws {
    guard let pruned = transaction.prune else { return }
    let cover = device.disk.current.checkpoint?.frontier ?? Frontier()
    guard shadow.hashes(behind: pruned).isSubset(of: shadow.hashes(behind: cover)) else {
      throw Violation(.s10, "\(device.number) dropped commits that nothing stands for")
    }
  }

  /// S10: what the server does not give any more stands behind a snapshot that it gives.
  func checkPruning() throws {
    let all = shadow.hashes(behind: server.frontier(of: family.account))
    let given = server.commits(of: family.account)
    let missing = all.subtracting(given)
    guard !missing.isEmpty else { return }
    let covers = server.snapshots(of: family.account).map { shadow.hashes(behind: $0) }
    guard covers.contains(where: { missing.isSubset(of: $0) }) else {
      throw Violation(.s10, "the server dropped commits that no snapshot stands for")
    }
  }

  private func noteSettled(of device: SimulatedDevice) throws {
    let versions = try device.settledVersions()
    try shadow.note(versions, by: device.keyring.device)
    mustHold.formUnion(versions.map(\.id))
  }

  /// After a disaster only what somebody still holds can be claimed.
  func settleClaims() throws {
    var held = shadow.versions(behind: server.frontier(of: family.account))
    for device in devices where !device.isGone {
      held.formUnion(shadow.versions(behind: device.disk.current.state.frontier))
      held.formUnion(try device.settledVersions().map(\.id))
    }
    mustHold.formIntersection(held)
    settleRevocations()
  }

  // MARK: after each step

  func check(after step: SyncCore.Step, of device: SimulatedDevice) throws {
    try checkForm(step.transaction, of: device)
    try checkMonotonic(device)
    if !mayAlarm, let alarm = step.transaction.notices.first(where: \.isAlarm) {
      throw Violation(.s11, "a false alarm on \(device.number): \(alarm.text)")
    }
    guard !device.isLocked else { return }
    try checkLastPromise(of: device)
    if entropy.chance(12) { try checkConvergence(of: device) }
  }

  /// S4: no commit holds an operation of a context whose form is open.
  private func checkForm(_ transaction: Transaction, of device: SimulatedDevice) throws {
    guard let form = device.form else { return }
    for envelope in transaction.commits where newlySigned.contains(envelope.hash) {
      let versions = shadow.commits[envelope.hash]?.versions ?? []
      guard !versions.contains(where: { $0.context == form.context }) else {
        throw Violation(.s4, "a commit left midway through an edit on \(device.number)")
      }
    }
  }

  /// S5: frontier and membership never go back.
  private func checkMonotonic(_ device: SimulatedDevice) throws {
    for (author, head) in device.held.heads {
      let now = device.core.frontier[author]
      guard let now, now.sequence > head.sequence || now == head else {
        throw Violation(.s5, "the frontier of \(device.number) went back")
      }
    }
    guard device.core.membership.count >= device.memberCount else {
      throw Violation(.s5, "the membership of \(device.number) went back")
    }
    device.held = device.core.frontier
    device.memberCount = device.core.membership.count
  }

  /// S6 and S11: what is stored was signed by a device of the account, and stands on what it
  /// depends on, by equal hashes.
  private func checkCausality(of commits: [Envelope], on device: SimulatedDevice) throws {
    for envelope in commits {
      let header = envelope.header
      guard shadow.commits[envelope.hash] != nil else {
        throw Violation(.s11, "\(device.number) holds a commit that no device signed")
      }
      let places = device.disk.current.places
      let floor = device.disk.current.state.floor
      if header.sequence > floor.sequence(of: header.device) + 1,
        places[header.device]?[header.sequence - 1] != header.previous
      {
        throw Violation(.s6, "\(device.number) holds a commit without its predecessor")
      }
      for (author, head) in header.dependencies.heads {
        let hash = places[author]?[head.sequence]
        if hash == head.hash { continue }
        // Below a snapshot single commits are not known.
        if hash == nil, head.sequence <= floor.sequence(of: author) { continue }
        throw Violation(
          .s6,
          "\(device.number) holds commit \(header.sequence) of \(header.device) without "
            + "\(head.sequence) of \(author)")
      }
    }
  }

  /// S6: what a person saved and was told is saved stands in this device's own history.
  func checkLastPromise(of device: SimulatedDevice) throws {
    guard let last = device.promised.last else { return }
    try checkHistory(of: device, holds: last)
  }

  func checkPromises(of device: SimulatedDevice) throws {
    guard !setsBack else { return }
    for promise in device.promised { try checkHistory(of: device, holds: promise) }
  }

  /// Whether the text may stand there more than once, by another act than the one that promised it.
  func isRewritten(_ promise: SimulatedDevice.Promise) -> Bool {
    rewritten.contains(promise.attribute) || restored.contains(promise.context)
  }

  func checkHistory(
    of device: SimulatedDevice, holds promise: SimulatedDevice.Promise
  ) throws {
    let history = device.core.replica.history(of: promise.attribute, in: promise.context)
    let count = history.count { $0.text == promise.text }
    guard count > 0 else {
      throw Violation(.s1, "\(promise.text) is not in the history of \(device.number)")
    }
    guard count == 1 || isRewritten(promise) else {
      throw Violation(.s7, "\(promise.text) stands \(count) times on \(device.number)")
    }
  }

  /// S3: devices of equal frontiers show the same.
  func checkConvergence(of device: SimulatedDevice) throws {
    guard device.disk.current.state.settled.isEmpty, device.core.waiting >= 0 else { return }
    let key = Self.key(of: device.core.frontier)
    let face = Self.face(of: device.core.replica)
    guard let known = shown.updateValue(face, forKey: key), known != face else { return }
    for other in devices where Self.key(of: other.core.frontier) == key {
      for context in other.core.replica.contexts { record("\(other.number) shows \(context)") }
    }
    throw Violation(.s3, "\(device.number) shows something else than another of its frontier")
  }

  private static func key(of frontier: Frontier) -> Digest32 {
    Digest32.sha256(frontier.sorted.flatMap { $0.device.bytes + $0.head.hash.bytes })
  }

  /// All that is shown, without what depends on the device it is shown on.
  static func face(of replica: Replica) -> Int {
    var hasher = Hasher()
    for context in replica.contexts {
      hasher.combine(context.id)
      hasher.combine(context.name)
      hasher.combine(context.kind)
      hasher.combine(context.names)
      hasher.combine(context.deletedOn)
      hasher.combine(context.updatedAt)
      for attribute in context.attributes {
        hasher.combine(attribute.id)
        hasher.combine(attribute.label)
        hasher.combine(attribute.text)
        hasher.combine(attribute.heads)
      }
    }
    return hasher.finalize()
  }

  /// S11: what an honest device sends is taken.
  func check(
    outcomes response: SyncResponse, to request: SyncRequest, of device: SimulatedDevice
  ) throws {
    guard !mayAlarm else { return }
    for outcome in response.outcomes {
      if outcome.problem?.code == .quota, weather.quotaBytes != nil {
        count(.quota)
        continue
      }
      if let problem = outcome.problem, !problem.retryable {
        throw Violation(.s11, "an honest commit was refused: \(problem.code.rawValue)")
      }
    }
  }

  /// S16 and S5: an opened disk holds the state before a write or after it.
  func checkDisk(of device: SimulatedDevice) throws {
    let contents = device.disk.current
    guard contents.state.frontier.reaches(device.held) else {
      throw Violation(.s16, "the disk of \(device.number) lost what was written")
    }
    var frontier = contents.state.floor
    for envelope in contents.log {
      let header = envelope.header
      guard header.sequence > contents.state.floor.sequence(of: header.device) else { continue }
      guard header.sequence == frontier.sequence(of: header.device) + 1 else {
        throw Violation(.s16, "the log of \(device.number) has a gap")
      }
      frontier[header.device] = Head(sequence: header.sequence, hash: envelope.hash)
      if header.sequence > device.held.sequence(of: header.device),
        header.device == device.keyring.device
      {
        mustHold.formUnion(shadow.commits[envelope.hash]?.versions.map(\.id) ?? [])
      }
    }
    guard frontier == contents.state.frontier else {
      throw Violation(.s16, "the disk of \(device.number) holds half a write")
    }
    try noteSettled(of: device)
    device.held = frontier
  }

  /// S12: what a hostile server did is named in two answers at the most.
  func checkDetection(by device: SimulatedDevice) throws {
    guard let hostile, let count = device.requestsSinceHostility else { return }
    let alarms = Set(device.disk.current.state.notices.filter(\.isAlarm).map(\.code))
    let expected = hostile.move.alarms
    if expected.isEmpty {
      guard alarms.isEmpty else {
        throw Violation(.s11, "a false alarm: \(alarms)")
      }
      return
    }
    if !alarms.isDisjoint(with: expected) {
      device.requestsSinceHostility = nil
      detections += 1
      return
    }
    guard count < 1 else {
      throw Violation(
        .s12, "\(hostile.move) was not noticed by \(device.number), only \(alarms.sorted())")
    }
    device.requestsSinceHostility = count + 1
  }
}

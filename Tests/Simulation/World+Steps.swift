import Sync
import Vault
import Wire

/// One event through a device's shell, with all that can go wrong on the way.
extension World {
  /// Puts an event through the core as the shell does: decide on a copy, write, keep the copy,
  /// carry out the effects. The device stops at a crash site, or goes on.
  ///
  /// - Throws: an `EditError` for an edit that cannot be made, a ``Disk/Fault`` for a save that the
  ///   disk refused; a ``Violation``.
  func take(_ event: SyncCore.Event, by device: SimulatedDevice) throws {
    guard device.isUp else { return }
    do {
      try step(event, of: device)
    } catch is Crash {
      crash(device)
    } catch let fault as Disk.Fault {
      record("\(device.number) \(event.name) \(fault)")
      count(.badDisk)
      try meet(fault, at: event, of: device)
    }
  }

  /// What the shell does where the disk refuses what an event changes.
  private func meet(
    _ fault: Disk.Fault, at event: SyncCore.Event, of device: SimulatedDevice
  ) throws {
    let failure = ServiceFailure.unreachable(reason: "the disk is full")
    switch event {
    case .saved: throw fault
    case .answered, .endingShown: try fail(failure, of: device)
    case .recordsShown(_, isRefused: true):
      if bug != .forgetRefusedRecords { try fail(failure, of: device) }
    case .locked: try take(.lockedUncommitted, by: device)
    // A full disk keeps nobody from reading.
    case .unlocked, .lockedUncommitted, .rotating, .formClosed:
      throw Violation(.s16, "\(event.name) wrote on device \(device.number)")
    case .snapshotWritten: try take(.snapshotFailed(.notWritten), by: device)
    case .snapshotStored: try take(.snapshotFailed(.notSent(failure)), by: device)
    case .snapshotFetched: try take(.snapshotFailed(.notFetched(failure)), by: device)
    case .replaced: try take(.replacementFailed(failure), by: device)
    // The shell tries again in a while.
    default: device.timersRestUntil = now + 5000
    }
  }

  private func step(_ event: SyncCore.Event, of device: SimulatedDevice) throws {
    if entropy.chance(weather.fullDisks) { device.disk.nextFault = .full }
    if entropy.chance(weather.failingSyncs) { device.disk.nextFault = .syncFailed }
    var next = device.core
    var step = try next.step(event, at: device.moment(now), entropy: &device.entropy)
    try distort(&step, of: device)
    var keyring = device.keyring
    if case .replaced(let successor, _) = event, next.device == successor.device {
      keyring = successor
    }
    // With the epochs that began since.
    keyring = next.keyring ?? keyring
    try note(signed: step.transaction, by: keyring, membership: next.membership)
    try checkSecrecy(
      of: step.transaction.commits.filter { newlySigned.contains($0.hash) },
      membership: next.membership, forgotten: next.forgotten)
    if bug == .acknowledgeBeforeWrite {
      for effect in step.effects { try perform(effect, of: device) }
      device.core = next
      step.effects = []
    }
    try checkNothingFollowsTheEnd(step.transaction, of: device)
    try passSite()
    do {
      try write(step.transaction, of: device)
    } catch {
      if bug == .keepCopyWhenWriteFailed { device.core = next }
      throw error
    }
    try passSite()
    device.core = next
    device.keyring = keyring
    record(
      "\(device.number) \(event.name) "
        + step.transaction.commits.map {
          "\($0.header.device.description.prefix(4)):\($0.header.sequence)"
        }
        .joined(separator: ","))
    if step.transaction.prune != nil { count(.logPruned) }
    if step.transaction.rewinds.contains(where: { $0.device != device.keyring.device }) {
      count(.merge)
    }
    if step.transaction.commits.contains(where: { $0.header.kind == .heartbeat }) {
      count(.heartbeat)
    }
    if step.transaction.notices.contains(where: \.isAlarm) { count(.alarm) }
    if step.transaction.notices.contains(where: { $0.text.contains("keys were changed") }) {
      count(.cutOffByKeys)
    }
    if let kept = step.transaction.recordsKept {
      count(.parting)
      device.memberCount = kept
    }
    try check(after: step, of: device)
    for effect in step.effects {
      try perform(effect, of: device)
      try passSite()
    }
    try checkWiped(device)
  }

  private func write(_ transaction: Transaction, of device: SimulatedDevice) throws {
    guard !transaction.isEmpty else {
      device.disk.nextFault = nil
      return
    }
    for rewind in transaction.rewinds { device.held[rewind.device] = rewind.head }
    for part in parts(of: transaction) {
      try device.disk.write(part)
      try passSite()
      if bug != .skipSync { try device.disk.sync() }
      try passSite()
    }
    try note(durable: transaction, of: device)
    try checkPruning(by: transaction, of: device)
    if setsBack { device.past.append(device.disk.lasting) }
  }

  private func parts(of transaction: Transaction) -> [Transaction] {
    guard bug == .writeInParts, !transaction.commits.isEmpty else { return [transaction] }
    var first = transaction
    first.commits = []
    var second = Transaction()
    second.commits = transaction.commits
    return [first, second]
  }

  private func distort(_ step: inout SyncCore.Step, of device: SimulatedDevice) throws {
    switch bug {
    case .loseSettledEdits: step.transaction.settled = nil
    case .dropAlarms: step.transaction.notices = []
    case .forgetForgotten: step.transaction.forgotten = nil
    case .loseDrafts: step.transaction.drafts = nil
    case .pruneOneTooFar:
      guard let pruned = step.transaction.prune else { break }
      for (author, head) in pruned.heads {
        let next = head.sequence + 1
        guard let hash = device.disk.current.places[author]?[next] else { continue }
        step.transaction.prune?[author] = Head(sequence: next, hash: hash)
      }
    case .replaceBySnapshot:
      guard let snapshot = step.transaction.snapshot, step.transaction.settled == nil else { break }
      step.transaction.settled = []
      let own = device.keyring.device
      step.transaction.rewinds = [Transaction.Rewind(device: own, to: snapshot.frontier[own])]
    default: break
    }
  }

  private func perform(_ effect: SyncCore.Effect, of device: SimulatedDevice) throws {
    if case .synchronise(let plan) = effect { try send(plan, from: device) }
    if case .writeSnapshot = effect { begin(.writing, of: device, writeSnapshot) }
    if case .uploadSnapshot(let id) = effect {
      begin(.sending, of: device) { upload(id, of: $0, $1) }
    }
    if case .fetchSnapshot(let summary) = effect {
      begin(.fetching, of: device) { fetch(summary, for: $0, $1) }
    }
    if case .readBranches(let claims) = effect { readBranches(claims, of: device) }
    if case .restoreMembership(let records) = effect {
      begin(.restoring, of: device) { restoreMembership(records, by: $0, $1) }
    }
    if case .restate(let record) = effect {
      begin(.restating, of: device) { restate(record, by: $0, $1) }
    }
    if case .replaceDevice = effect { begin(.replacing, of: device, replace) }
    if case .wipe = effect { try wipe(device) }
    if case .leave = effect { leave(device) }
    if case .acknowledge(let author, let sequence) = effect {
      sendToPush(.acknowledgement(device: author, sequence: sequence, by: nil), from: device)
    }
  }

  func fail(_ failure: ServiceFailure, of device: SimulatedDevice) throws {
    record("\(device.number) meets \(failure)")
    if case .refused(let problem) = failure, problem.code == .authenticationRevoked {
      return askWhyRevoked(device)
    }
    if case .refused(let problem) = failure, problem.code == .authenticationFailed {
      return askWhetherDeleted(device, after: failure)
    }
    if bug == .saveAgainAfterFailure, let last = device.promised.last, !device.isLocked {
      try? take(
        .saved(
          [.setValue(last.context, last.attribute, text: last.text, base: nil)],
          immediately: false), by: device)
    }
    try take(.failed(failure), by: device)
    if bug == .retryAtOnce { try take(.requested, by: device) }
  }

  /// What ends a chore: with the event that tells of it, if there is one.
  typealias End = (SyncCore.Event?) throws -> Void

  /// What goes on beside the steps, each kind once at a time, as in the shell.
  private func begin(
    _ chore: SimulatedDevice.Chore, of device: SimulatedDevice,
    _ body: (SimulatedDevice, @escaping End) -> Void
  ) {
    guard device.underway.insert(chore).inserted else { return }
    body(device) { [self] event in
      if let event { try take(event, by: device) }
      device.underway.remove(chore)
    }
  }

  // MARK: the life of a process

  func crash(_ device: SimulatedDevice) {
    record("\(device.number) crash")
    count(.crash)
    device.isUp = false
    device.pending = nil
    device.form = nil
    device.disk.crash(&entropy)
    hangUp(device)
    schedule(.start(device), at: now + Int64(entropy.pick(1...5000)))
  }

  func start(_ device: SimulatedDevice) throws {
    record("\(device.number) start")
    try device.start(waits: waits)
    try checkDisk(of: device)
    giveEndingBack(by: device)
    try take(.started, by: device)
    if entropy.chance(weather.locks) {
      schedule(.unlock(device), at: now + Int64(entropy.pick(100...8000)))
    } else {
      try unlock(device)
    }
    schedule(.connect(device), at: now + Int64(entropy.pick(1...500)))
  }

  func unlock(_ device: SimulatedDevice) throws {
    guard device.isUp else { return }
    try take(.unlocked(device.keyring, try device.folded(at: now)), by: device)
    try take(.timer, by: device)
    guard device.isUp, !device.isLocked else { return }
    try checkPromises(of: device)
    try checkDrafts(of: device)
  }

  func lock(_ device: SimulatedDevice) throws {
    device.form = nil
    count(.locked)
    try take(.locked, by: device)
    schedule(.unlock(device), at: now + Int64(entropy.pick(100...8000)))
  }
}

extension SyncCore.Event {
  /// The case's name alone: what comes with it is long.
  var name: String { Mirror(reflecting: self).children.first?.label ?? String(describing: self) }
}

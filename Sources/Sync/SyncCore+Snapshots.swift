import Vault
import Wire

/// When snapshots are written, sent, fetched, believed and used to forget commits.
extension SyncCore {
  enum SnapshotWork: Hashable, Sendable {
    case none
    /// The state while the server offered one and this device is locked.
    case wanted
    case writing
    /// The state while one is being written that says what this device went back on since.
    case outdated
    case sending(Digest32)
    case fetching
  }

  private static let retention = Limits.snapshotRetention.components.seconds * 1000

  mutating func count(_ commit: Envelope) {
    logCommits += 1
    logBytes += commit.bytes.count
  }

  /// After a sync that left nothing to do: is it time for a snapshot, or to forget commits?
  mutating func tendSnapshots(at now: Moment, _ step: inout Step) {
    guard keyring != nil, replacement == nil, snapshotWork == .none, !isForked, !owesKeys,
      serverFrontier.reaches(frontier), frontier.reaches(serverFrontier)
    else { return }
    if logCommits >= Limits.snapshotInterval || logBytes >= Limits.snapshotLogBytes
      || checkpoint.map({ $0.heldSince == nil && !isSendable($0) }) == true
    {
      snapshotWork = .writing
      step.effects.append(.writeSnapshot)
      return
    }
    guard let checkpoint else { return }
    guard let since = checkpoint.heldSince else {
      snapshotWork = .sending(checkpoint.id)
      step.effects.append(.uploadSnapshot(checkpoint.id))
      return
    }
    guard now.wall - since >= Self.retention, !floor.reaches(checkpoint.frontier) else { return }
    step.transaction.prune = checkpoint.frontier
    floor = floor.raised(to: checkpoint.frontier)
  }

  /// Whether nobody opens it who was left out since it was written: one that was written to go over
  /// to another list may say what came after that.
  private func isSendable(_ checkpoint: StoredState.Checkpoint) -> Bool {
    checkpoint.epoch == membership.epoch
  }

  static let forked = "fork"
  var isForked: Bool { alarms.contains { $0.code == Self.forked } }

  /// The server lacks commits that are no longer in the log: only a snapshot can give them back.
  mutating func healBySnapshot(_ step: inout Step) {
    guard keyring != nil, replacement == nil, snapshotWork == .none, !owesKeys,
      !serverFrontier.reaches(floor), frontier.reaches(serverFrontier)
    else { return }
    guard let checkpoint, checkpoint.frontier.reaches(serverFrontier), isSendable(checkpoint) else {
      snapshotWork = .writing
      step.effects.append(.writeSnapshot)
      return
    }
    snapshotWork = .sending(checkpoint.id)
    step.effects.append(.uploadSnapshot(checkpoint.id))
  }

  mutating func written(_ snapshot: SealedSnapshot, _ step: inout Step) {
    guard snapshotWork == .writing || snapshotWork == .outdated else { return }
    // Written before this device went back on something, took another identity, or went over to
    // another list.
    let header = snapshot.manifest.header
    guard snapshotWork == .writing, header.device == device,
      membership.contains(header.memberHead), !owesKeys
    else {
      snapshotWork = .none
      return
    }
    check(in: snapshot, &step)
    snapshotWork = .sending(snapshot.id)
    step.effects.append(.uploadSnapshot(snapshot.id))
  }

  /// Puts a checkpoint of what is here in the place of one that does not stand for it, or not any
  /// more: it says what went back, as if commits held it still, or does not open in another list.
  mutating func writeCheckpoint(
    with keyring: Keyring, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    let plain = try replica.snapshot(now: now.wall, coveredByAll: nil)
    let sealed = try keyring.sealSnapshot(
      pieces: plain.pieces, root: plain.root, versions: plain.versions, covering: frontier,
      memberHead: membership.head, writtenAt: now.wall, entropy: &entropy)
    check(in: sealed, &step)
    snapshotWork = .none
  }

  /// Makes it the checkpoint.
  private mutating func check(
    in snapshot: SealedSnapshot, heldSince: Int64? = nil, _ step: inout Step
  ) {
    step.transaction.snapshot = snapshot
    step.transaction.snapshotHeldSince = heldSince
    checkpoint = StoredState.Checkpoint(
      id: snapshot.id, frontier: snapshot.frontier, epoch: snapshot.manifest.header.epoch,
      heldSince: heldSince)
    (logCommits, logBytes) = (0, 0)
  }

  mutating func stored(
    _ id: Digest32, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) {
    // One is sent at a time, whichever was asked for last.
    if case .sending = snapshotWork { snapshotWork = .none }
    guard checkpoint?.id == id else { return }
    checkpoint?.heldSince = now.wall
    step.transaction.snapshotHeldSince = now.wall
    // A snapshot may have moved the server's frontier.
    if !serverFrontier.reaches(frontier) { run(.wanted, at: now, &step, &entropy) }
  }

  mutating func snapshotFailed(
    _ failure: SnapshotFailure, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) {
    snapshotWork = .none
    switch failure {
    case .notWritten:
      // Not again before as many commits have come.
      (logCommits, logBytes) = (0, 0)
    case .notDominating:
      // The next one will cover what has come since.
      logCommits = Limits.snapshotInterval
      run(.wanted, at: now, &step, &entropy)
    case .notSent: break
    case .notFetched(let failure): fail(failure, at: now, &step, &entropy)
    }
  }

  /// Whether a snapshot of the server is needed, and asks for it. Frames of the same answer are
  /// left: they come again.
  ///
  /// Where two histories contradict each other, nothing in a snapshot tells which of them it goes
  /// on with: it is not taken before a person wants both, and then what it may contradict goes
  /// back.
  mutating func wantsSnapshot(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) -> Bool {
    guard let offered = response.snapshot, !frontier.reaches(offered.frontier),
      response.frames.isEmpty || frontier.heads.isEmpty
    else { return false }
    if isForked, merging == nil {
      guard wantsMerge, keyring != nil else { return false }
      beginMerge(withUnshown: response.serverFrontier, at: now, &step)
      return true
    }
    guard keyring != nil else {
      snapshotWork = .wanted
      return true
    }
    guard snapshotWork == .none || snapshotWork == .wanted else { return true }
    snapshotWork = .fetching
    step.effects.append(.fetchSnapshot(offered))
    return true
  }

  /// Merges a snapshot, or takes nothing of it.
  mutating func fetched(
    _ snapshot: SealedSnapshot, hashes: [DeviceID: Digest32], at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws {
    guard snapshotWork == .fetching else { return }
    // Locked in the meantime: it can be read after the next unlock.
    snapshotWork = keyring == nil ? .wanted : .none
    guard let keyring else { return }
    let wasEmpty = frontier.heads.isEmpty
    do {
      var next = self
      try next.merge(snapshot, hashes: hashes, at: now)
      self = next
    } catch let distrust as Distrust {
      meet(distrust, serverFrontier: snapshot.frontier, at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    } catch {
      raise(.forgedSnapshot(snapshot.manifest.header.device), at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    }
    if wasEmpty {
      check(in: snapshot, heldSince: now.wall, &step)
    } else {
      // It may lack what was pruned here, and nothing proves that a chain it covers goes on with
      // what is here of it.
      try writeCheckpoint(with: keyring, at: now, &step, &entropy)
    }
    noteUnanswered(at: now, &step)
    lastReceived = now.wall
    run(.wanted, at: now, &step, &entropy)
  }

  private mutating func merge(
    _ snapshot: SealedSnapshot, hashes: [DeviceID: Digest32], at now: Moment
  ) throws {
    guard let keyring else { throw EditError.locked }
    let author = snapshot.manifest.header.device
    guard membership.revoked[author] == nil else { throw Distrust.forgedSnapshot(author) }
    let manifest = try keyring.openManifest(snapshot.manifest, membership: membership)
    // A twin, or a life before a restored disk: its chain goes on without what was written here,
    // which would count as covered.
    let covered = snapshot.frontier.sequence(of: device)
    if covered > frontier.sequence(of: device), replacement == nil, !isUncertain {
      throw Distrust.ownTwin(covered)
    }
    let wasEmpty = frontier.heads.isEmpty && settling.isEmpty
    for (author, head) in snapshot.frontier.heads {
      let held = frontier[author]
      let hash = held?.sequence == head.sequence ? held?.hash : hashes[author]
      guard hash == nil || hash == head.hash || (held?.sequence ?? 0) < head.sequence else {
        throw Distrust.fork(author, head.sequence, nil)
      }
    }
    try keyring.openSnapshot(snapshot, membership: membership) { piece in
      try replica.merge(piece: piece, now: now.wall)
    }
    if wasEmpty, replica.root != manifest.root {
      throw Distrust.forgedSnapshot(snapshot.manifest.header.device)
    }
    for (author, head) in snapshot.frontier.heads
    where head.sequence > frontier.sequence(of: author) {
      frontier[author] = head
      floor[author] = head
    }
  }
}

extension Frontier {
  /// How many commits of `other` are not held here.
  func lacked(of other: Frontier) -> UInt64 {
    other.heads.reduce(0) { sum, entry in
      let held = sequence(of: entry.key)
      return entry.value.sequence > held ? sum.addingClamped(entry.value.sequence - held) : sum
    }
  }

  /// The further of the two for each device.
  func raised(to other: Frontier) -> Frontier {
    var raised = self
    for (device, head) in other.heads where head.sequence > sequence(of: device) {
      raised[device] = head
    }
    return raised
  }
}

import AttributeServer
import Sync
import Vault
import Wire

/// Snapshots and replacements between a device's shell and the server.
extension World {
  /// Goes on in a while, in the same process, unless the message is lost on the way.
  func later(
    _ device: SimulatedDevice, losing lost: @escaping (ServiceFailure) throws -> Void,
    _ body: @escaping () throws -> Void
  ) {
    let isLost = cutOff[device.number] != nil || entropy.chance(weather.loss)
    let life = device.life
    if isLost {
      let failure = ServiceFailure.unreachable(reason: "timed out")
      schedule(.resume(device, life: life) { try lost(failure) }, at: now + 3000)
    } else {
      schedule(.resume(device, life: life, body), at: now + delay())
    }
  }

  /// Seals the replica as it is at this moment; the event comes when it is sealed. Of 50,000
  /// contexts that takes seconds, in which anything may happen.
  func writeSnapshot(of device: SimulatedDevice, _ end: @escaping End) {
    let core = device.core
    let wall = device.moment(now).wall
    let life = device.life
    let keyring = device.keyring
    let log = device.disk.current.log
    schedule(
      .resume(device, life: life) { [self] in
        let covered = core.coveredByAll { author, head in
          log.last { $0.header.device == author && $0.hash == head.hash }?.header
        }
        let snapshot = try core.replica.snapshot(now: wall, coveredByAll: covered)
        let sealed = try keyring.sealSnapshot(
          pieces: snapshot.pieces, root: snapshot.root, versions: snapshot.versions,
          covering: bug == .claimTooMuch ? device.core.frontier : core.frontier,
          memberHead: core.membership.head, writtenAt: wall,
          entropy: &device.entropy)
        count(.snapshotWritten)
        try end(.snapshotWritten(sealed))
      },
      at: now + Int64(entropy.pick(1...(entropy.chance(30) ? 8000 : 50)))
        + (bug == .claimTooMuch ? 2000 : 0))
  }

  // MARK: sending

  func upload(_ id: Digest32, of device: SimulatedDevice, _ end: @escaping End) {
    let failed: (ServiceFailure) throws -> Void = { failure in
      if case .refused(let problem) = failure, problem.code == .snapshotNotDominating {
        return try end(.snapshotFailed(.notDominating))
      }
      try end(.snapshotFailed(.notSent(failure)))
    }
    // It is read when the chore begins, not when it was asked for.
    later(device, losing: failed) { [self] in
      guard let snapshot = device.disk.current.checkpoint, snapshot.id == id else {
        return try failed(.unreachable(reason: "it is not there"))
      }
      try checkSecrecy(of: snapshot, sentBy: device)
      try send(snapshot, of: device, failed, end)
    }
  }

  private func send(
    _ snapshot: SealedSnapshot, of device: SimulatedDevice,
    _ failed: @escaping (ServiceFailure) throws -> Void, _ end: @escaping End
  ) throws {
    let id = snapshot.id
    let offer = SnapshotOffer(
      manifest: Blob(snapshot.manifest.bytes), chunks: snapshot.chunks.map { .sha256($0) },
      bytes: snapshot.chunks.reduce(0) { $0 + $1.count })
    try attempt(failed) {
      let caller = caller(device)
      let wall = wall
      let progress = try server.change { ledger, store throws(Problem) in
        try ledger.offer(offer, by: caller, now: wall, in: &store)
      }
      if progress.isComplete { return try end(.snapshotStored(id)) }
      put(progress.missing, of: snapshot, by: device, failed, end)
    }
  }

  private func put(
    _ missing: [Int], of snapshot: SealedSnapshot, by device: SimulatedDevice,
    _ failed: @escaping (ServiceFailure) throws -> Void, _ end: @escaping End
  ) {
    later(device, losing: failed) { [self] in
      try attempt(failed) {
        let caller = caller(device)
        let wall = wall
        guard let first = missing.first else {
          _ = try server.change { ledger, store throws(Problem) in
            try ledger.finish(snapshot.id, by: caller, now: wall, in: &store)
          }
          for signal in server.takeSignals() { publish(signal) }
          count(.snapshotStored)
          return try end(.snapshotStored(snapshot.id))
        }
        try server.change { ledger, store throws(Problem) in
          try ledger.put(
            snapshot.chunks[first], as: first, of: snapshot.id, by: caller, in: &store)
        }
        put(Array(missing.dropFirst()), of: snapshot, by: device, failed, end)
      }
    }
  }

  func attempt(
    _ failed: (ServiceFailure) throws -> Void, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch let problem as Problem {
      try failed(.refused(problem))
    }
  }

  // MARK: fetching

  func fetch(_ summary: SnapshotSummary, for device: SimulatedDevice, _ end: @escaping End) {
    let failed: (ServiceFailure) throws -> Void = { try end(.snapshotFailed(.notFetched($0))) }
    later(device, losing: failed) { [self] in
      try attempt(failed) {
        let caller = caller(device)
        let description = try server.ledger.describe(summary.id, by: caller, in: server.store)
        var chunks: [[UInt8]] = []
        for number in 0..<description.chunks {
          chunks.append(
            try server.ledger.chunk(number, of: summary.id, by: caller, in: server.store))
        }
        forgesSnapshots?(&chunks)
        let snapshot = SealedSnapshot(
          manifest: try Envelope(bytes: description.manifest.bytes), chunks: chunks)
        let places = device.disk.current.places
        let hashes = snapshot.frontier.heads.reduce(into: [DeviceID: Digest32]()) {
          $0[$1.key] = places[$1.key]?[$1.value.sequence]
        }
        record("\(device.number) fetched a snapshot")
        count(.snapshotFetched)
        try end(.snapshotFetched(snapshot, hashes: hashes))
      }
    }
  }

  // MARK: another identity

  func readBranches(_ claims: [SyncCore.Claim], of device: SimulatedDevice) {
    let life = device.life
    schedule(
      .resume(device, life: life) { [self] in
        let contents = device.disk.current
        let own = device.keyring.device
        let isAll = bug != .keepWhatStandsOnIt || claims.first?.device != own
        let branches = claims.filter { isAll || $0.device == own }.map { claim in
          var proven = claim.published
          if let head = proven, contents.places[claim.device]?[head.sequence] != head.hash {
            proven = nil
          }
          if bug == .forgetUnproven { proven = contents.state.frontier[claim.device] }
          let rest = contents.log.filter {
            $0.header.device == claim.device && $0.header.sequence > proven?.sequence ?? 0
          }
          record("\(device.number) keeps \(proven?.sequence ?? 0) and takes back \(rest.count)")
          return SyncCore.Branch(device: claim.device, proven: proven, commits: rest)
        }
        try take(.branches(branches), by: device)
      }, at: now + 1)
  }

  /// Gives a server that was set back the records it forgot.
  func restoreMembership(
    _ records: [MembershipRecord], by device: SimulatedDevice, _ end: @escaping End
  ) {
    if bug == .keepMembershipToOneself { return }
    let failed: (ServiceFailure) throws -> Void = { [self] in
      try fail($0, of: device)
      try end(nil)
    }
    later(device, losing: failed) { [self] in
      try attempt(failed) {
        let caller = caller(device)
        for entry in records {
          let request = MembershipRequest(
            expectedHead: entry.previous, record: Blob(entry.bytes), isRestored: true)
          try append(request, by: caller)
          count(.recordRestored)
        }
        later(device, losing: failed) { try end(.behind) }
      }
    }
  }

  /// Each answer may be lost, and anything happen before it comes.
  func replace(_ device: SimulatedDevice, _ end: @escaping End) {
    if bug == .keepIdentity { return }
    let failed: (ServiceFailure) throws -> Void = { try end(.replacementFailed($0)) }
    later(device, losing: failed) { [self] in
      guard let old = device.core.keyring, device.core.isReplacing else { return try end(nil) }
      let successor =
        device.successors[old.device].map(old.renewed)
        ?? old.successor(entropy: &device.entropy)
      device.successors[old.device] = successor
      device.keyrings[successor.keyring.device] = successor.keyring
      let membership = device.core.membership
      // The answer to an earlier attempt was lost.
      let admitted = membership.records.last {
        $0.newDevice?.device == successor.keyring.device
      }
      if let admitted { return try end(.replaced(successor.keyring, admitted)) }
      let record = try old.replacing(
        with: successor, name: DeviceName(name: "home pc", platform: "linux"),
        membership: membership, dependencies: device.core.serverFrontier,
        entropy: &device.entropy)
      try attempt(failed) {
        let request = MembershipRequest(
          expectedHead: membership.head, record: Blob(record.bytes))
        try append(request, by: caller(device))
        self.record("\(device.number) replaced")
        count(.replacement)
        later(device, losing: failed) { try end(.replaced(successor.keyring, record)) }
      }
    }
  }
}

public import Wire

/// What a snapshot would do to what the server holds.
enum SnapshotFit: Hashable, Sendable {
  /// All it covers is held, by equal hashes.
  case prefix
  /// It covers all that is held, and more: the server was set back, and these heads are ahead.
  case heal([DeviceID: Head])
}

extension Ledger {
  /// A chain longer than this is a lie: 10^12 commits are 30,000 a second for a year.
  private static let longestChain: UInt64 = 1 << 40
  /// What an offer that got no further keeps its place for.
  public static let offerLife: Int64 = 24 * 60 * 60 * 1000

  /// Begins or resumes an upload: says which chunks are missing. A device has one upload under way;
  /// the offer of another snapshot of that author takes its place.
  public func offer<Store: LedgerStore>(
    _ offer: SnapshotOffer, by caller: Caller, now: Int64, in store: inout Store
  ) throws(Problem) -> SnapshotProgress {
    try requireWritable()
    return try store.write { transaction throws in
      try requireDevice(caller, in: transaction)
      let id = digest(offer.manifest.bytes)
      if let known = try transaction.snapshot(id), known.account == caller.account {
        if !known.isComplete { try transaction.renew(snapshot: id, at: now) }
        return try progress(of: known, in: transaction)
      }
      let snapshot = try read(offer, id: id, account: caller.account, now: now)
      try checkAuthor(of: snapshot, in: transaction)
      _ = try fit(snapshot, in: transaction)
      for other in try transaction.snapshots(of: caller.account)
      where !other.isComplete && (other.device == snapshot.device || isExpired(other, now: now)) {
        try transaction.remove(snapshot: other)
      }
      try checkQuota(
        of: caller.account, for: snapshot.bytes + snapshot.manifest.count, in: transaction)
      try transaction.insert(snapshot: snapshot, chunks: offer.chunks)
      return try progress(of: snapshot, in: transaction)
    }
  }

  /// Takes one chunk, in any order; one that came already is answered like the first time.
  public func put<Store: LedgerStore>(
    _ bytes: [UInt8], as number: Int, of id: Digest32, by caller: Caller, in store: inout Store
  ) throws(Problem) {
    try requireWritable()
    guard bytes.count <= Limits.snapshotChunkBytes else {
      throw Problem(.tooLarge, detail: "A chunk has at most \(Limits.snapshotChunkBytes) bytes.")
    }
    let hash = digest(bytes)
    try store.write { transaction throws in
      let snapshot = try snapshot(id, by: caller, in: transaction)
      guard let offered = try transaction.chunkHash(number, of: id) else {
        throw Problem(.notFound, detail: "The snapshot has no chunk of that number.")
      }
      guard offered == hash else {
        throw Problem(.malformed, detail: "The chunk is not the one that was offered.")
      }
      guard try transaction.chunk(number, of: id) == nil else { return }
      guard try transaction.chunkBytes(of: id) + bytes.count <= snapshot.bytes else {
        throw Problem(.tooLarge, detail: "The chunks add up to more than was offered.")
      }
      try checkQuota(of: caller.account, for: bytes.count, in: transaction)
      try transaction.put(chunk: bytes, number: number, of: snapshot)
    }
  }

  /// Makes an upload with all its chunks a snapshot that others are given.
  ///
  /// What the server holds may have grown since the offer, so the rule of acceptance is checked
  /// again. Where the snapshot is ahead the server's frontier jumps to it, in the same transaction.
  public func finish<Store: LedgerStore>(
    _ id: Digest32, by caller: Caller, now: Int64, in store: inout Store
  ) throws(Problem) -> SnapshotSummary {
    try requireWritable()
    return try store.write { transaction throws in
      var snapshot = try snapshot(id, by: caller, in: transaction)
      if snapshot.isComplete { return summary(of: snapshot) }
      guard try transaction.missingChunks(of: id, limit: 1).isEmpty else {
        throw Problem(.malformed, detail: "Chunks of the snapshot are missing.")
      }
      guard try transaction.chunkBytes(of: id) == snapshot.bytes else {
        throw Problem(.malformed, detail: "The chunks add up to less than was offered.")
      }
      if case .heal(let heads) = try fit(snapshot, in: transaction) {
        let held = try transaction.frontier(of: caller.account)
        for (device, head) in heads.sorted(by: { $0.key < $1.key }) {
          try transaction.jump(
            device: device, of: caller.account, from: held.sequence(of: device), to: head)
        }
      }
      try transaction.complete(snapshot: id, at: now)
      snapshot.completedAt = now
      try dropSuperseded(of: caller.account, in: &transaction)
      return summary(of: snapshot)
    }
  }

  public func describe<Store: LedgerStore>(
    _ id: Digest32, by caller: Caller, in store: Store
  ) throws(Problem) -> SnapshotDescription {
    try store.read { transaction throws in
      let snapshot = try completeSnapshot(id, by: caller, in: transaction)
      return SnapshotDescription(
        id: id, manifest: Blob(snapshot.manifest), chunks: snapshot.chunks, bytes: snapshot.bytes)
    }
  }

  public func chunk<Store: LedgerStore>(
    _ number: Int, of id: Digest32, by caller: Caller, in store: Store
  ) throws(Problem) -> [UInt8] {
    try store.read { transaction throws in
      _ = try completeSnapshot(id, by: caller, in: transaction)
      guard let bytes = try transaction.chunk(number, of: id) else { throw Problem(.notFound) }
      return bytes
    }
  }

  /// The newest complete snapshot that stands for everything that was pruned.
  func newestSnapshot(
    of account: AccountID, bases: [DeviceID: UInt64], in transaction: some LedgerTransaction
  ) throws -> LedgerSnapshot? {
    try transaction.snapshots(of: account).last {
      // Nobody takes a revoked device's word for what there is.
      try $0.isComplete && Self.covers($0.frontier, bases)
        && transaction.device($0.device)?.isRevoked != true
    }
  }

  static func covers(_ frontier: Frontier, _ bases: [DeviceID: UInt64]) -> Bool {
    bases.allSatisfy { frontier.sequence(of: $0.key) >= $0.value }
  }

  func summary(of snapshot: LedgerSnapshot) -> SnapshotSummary {
    SnapshotSummary(
      id: snapshot.id, frontier: snapshot.frontier, chunks: snapshot.chunks, bytes: snapshot.bytes,
      at: snapshot.completedAt ?? snapshot.offeredAt)
  }

  func isExpired(_ snapshot: LedgerSnapshot, now: Int64) -> Bool {
    !snapshot.isComplete && now - snapshot.offeredAt > Self.offerLife
  }
}

// MARK: The rules

extension Ledger {
  private func read(
    _ offer: SnapshotOffer, id: Digest32, account: AccountID, now: Int64
  ) throws(Problem) -> LedgerSnapshot {
    guard offer.chunks.count <= Limits.snapshotChunks else {
      throw Problem(.tooMany, detail: "A snapshot has at most \(Limits.snapshotChunks) chunks.")
    }
    guard offer.bytes <= Limits.snapshotBytes else {
      throw Problem(.tooLarge, detail: "A snapshot has at most \(Limits.snapshotBytes) bytes.")
    }
    guard (0...(offer.chunks.count * Limits.snapshotChunkBytes)).contains(offer.bytes) else {
      throw Problem(.malformed, detail: "So many bytes do not fit in so many chunks.")
    }
    let envelope: Envelope
    do {
      envelope = try Envelope(bytes: offer.manifest.bytes)
    } catch .overLimit("commit bytes", _) {
      throw Problem(.tooLarge, detail: "A manifest has at most \(Limits.commitBytes) bytes.")
    } catch {
      throw Problem(.malformed, detail: "The manifest's envelope does not read.")
    }
    let header = envelope.header
    guard header.kind == .snapshotManifest, header.vault == 0 else {
      throw Problem(.malformed, detail: "The envelope is no manifest of vault 0.")
    }
    guard header.account == account else { throw Problem(.unknownDevice) }
    guard header.dependencies[header.device] == nil,
      header.sequence > 0 || header.previous == .zero,
      header.covered.heads.values.allSatisfy({ (1...Self.longestChain).contains($0.sequence) })
    else { throw Problem(.malformed, detail: "What the manifest covers does not read.") }
    return LedgerSnapshot(
      id: id, account: account, device: header.device, manifest: offer.manifest.bytes,
      frontier: header.covered, chunks: offer.chunks.count, bytes: offer.bytes, offeredAt: now)
  }

  private func checkAuthor(
    of snapshot: LedgerSnapshot, in transaction: some LedgerTransaction
  ) throws {
    let envelope = try Envelope(bytes: snapshot.manifest)
    guard let account = try transaction.account(snapshot.account),
      let author = try transaction.device(snapshot.device), author.account == account.id
    else { throw Problem(.unknownDevice) }
    guard verifies(envelope.signature, of: envelope.signedBytes, by: author.signingKey) else {
      throw Problem(.badSignature)
    }
    try checkMembership(of: envelope.header, account: account, author: author, in: transaction)
  }

  /// A snapshot says "this is the state here": true only of a place on the chains the server has,
  /// or of one beyond them all.
  private func fit(
    _ snapshot: LedgerSnapshot, in transaction: some LedgerTransaction
  ) throws -> SnapshotFit {
    let held = try transaction.frontier(of: snapshot.account)
    var ahead: [DeviceID: Head] = [:]
    for (device, head) in snapshot.frontier.heads {
      guard let member = try transaction.device(device), member.account == snapshot.account else {
        throw Problem(.unknownDevice)
      }
      guard head.sequence <= held.sequence(of: device) else {
        ahead[device] = head
        continue
      }
      guard let hash = try transaction.hash(device: device, sequence: head.sequence) else {
        // A place that a heal snapshot passed over: only clients can tell.
        continue
      }
      guard hash == head.hash else {
        throw Problem(
          .deviceFork, held: Frontier([device: Head(sequence: head.sequence, hash: hash)]))
      }
    }
    let bases = try transaction.bases(of: snapshot.account)
    guard ahead.isEmpty || snapshot.frontier.reaches(held), Self.covers(snapshot.frontier, bases)
    else { throw Problem(.snapshotNotDominating, held: held) }
    return ahead.isEmpty ? .prefix : .heal(ahead)
  }

  private func checkQuota(
    of id: AccountID, for bytes: Int, in transaction: some LedgerTransaction
  ) throws {
    guard let account = try transaction.account(id), account.usedBytes + bytes <= quotaBytes else {
      throw Problem(
        .quota, detail: "An account's commits and snapshots add up to at most \(quotaBytes) bytes.")
    }
  }

  private func snapshot(
    _ id: Digest32, by caller: Caller, in transaction: some LedgerTransaction
  ) throws -> LedgerSnapshot {
    try requireDevice(caller, in: transaction)
    guard let snapshot = try transaction.snapshot(id), snapshot.account == caller.account else {
      throw Problem(.notFound, detail: "No such snapshot; its offer may have expired.")
    }
    return snapshot
  }

  private func completeSnapshot(
    _ id: Digest32, by caller: Caller, in transaction: some LedgerTransaction
  ) throws -> LedgerSnapshot {
    let snapshot = try snapshot(id, by: caller, in: transaction)
    guard snapshot.isComplete else { throw Problem(.notFound) }
    return snapshot
  }

  private func progress(
    of snapshot: LedgerSnapshot, in transaction: some LedgerTransaction
  ) throws -> SnapshotProgress {
    SnapshotProgress(
      id: snapshot.id,
      missing: try transaction.missingChunks(of: snapshot.id, limit: Limits.snapshotMissing),
      isComplete: snapshot.isComplete)
  }
}

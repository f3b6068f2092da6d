import Storage
import Sync
import Transport
import Vault
import Wire

/// What goes on beside the actor, each kind once at a time.
enum Chore: Hashable, Sendable {
  case writing, sending, fetching, restoring, restating, replacing, salvage
}

/// Writes, sends and fetches snapshots.
extension Device {
  /// Runs a chore unless one of its kind is on its way; its failure is the core's to weigh.
  func begin(_ chore: Chore, _ body: @escaping @Sendable () async throws -> Void) {
    guard underway.insert(chore).inserted else { return }
    Task {
      var problem: (any Error)?
      do {
        try await body()
      } catch {
        problem = error
      }
      self.end(chore, problem)
    }
  }

  private func end(_ chore: Chore, _ problem: (any Error)?) {
    underway.remove(chore)
    say(nil)
    if let problem {
      attempt(Self.event(chore, problem))
      // A server that is away is told of by the status.
      if !(problem is ServiceFailure), !(problem is CancellationError) { complain(problem) }
    }
    afterStep()
  }

  private static func event(_ chore: Chore, _ problem: any Error) -> SyncCore.Event {
    let failure =
      problem as? ServiceFailure
      ?? .unreachable(reason: "this device could not keep or read what it needs")
    switch chore {
    case .writing, .salvage: return .snapshotFailed(.notWritten)
    case .sending:
      if case .refused(let problem) = failure, problem.code == .snapshotNotDominating {
        return .snapshotFailed(.notDominating)
      }
      return .snapshotFailed(.notSent(failure))
    case .fetching: return .snapshotFailed(.notFetched(failure))
    case .restoring, .restating: return .failed(failure)
    case .replacing: return .replacementFailed(failure)
    }
  }

  /// Seals a copy of the replica as it is now; commits that follow are the log's.
  func writeSnapshot() async throws {
    guard let keyring else { throw DeviceError.locked }
    let (replica, frontier, head) = (core.replica, core.frontier, core.membership.head)
    let now = Self.wallClock
    let covered = try core.coveredByAll { device, head in
      try store.commits(of: device, beyond: head.sequence - 1).first?.header
    }
    let sealed = try await Self.seal(
      replica, with: keyring, covering: frontier, memberHead: head, coveredByAll: covered, now: now)
    try take(.snapshotWritten(sealed))
  }

  @concurrent
  private static func seal(
    _ replica: Replica, with keyring: Keyring, covering frontier: Frontier, memberHead: Digest32,
    coveredByAll: Frontier?, now: Int64
  ) async throws -> SealedSnapshot {
    let snapshot = try replica.snapshot(now: now, coveredByAll: coveredByAll)
    var entropy = SodiumEntropy()
    return try keyring.sealSnapshot(
      pieces: snapshot.pieces, root: snapshot.root, versions: snapshot.versions,
      covering: frontier, memberHead: memberHead, writtenAt: now, entropy: &entropy)
  }

  /// Asks again where the server says that it is asked too often, which a large snapshot brings
  /// about; each time it says so counts, so that one which says nothing else ends it.
  func unhurried<Answer>(_ request: () async throws -> Answer) async throws -> Answer {
    for _ in 0..<Self.patience {
      do {
        return try await request()
      } catch let failure as ServiceFailure {
        guard case .refused(let problem) = failure, problem.code == .rateLimited else {
          throw failure
        }
        let wait = min(max(problem.retryAfterSeconds ?? 1, 0), Self.longestWaitSeconds)
        try await Task.sleep(for: .seconds(wait))
      }
    }
    return try await request()
  }

  /// Times in a row that one part is refused for haste.
  private static let patience = 10
  private static let longestWaitSeconds = 30

  /// Sends the checkpoint: what the server has of it already is not sent again.
  func sendSnapshot(_ id: Digest32) async throws {
    guard let snapshot = try store.checkpoint(), snapshot.id == id else {
      throw CancellationError()
    }
    let offer = SnapshotOffer(
      manifest: Blob(snapshot.manifest.bytes), chunks: snapshot.chunks.map { .sha256($0) },
      bytes: snapshot.chunks.reduce(0) { $0 + $1.count })
    var sent = 0
    while true {
      let state = try await unhurried { try await client.offer(offer) }
      guard state.id == id else { throw ServiceFailure.unintelligible("another snapshot's state") }
      if state.isComplete { break }
      guard let first = state.missing.first else {
        _ = try await unhurried { try await client.finish(id) }
        break
      }
      guard sent <= snapshot.chunks.count, snapshot.chunks.indices.contains(first) else {
        throw ServiceFailure.unintelligible("a snapshot that is never complete")
      }
      for position in state.missing where snapshot.chunks.indices.contains(position) {
        try await unhurried {
          try await client.put(snapshot.chunks[position], at: position, of: id)
        }
        sent += 1
        say(SyncProgress(done: sent, total: snapshot.chunks.count, what: "snapshot sent"))
      }
    }
    try take(.snapshotStored(id))
  }

  /// Fetches what is missing of a snapshot, each chunk on disk before the next is asked for.
  func fetchSnapshot(_ summary: SnapshotSummary) async throws {
    let description = try await unhurried { try await client.describe(summary.id) }
    guard let manifest = try? Envelope(bytes: description.manifest.bytes),
      manifest.hash == summary.id, (1...Limits.snapshotChunks).contains(description.chunks)
    else { throw ServiceFailure.unintelligible("a snapshot that is not the one it named") }
    let expected = try keyring?.openManifest(manifest, membership: core.membership).chunks
    guard expected == nil || expected?.count == description.chunks else {
      throw ServiceFailure.unintelligible("a snapshot of another size than its manifest says")
    }
    try store.beginFetching(manifest, chunks: description.chunks)
    let missing = try store.missingChunks(of: summary.id) ?? []
    var done = description.chunks - missing.count
    for position in missing {
      say(SyncProgress(done: done, total: description.chunks, what: "snapshot"))
      let chunk = try await unhurried { try await client.chunk(position, of: summary.id) }
      guard chunk.count <= Limits.snapshotChunkBytes,
        expected == nil || expected?[position] == .sha256(chunk)
      else { throw ServiceFailure.unintelligible("a part of a snapshot that is not what it was") }
      try store.keep(chunk: chunk, at: position, of: summary.id)
      done += 1
    }
    say(SyncProgress(done: done, total: description.chunks, what: "snapshot"))
    guard let snapshot = try store.fetched(summary.id) else { throw CancellationError() }
    var hashes: [DeviceID: Digest32] = [:]
    for (author, head) in snapshot.frontier.heads {
      hashes[author] = try store.hash(of: author, at: head.sequence)
    }
    try take(.snapshotFetched(snapshot, hashes: hashes))
    // One that was not taken is not to be believed: its parts are fetched anew.
    if core.checkpoint?.id != snapshot.id { try store.dropFetched() }
  }
}

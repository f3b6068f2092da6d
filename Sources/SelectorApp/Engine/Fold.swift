import Storage
import Sync
import Vault
import Wire

/// The contexts of a store: its checkpoint, and the commits beyond it.
struct Fold: Sendable {
  /// Parts (chunks, commits) between two sayings how far it is.
  private static let stride = 500

  private(set) var replica: Replica
  /// What is in it.
  private var frontier = Frontier()

  /// Folds on a thread of its own: 50,000 contexts take seconds, in which the screen must answer.
  ///
  /// - Parameter progress: how many parts are done, and how many there are.
  @concurrent
  static func make(
    of store: SQLiteStore, own: DeviceID, keyring: Keyring, membership: Membership, now: Int64,
    progress: @escaping @Sendable (Int, Int) async -> Void
  ) async throws -> Fold {
    let stored = try store.load()
    let confirmed = stored.serverFrontier.sequence(of: own)
    var fold = Fold(replica: Replica(own: own, confirmed: confirmed))
    let checkpoint = try store.checkpoint()
    let total = (checkpoint?.chunks.count ?? 0) + stored.logCommits
    var done = 0
    func count() {
      done += 1
      guard total > stride, done % stride == 0 else { return }
      let (done, total) = (done, total)
      Task { await progress(done, total) }
    }
    if let checkpoint {
      try keyring.openSnapshot(checkpoint, membership: membership) { piece in
        try fold.replica.merge(piece: piece, now: now)
        count()
      }
      fold.frontier = stored.checkpoint?.frontier ?? Frontier()
    }
    try store.forEachCommit { envelope in
      try fold.add(envelope, keyring: keyring, membership: membership, now: now)
      count()
    }
    return fold
  }

  /// Adds what the store took meanwhile.
  mutating func finish(
    from store: SQLiteStore, keyring: Keyring, membership: Membership, now: Int64
  ) throws {
    while true {
      let more = try store.commits(
        beyond: frontier, count: Limits.framesPerSync, bytes: Limits.frameBytesPerSync)
      guard !more.isEmpty else { return }
      for envelope in more {
        try add(envelope, keyring: keyring, membership: membership, now: now)
      }
    }
  }

  private mutating func add(
    _ envelope: Envelope, keyring: Keyring, membership: Membership, now: Int64
  ) throws {
    try replica.fold(envelope, with: keyring, membership: membership, now: now)
    frontier[envelope.header.device] = Head(
      sequence: envelope.header.sequence, hash: envelope.hash)
  }
}

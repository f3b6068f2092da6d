import Storage
import Sync
import Vault
import Wire

/// The contexts of a store: its checkpoint, and the commits beyond it.
struct Fold: Sendable {
  /// Parts (chunks, commits) between two sayings how far it is.
  private static let stride = 500

  /// Who belongs to the account, and the keys that go with that.
  struct Trust: Sendable {
    let keyring: Keyring
    let membership: Membership
  }

  /// 10,000 changes: more than a person looks through.
  private static let newsLimit = 10_000

  private(set) var replica: Replica
  /// What others changed that nobody could read when it came, the newest last.
  private(set) var news: [Change] = []
  /// What is in it.
  private var frontier = Frontier()
  /// What was there when somebody could read it.
  private let seen: Frontier

  /// Folds on a thread of its own: 50,000 contexts take seconds, in which the screen must answer.
  ///
  /// - Parameters:
  ///   - seen: What is no news.
  ///   - trust: Asked again when something does not open: what the store took meanwhile may need
  ///   records that came with it.
  ///   - progress: How many parts are done, and how many there are.
  @concurrent
  static func make(
    of store: SQLiteStore, own: DeviceID, seen: Frontier, now: Int64,
    trust: @Sendable () async throws -> Trust,
    progress: @escaping @Sendable (Int, Int) async -> Void
  ) async throws -> Fold {
    var trusted = try await trust()
    while true {
      do {
        return try read(
          store, own: own, seen: seen, trust: trusted, now: now, progress: progress)
      } catch let error as VaultError {
        let newest = try await trust()
        guard newest.membership.head != trusted.membership.head else { throw error }
        trusted = newest
      }
    }
  }

  private static func read(
    _ store: SQLiteStore, own: DeviceID, seen: Frontier, trust: Trust, now: Int64,
    progress: @escaping @Sendable (Int, Int) async -> Void
  ) throws -> Fold {
    let stored = try store.load()
    let confirmed = stored.serverFrontier.sequence(of: own)
    var fold = Fold(replica: Replica(own: own, confirmed: confirmed), seen: seen)
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
      try trust.keyring.openSnapshot(checkpoint, membership: trust.membership) { piece in
        try fold.replica.merge(piece: piece, now: now)
        count()
      }
      fold.frontier = stored.checkpoint?.frontier ?? Frontier()
    }
    try store.forEachCommit { envelope in
      try fold.add(envelope, trust: trust, now: now)
      count()
    }
    return fold
  }

  /// Adds what the store took meanwhile.
  mutating func finish(from store: SQLiteStore, trust: Trust, now: Int64) throws {
    while true {
      let more = try store.commits(
        beyond: frontier, count: Limits.framesPerSync, bytes: Limits.frameBytesPerSync)
      guard !more.isEmpty else { return }
      for envelope in more {
        try add(envelope, trust: trust, now: now)
      }
    }
  }

  private mutating func add(_ envelope: Envelope, trust: Trust, now: Int64) throws {
    let changes = try replica.fold(
      envelope, with: trust.keyring, membership: trust.membership, now: now)
    if envelope.header.sequence > seen.sequence(of: envelope.header.device) { add(changes) }
    frontier[envelope.header.device] = Head(
      sequence: envelope.header.sequence, hash: envelope.hash)
  }

  private mutating func add(_ changes: [Change]) {
    news += changes.filter { $0.device != replica.own }
    if news.count > Self.newsLimit { news.removeFirst(news.count - Self.newsLimit) }
  }
}

public import Wire

/// What pruning did, for the log.
public struct LedgerPruning: Hashable, Sendable {
  public var commits = 0
  public var bytes = 0
  public var snapshots = 0
  public var offers = 0
  /// Whether the account has more to prune than one step takes.
  public var more = false

  public init() {}

  /// Adds what a step removed.
  mutating func add(_ step: LedgerPruning) {
    commits += step.commits
    bytes += step.bytes
    snapshots += step.snapshots
    offers += step.offers
  }
}

extension Ledger {
  /// What one step removes: some 100 MiB at the most, a second or so of a slow disk.
  public static let commitsPerStep = 500

  /// Prunes every account, step after step. `now` is in milliseconds since 1970.
  public func prune<Store: LedgerStore>(
    now: Int64, in store: inout Store
  ) throws(Problem) -> LedgerPruning {
    var total = LedgerPruning()
    for account in try store.read({ try $0.accounts() }) {
      var step: LedgerPruning
      repeat {
        step = try prune(account, now: now, in: &store)
        total.add(step)
      } while step.more
    }
    return total
  }

  /// One step for one account, in one transaction: offers that expired, commits that a snapshot of
  /// 30 days stands for, snapshots that nothing needs any more.
  ///
  /// Only what is proven goes: a commit at or below a hash that the snapshot names and the server
  /// holds, with no unknown link between. Digests of commits stay for ever.
  public func prune<Store: LedgerStore>(
    _ account: AccountID, now: Int64, limit: Int = commitsPerStep, in store: inout Store
  ) throws(Problem) -> LedgerPruning {
    try store.write { transaction throws in
      var pruning = LedgerPruning()
      let snapshots = try transaction.snapshots(of: account)
      for offer in snapshots where isExpired(offer, now: now) {
        try transaction.remove(snapshot: offer)
        pruning.offers += 1
      }
      for ripe in snapshots where isRipe(ripe, now: now) {
        guard try isCovered(ripe.frontier, of: account, by: snapshots, in: transaction) else {
          continue
        }
        try prune(account, covered: ripe.frontier, limit: limit, &pruning, in: &transaction)
      }
      pruning.snapshots = try dropSuperseded(of: account, in: &transaction)
      return pruning
    }
  }

  private func isRipe(_ snapshot: LedgerSnapshot, now: Int64) -> Bool {
    guard let completedAt = snapshot.completedAt else { return false }
    return now - completedAt >= Self.retention
  }

  /// Whether one complete snapshot stands for that frontier and for all that was pruned before:
  /// who lacks any of it is given one snapshot, not two.
  private func isCovered(
    _ frontier: Frontier, of account: AccountID, by snapshots: [LedgerSnapshot],
    in transaction: some LedgerTransaction
  ) throws -> Bool {
    let bases = try transaction.bases(of: account)
      .merging(frontier.heads.mapValues(\.sequence)) { max($0, $1) }
    return snapshots.contains { $0.isComplete && Self.covers($0.frontier, bases) }
  }

  /// How long the commits stay that a snapshot covers, in milliseconds.
  public static let retention = Int64(Limits.snapshotRetention / .milliseconds(1))

  private func prune(
    _ account: AccountID, covered: Frontier, limit: Int, _ pruning: inout LedgerPruning,
    in transaction: inout some LedgerTransaction
  ) throws {
    for (device, head) in covered.sorted {
      guard try transaction.hash(device: device, sequence: head.sequence) == head.hash else {
        continue
      }
      // Nothing ties what was held before a jump to what came after.
      let first = (try transaction.jumps(of: device).map(\.upTo).max() ?? 0) + 1
      guard first <= head.sequence else { continue }
      // From here on callers get the snapshot, also while some of the commits are still there.
      try transaction.raiseBase(of: device, in: account, to: head.sequence)
      let room = limit - pruning.commits
      guard room > 0 else {
        pruning.more = true
        return
      }
      let removal = try transaction.prune(
        device: device, of: account, sequences: first...head.sequence, limit: room)
      pruning.commits += removal.commits
      pruning.bytes += removal.bytes
      if removal.commits == room { pruning.more = true }
    }
  }

  /// Keeps the newest two complete snapshots, the oldest that still waits for its 30 days (a busy
  /// account would never prune otherwise), and always one that covers all that was pruned.
  @discardableResult
  func dropSuperseded(
    of account: AccountID, in transaction: inout some LedgerTransaction
  ) throws -> Int {
    let complete = try transaction.snapshots(of: account).filter(\.isComplete)
    let bases = try transaction.bases(of: account)
    var kept = Set(complete.suffix(2).map(\.id))
    let waiting = complete.first { snapshot in
      snapshot.frontier.heads.contains { (bases[$0.key] ?? 0) < $0.value.sequence }
    }
    if let waiting { kept.insert(waiting.id) }
    if let cover = complete.last(where: { Self.covers($0.frontier, bases) }) {
      kept.insert(cover.id)
    }
    let dropped = complete.filter { !kept.contains($0.id) }
    for snapshot in dropped { try transaction.remove(snapshot: snapshot) }
    return dropped.count
  }
}

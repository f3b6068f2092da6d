import AttributeServer
import Testing
import Wire

struct PruningTests {
  private let day: Int64 = 24 * 60 * 60 * 1000

  @Test(arguments: StoreKind.allCases)
  func commitsGoThirtyDaysAfterTheirSnapshotAndTheirDigestsStay(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(2)
    let first = try fixture.sync().frames.map(\.bytes)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot, now: 5)
    let covered = fixture.heads
    try fixture.commitBoth(1)
    let used = try fixture.usedBytes
    let early = try fixture.ledger.prune(now: 5 + Ledger.retention - 1, in: &fixture.store)
    #expect(early == LedgerPruning())
    let pruned = try fixture.ledger.prune(now: 5 + Ledger.retention, in: &fixture.store)
    #expect(pruned.commits == 4)
    #expect(pruned.bytes == first.reduce(0) { $0 + $1.count })
    #expect(try fixture.usedBytes == used - pruned.bytes)
    for frame in first { #expect(try fixture.outcome(of: frame) == "known") }
    #expect(try fixture.store.findings() == [])

    let fresh = try fixture.sync()
    #expect(fresh.snapshot?.frontier == covered)
    #expect(fresh.frames.isEmpty && !fresh.more)
    #expect(try fixture.sync(holding: covered).frames.count == 2)
    let again = try fixture.ledger.prune(now: 5 + Ledger.retention + day, in: &fixture.store)
    #expect(again == LedgerPruning())
  }

  @Test(arguments: StoreKind.allCases)
  func aCommitMayDependOnAPrunedOne(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(2)
    try fixture.upload(
      try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads))
    _ = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    let next = try fixture.work.commit(
      fixture.account, dependencies: Frontier([fixture.home.id: fixture.home.head]))
    #expect(try fixture.outcome(of: next) == "accepted")
    let wrong = try fixture.work.signed(fixture.account) {
      $0.dependencies[fixture.home.id] = Head(sequence: 1, hash: hash([1]))
    }
    #expect(try fixture.outcome(of: wrong) == "device_fork", "the digest is still compared")
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func pruningGoesStepByStepAndPagesStayCausalBetween(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(4)
    let covered = fixture.heads
    let snapshot = try TestSnapshot(of: fixture.account, by: fixture.home, covering: covered)
    try fixture.upload(snapshot)
    try fixture.commitBoth(1)
    var steps = 0
    var commits = 0
    var more = true
    while more {
      let step = try fixture.ledger.prune(
        fixture.account.id, now: Ledger.retention, limit: 3, in: &fixture.store)
      steps += 1
      commits += step.commits
      more = step.more
      #expect(try fixture.store.findings() == [])
      let fresh = try fixture.sync()
      #expect(fresh.snapshot?.id == snapshot.id)
      #expect(fresh.frames.isEmpty)
      #expect(try fixture.sync(holding: covered).frames.count == 2)
    }
    #expect(commits == 8)
    #expect(steps == 3)
  }

  /// An account that writes a snapshot every five days: the newest two never reach thirty days.
  @Test(arguments: StoreKind.allCases)
  func aBusyAccountPrunesToo(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    var pruned = 0
    for round in 0..<20 {
      try fixture.commitBoth(1)
      let now = Int64(round) * 5 * day
      let snapshot = try TestSnapshot(
        of: fixture.account, by: fixture.home, covering: fixture.heads, fill: UInt8(round))
      try fixture.upload(snapshot, now: now)
      pruned += try fixture.ledger.prune(now: now, in: &fixture.store).commits
      let complete = try fixture.complete
      #expect(complete.count <= 3)
      #expect(complete.last == snapshot.id)
      #expect(try fixture.store.findings() == [])
    }
    #expect(pruned >= 20)
    let fresh = try fixture.sync()
    #expect(fresh.snapshot?.frontier == fixture.heads)
  }

  @Test(arguments: StoreKind.allCases)
  func theNewestTwoAndTheOneThatRipensAreKept(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    var ids: [Digest32] = []
    for round in 0..<5 {
      try fixture.commitBoth(1)
      let snapshot = try TestSnapshot(
        of: fixture.account, by: fixture.home, covering: fixture.heads, fill: UInt8(round))
      try fixture.upload(snapshot, now: Int64(round))
      ids.append(snapshot.id)
    }
    #expect(try fixture.complete == [ids[0], ids[3], ids[4]])
    _ = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    #expect(try fixture.complete == [ids[3], ids[4]])
    #expect(try fixture.store.findings() == [])
  }

  /// The server's clock went back: the newest is still the one that came last.
  @Test(arguments: StoreKind.allCases)
  func theOrderIsThatOfCompletionNotOfTheClock(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    try fixture.upload(
      try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads), now: 1000)
    try fixture.commitBoth(1)
    let later = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, fill: 5)
    try fixture.upload(later, now: 10)
    #expect(try fixture.complete.last == later.id)
  }

  @Test(arguments: StoreKind.allCases)
  func aSnapshotThatDoesNotCoverWhatWasPrunedIsRefused(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let old = fixture.heads
    try fixture.commitBoth(1)
    try fixture.upload(
      try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads))
    _ = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    let behind = try TestSnapshot(of: fixture.account, by: fixture.work, covering: old, fill: 3)
    #expect(refusal { _ = try fixture.offer(behind) } == "snapshot_not_dominating")
  }

  /// Two snapshots of which neither covers the other: pruning by both would leave nobody a single
  /// one to start from.
  @Test(arguments: StoreKind.allCases)
  func onlyWhatOneSnapshotCoversIsPruned(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let start = fixture.heads
    try fixture.commitBoth(1)
    var left = start
    left[fixture.home.id] = fixture.home.head
    var right = start
    right[fixture.work.id] = fixture.work.head
    try fixture.upload(
      try TestSnapshot(of: fixture.account, by: fixture.home, covering: left, fill: 1))
    try fixture.upload(
      try TestSnapshot(of: fixture.account, by: fixture.work, covering: right, fill: 2))
    let pruned = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    #expect(pruned.commits == 3)
    #expect(try fixture.sync().snapshot?.frontier == left)
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func withoutASnapshotNothingIsEverPruned(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(2)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    _ = try fixture.offer(snapshot)
    try fixture.put(0, of: snapshot)
    let pruned = try fixture.ledger.prune(now: .max / 2, in: &fixture.store)
    #expect(pruned.commits == 0)
    #expect(try fixture.sync().frames.count == 4)
  }
}

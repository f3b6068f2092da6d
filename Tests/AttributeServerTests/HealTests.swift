import AttributeServer
import Testing
import Wire

/// A server that was set back is healed by a snapshot when nobody has the commits any more.
struct HealTests {
  /// A server that holds the first round of four, and the snapshot of them all.
  private func setBack(
    _ kind: StoreKind
  ) throws -> (fixture: TestLedger<AnyLedgerStore>, frames: [[UInt8]], snapshot: TestSnapshot) {
    var fixture = try kind.ledger()
    let (frames, snapshot) = try setBack(&fixture)
    return (fixture, frames, snapshot)
  }

  private func setBack<Store: LedgerStore>(
    _ fixture: inout TestLedger<Store>
  ) throws -> (frames: [[UInt8]], snapshot: TestSnapshot) {
    try fixture.commitBoth(1)
    var frames: [[UInt8]] = []
    for _ in 0..<3 {
      frames.append(try fixture.home.commit(fixture.account))
      frames.append(
        try fixture.work.commit(
          fixture.account, dependencies: Frontier([fixture.home.id: fixture.home.head])))
    }
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    return (frames, snapshot)
  }

  @Test(arguments: StoreKind.allCases)
  func theFrontierJumpsWhenTheSnapshotIsCompleteAndNotBefore(kind: StoreKind) throws {
    var (fixture, _, snapshot) = try setBack(kind)
    let before = try fixture.frontier
    _ = try fixture.offer(snapshot)
    try fixture.put(0, of: snapshot)
    #expect(try fixture.frontier == before)
    try fixture.put(1, of: snapshot)
    _ = try fixture.finish(snapshot)
    #expect(try fixture.frontier == fixture.heads)
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func chainsGoOnFromTheSnapshot(kind: StoreKind) throws {
    var (fixture, frames, snapshot) = try setBack(kind)
    try fixture.upload(snapshot)
    let dependencies = Frontier([fixture.work.id: fixture.work.head])
    let next = try fixture.home.commit(fixture.account, dependencies: dependencies)
    #expect(try fixture.outcome(of: next) == "accepted")
    // One that the snapshot passed over: its digest was never learned, its content is there.
    #expect(try fixture.outcome(of: frames[0]) == "known")
    #expect(try fixture.outcome(of: frames[4]) == "known")
    let between = try Envelope(bytes: frames[2]).header
    let old = try fixture.work.signed(fixture.account) {
      $0.dependencies[between.device] = Head(sequence: between.sequence, hash: hash([1]))
    }
    #expect(try fixture.outcome(of: old) == "accepted", "comparing it is left to clients")
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func whoLacksWhatWasPassedOverGetsTheSnapshotAndNoPage(kind: StoreKind) throws {
    var (fixture, _, snapshot) = try setBack(kind)
    let held = try fixture.frontier
    try fixture.upload(snapshot)
    let next = try fixture.home.commit(fixture.account)
    #expect(try fixture.outcome(of: next) == "accepted")
    let response = try fixture.sync(holding: held)
    #expect(response.snapshot?.id == snapshot.id)
    #expect(response.frames.isEmpty)
    #expect(!response.more)
    let merged = try fixture.sync(holding: try #require(response.snapshot).frontier)
    #expect(merged.frames == [Blob(next)])
    #expect(merged.snapshot == nil)
  }

  @Test func everyDeviceThatJumpedIsSignalled() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let (_, snapshot) = try setBack(&fixture)
    _ = fixture.store.takeSignals()
    try fixture.upload(snapshot)
    let signals = fixture.store.takeSignals()
    #expect(signals.map(\.device) == [fixture.home.id, fixture.work.id])
    #expect(signals.map(\.sequence) == [4, 4])
  }

  /// Commits arrive between the offer and its end: the rule holds at the end.
  @Test(arguments: StoreKind.allCases)
  func aSnapshotThatWasOvertakenIsRefusedAtItsEnd(kind: StoreKind) throws {
    var (fixture, frames, _) = try setBack(kind)
    let frontier = Frontier([
      fixture.home.id: Head(
        sequence: 2, hash: hash(frames[0])),
      fixture.work.id: try #require(try fixture.frontier[fixture.work.id]),
    ])
    let snapshot = try TestSnapshot(of: fixture.account, by: fixture.home, covering: frontier)
    for number in try fixture.offer(snapshot).missing { try fixture.put(number, of: snapshot) }
    // The other device goes on from what the server holds.
    let held = try #require(try fixture.frontier[fixture.work.id])
    let commit = try fixture.work.signed(fixture.account) {
      $0.sequence = held.sequence + 1
      $0.previous = held.hash
    }
    #expect(try fixture.outcome(of: commit) == "accepted")
    #expect(refusal { _ = try fixture.finish(snapshot) } == "snapshot_not_dominating")
    #expect(try fixture.frontier.sequence(of: fixture.home.id) == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func commitsBelowAJumpAreNeverPruned(kind: StoreKind) throws {
    var (fixture, _, snapshot) = try setBack(kind)
    try fixture.upload(snapshot, now: 0)
    try fixture.commitBoth(1)
    let pruned = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    #expect(pruned.commits == 0, "nothing ties them to what the snapshot covers")
    let later = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, fill: 7)
    try fixture.upload(later, now: 1)
    let second = try fixture.ledger.prune(now: Ledger.retention + 1, in: &fixture.store)
    #expect(second.commits == 2)
    #expect(try fixture.store.findings() == [])
  }
}

import Testing
import Vault
import Wire

@testable import Sync

/// Two histories of one device, and a server that forgot devices.
@Suite struct BranchTests {
  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  private func alarms(_ bench: HealingBench) -> [String] { bench.core.alarms.map(\.code) }

  /// A device that believed one of two commits 1 of a peer, and was then shown the other.
  private func forked() throws -> (HealingBench, peer: Keyring, other: Envelope) {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let believed = try bench.commit(by: peer, note("believed"), sequence: 1)
    let other = try bench.commit(by: peer, note("other"), sequence: 1)
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: [peer.device: believed], frames: [believed])))
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [peer.device: other], frames: [other])))
    return (bench, peer, other)
  }

  /// A device that holds two commits of a peer, and another commit 1 of that peer.
  private func ahead() throws -> (HealingBench, peer: Keyring, other: Envelope) {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let first = try bench.commit(by: peer, note("first"), sequence: 1)
    let second = try bench.commit(
      by: peer, note("second"), sequence: 2, previous: first.hash)
    let other = try bench.commit(by: peer, note("other"), sequence: 1)
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: [peer.device: second], frames: [first, second])))
    #expect(alarms(bench) == [] && names(bench) == ["first", "second"])
    return (bench, peer, other)
  }

  @Test func aCommitThatStandsOnAnotherHistoryBelowTheHeadIsAFork() throws {
    var (bench, peer, other) = try ahead()
    let third = try bench.pairedDevice()
    let commit = try bench.commit(
      by: third, note("third"), sequence: 1,
      over: Frontier([peer.device: Head(sequence: 1, hash: other.hash)]))
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [third.device: commit], frames: [commit])))
    #expect(alarms(bench) == ["fork"])
    #expect(names(bench) == ["first", "second"])
  }

  @Test func aServerWithAnotherHistoryBelowTheHeadForksAndHasNotLostAnything() throws {
    var (bench, peer, other) = try ahead()
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [peer.device: other], frames: [])))
    #expect(alarms(bench) == ["fork"])
  }

  @Test func anEarlierCommitGivenAgainAsAnotherIsAFork() throws {
    var (bench, _, other) = try ahead()
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier, frames: [other])))
    #expect(alarms(bench) == ["fork"])
    #expect(bench.disk.evidence == [other])
  }

  @Test func whatOnePageBringsIsComparedToo() throws {
    var bench = try HealingBench()
    let (peer, third) = (try bench.pairedDevice(), try bench.pairedDevice())
    let first = try bench.commit(by: peer, note("first"), sequence: 1)
    let second = try bench.commit(
      by: peer, note("second"), sequence: 2, previous: first.hash)
    let other = try bench.commit(by: peer, note("other"), sequence: 1)
    let commit = try bench.commit(
      by: third, note("third"), sequence: 1,
      over: Frontier([peer.device: Head(sequence: 1, hash: other.hash)]))
    try bench.take(.requested)
    try bench.take(
      .answered(
        bench.answer(
          holding: [peer.device: second, third.device: commit], frames: [first, second, commit])))
    #expect(alarms(bench) == ["fork"])
    #expect(names(bench) == [])
  }

  private func names(_ bench: HealingBench) -> [String] {
    bench.core.replica.contexts.map(\.name)
  }

  @Test func theSecondHistoryIsNotTakenUnasked() throws {
    let (bench, _, other) = try forked()
    #expect(alarms(bench) == ["fork"])
    #expect(names(bench) == ["believed"])
    #expect(bench.disk.evidence == [other])
  }

  @Test func aCommitThatContradictsUnderAForeignSignatureIsForgedNotAFork() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let believed = try bench.commit(by: peer, note("believed"), sequence: 1)
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: [peer.device: believed], frames: [believed])))
    var bytes = believed.bytes
    bytes[bytes.count - 1] ^= 1
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: bench.core.frontier, frames: [try Envelope(bytes: bytes)])))
    #expect(alarms(bench) == ["forged"])
  }

  @Test func bothHistoriesAreKeptWhenAPersonWantsThem() throws {
    var (bench, peer, other) = try forked()
    let former = bench.core.device
    try bench.take(.mergeWanted)
    let asked = try bench.take(
      .answered(bench.answer(holding: [peer.device: other], frames: [other])))
    guard
      case .readBranches(let claims)? = asked.first(where: {
        if case .readBranches = $0 { true } else { false }
      })
    else {
      Issue.record("nothing is read: \(asked)")
      return
    }
    #expect(claims.map(\.device) == [peer.device])
    try bench.take(
      .branches([
        SyncCore.Branch(
          device: peer.device, proven: nil,
          commits: bench.log.filter { $0.header.device == peer.device })
      ]))
    #expect(bench.core.frontier[peer.device] == nil)
    #expect(bench.disk.settled.count == 1)
    let pulled = try bench.take(
      .answered(bench.answer(holding: [peer.device: other], frames: [other])))
    #expect(pulled.contains(.replaceDevice))
    try bench.replace()
    #expect(names(bench) == ["believed", "other"])
    let own = try #require(bench.log.last)
    #expect(own.header.device == bench.core.device && own.header.device != former)
    #expect(own.header.dependencies[peer.device]?.hash == other.hash)
    try bench.restart()
    #expect(names(bench) == ["believed", "other"])
  }

  @Test func aSnapshotIsNotTakenForTheHistoryThatItMayContradict() throws {
    var (bench, peer, other) = try forked()
    var answer = bench.answer(holding: [:], frames: [])
    answer.serverFrontier[peer.device] = Head(sequence: 3, hash: other.hash)
    answer.snapshot = SnapshotSummary(
      id: .zero, frontier: answer.serverFrontier, chunks: 1, bytes: 1, at: 0)
    try bench.take(.requested)
    let effects = try bench.take(.answered(answer))
    #expect(!effects.contains { if case .fetchSnapshot = $0 { true } else { false } })
    try bench.take(.mergeWanted)
    let asked = try bench.take(.answered(answer))
    let claims = asked.compactMap { if case .readBranches(let claims) = $0 { claims } else { nil } }
    #expect(claims.first?.contains(SyncCore.Claim(device: peer.device, published: nil)) == true)
  }

  @Test func whatTheServerRefusesAsAForkOfAnotherIsOne() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let held = Frontier([peer.device: Head(sequence: 1, hash: .zero)])
    var answer = bench.answer(holding: bench.core.frontier)
    answer.outcomes = [
      SyncResponse.Outcome(status: .refused, problem: Problem(.deviceFork, held: held))
    ]
    try bench.take(.requested)
    try bench.take(.answered(answer))
    #expect(alarms(bench) == ["fork"])
    try bench.take(.mergeWanted)
    #expect(bench.core.refusal == nil)
    #expect(
      try bench.take(.answered(answer)).contains {
        if case .readBranches = $0 { true } else { false }
      })
  }

  @Test func nothingIsMergedWithoutAnAlarm() throws {
    var bench = try HealingBench()
    try bench.take(.mergeWanted)
    #expect(!bench.core.wantsMerge)
  }

  @Test func aServerThatForgotADeviceGetsItsRecordAgain() throws {
    var bench = try HealingBench()
    _ = try bench.pairedDevice()
    let (genesis, added) = (bench.disk.records[0], bench.disk.records[1])
    var old = bench.answer(holding: bench.core.frontier)
    old.memberHead = genesis.hash
    old.membership = [Blob(genesis.bytes)]
    try bench.take(.requested)
    let effects = try bench.take(.answered(old))
    #expect(effects.contains(.restoreMembership([added])))
    #expect(alarms(bench) == ["rollback"])
    #expect(bench.core.alarms[0].text.hasSuffix("This device sends them again."))
    try bench.take(.behind)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(bench.core.alarms[0].text.hasSuffix("They are back."))
  }

  @Test func anAnswerFromBeforeARecordWasMadeIsNoRollback() throws {
    var bench = try HealingBench()
    var older = bench.answer(holding: bench.core.frontier)
    _ = try bench.pairedDevice()
    older.membership = []
    let effects = try bench.take(.answered(older))
    #expect(alarms(bench).isEmpty)
    #expect(!effects.contains { if case .restoreMembership = $0 { true } else { false } })
  }
}

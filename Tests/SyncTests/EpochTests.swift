import Testing
import Vault
import Wire

@testable import Sync

/// A record that begins an epoch reaches a device that stays, one that goes, and one that went on.
@Suite struct EpochTests {
  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  /// What a server answers that has taken `record`.
  private func answer(
    _ bench: HealingBench, with record: MembershipRecord, holding frontier: Frontier
  ) -> SyncResponse {
    var answer = bench.answer(holding: frontier)
    answer.membership = [Blob(record.bytes)]
    answer.memberHead = record.hash
    return answer
  }

  @Test func aDeviceThatIsTakenOutErasesItself() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("home")], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let record = try bench.rotation(
      by: peer, without: [bench.core.device], cut: bench.core.frontier)
    try bench.take(.requested)
    let effects = try bench.take(
      .answered(answer(bench, with: record, holding: bench.core.frontier)))
    #expect(effects.contains(.wipe))
    #expect(bench.core.isRevoked && bench.core.alarms.isEmpty)
    // Interrupted, it goes on at the next start.
    try bench.restart()
    try bench.take(.locked)
    #expect(try bench.unlock().contains(.wipe))
  }

  @Test func aRefusalWithoutTheRecordIsNoReasonToErase() throws {
    var bench = try HealingBench()
    _ = try bench.pairedDevice()
    try bench.take(.requested)
    let effects = try bench.take(.recordsShown([], isRefused: true))
    #expect(!effects.contains(.wipe) && !bench.core.isRevoked)
    guard case .refused(let problem)? = bench.core.failure else {
      Issue.record("no failure: \(String(describing: bench.core.failure))")
      return
    }
    #expect(problem.code == .authenticationRevoked)
  }

  @Test func aRecordThatNoMemberSignedIsAnAlarm() throws {
    var bench = try HealingBench()
    _ = try bench.pairedDevice()
    var other = try HealingBench(seed: 8)
    let stranger = try other.pairedDevice()
    let record = try other.rotation(
      by: stranger, without: [other.core.device], cut: Frontier())
    let effects = try bench.take(.recordsShown([Blob(record.bytes)], isRefused: true))
    #expect(!effects.contains(.wipe) && bench.core.alarms.map(\.code) == ["membership"])
  }

  @Test func nothingIsCommittedWhileARecordThatCutsIsOnItsWay() throws {
    var bench = try HealingBench()
    try bench.take(.rotating(true))
    try bench.take(.saved([note("home")], immediately: true))
    #expect(bench.log.isEmpty && bench.disk.settled.isEmpty == false)
    try bench.take(.rotating(false))
    try bench.take(.timer)
    #expect(bench.log.count == 1)
  }

  @Test func whoBeginsAnEpochTellsTheOthersByACommitOfIt() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("home")], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let record = try bench.rotation(
      by: bench.keyring, without: [peer.device], cut: bench.core.frontier)
    try bench.take(.recordsShown([Blob(record.bytes)], isRefused: false))
    try bench.take(.requested)
    let plan = try bench.take(.answered(bench.answer(holding: bench.core.frontier))).plan
    #expect(plan != nil, "it is sent at once")
    #expect(bench.log.map(\.header.epoch) == [0, 1])
    #expect(bench.log.last?.header.kind == .heartbeat)
    // What it read before it can still read.
    #expect(bench.context?.name == "home")
  }

  @Test func whatLiesBeyondTheCutIsWrittenAgainUnderANewIdentity() throws {
    var bench = try HealingBench()
    let former = bench.core.device
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("unsent")], immediately: true))
    let record = try bench.rotation(by: peer, cut: Frontier())
    let asked = try bench.take(.answered(answer(bench, with: record, holding: Frontier())))
    #expect(asked.contains { if case .readBranches = $0 { true } else { false } })
    try bench.readOwnChain(proven: nil)
    #expect(bench.log.isEmpty && bench.context?.name == "unsent")
    try bench.take(.requested)
    try bench.take(.answered(answer(bench, with: record, holding: Frontier())))
    bench.keyring = try #require(bench.core.keyring)
    try bench.replace()
    for _ in 0..<3 {
      try bench.take(.requested)
      try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    }
    let commit = try #require(bench.log.first)
    #expect(commit.header.device != former && commit.header.epoch == 1)
    #expect(bench.core.replica.contexts.map(\.name) == ["unsent"])
    #expect(bench.core.alarms.isEmpty)
  }

  /// The server must not take the new identity in the place of the record that made it necessary.
  @Test func aDeviceThatWasCutOffKeepsTheRecordWhateverTheServerForgets() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let before = bench.core.membership.head
    try bench.take(.saved([note("unsent")], immediately: true))
    let record = try bench.rotation(by: peer, cut: Frontier())
    try bench.take(.answered(answer(bench, with: record, holding: Frontier())))
    #expect(!bench.core.membership.contains(record.hash), "its own chain goes beyond it")
    try bench.restart()
    #expect(bench.core.interruptedClaims.map(\.published) == [nil], "nothing stands beyond the cut")
    try bench.readOwnChain(proven: nil)
    #expect(bench.core.membership.head == record.hash && bench.disk.records.last == record)
    #expect(bench.disk.learned.isEmpty)
    var old = bench.answer(holding: Frontier())
    old.memberHead = before
    try bench.take(.requested)
    let effects = try bench.take(.answered(old))
    #expect(effects.contains(.restoreMembership([record])))
    #expect(!effects.contains(.replaceDevice))
    try bench.take(.behind)
    let asked = try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(asked.contains(.replaceDevice))
    bench.keyring = try #require(bench.core.keyring)
    try bench.replace()
    #expect(bench.core.replica.contexts.map(\.name) == ["unsent"])
  }

  @Test func whatWasSavedOnTheWayToANewIdentityOutlivesLocking() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("unsent")], immediately: true))
    let record = try bench.rotation(by: peer, cut: Frontier())
    try bench.take(.answered(answer(bench, with: record, holding: Frontier())))
    try bench.readOwnChain(proven: nil)
    let id = try #require(bench.context?.id)
    try bench.take(.saved([.renameContext(id, name: "renamed", base: nil)], immediately: true))
    try bench.take(.locked)
    try bench.unlock()
    #expect(bench.context?.name == "renamed")
  }

  @Test func aServerSetBackToBeforeAnEpochIsGivenTheRecord() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let before = bench.core.membership.head
    try bench.take(.saved([note("home")], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let late = try bench.commit(by: peer, note("late"), sequence: 1)
    let record = try bench.rotation(by: bench.keyring, cut: bench.core.frontier)
    try bench.take(.recordsShown([Blob(record.bytes)], isRefused: false))
    try bench.take(.requested)
    // The peer, which has not heard of the epoch, has already written there.
    var answer = bench.answer(holding: [peer.device: late], frames: [late])
    answer.serverFrontier[bench.core.device] = nil
    answer.memberHead = before
    let effects = try bench.take(.answered(answer))
    #expect(effects.contains(.restoreMembership([record])))
    #expect(bench.core.alarms.map(\.code) == ["rollback"], "nobody has forged anything")
    #expect(bench.core.frontier.sequence(of: peer.device) == 0)
    #expect(effects.plan?.pushBeyond?.sequence(of: bench.core.device) == 0, "what it lacks is sent")
  }
}

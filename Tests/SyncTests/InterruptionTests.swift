import Testing
import Vault
import Wire

@testable import Sync

/// What a full disk, or another thing that happens meanwhile, does to what was begun.
@Suite struct InterruptionTests {
  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  private func names(_ bench: HealingBench) -> [String] {
    bench.core.replica.contexts.map(\.name)
  }

  /// A device whose twin was at work: it goes back on its only commit.
  private func twinned() throws -> (bench: HealingBench, twin: Envelope) {
    var bench = try HealingBench()
    try bench.take(.saved([note("own")], immediately: true))
    let twin = try bench.commit(by: bench.keyring, note("twin"), sequence: 1)
    try bench.take(
      .answered(bench.answer(holding: [bench.core.device: twin], frames: [twin])))
    #expect(bench.core.replacement == .detected)
    return (bench, twin)
  }

  private func readsBranches(_ effects: [SyncCore.Effect]) -> Bool {
    effects.contains { if case .readBranches = $0 { true } else { false } }
  }

  // MARK: locking and unlocking

  @Test func aLockThatTheDiskRefusesLocksAllTheSame() throws {
    var bench = try HealingBench()
    try bench.take(.saved([note("saved")], immediately: false))
    var refused = bench.core
    let step = try refused.step(.locked, at: bench.now, entropy: &bench.entropy)
    #expect(step.transaction.commits.count == 1)
    let before = bench.disk
    try bench.take(.lockedUncommitted)
    #expect(bench.core.isLocked && bench.core.replica.count == 0 && bench.core.settling.isEmpty)
    #expect(bench.log.isEmpty && bench.disk.settled == before.settled)
    try bench.unlock()
    #expect(names(bench) == ["saved"])
    try bench.take(.timer)
    #expect(bench.log.count == 1 && bench.disk.settled.isEmpty)
  }

  @Test func unlockingWritesNothing() throws {
    var bench = try HealingBench()
    try bench.take(.saved([note("saved")], immediately: false))
    try bench.restart()
    #expect(names(bench) == ["saved"])
    #expect(bench.log.isEmpty)
    #expect(bench.core.nextTimer == bench.now.uptime)
  }

  @Test func whoUnlocksSecondHidesNothingThatWasSavedSince() throws {
    var bench = try HealingBench()
    try bench.take(.saved([note("saved")], immediately: false))
    // The fold was made before that.
    try bench.unlock()
    #expect(names(bench) == ["saved"])
  }

  @Test func aLockedDeviceTakesNoCommitThatIsNotGenuine() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let genuine = try bench.commit(by: peer, note("genuine"), sequence: 1)
    let forged = try Envelope(bytes: genuine.bytes.dropLast() + [genuine.bytes.last.map(~) ?? 0])
    try bench.take(.locked)
    try bench.take(.answered(bench.answer(holding: [peer.device: forged], frames: [forged])))
    #expect(bench.core.alarms.map(\.code) == ["forged"])
    #expect(bench.log.isEmpty && bench.core.sealedWaiting == 0)
    try bench.take(.answered(bench.answer(holding: [peer.device: genuine], frames: [genuine])))
    #expect(bench.log == [genuine] && bench.core.sealedWaiting == 1)
  }

  @Test func aCommitThatDoesNotContinueTheOneBeforeIsAFork() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let first = try bench.commit(by: peer, note("first"), sequence: 1)
    try bench.take(.answered(bench.answer(holding: [peer.device: first], frames: [first])))
    let other = try bench.commit(by: peer, note("other"), sequence: 1)
    let second = try bench.commit(by: peer, note("second"), sequence: 2, previous: other.hash)
    try bench.take(.answered(bench.answer(holding: [peer.device: second], frames: [second])))
    #expect(bench.core.alarms.map(\.code) == ["fork"])
    #expect(bench.log == [first] && bench.disk.evidence == [second])
  }

  // MARK: records that cut

  @Test func nothingIsCommittedBeforeTheLastOfTwoRecordsIsOver() throws {
    var bench = try HealingBench()
    try bench.take(.rotating(true))
    try bench.take(.rotating(true))
    try bench.take(.saved([note("saved")], immediately: true))
    try bench.take(.rotating(false))
    try bench.take(.timer)
    #expect(bench.log.isEmpty)
    try bench.take(.rotating(false))
    #expect(bench.log.isEmpty, "a full disk must not keep it from ending")
    try bench.take(.timer)
    #expect(bench.log.count == 1)
  }

  // MARK: going back

  @Test func nothingIsSentWhileTheOwnChainIsInDoubt() throws {
    var (bench, _) = try twinned()
    let plan = try #require(try bench.take(.requested).plan)
    #expect(plan.pushBeyond == nil)
  }

  @Test func branchesThatTheDiskRefusedAreReadAgain() throws {
    var (bench, _) = try twinned()
    let due = try #require(bench.core.nextAttempt)
    bench.now.uptime = due
    #expect(readsBranches(try bench.take(.timer)))
    try bench.readOwnChain(proven: nil)
    #expect(bench.core.replacement == .pulling)
    bench.now.uptime += .seconds(60)
    #expect(!readsBranches(try bench.take(.timer)))
  }

  @Test func anAnswerToAQuestionFromBeforeGoingBackIsNoAlarm() throws {
    var (bench, twin) = try twinned()
    let other = try bench.pairedDevice()
    let over = bench.core.frontier
    let first = try bench.commit(by: other, note("first"), sequence: 1, over: over)
    try bench.take(.answered(bench.answer(holding: [other.device: first], frames: [first])))
    let second = try bench.commit(
      by: other, note("second"), sequence: 2, previous: first.hash, over: over)
    try bench.take(.requested)
    // The question says that the first is held; it goes back on both chains meanwhile.
    let answer = bench.answer(
      holding: [bench.core.device: twin, other.device: second], frames: [second])
    try bench.take(
      .branches([
        SyncCore.Branch(
          device: bench.core.device, proven: nil,
          commits: bench.log.filter { $0.header.device == bench.core.device }),
        SyncCore.Branch(device: other.device, proven: nil, commits: [first]),
      ]))
    let effects = try bench.take(.answered(answer))
    #expect(bench.core.alarms.isEmpty)
    #expect(effects.plan?.frontier == bench.core.frontier)
  }

  @Test func aSnapshotOfWhatWasTakenBackIsNotKept() throws {
    var (bench, _) = try twinned()
    bench.core.snapshotWork = .writing
    let snapshot = try bench.snapshot()
    try bench.readOwnChain(proven: nil)
    try bench.take(.snapshotWritten(snapshot))
    #expect(bench.core.checkpoint == nil && bench.disk.checkpoint == nil)
    #expect(bench.core.snapshotWork == .none, "the next one is written when it is time")
  }

  @Test func whicheverSnapshotWasSentTheNextCanBe() throws {
    var bench = try HealingBench()
    bench.core.snapshotWork = .sending(.sha256([1]))
    try bench.take(.snapshotStored(.sha256([2])))
    #expect(bench.core.snapshotWork == .none)
  }
}

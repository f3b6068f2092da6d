import Testing
import Vault
import Wire

@testable import Sync

/// A device that only reads tells the others what it holds, and a twin is noticed by what others
/// stand on.
@Suite struct HeartbeatTests {
  private static let day: Int64 = 86_400_000

  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  /// A device that has heard one change of another, and has told the server so.
  private func readingDevice() throws -> (HealingBench, peer: Keyring, heard: Envelope) {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let commit = try bench.commit(by: peer, note("bank.example"), sequence: 1)
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: [peer.device: commit], frames: [commit])))
    return (bench, peer, commit)
  }

  /// One synchronisation that finds nothing new.
  private func synchronise(_ bench: inout HealingBench) throws {
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
  }

  @Test func aDayAfterTheFirstChangeADeviceSaysWhatItHolds() throws {
    var (bench, peer, heard) = try readingDevice()
    bench.now.wall += Self.day - 1
    try synchronise(&bench)
    #expect(bench.log.count == 1)
    bench.now.wall += 1
    try synchronise(&bench)
    let beat = try #require(bench.log.last)
    #expect(beat.header.kind == .heartbeat)
    #expect(beat.header.dependencies[peer.device] == Head(sequence: 1, hash: heard.hash))
    bench.now.wall += 10 * Self.day
    try synchronise(&bench)
    #expect(bench.log.count == 2, "one is enough")
  }

  @Test func theWaitGoesOnAfterARestart() throws {
    var (bench, _, _) = try readingDevice()
    bench.now.wall += Self.day
    try bench.restart()
    try synchronise(&bench)
    #expect(bench.log.last?.header.kind == .heartbeat)
  }

  @Test func anOwnChangeSaysItToo() throws {
    var (bench, _, _) = try readingDevice()
    try bench.take(.saved([note("home")], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    bench.now.wall += 2 * Self.day
    try synchronise(&bench)
    #expect(bench.log.map(\.header.kind) == [.data, .data])
  }

  @Test func heartbeatsAreNotAnsweredByHeartbeats() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let beat = try peer.sealCommit(
      Array("[]".utf8), kind: .heartbeat, sequence: 1, previous: .zero,
      memberHead: bench.core.membership.head, dependencies: Frontier(), entropy: &bench.entropy)
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [peer.device: beat], frames: [beat])))
    #expect(bench.core.frontier.sequence(of: peer.device) == 1)
    bench.now.wall += 2 * Self.day
    try synchronise(&bench)
    #expect(bench.log.count == 1)
  }

  @Test func aClockSetBackBeginsTheDayAnew() throws {
    var (bench, _, _) = try readingDevice()
    bench.now.wall -= 3650 * Self.day
    try synchronise(&bench)
    bench.now.wall += Self.day
    try synchronise(&bench)
    #expect(bench.log.last?.header.kind == .heartbeat)
  }

  @Test func aLockedDeviceWaits() throws {
    var (bench, _, _) = try readingDevice()
    try bench.take(.locked)
    bench.now.wall += 2 * Self.day
    try synchronise(&bench)
    #expect(bench.log.count == 1)
    try bench.unlock()
    try synchronise(&bench)
    #expect(bench.log.last?.header.kind == .heartbeat)
  }

  @Test func whatAllHoldIsTheLeastThatAnyHolds() throws {
    var (bench, peer, heard) = try readingDevice()
    try bench.take(.saved([note("home")], immediately: true))
    let log = bench.log
    let newest: (DeviceID, Head) -> EnvelopeHeader? = { device, head in
      log.last { $0.header.device == device && $0.hash == head.hash }?.header
    }
    let covered = bench.core.coveredByAll(newest: newest)
    #expect(covered?.sequence(of: peer.device) == 1)
    #expect(covered?.sequence(of: bench.core.device) == 0, "the peer has not said that it holds it")
    #expect(bench.core.coveredByAll { _, _ in nil } == nil)
    #expect(heard.header.device == peer.device)
  }

  @Test func nothingIsKnownWhileADeviceNeverSpoke() throws {
    var bench = try HealingBench()
    _ = try bench.pairedDevice()
    #expect(bench.core.coveredByAll { _, _ in nil } == nil)
  }

  @Test func aCommitThatStandsOnAForgottenOwnOneIsNotTaken() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("a")], immediately: true))
    let lost = try #require(bench.log.first)
    // The disk is set back, and two other commits take the place of that one.
    let membership = bench.disk.records
    bench = try HealingBench(like: bench)
    bench.disk.records = membership
    try bench.take(.answered(bench.answer(holding: Frontier())))
    bench.disk.isUncertain = false
    try bench.take(.saved([note("b")], immediately: true))
    try bench.take(.saved([note("c")], immediately: true))
    try bench.restart()
    let dependency = Frontier([lost.header.device: Head(sequence: 1, hash: lost.hash)])
    let commit = try bench.commit(by: peer, note("d"), sequence: 1, over: dependency)
    try bench.take(.requested)
    let effects = try bench.take(
      .answered(bench.answer(holding: [peer.device: commit], frames: [commit])))
    #expect(bench.core.frontier[peer.device] == nil, "it would stand on what is not here")
    #expect(bench.core.isReplacing)
    #expect(
      effects.contains { if case .readBranches = $0 { true } else { false } })
  }

  @Test func twinsThatOnlyReadNoticeEachOtherByTheirPushConnections() throws {
    var (bench, _, _) = try readingDevice()
    var twin = bench
    try bench.take(.displaced)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let beat = try #require(bench.log.last)
    #expect(beat.header.kind == .heartbeat)
    try twin.take(.displaced)
    try twin.take(.answered(twin.answer(holding: [twin.core.device: beat], frames: [beat])))
    #expect(twin.core.isReplacing && !bench.core.isReplacing)
  }
}

import Testing
import Vault
import Wire

@testable import Sync

/// What a device does about a server, a disk or a twin that is not what it should be.
@Suite struct HealingTests {
  private static let github = Edit.createContext(
    name: "github.example", kind: .account,
    attributes: [Edit.NewAttribute(label: "password", kind: .password, text: "first")])

  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  // MARK: drafts

  private func draft(_ text: String) -> Draft {
    Draft(
      id: DraftID("11111111111111111111111111111111") ?? .zero, form: .editValue, context: nil,
      attribute: nil, base: nil, fields: ["text": text], at: 5)
  }

  @Test func aDraftIsKeptSealedAndOfferedAfterARestart() throws {
    var bench = try HealingBench()
    try bench.take(.drafted(draft("half")))
    try bench.take(.drafted(draft("half typed")))
    let rows = bench.disk.drafts
    #expect(rows.count == 1)
    #expect(!rows[0].sealed.contains(Array("typed".utf8)))
    try bench.restart()
    #expect(bench.core.drafts == [draft("half typed")])
    #expect(bench.log.isEmpty, "no commit says anything of it")
    try bench.take(.locked)
    #expect(bench.core.drafts == [])
    try bench.unlock()
    #expect(bench.core.drafts.count == 1)
    try bench.take(.draftDropped(draft("").id))
    #expect(bench.disk.drafts == [])
  }

  @Test func aDraftOfALaterProgramKeepsNobodyOut() throws {
    var bench = try HealingBench()
    try bench.take(.drafted(draft("mine")))
    let id = try #require(DraftID("22222222222222222222222222222222"))
    let later = Array("{\"id\":\"\(id)\",\"form\":\"hologram\",\"fields\":{},\"at\":5}".utf8)
    let row = DraftRow(
      id: id,
      sealed: try bench.keyring.sealRow(
        later, binding: "draft/\(id)", entropy: &bench.entropy))
    bench.disk.drafts.append(row)
    try bench.restart()
    #expect(bench.core.drafts == [draft("mine")])
    try bench.take(.drafted(draft("mine, too")))
    #expect(bench.disk.drafts.contains(row), "it stays for the program that knows it")
  }

  // MARK: a server that lost something

  @Test func aServerThatLostChangesIsNamedAndGetsThemAgain() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    try bench.take(.saved([note("b")], immediately: true))
    let whole = bench.core.frontier
    try bench.take(.answered(bench.answer(holding: whole)))
    try bench.take(.requested)
    let effects = try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(bench.core.alarms.map(\.code) == ["rollback"])
    #expect(bench.core.alarms[0].text.contains("lost 2 changes"))
    let plan = try #require(effects.plan)
    #expect(plan.pushBeyond == Frontier())
    try bench.take(.answered(bench.answer(holding: whole)))
    #expect(bench.core.alarms[0].text.hasSuffix("They are back."))
    #expect(bench.disk.notices.map(\.text) == [bench.core.alarms[0].text])
    try bench.take(.alarmsCleared(code: nil))
    #expect(bench.core.alarms == [] && bench.disk.notices == [])
  }

  @Test func aForkKeepsTheEvidence() throws {
    var bench = try HealingBench()
    let other = try bench.pairedDevice()
    let one = try bench.commit(by: other, note("one"), sequence: 1)
    let two = try bench.commit(by: other, note("two"), sequence: 1)
    try bench.take(.requested)
    try bench.take(
      .answered(bench.answer(holding: [other.device: one], frames: [one])))
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [other.device: two], frames: [two])))
    #expect(bench.core.alarms.map(\.code) == ["fork"])
    #expect(bench.disk.evidence == [two])
    #expect(bench.core.replica.contexts.map(\.name) == ["one"])
  }

  // MARK: a store that was damaged

  @Test func anUncertainStoreCommitsNothingBeforeASync() throws {
    var bench = try HealingBench(isUncertain: true)
    try bench.take(.saved([Self.github], immediately: true))
    #expect(bench.log.isEmpty && bench.disk.settled.count == 1)
    #expect(bench.context != nil, "the edit is true here at once")
    try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(bench.log.count == 1 && bench.disk.settled.isEmpty)
    #expect(!bench.disk.isUncertain)
  }

  @Test func anUncertainStoreTakesItsOwnCommitsBack() throws {
    var bench = try HealingBench(isUncertain: true)
    let own = try bench.commit(by: bench.keyring, note("mine"), sequence: 1)
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: [bench.core.device: own], frames: [own])))
    #expect(bench.core.replica.contexts.map(\.name) == ["mine"])
    #expect(!bench.core.isReplacing)
    try bench.take(.saved([note("next")], immediately: true))
    #expect(bench.core.frontier.sequence(of: bench.core.device) == 2)
  }

  // MARK: a device with a twin

  /// The server has a commit in the device's name that it never made, and refuses its own.
  private func bench(
    publishing published: Int, unpublished: Int
  ) throws -> HealingBench {
    var bench = try HealingBench()
    for number in 0..<published { try bench.take(.saved([note("p\(number)")], immediately: true)) }
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    for number in 0..<unpublished {
      try bench.take(.saved([note("u\(number)")], immediately: true))
    }
    return bench
  }

  @Test func aRestoredDeviceTakesANewIdentityAndKeepsItsEdits() throws {
    var bench = try bench(publishing: 2, unpublished: 1)
    let old = bench.core.device
    let names = bench.core.replica.contexts.map(\.name)
    let published = bench.log[1]
    let twin = try bench.commit(
      by: bench.keyring, note("twin"), sequence: 3, previous: published.hash)
    let effects = try bench.take(
      .answered(bench.answer(holding: [old: twin], frames: [twin])))
    #expect(bench.core.isReplacing && bench.core.alarms == [])
    #expect(
      effects.contains(
        .readBranches([
          SyncCore.Claim(
            device: bench.core.device, published: Head(sequence: 2, hash: published.hash))
        ])))
    try bench.readOwnChain(proven: Head(sequence: 2, hash: published.hash))
    #expect(bench.disk.frontier[old]?.sequence == 2)
    #expect(bench.disk.settled.count == 1)
    // Nothing is committed or sent meanwhile, but saving works.
    try bench.take(.saved([note("late")], immediately: true))
    #expect(bench.log.count == 2)
    // A crash here changes nothing.
    try bench.restart()
    #expect(bench.core.isReplacing)
    try bench.readOwnChain(proven: Head(sequence: 2, hash: published.hash))
    let asked = try bench.take(
      .answered(bench.answer(holding: [old: twin], frames: [twin])))
    #expect(asked.contains(.replaceDevice))
    try bench.replace()
    #expect(bench.core.device != old && !bench.core.isReplacing)
    #expect(bench.disk.device == bench.core.device)
    #expect(
      bench.core.replica.contexts.map(\.name) == (names + ["late", "twin"]).sorted())
    #expect(bench.core.frontier.sequence(of: bench.core.device) == 2)
    #expect(bench.core.frontier.sequence(of: old) == 3)
    #expect(bench.disk.notices.map(\.code) == ["replaced"])
    // The fold of what is on disk is the same.
    let root = bench.core.replica.root
    try bench.restart()
    #expect(bench.core.replica.root == root)
    #expect(!bench.core.isReplacing)
  }

  @Test func aRefusedOwnCommitIsATwinToo() throws {
    var bench = try bench(publishing: 1, unpublished: 1)
    let old = bench.core.device
    let twin = try bench.commit(
      by: bench.keyring, note("twin"), sequence: 2, previous: bench.log[0].hash)
    var answer = bench.answer(holding: [old: twin], frames: [])
    answer.outcomes = [
      SyncResponse.Outcome(
        status: .refused,
        problem: Problem(
          .deviceFork, held: Frontier([old: Head(sequence: 2, hash: twin.hash)])))
    ]
    let effects = try bench.take(.answered(answer))
    #expect(bench.core.isReplacing)
    #expect(effects.contains { if case .readBranches = $0 { true } else { false } })
  }

  @Test func aLockedDeviceWaitsForItsPersonBeforeItIsReplaced() throws {
    var bench = try bench(publishing: 1, unpublished: 1)
    let old = bench.core.device
    try bench.take(.locked)
    let twin = try bench.commit(
      by: bench.keyring, note("twin"), sequence: 2, previous: bench.log[0].hash)
    let effects = try bench.take(.answered(bench.answer(holding: [old: twin], frames: [twin])))
    #expect(bench.core.isReplacing)
    #expect(!effects.contains { if case .readBranches = $0 { true } else { false } })
    let unlocked = try bench.unlock()
    #expect(unlocked.contains { if case .readBranches = $0 { true } else { false } })
  }

  @Test func withoutProofEverythingIsWrittenAnew() throws {
    var bench = try bench(publishing: 1, unpublished: 1)
    let old = bench.core.device
    let stranger = try bench.commit(by: bench.keyring, note("stranger"), sequence: 1)
    try bench.take(.requested)
    let effects = try bench.take(
      .answered(bench.answer(holding: [old: stranger], frames: [stranger])))
    #expect(effects.contains { if case .readBranches = $0 { true } else { false } })
    try bench.readOwnChain(proven: nil)
    #expect(bench.disk.frontier[old] == nil && bench.disk.settled.count == 2)
    try bench.take(.answered(bench.answer(holding: [old: stranger], frames: [stranger])))
    try bench.replace()
    #expect(bench.core.replica.contexts.map(\.name) == ["p0", "stranger", "u0"])
  }

  // MARK: snapshots

  @Test func aSnapshotIsWrittenAfterEnoughCommitsAndSent() throws {
    var bench = try HealingBench()
    bench.core.logCommits = Limits.snapshotInterval - 1
    try bench.take(.saved([Self.github], immediately: true))
    #expect(bench.core.logCommits == Limits.snapshotInterval)
    let effects = try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(effects.contains(.writeSnapshot))
    let snapshot = try bench.snapshot()
    let sending = try bench.take(.snapshotWritten(snapshot))
    #expect(sending.contains(.uploadSnapshot(snapshot.id)))
    #expect(bench.disk.checkpoint?.id == snapshot.id)
    try bench.take(.snapshotStored(snapshot.id))
    #expect(bench.disk.snapshotHeldSince == bench.now.wall)
    // Thirty days later the log may go.
    bench.now.wall += 30 * 86_400_000
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(bench.disk.pruned == snapshot.frontier)
  }

  @Test func aNewDeviceStartsFromASnapshotAndItsRootIsChecked() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let snapshot = try bench.snapshot()
    var fresh = try HealingBench(like: bench)
    let summary = SnapshotSummary(
      id: snapshot.id, frontier: snapshot.frontier, chunks: 1, bytes: 1, at: 1)
    var answer = fresh.answer(holding: snapshot.frontier)
    answer.snapshot = summary
    try fresh.take(.requested)
    let effects = try fresh.take(.answered(answer))
    #expect(effects.contains(.fetchSnapshot(summary)))
    try fresh.take(.snapshotFetched(snapshot, hashes: [:]))
    #expect(fresh.core.replica.root == bench.core.replica.root)
    #expect(fresh.core.frontier == snapshot.frontier)
    #expect(fresh.disk.checkpoint?.id == snapshot.id)
    #expect(fresh.core.alarms == [])
  }

  @Test func aSnapshotThatIsNotWhatItSaysRaisesAnAlarmAndNothingIsTaken() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let good = try bench.snapshot()
    let wrongRoot = try bench.snapshot(root: .sha256([1]))
    let cut = SealedSnapshot(manifest: good.manifest, chunks: [])
    var flipped = good.chunks
    flipped[0][100] ^= 1
    for snapshot in [wrongRoot, cut, SealedSnapshot(manifest: good.manifest, chunks: flipped)] {
      var fresh = try HealingBench(like: bench)
      var answer = fresh.answer(holding: good.frontier)
      answer.snapshot = SnapshotSummary(
        id: snapshot.id, frontier: good.frontier, chunks: 1, bytes: 1, at: 1)
      try fresh.take(.requested)
      try fresh.take(.answered(answer))
      try fresh.take(.snapshotFetched(snapshot, hashes: [:]))
      #expect(fresh.core.alarms.map(\.code) == ["forged"])
      #expect(fresh.core.replica.contexts == [] && fresh.core.frontier == Frontier())
      #expect(fresh.disk.checkpoint == nil)
    }
  }

  @Test func aSnapshotOfAnotherHistoryIsAFork() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let snapshot = try bench.snapshot()
    var other = try HealingBench(like: bench)
    other.core.snapshotWork = .fetching
    other.core.frontier[bench.core.device] = Head(sequence: 1, hash: .sha256([7]))
    try other.take(.snapshotFetched(snapshot, hashes: [:]))
    #expect(other.core.alarms.map(\.code) == ["fork"])
  }

  @Test func aSnapshotWithAnotherHistoryOfThisDeviceMakesItTakeANewIdentity() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let snapshot = try bench.snapshot()
    bench.core.snapshotWork = .fetching
    bench.core.frontier[bench.core.device] = Head(sequence: 1, hash: .sha256([7]))
    let effects = try bench.take(.snapshotFetched(snapshot, hashes: [:]))
    #expect(effects.contains(.readBranches([bench.core.ownClaim])))
    #expect(bench.core.replacement == .detected && bench.core.alarms == [])
  }

  /// A disk was set back, something was written on it, and the server has only a snapshot left of
  /// the former life: what was written must not count as covered by it.
  @Test func aSnapshotThatCoversMoreOfThisDeviceThanItMadeIsATwin() throws {
    var life = try HealingBench()
    try life.take(.saved([Self.github], immediately: true))
    try life.take(.saved([note("former")], immediately: true))
    let snapshot = try life.snapshot()
    var bench = try HealingBench(like: life)
    try bench.take(.answered(bench.answer(holding: Frontier())))
    try bench.take(.saved([note("since")], immediately: true))
    bench.core.snapshotWork = .fetching
    let effects = try bench.take(.snapshotFetched(snapshot, hashes: [:]))
    #expect(effects.contains(.readBranches([bench.core.ownClaim])))
    #expect(bench.core.isReplacing && bench.core.alarms == [])
    try bench.readOwnChain(proven: nil)
    bench.core.snapshotWork = .fetching
    try bench.take(.snapshotFetched(snapshot, hashes: [:]))
    let asked = try bench.take(.answered(bench.answer(holding: snapshot.frontier)))
    #expect(asked.contains(.replaceDevice))
    try bench.replace()
    #expect(bench.core.replica.contexts.map(\.name) == ["former", "github.example", "since"])
    #expect(bench.log.last?.header.device == bench.core.device)
  }

  @Test func aSnapshotThatComesAfterTheLockIsFetchedAgainAtTheUnlock() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let snapshot = try bench.snapshot()
    var fresh = try HealingBench(like: bench)
    fresh.core.snapshotWork = .fetching
    try fresh.take(.locked)
    try fresh.take(.snapshotFetched(snapshot, hashes: [:]))
    #expect(fresh.core.alarms == [] && fresh.core.frontier == Frontier())
    #expect(fresh.core.snapshotWork == .wanted)
  }

  @Test func aServerThatLostWhatWasPrunedIsHealedByASnapshot() throws {
    var bench = try HealingBench()
    try bench.take(.saved([Self.github], immediately: true))
    let snapshot = try bench.snapshot()
    bench.core.snapshotWork = .writing
    try bench.take(.snapshotWritten(snapshot))
    try bench.take(.snapshotStored(snapshot.id))
    bench.core.floor = snapshot.frontier
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let effects = try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(effects.contains(.uploadSnapshot(snapshot.id)))
    #expect(effects.plan == nil, "there is nothing to push below the floor")
    let again = try bench.take(.snapshotStored(snapshot.id))
    #expect(again.plan?.pushBeyond == snapshot.frontier)
  }
}

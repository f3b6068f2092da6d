import Testing
import Vault
import Wire

@testable import Sync

/// One device's core with a disk in memory and a clock that is moved by hand.
private struct Bench {
  var core: SyncCore
  var entropy = SeededEntropy(seed: 7)
  var now = SyncCore.Moment(uptime: .zero, wall: 1_000_000)
  var disk: [Envelope] = []
  var settled: [SettledRow] = []
  let keyring: Keyring

  init() throws {
    let passphrase = try Passphrase(utf8: Array("correct horse battery staple".utf8))
    let new = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    keyring = new.keyring
    core = try SyncCore(
      device: new.keyring.device, account: new.keyring.account,
      stored: StoredState(records: [new.genesis]))
    try take(.unlocked(keyring, Replica(own: new.keyring.device)))
  }

  @discardableResult
  mutating func take(_ event: SyncCore.Event) throws -> [SyncCore.Effect] {
    let step = try core.step(event, at: now, entropy: &entropy)
    disk += step.transaction.commits
    if let rows = step.transaction.settled { settled = rows }
    return step.effects
  }

  mutating func pass(_ duration: Duration) throws -> [SyncCore.Effect] {
    now.uptime += duration
    return try take(.timer)
  }

  /// What an honest server that holds `frontier` answers.
  func answer(holding frontier: Frontier, frames: [Envelope] = []) -> SyncResponse {
    SyncResponse(
      generation: "1", outcomes: [], membership: [], frames: frames.map { Blob($0.bytes) },
      serverFrontier: frontier, memberHead: core.membership.head, more: false)
  }

  var context: ContextRecord? { core.replica.contexts.first }
}

extension [SyncCore.Effect] {
  fileprivate var startsSync: Bool {
    contains { if case .synchronise = $0 { true } else { false } }
  }
}

@Suite struct SyncCoreTests {
  private static let github = Edit.createContext(
    name: "github.example", kind: .account,
    attributes: [Edit.NewAttribute(label: "password", kind: .password, text: "first")])

  @Test func aCommandCommitsAtOnce() throws {
    var bench = try Bench()
    #expect(try bench.take(.saved([Self.github], immediately: true)).startsSync)
    #expect(bench.disk.count == 1)
    #expect(bench.core.waiting == 1)
    #expect(bench.context?.isPending == true)
  }

  @Test func aSaveBecomesACommitAfterTheQuietPeriod() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: false))
    #expect(bench.disk.isEmpty && bench.settled.count == 1)
    #expect(bench.core.nextTimer == .milliseconds(300))
    #expect(try !bench.pass(.milliseconds(299)).startsSync)
    #expect(bench.disk.isEmpty)
    #expect(try bench.pass(.milliseconds(1)).startsSync)
    #expect(bench.disk.count == 1 && bench.settled.isEmpty)
  }

  @Test func aCommandTakesWhatWasSavedBeforeItAlong() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: false))
    let context = try #require(bench.context)
    try bench.take(.saved([.renameContext(context.id, name: "hub")], immediately: true))
    #expect(bench.disk.count == 1 && bench.settled.isEmpty)
    try bench.take(.formOpened(context.id))
    try bench.take(.saved([.renameContext(context.id, name: "open")], immediately: true))
    #expect(bench.disk.count == 1 && bench.settled.count == 1)
    try bench.take(.formClosed(context.id))
    _ = try bench.pass(.milliseconds(300))
    #expect(bench.disk.count == 2)
  }

  @Test func nothingOfAContextLeavesWhileItsFormIsOpen() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let context = try #require(bench.context)
    let password = try #require(context.attribute("password")).id
    try bench.take(.formOpened(context.id))
    try bench.take(
      .saved([.setValue(context.id, password, text: "second", base: nil)], immediately: false))
    #expect(try !bench.pass(.seconds(20)).startsSync)
    #expect(bench.disk.count == 1)
    try bench.take(.formClosed(context.id))
    _ = try bench.pass(.milliseconds(300))
    #expect(bench.disk.count == 2)
  }

  @Test func anotherContextLeavesWhileAFormIsOpen() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    let context = try #require(bench.context)
    try bench.take(.formOpened(context.id))
    try bench.take(
      .saved([.createContext(name: "b", kind: .note, attributes: [])], immediately: false))
    _ = try bench.pass(.milliseconds(300))
    #expect(bench.disk.count == 2)
  }

  @Test func repeatedSavesMakeOneCommitAndAreCappedAtThreeSeconds() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    let context = try #require(bench.context)
    let password = try #require(context.attribute("password")).id
    var saves = 0
    while bench.disk.count == 1, saves < 100 {
      try bench.take(
        .saved([.setValue(context.id, password, text: "v\(saves)", base: nil)], immediately: false)
      )
      saves += 1
      _ = try bench.pass(.milliseconds(200))
    }
    #expect(saves == 15)
    #expect(bench.disk.count == 2)
  }

  @Test func aSignalForACommitItHoldsStartsNothing() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    let (own, other): (DeviceID, DeviceID) = (bench.core.device, bench.entropy.identifier())
    #expect(try !bench.take(.signal(own, 1)).startsSync)
    #expect(try bench.take(.signal(other, 1)).startsSync)
  }

  @Test func aSignalDuringARequestStartsAnotherSync() throws {
    var bench = try Bench()
    let other: DeviceID = bench.entropy.identifier()
    #expect(try bench.take(.started).startsSync)
    #expect(try !bench.take(.signal(other, 1)).startsSync)
    #expect(try bench.take(.answered(bench.answer(holding: Frontier()))).startsSync)
  }

  @Test func whatTheServerLacksIsSentAgain() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    #expect(try !bench.take(.answered(bench.answer(holding: Frontier()))).startsSync)
    #expect(try bench.pass(.milliseconds(200)).startsSync)
    #expect(try !bench.take(.answered(bench.answer(holding: bench.core.frontier))).startsSync)
    #expect(bench.core.waiting == 0)
    #expect(bench.context?.isPending == false)
  }

  @Test func anAnswerThatMovedSomethingIsFollowedByTheRestAtOnce() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    let first = bench.core.frontier
    try bench.take(
      .saved([.createContext(name: "b", kind: .note, attributes: [])], immediately: true))
    #expect(try bench.take(.answered(bench.answer(holding: Frontier()))).startsSync)
    #expect(try bench.take(.answered(bench.answer(holding: first))).startsSync)
    #expect(try !bench.take(.answered(bench.answer(holding: bench.core.frontier))).startsSync)
  }

  @Test func savedEditsSurviveACrashBeforeTheirCommit() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: false))
    let stored = StoredState(
      records: bench.core.membership.records, settled: bench.settled)
    bench.core = try SyncCore(
      device: bench.core.device, account: bench.core.account, stored: stored)
    try bench.take(.unlocked(bench.keyring, Replica(own: bench.core.device)))
    #expect(bench.context?.name == "github.example")
    try bench.take(.timer)
    #expect(bench.disk.count == 1)
  }

  @Test func lockingCommitsWhatIsSavedAndForgetsTheRest() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: false))
    try bench.take(.locked)
    #expect(bench.disk.count == 1)
    #expect(bench.core.replica.contexts.isEmpty && bench.core.isLocked)
    #expect(throws: EditError.locked) {
      try bench.take(.saved([Self.github], immediately: true))
    }
  }

  @Test func theLogFoldsBackIntoTheSameContexts() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    var replica = Replica(own: bench.core.device)
    for envelope in bench.disk {
      try replica.fold(
        envelope, with: bench.keyring, membership: bench.core.membership, now: bench.now.wall)
    }
    #expect(replica.contexts == bench.core.replica.contexts)
  }

  @Test func anAlteredCommitRaisesAnAlarmAndChangesNothing() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    var bytes = bench.disk[0].bytes
    bytes[bytes.count - 70] ^= 1
    let forged = try Envelope(bytes: bytes)
    var fresh = try Bench()
    fresh.core = try SyncCore(
      device: bench.core.device, account: bench.core.account,
      stored: StoredState(records: bench.core.membership.records, isUncertain: true))
    try fresh.take(.unlocked(bench.keyring, Replica(own: bench.core.device)))
    let frontier = bench.core.frontier
    try fresh.take(.answered(fresh.answer(holding: frontier, frames: [forged])))
    #expect(fresh.core.alarms.map(\.code) == ["forged"])
    #expect(fresh.core.replica.contexts.isEmpty && fresh.core.frontier == Frontier())
  }

  @Test func aCommitAfterAMissingOneIsNotTaken() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    try bench.take(
      .saved([.createContext(name: "b", kind: .note, attributes: [])], immediately: true))
    var fresh = try Bench()
    fresh.core = try SyncCore(
      device: bench.core.device, account: bench.core.account,
      stored: StoredState(records: bench.core.membership.records, isUncertain: true))
    try fresh.take(.unlocked(bench.keyring, Replica(own: bench.core.device)))
    let answer = fresh.answer(holding: bench.core.frontier, frames: [bench.disk[1]])
    try fresh.take(.answered(answer))
    #expect(fresh.core.alarms.map(\.code) == ["broken_chain"])
    #expect(fresh.core.frontier == Frontier())
  }

  @Test func aRefusedCommitIsParkedUntilSomebodyAsks() throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    var answer = bench.answer(holding: Frontier())
    answer.outcomes = [
      SyncResponse.Outcome(status: .refused, problem: Problem(.quota))
    ]
    let effects = try bench.take(.answered(answer))
    #expect(!effects.startsSync)
    #expect(bench.core.waiting == 1 && bench.core.refusal == Problem(.quota))
    #expect(try bench.take(.requested).startsSync)
    #expect(bench.core.refusal == nil)
  }

  @Test(arguments: [true, false])
  func aServerThatSaysItHoldsMoreThanAnyNumberStopsNothing(more: Bool) throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    var lie = bench.answer(holding: bench.core.frontier)
    for byte in ["1", "2", "3"] {
      let device = try #require(DeviceID(String(repeating: byte, count: 32)))
      lie.serverFrontier[device] = Head(sequence: .max, hash: .zero)
    }
    lie.more = more
    try bench.take(.answered(lie))
    #expect(bench.core.alarms.map(\.code) == (more ? [] : ["withheld"]))
    #expect(bench.core.outstanding == (more ? .max : 1))
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(bench.core.outstanding == 0)
    #expect(bench.core.alarms.map(\.code) == (more ? ["rollback"] : ["withheld"]))
  }

  @Test func aServerThatPromisesMoreForEverIsNotAskedAtOnce() throws {
    var bench = try Bench()
    let stranger = try #require(DeviceID(String(repeating: "1", count: 32)))
    for sequence in 1...3 as ClosedRange<UInt64> {
      try bench.take(.requested)
      var answer = bench.answer(holding: Frontier())
      answer.serverFrontier[stranger] = Head(sequence: sequence, hash: .zero)
      answer.more = true
      #expect(try !bench.take(.answered(answer)).startsSync)
      #expect(bench.core.nextAttempt != nil)
    }
  }

  @Test func aSynchronisationIsCounted() {
    var count = SyncCount()
    count.note(rest: 5, isRunning: true)
    #expect(count.progress == nil, "too little to be read")
    count.note(rest: 40, isRunning: true)
    count.note(rest: 28, isRunning: true)
    #expect(count.progress == SyncProgress(done: 12, total: 40, what: "sync"))
    count.note(rest: 30, isRunning: true)
    #expect(count.progress == SyncProgress(done: 12, total: 42, what: "sync"))
    count.note(rest: 30, isRunning: false)
    #expect(count.progress == nil)
    count.note(rest: .max, isRunning: true)
    count.note(rest: 1, isRunning: true)
    count.note(rest: .max, isRunning: true)
    #expect(count.progress?.total == .max)
  }

  /// What no commit holds must not be kept either: it would hold up everything else for ever.
  @Test(arguments: [true, false])
  func whatFitsInNoCommitIsRefusedBeforeItIsSaved(immediately: Bool) throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    let context = try #require(bench.context)
    let escapes = String(repeating: "\u{1}", count: 60_000)
    let value = Edit.setValue(context.id, context.attributes[0].id, text: escapes, base: nil)
    #expect(throws: EditError.self) {
      try bench.take(.saved([value], immediately: immediately))
    }
    let one = "e" + String(repeating: "\u{301}", count: 10_000)
    #expect(one.count == 1)
    #expect(throws: EditError.overLimit(limit: "bytes of a name", allowed: 4096)) {
      try bench.take(.saved([.renameContext(context.id, name: one)], immediately: immediately))
    }
  }

  /// The widest values that are taken fit in a commit.
  @Test func everyValueThatIsTakenFits() throws {
    var bench = try Bench()
    for character in ["x", "\"", "\n", "é", "\u{1}"] {
      let count = character == "\u{1}" ? 36_000 : Limits.valueBytes / character.utf8.count
      let note = Edit.NewAttribute(
        label: "notes", kind: .note, text: String(repeating: character, count: count))
      try bench.take(
        .saved([.createContext(name: "n", kind: .note, attributes: [note])], immediately: true))
    }
    #expect(bench.disk.allSatisfy { $0.bytes.count <= Limits.commitBytes })
  }

  @Test(arguments: [Problem.Code.storageFull, .readOnlyMaintenance])
  func whyTheServerTakesNothingIsSaid(code: Problem.Code) throws {
    var bench = try Bench()
    try bench.take(.saved([Self.github], immediately: true))
    var answer = bench.answer(holding: Frontier())
    answer.outcomes = [SyncResponse.Outcome(status: .refused, problem: Problem(code))]
    try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(bench.core.failure == nil)
    try bench.take(.requested)
    #expect(try !bench.take(.answered(answer)).startsSync)
    #expect(bench.core.failure == .refused(Problem(code)))
    #expect(bench.core.nextAttempt != nil && bench.core.waiting == 1)
    try bench.take(.requested)
    try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(bench.core.failure == nil && bench.core.waiting == 0)
  }

  @Test func aLargeImportIsPackedIntoFewCommits() throws {
    var bench = try Bench()
    let edits = (0..<300).map { number in
      Edit.createContext(
        name: "site \(number)", kind: .account,
        attributes: [
          Edit.NewAttribute(
            label: "notes", kind: .note, text: String(repeating: "x", count: 2000))
        ])
    }
    try bench.take(.saved(edits, immediately: true))
    #expect(bench.core.replica.count == 300)
    #expect((4...8).contains(bench.disk.count))
    #expect(bench.disk.allSatisfy { $0.bytes.count <= Limits.commitBytes })
  }
}

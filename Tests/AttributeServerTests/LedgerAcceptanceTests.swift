import AttributeServer
import Foundation
import Testing
import Wire

/// Each rule of acceptance broken alone: the ledger names the rule, and nothing is taken.
struct LedgerAcceptanceTests {
  struct Broken: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: String
    let make: @Sendable (inout TestLedger<MemoryLedgerStore>) throws -> [UInt8]
  }

  static let cases: [Broken] = [
    Broken(testDescription: "no envelope", code: "malformed") { _ in [1, 2, 3] },
    Broken(testDescription: "bytes after the end", code: "malformed") {
      try $0.home.sign($0.home.header($0.account)) + [0]
    },
    Broken(testDescription: "over the size of a commit", code: "too_large") {
      try $0.home.sign($0.home.header($0.account), size: Limits.commitBytes)
    },
    Broken(testDescription: "a snapshot's manifest", code: "malformed") {
      try $0.home.signed($0.account) { $0.kind = .snapshotManifest }
    },
    Broken(testDescription: "another vault", code: "malformed") {
      try $0.home.signed($0.account) { $0.vault = 1 }
    },
    Broken(testDescription: "sequence zero", code: "malformed") {
      try $0.home.signed($0.account) { $0.sequence = 0 }
    },
    Broken(testDescription: "another account", code: "unknown_device") {
      try $0.home.signed($0.account) { $0.account = id(99) }
    },
    Broken(testDescription: "an unknown author", code: "unknown_device") {
      try TestDevice(3).sign(TestDevice(3).header($0.account))
    },
    Broken(testDescription: "signed by another device", code: "bad_signature") {
      try $0.work.sign($0.home.header($0.account))
    },
    Broken(testDescription: "one bit of ciphertext changed", code: "bad_signature") {
      var bytes = try $0.home.sign($0.home.header($0.account))
      bytes[bytes.count - 70] ^= 1
      return bytes
    },
    Broken(testDescription: "a sequence left out", code: "chain_gap") {
      try $0.home.signed($0.account) { $0.sequence = 2 }
    },
    Broken(testDescription: "a first commit with a predecessor", code: "device_fork") {
      try $0.home.signed($0.account) { $0.previous = hash([1]) }
    },
    Broken(testDescription: "a dependency nobody sent", code: "missing_deps") {
      let work = $0.work.id
      return try $0.home.signed($0.account) {
        $0.dependencies[work] = Head(sequence: 1, hash: hash([1]))
      }
    },
    Broken(testDescription: "a dependency with another hash", code: "device_fork") {
      let commit = try $0.work.commit($0.account)
      #expect(try $0.outcome(of: commit) == "accepted")
      let work = $0.work.id
      return try $0.home.signed($0.account) {
        $0.dependencies[work] = Head(sequence: 1, hash: hash([1]))
      }
    },
    Broken(testDescription: "a dependency on sequence zero", code: "malformed") {
      let work = $0.work.id
      return try $0.home.signed($0.account) {
        $0.dependencies[work] = Head(sequence: 0, hash: .zero)
      }
    },
    Broken(testDescription: "a dependency on itself", code: "malformed") {
      let home = $0.home.id
      return try $0.home.signed($0.account) {
        $0.dependencies[home] = Head(sequence: 1, hash: hash([1]))
      }
    },
    Broken(testDescription: "an epoch to come", code: "stale_epoch") {
      try $0.home.signed($0.account) { $0.epoch = Ledger.firstEpoch + 1 }
    },
    Broken(testDescription: "a membership record nobody sent", code: "stale_membership") {
      try $0.home.signed($0.account) { $0.memberHead = hash([1]) }
    },
    Broken(testDescription: "a membership record older than its author", code: "stale_membership") {
      let genesis = hash($0.account.genesis)
      return try $0.work.signed($0.account) { $0.memberHead = genesis }
    },
    Broken(testDescription: "over the quota", code: "quota") {
      $0.ledger = Ledger(quotaBytes: 200)
      return try $0.home.sign($0.home.header($0.account))
    },
  ]

  @Test(arguments: cases) func aBrokenRuleIsNamedAndNothingTaken(broken: Broken) throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let frame = try broken.make(&fixture)
    let before = fixture.store.frontier(of: fixture.account.id)
    #expect(try fixture.outcome(of: frame) == broken.code)
    #expect(fixture.store.frontier(of: fixture.account.id) == before)
  }

  /// The same rules over the database, through the same decisions.
  @Test(arguments: cases.filter { $0.code != "quota" })
  func theDatabaseDecidesLikeMemory(broken: Broken) throws {
    var memory = try TestLedger(store: MemoryLedgerStore())
    let frame = try broken.make(&memory)
    let folder = try TemporaryFolder()
    var disk = try TestLedger(store: try openStore(folder))
    if memory.work.head.sequence > 0 {
      #expect(try disk.outcome(of: try disk.work.commit(disk.account)) == "accepted")
    }
    #expect(try disk.outcome(of: frame) == broken.code)
  }

  @Test func aChainIsTakenAndKnownWhenSentAgain() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let first = try fixture.home.commit(fixture.account)
    let second = try fixture.home.commit(fixture.account)
    #expect(try fixture.sync([first, second]).outcomes.map(\.status) == [.accepted, .accepted])
    let held = fixture.store
    let again = try fixture.sync([first, second])
    #expect(again.outcomes.map(\.status) == [.known, .known])
    #expect(again.serverFrontier[fixture.home.id] == fixture.home.head)
    #expect(fixture.store.signals == held.signals)
  }

  @Test func anotherCommitAtAHeldSequenceIsAForkThatNamesTheHeldOne() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    var clone = fixture.home
    let first = try fixture.home.commit(fixture.account)
    _ = try fixture.sync([first])
    let other = try clone.commit(fixture.account, size: 65)
    let outcome = try fixture.sync([other]).outcomes[0]
    #expect(outcome.problem?.code == .deviceFork)
    #expect(outcome.problem?.held == Frontier([fixture.home.id: fixture.home.head]))
  }

  @Test func aSecondHistoryIsAForkAtItsFirstStep() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    var clone = fixture.home
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    _ = try clone.commit(fixture.account, size: 65)
    let second = try clone.commit(fixture.account)
    #expect(try fixture.outcome(of: second) == "device_fork")
  }

  @Test func missingDependenciesAreListed() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    _ = try fixture.work.commit(fixture.account)
    let dependencies = Frontier([fixture.work.id: fixture.work.head])
    let frame = try fixture.home.commit(fixture.account, dependencies: dependencies)
    let problem = try fixture.sync([frame]).outcomes[0].problem
    #expect(problem?.code == .missingDependencies)
    #expect(problem?.missing == dependencies)
    #expect(problem?.retryable == true)
  }

  @Test func aRefusedFrameBlocksNeitherTheOthersNorTheAnswer() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let theirs = try fixture.work.commit(fixture.account)
    _ = try fixture.sync([theirs], by: fixture.work)
    let mine = try fixture.home.commit(fixture.account)
    let response = try fixture.sync([[0], mine])
    #expect(response.outcomes.map(\.status) == [.refused, .accepted])
    #expect(response.frames == [Blob(theirs)])
  }

  @Test func aDeviceMayBringCommitsOfOthers() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let theirs = try fixture.work.commit(fixture.account)
    #expect(try fixture.sync([theirs], by: fixture.home).outcomes.map(\.status) == [.accepted])
  }

  @Test func tooManyFramesAreRefusedAsAWhole() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let frames = [[UInt8]](repeating: [0], count: Limits.framesPerSync + 1)
    #expect(throws: Problem(.tooMany, detail: "A request carries at most 100 commits.")) {
      try fixture.sync(frames)
    }
    let heavy = [[UInt8]](repeating: [UInt8](repeating: 0, count: 262_144), count: 11)
    #expect { try fixture.sync(heavy) } throws: { ($0 as? Problem)?.code == .tooLarge }
  }

  @Test func aStrangersDeviceGetsNothing() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let stranger = try TestDevice(77)
    #expect { try fixture.sync(by: stranger) } throws: {
      ($0 as? Problem)?.code == .authenticationFailed
    }
  }
}

extension TestDevice {
  func signed(
    _ account: TestAccount, _ change: (inout EnvelopeHeader) -> Void
  ) throws -> [UInt8] {
    var header = header(account)
    change(&header)
    return try sign(header)
  }
}

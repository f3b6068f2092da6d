import AttributeServer
import Testing
import Wire

struct MembershipTests {
  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Problem)?.code.rawValue ?? "\(error)"
    }
  }

  private func added<Store: LedgerStore>(to store: Store) throws {
    var fixture = try TestLedger(store: store)
    let mobile = try TestDevice(3)
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    let frontier = Frontier([fixture.home.id: fixture.home.head])
    let record = try fixture.account.addition(of: mobile, by: fixture.work, dependencies: frontier)
    let response = try fixture.append(record, by: fixture.work)
    #expect(response.memberHead == hash(record))
    #expect(response.serverFrontier == frontier)
    fixture.account.extended(by: record)
    var author = mobile
    #expect(try fixture.outcome(of: try author.commit(fixture.account)) == "accepted")
  }

  @Test func aDeviceAddsAnotherWhichThenCommits() throws {
    try added(to: MemoryLedgerStore())
    let folder = try TemporaryFolder()
    try added(to: try openStore(folder))
  }

  @Test func theSameRecordAgainIsAnsweredAgain() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let record = try fixture.account.addition(of: try TestDevice(3), by: fixture.home)
    let first = try fixture.append(record, by: fixture.home)
    #expect(try fixture.append(record, by: fixture.home) == first)
    #expect(fixture.store.deviceCount(of: fixture.account.id) == 3)
  }

  @Test func ofTwoAtOnceTheSecondIsStale() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let first = try fixture.account.addition(of: try TestDevice(3), by: fixture.home)
    let second = try fixture.account.addition(of: try TestDevice(4), by: fixture.work)
    _ = try fixture.append(first, by: fixture.home)
    #expect(code { _ = try fixture.append(second, by: fixture.work) } == "stale_membership")
  }

  @Test func whatARecordDependsOnMustBeHeldByEqualHashes() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let commit = try fixture.home.commit(fixture.account)
    let seen = Frontier([fixture.home.id: fixture.home.head])
    let record = try fixture.account.addition(
      of: try TestDevice(3), by: fixture.work, dependencies: seen)
    #expect {
      _ = try fixture.append(record, by: fixture.work)
    } throws: { error in
      (error as? Problem)?.code == .staleMembership && (error as? Problem)?.missing == seen
    }
    _ = try fixture.sync([commit])
    let wrong = Frontier([fixture.home.id: Head(sequence: 1, hash: hash([1]))])
    let other = try fixture.account.addition(
      of: try TestDevice(3), by: fixture.work, dependencies: wrong)
    #expect(code { _ = try fixture.append(other, by: fixture.work) } == "device_fork")
    #expect(code { _ = try fixture.append(record, by: fixture.work) } == nil)
  }

  /// The server was set back to before `mobile` was added, and `work`, who never heard of it, sent
  /// a commit since: `mobile` may not ask, so another brings the record that `home` had signed.
  @Test(arguments: StoreKind.allCases)
  func aServerThatWasSetBackGetsItsRecordsAgainFromAnyone(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    let record = try fixture.account.addition(of: try TestDevice(3), by: fixture.home)
    #expect(try fixture.outcome(of: try fixture.work.commit(fixture.account)) == "accepted")
    #expect(code { _ = try fixture.append(record, by: fixture.work) } == nil)
    fixture.account.extended(by: record)
    var mobile = try TestDevice(3)
    #expect(try fixture.outcome(of: try mobile.commit(fixture.account)) == "accepted")
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func aDeviceThatWasSetBackIsReplacedByItsOwnWord(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    var successor = try TestDevice(3)
    let record = try fixture.account.replacement(
      of: fixture.work.id, with: successor, by: fixture.work, dependencies: fixture.heads)
    let response = try fixture.append(record, by: fixture.work)
    #expect(response.memberHead == hash(record))
    #expect(try fixture.append(record, by: fixture.work) == response)
    fixture.account.extended(by: record)
    #expect(try fixture.outcome(of: try successor.commit(fixture.account)) == "accepted")
    // Its twin goes on under the old id, and may be replaced in its turn.
    #expect(try fixture.outcome(of: try fixture.work.commit(fixture.account)) == "accepted")
    let second = try fixture.account.replacement(
      of: fixture.work.id, with: try TestDevice(4), by: fixture.work, dependencies: fixture.heads)
    #expect(code { _ = try fixture.append(second, by: fixture.work) } == nil)
    #expect(try fixture.store.findings() == [])
  }

  @Test func nobodyElseSaysThatADeviceIsReplaced() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let mobile = try TestDevice(3)
    let byHome = try fixture.account.replacement(
      of: fixture.work.id, with: mobile, by: fixture.home)
    #expect(code { _ = try fixture.append(byHome, by: fixture.home) } == "bad_signature")
    let byAccount = try fixture.account.replacement(of: fixture.work.id, with: mobile, by: nil)
    #expect(code { _ = try fixture.append(byAccount, by: fixture.work) } == "bad_signature")
    let again = try fixture.account.replacement(
      of: fixture.work.id, with: fixture.home, by: fixture.work)
    #expect(code { _ = try fixture.append(again, by: fixture.work) } == "malformed")
    let addition = try fixture.account.addition(of: mobile, by: fixture.work, kind: .replaceDevice)
    #expect(code { _ = try fixture.append(addition, by: fixture.work) } == "malformed")
    #expect(fixture.store.device(mobile.id) == nil)
  }

  @Test func numberAndPredecessorMustContinueTheChain() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let mobile = try TestDevice(3)
    let skipped = try fixture.account.addition(of: mobile, by: fixture.home, number: 5)
    #expect(code { _ = try fixture.append(skipped, by: fixture.home) } == "stale_membership")
    let elsewhere = try fixture.account.addition(
      of: mobile, by: fixture.home, previous: hash(fixture.account.genesis))
    #expect(code { _ = try fixture.append(elsewhere, by: fixture.home) } == "stale_membership")
  }

  @Test func theSignerMustBeOfTheChain() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let mobile = try TestDevice(3)
    let byStranger = try fixture.account.addition(of: mobile, by: try TestDevice(9))
    #expect(code { _ = try fixture.append(byStranger, by: fixture.work) } == "unknown_device")
    let byHome = try fixture.account.addition(of: mobile, by: fixture.home)
    var forged = byHome
    forged[forged.count - 1] ^= 1
    #expect(code { _ = try fixture.append(forged, by: fixture.home) } == "bad_signature")
    #expect(code { _ = try fixture.append(byHome, by: mobile) } == "auth_failed")
  }

  @Test func withPassphraseAndKitTheAccountKeySigns() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let caller = Caller(account: fixture.account.id, device: .zero, enrolling: true)
    let mobile = try TestDevice(3)
    let byHome = try fixture.account.addition(of: mobile, by: fixture.home)
    let byAccount = try fixture.account.addition(of: mobile, by: nil)
    func append(_ record: [UInt8]) throws {
      _ = try fixture.ledger.append(
        MembershipRequest(expectedHead: fixture.account.head, record: Blob(record)), by: caller,
        in: &fixture.store)
    }
    _ = fixture.store.takeSignals()
    #expect(code { try append(byHome) } == "bad_signature")
    #expect(fixture.store.takeSignals() == [])
    #expect(code { try append(byAccount) } == nil)
    #expect(
      fixture.store.takeSignals() == [Signal(account: fixture.account.id, recordBy: mobile.id)],
      "the others hear of it, and the device that came in does not")
  }

  @Test func aRecordThatIsSentAgainIsNotSignalledAgain() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    _ = fixture.store.takeSignals()
    let record = try fixture.account.addition(of: try TestDevice(3), by: fixture.home)
    _ = try fixture.append(record, by: fixture.work)
    #expect(
      fixture.store.takeSignals()
        == [Signal(account: fixture.account.id, recordBy: fixture.work.id)])
    _ = try fixture.append(record, by: fixture.work)
    #expect(fixture.store.takeSignals() == [])
  }

  @Test func aDeviceIDIsUsedOnceOnTheWholeServer() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let record = try fixture.account.addition(of: fixture.work, by: fixture.home)
    #expect(code { _ = try fixture.append(record, by: fixture.home) } == "malformed")
    let stranger = try TestAccount(201, device: fixture.home)
    #expect(
      code {
        try fixture.store.write { transaction throws in
          try Ledger().found(stranger.id, genesis: stranger.genesis, in: &transaction)
        }
      } == "malformed")
  }

  @Test func anAccountHasAtMostSixtyFourDevices() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    for byte in UInt8(3)...64 {
      let record = try fixture.account.addition(of: try TestDevice(byte), by: fixture.home)
      _ = try fixture.append(record, by: fixture.home)
      fixture.account.extended(by: record)
    }
    let record = try fixture.account.addition(of: try TestDevice(65), by: fixture.home)
    #expect(code { _ = try fixture.append(record, by: fixture.home) } == "too_many")
  }

  @Test func aGenesisRecordMustBeSignedByTheKeyItNames() throws {
    var store = MemoryLedgerStore()
    let account = try TestAccount(201, device: try TestDevice(1))
    var forged = account.genesis
    forged[forged.count - 1] ^= 1
    func found(_ id: AccountID, _ genesis: [UInt8]) throws {
      try store.write { transaction throws in
        try Ledger().found(id, genesis: genesis, in: &transaction)
      }
    }
    #expect(code { try found(account.id, forged) } == "bad_signature")
    #expect(code { try found(id(5), account.genesis) } == "malformed")
    #expect(code { try found(account.id, [1]) } == "malformed")
    #expect(code { try found(account.id, account.genesis) } == nil)
    #expect(code { try found(account.id, account.genesis) } == "account_exists")
  }
}

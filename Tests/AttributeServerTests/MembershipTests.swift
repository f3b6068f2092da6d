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

  @Test func aRecordMadeWithoutAllCommitsSeenIsStale() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    let record = try fixture.account.addition(of: try TestDevice(3), by: fixture.work)
    #expect(code { _ = try fixture.append(record, by: fixture.work) } == "stale_membership")
    var wrong = Frontier()
    wrong[fixture.home.id] = Head(sequence: 1, hash: hash([1]))
    let other = try fixture.account.addition(
      of: try TestDevice(3), by: fixture.work, dependencies: wrong)
    #expect(code { _ = try fixture.append(other, by: fixture.work) } == "stale_membership")
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

  @Test func theSenderMustBeTheSigner() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let mobile = try TestDevice(3)
    let byHome = try fixture.account.addition(of: mobile, by: fixture.home)
    #expect(code { _ = try fixture.append(byHome, by: fixture.work) } == "bad_signature")
    let byAccount = try fixture.account.addition(of: mobile, by: nil)
    #expect(code { _ = try fixture.append(byAccount, by: fixture.home) } == "bad_signature")
    var forged = byHome
    forged[forged.count - 1] ^= 1
    #expect(code { _ = try fixture.append(forged, by: fixture.home) } == "bad_signature")
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
    #expect(code { try append(byHome) } == "bad_signature")
    #expect(code { try append(byAccount) } == nil)
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

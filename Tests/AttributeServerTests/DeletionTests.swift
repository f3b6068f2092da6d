import Crypto
import Foundation
import Testing
import Wire

@testable import AttributeServer

@Suite struct DeletionTests {
  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Problem)?.code.rawValue ?? "\(error)"
    }
  }

  @Test(arguments: StoreKind.allCases)
  func nothingOfADeletedAccountIsLeftButItsEnd(_ kind: StoreKind) throws {
    var fixture = try kind.ledger()
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    _ = try fixture.sync([try fixture.work.commit(fixture.account)], by: fixture.work)
    let ending = try fixture.account.ending(by: fixture.home)
    #expect(try fixture.append(ending, by: fixture.home).memberHead == hash(ending))
    for device in [fixture.home, fixture.work] {
      #expect(code { _ = try fixture.sync(by: device) } == "auth_failed")
    }
    let (account, id, home) = (fixture.account, fixture.account.id, fixture.home.id)
    try fixture.store.read { transaction throws in
      #expect(try transaction.account(id) == nil && transaction.accounts().isEmpty)
      #expect(try transaction.device(home) == nil && transaction.deviceCount(of: id) == 0)
      #expect(try transaction.hash(device: home, sequence: 1) == nil)
      #expect(try transaction.frontier(of: id) == Frontier())
      #expect(try transaction.memberRecords(from: 0, account: id).isEmpty)
      #expect(try transaction.snapshots(of: id).isEmpty)
      #expect(try transaction.ending(of: id) == ending)
    }
    #expect(try fixture.ledger.ending(of: id, in: fixture.store).record.bytes == ending)
    #expect(try fixture.store.findings() == [])
    // The id is used up: nobody begins an account that its former devices would take for theirs.
    let ledger = fixture.ledger
    let again = code {
      try fixture.store.write { transaction throws in
        try ledger.found(id, genesis: account.genesis, in: &transaction)
      }
    }
    #expect(again == "account_exists")
  }

  @Test(arguments: StoreKind.allCases)
  func whatDoesNotEndTheAccountChangesNothing(_ kind: StoreKind) throws {
    var fixture = try kind.ledger()
    let body = MembershipRecord.Ending(device: fixture.home.id)
    let byDevice = try fixture.account.record(.deleteAccount, body, by: fixture.home)
    #expect(code { _ = try fixture.append(byDevice, by: fixture.home) } == "malformed")
    let forged = try fixture.account.ending(by: fixture.home, key: fixture.home.signing)
    #expect(code { _ = try fixture.append(forged, by: fixture.home) } == "bad_signature")
    let early = try fixture.account.ending(by: fixture.home, number: 1)
    #expect(code { _ = try fixture.append(early, by: fixture.home) } == "stale_membership")
    let seen = Frontier([fixture.home.id: Head(sequence: 1, hash: hash([1]))])
    let depending = try fixture.account.ending(by: fixture.home, dependencies: seen)
    #expect(code { _ = try fixture.append(depending, by: fixture.home) } == "malformed")
    let (ledger, id) = (fixture.ledger, fixture.account.id)
    #expect(code { _ = try ledger.ending(of: id, in: fixture.store) } == "not_found")
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
  }

  /// A server that was set back and has taken other records since is told of the end all the same;
  /// a false one ends nothing there either.
  @Test(arguments: StoreKind.allCases)
  func aForgottenEndIsTakenWhateverCameInItsPlace(_ kind: StoreKind) throws {
    var fixture = try kind.ledger()
    let ending = try fixture.account.ending(by: fixture.home, number: 1)
    let forged = try fixture.account.ending(
      by: fixture.home, number: 1, key: fixture.home.signing)
    #expect(code { _ = try fixture.append(ending, by: fixture.home) } == "stale_membership")
    #expect(
      code { _ = try fixture.append(forged, by: fixture.home, isRestored: true) }
        == "bad_signature")
    _ = try fixture.append(ending, by: fixture.home, isRestored: true)
    #expect(
      try fixture.ledger.ending(of: fixture.account.id, in: fixture.store).record.bytes == ending)
    #expect(code { _ = try fixture.sync(by: fixture.work) } == "auth_failed")
  }

  /// Its rows go, and no other account's; the Push Service hears of each device.
  @Test func aDeletionLeavesOtherAccountsAlone() async throws {
    let folder = try TemporaryFolder()
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    let other = try TestDevice(41)
    let others = try TestAccount(201, device: other)
    let ledger = fixture.ledger
    try fixture.store.write { transaction throws in
      try ledger.found(others.id, genesis: others.genesis, in: &transaction)
    }
    _ = try fixture.append(try fixture.account.ending(by: fixture.home), by: fixture.home)
    let page = try await database.revocations(after: 0, limit: 10, now: 0)
    #expect(Set(page.entries.map(\.device)) == [fixture.home.id, fixture.work.id])
    #expect(try fixture.store.read { try $0.accounts() } == [others.id])
    let tables = try await database.run { store throws(Problem) in
      try store.read { transaction throws in
        try ["commits", "member", "login", "device", "link", "jump", "signal", "snapshot"].map {
          try transaction.db.rows("SELECT * FROM \($0)").count
        }
      }
    }
    #expect(tables == [0, 1, 0, 1, 0, 0, 0, 0])
  }
}

extension TestAccount {
  /// The record by which the account is deleted, signed by its key.
  func ending(
    by device: TestDevice, number: UInt64? = nil, dependencies: Frontier = Frontier(),
    key: Curve25519.Signing.PrivateKey? = nil
  ) throws -> [UInt8] {
    let body = try JSONEncoder().encode(MembershipRecord.Ending(device: device.id))
    let unsigned = MembershipRecord.unsignedBytes(
      kind: .deleteAccount, account: id, number: number ?? self.number, previous: head,
      signer: .account, dependencies: dependencies, body: Array(body))
    return unsigned
      + (try (key ?? self.key).signature(for: MembershipRecord.signatureDomain + unsigned))
  }
}

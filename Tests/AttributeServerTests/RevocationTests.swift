import AttributeServer
import Crypto
import Foundation
import Testing
import Wire

@Suite struct RevocationTests {
  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Problem)?.code.rawValue ?? "\(error)"
    }
  }

  private func revoke<Store: LedgerStore>(_ store: Store) throws {
    var fixture = try TestLedger(store: store)
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    _ = try fixture.sync([try fixture.work.commit(fixture.account)], by: fixture.work)
    let cut = Frontier([fixture.home.id: fixture.home.head, fixture.work.id: fixture.work.head])
    let record = try fixture.account.rotation(
      without: [fixture.work.id], by: fixture.home, cut: cut)
    #expect(try fixture.append(record, by: fixture.home).memberHead == hash(record))
    fixture.account.extended(by: record)
    // It may ask why, and nothing else.
    #expect(code { _ = try fixture.sync(by: fixture.work) } == "auth_revoked")
    let caller = Caller(account: fixture.account.id, device: fixture.work.id)
    let why = try fixture.ledger.membership(after: nil, by: caller, in: fixture.store)
    #expect(why.records.last == Blob(record))
    // What it writes is refused whoever brings it, and so is what is sealed with the old keys.
    #expect(try fixture.outcome(of: try fixture.work.commit(fixture.account)) == "stale_epoch")
    var home = fixture.home
    #expect(try fixture.outcome(of: try home.commit(fixture.account)) == "stale_epoch")
    fixture.account.epoch = 1
    #expect(try fixture.outcome(of: try fixture.home.commit(fixture.account)) == "accepted")
    // Nor does it sign records.
    let mobile = try fixture.account.addition(of: try TestDevice(3), by: fixture.work)
    #expect(code { _ = try fixture.append(mobile, by: fixture.home) } == "bad_signature")
    #expect(code { _ = try fixture.append(mobile, by: fixture.work) } == "auth_revoked")
  }

  @Test func aRevokedDeviceIsRefusedAtOnce() throws {
    try revoke(MemoryLedgerStore())
    try revoke(try openStore(try TemporaryFolder()))
  }

  @Test func aRecordThatDoesNotKnowTheNewestCommitIsStale() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let record = try fixture.account.rotation(
      without: [fixture.work.id], by: fixture.home, cut: Frontier())
    _ = try fixture.sync([try fixture.work.commit(fixture.account)], by: fixture.work)
    #expect(code { _ = try fixture.append(record, by: fixture.home) } == "stale_membership")
    #expect(fixture.store.frontier(of: fixture.account.id)[fixture.work.id] == fixture.work.head)
  }

  /// A server that was set back took commits that its own chain would have refused.
  private func restored<Store: LedgerStore>(_ store: Store) throws {
    var fixture = try TestLedger(store: store)
    _ = try fixture.sync([try fixture.home.commit(fixture.account)])
    let cut = Frontier([fixture.home.id: fixture.home.head])
    let record = try fixture.account.rotation(
      without: [fixture.work.id], by: fixture.home, cut: cut)
    _ = try fixture.sync([try fixture.work.commit(fixture.account)], by: fixture.work)
    _ = try fixture.append(record, by: fixture.home, isRestored: true)
    let held = try fixture.store.read { transaction throws in
      (
        try transaction.frontier(of: fixture.account.id),
        try transaction.account(fixture.account.id)?.usedBytes,
        try transaction.page(of: fixture.account.id, lacking: Frontier(), maxBytes: 1 << 20)
          .frames.map(\.count)
      )
    }
    #expect(held.0 == cut)
    #expect(held.2.count == 1 && held.1 == held.2[0])
  }

  /// Commits that its author had seen may have been taken back since, so that nobody has them.
  @Test func aRecordGivenBackStandsOnNoCommitsUnlessItCuts() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let seen = Frontier([fixture.home.id: Head(sequence: 9, hash: hash([9]))])
    let rotation = try fixture.account.rotation(without: [], by: fixture.home, cut: seen)
    #expect(
      code { _ = try fixture.append(rotation, by: fixture.home, isRestored: true) }
        == "stale_membership")
    let addition = try fixture.account.addition(
      of: try TestDevice(3), by: fixture.home, dependencies: seen)
    #expect(code { _ = try fixture.append(addition, by: fixture.work) } == "stale_membership")
    let answer = try fixture.append(addition, by: fixture.work, isRestored: true)
    #expect(answer.memberHead == hash(addition))
  }

  @Test func aRecordGivenBackCutsOffWhatCameMeanwhile() throws {
    try restored(MemoryLedgerStore())
    try restored(try openStore(try TemporaryFolder()))
  }

  @Test func onlyTheNextEpochBegins() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    for epoch: UInt32 in [0, 2] {
      let record = try fixture.account.rotation(
        without: [], by: fixture.home, cut: Frontier(), epoch: epoch)
      #expect(code { _ = try fixture.append(record, by: fixture.home) } == "malformed")
    }
    let stranger = try fixture.account.rotation(without: [id(9)], by: fixture.home, cut: Frontier())
    #expect(code { _ = try fixture.append(stranger, by: fixture.home) } == "unknown_device")
    #expect(fixture.store.account(fixture.account.id)?.epoch == 0)
  }

  @Test func theWordOfARevokedDeviceIsKeptIfItIsItsOwn() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let (account, work) = (fixture.account, fixture.work)
    let caller = Caller(account: account.id, device: work.id)
    let record = try account.rotation(without: [work.id], by: fixture.home, cut: Frontier())
    func word(of record: [UInt8]) throws -> Farewell {
      let signed = Farewell.signedBytes(account: account.id, device: work.id, record: hash(record))
      return Farewell(
        device: work.id, signature: Blob(try work.authentication.signature(for: signed)))
    }
    let ledger = fixture.ledger
    func keep(_ farewell: Farewell) -> String? {
      code { try ledger.keep(farewell, by: caller, in: &fixture.store) }
    }
    // It is still a member.
    #expect(keep(try word(of: record)) == "malformed")
    _ = try fixture.append(record, by: fixture.home)
    #expect(keep(try word(of: account.genesis)) == "bad_signature")
    let farewell = try word(of: record)
    #expect(keep(farewell) == nil)
    let home = Caller(account: account.id, device: fixture.home.id)
    let seen = try ledger.membership(after: nil, by: home, in: fixture.store)
    #expect(seen.farewells == [farewell])
  }

  @Test func tokensOfARevokedDeviceAreForOneQuestionOnly() async throws {
    try await TestServer().run { caller in
      let (home, work) = (try TestDevice(1), try TestDevice(2))
      var account = try TestAccount(200, device: home)
      _ = try await caller.post(Route.accounts, account.request())
      let token = try await caller.token(for: home)
      let addition = try account.addition(of: work, by: home)
      _ = try await caller.post(
        Route.membership, MembershipRequest(expectedHead: account.head, record: Blob(addition)),
        token: token)
      account.extended(by: addition)
      let old = try await caller.token(for: work)
      let record = try account.rotation(without: [work.id], by: home, cut: Frontier())
      let request = MembershipRequest(expectedHead: account.head, record: Blob(record))
      #expect(try await caller.post(Route.membership, request, token: token).status == 200)
      // A token from before, and a new one.
      let sync = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
      for token in [old, try await caller.token(for: work)] {
        #expect(try await caller.post(Route.sync, sync, token: token).code == "auth_revoked")
        #expect(try await caller.get(Route.membership, token: token).status == 200)
      }
      let push = try await caller.tokenRequest(for: work, audiences: [.push])
      #expect(try await caller.post(Route.token, push).code == "auth_revoked")
    }
  }

  private func change<Store: LedgerStore>(_ store: Store) throws {
    var fixture = try TestLedger(store: store)
    let login = Blob(try AttributeServerTests.key(77).publicKey.rawRepresentation)
    func slot(_ bytes: [UInt8]) -> MembershipRecord.SlotChange {
      MembershipRecord.SlotChange(
        version: 2, slot: Blob(bytes), loginKey: login,
        hashing: PassphraseHashing(
          memoryKibibytes: 2048, passes: 3, salt: Blob([UInt8](repeating: 6, count: 16))))
    }
    let large = try fixture.account.record(
      .changeSlot, slot([UInt8](repeating: 7, count: Limits.slotBytes + 1)), by: fixture.home)
    #expect(code { _ = try fixture.append(large, by: fixture.home) } == "malformed")
    let record = try fixture.account.record(.changeSlot, slot([7, 7, 7]), by: fixture.work)
    // Any device may bring it.
    _ = try fixture.append(record, by: fixture.home)
    fixture.account.extended(by: record)
    let renaming = try fixture.account.record(
      .renameDevice,
      MembershipRecord.Renaming(device: fixture.home.id, sealedName: Blob([1, 2, 3])),
      by: fixture.work)
    #expect(try fixture.append(renaming, by: fixture.work).memberHead == hash(renaming))
    // Nothing is cut: what was sealed before is taken.
    #expect(try fixture.outcome(of: try fixture.home.commit(fixture.account)) == "accepted")
  }

  @Test func aSlotAndANameChangeWithoutANewEpoch() throws {
    try change(MemoryLedgerStore())
    try change(try openStore(try TemporaryFolder()))
  }
}

import Testing
import Wire

@testable import Vault

/// The record by which an account is deleted.
@Suite struct EndingTests {
  private static func ending(
    of chain: Membership, number: UInt64? = nil, dependencies: Frontier = Frontier(),
    kind: MembershipRecord.Kind = .deleteAccount, signer: MembershipRecord.Signer = .account,
    account: AccountID? = nil, body: [UInt8]? = nil, key: SigningKey? = nil
  ) throws -> MembershipRecord {
    let device = try Fixture.account.get().keyring.device
    return try MembershipRecord.signed(
      kind: kind, account: account ?? chain.account, number: number ?? UInt64(chain.count),
      previous: chain.head, signer: signer, dependencies: dependencies,
      body: body ?? CanonicalJSON.encode(MembershipRecord.Ending(device: device)),
      key: key ?? SigningKey(seed: Fixture.accountSeed()))
  }

  @Test func theAccountsKeyAloneEndsIt() throws {
    let account = try Fixture.account.get()
    let chain = try Fixture.chain()
    let record = try account.keyring.ending(
      of: chain, slot: account.slot, login: Fixture.login.get())
    var ended = chain
    try ended.end(by: record)
    #expect(ended.ending == record && ended.records == chain.records)
    #expect(try record.ending().device == account.keyring.device)
    // A member can take others out, and not this.
    for (signer, key) in [
      (MembershipRecord.Signer.account, account.keyring.deviceKeys.signing),
      (.device(account.keyring.device), account.keyring.deviceKeys.signing),
      (.device(account.keyring.device), SigningKey(seed: try Fixture.accountSeed())),
    ] {
      var chain = chain
      let forged = try Self.ending(of: chain, signer: signer, key: key)
      #expect(throws: VaultError.self) { try chain.end(by: forged) }
      #expect(chain.ending == nil)
    }
  }

  @Test func aDeviceThatLacksRecordsCanTellAllTheSame() throws {
    let paired = try Fixture.paired()
    let record = try Self.ending(of: paired.chain)
    var behind = try Fixture.chain()
    try behind.end(by: record)
    #expect(behind.ending == record)
  }

  @Test func nothingFollowsTheEndAndItStandsInNoChain() throws {
    let paired = try Fixture.paired()
    var chain = try Fixture.chain()
    let record = try Self.ending(of: chain)
    #expect(throws: VaultError.brokenChain(number: 1)) { try chain.append(record) }
    try chain.end(by: record)
    #expect(throws: VaultError.brokenChain(number: 1)) { try chain.append(paired.record) }
    #expect(throws: VaultError.brokenChain(number: 1)) { try chain.end(by: record) }
  }

  @Test func whatIsNoEndIsRefusedAlthoughTheAccountsKeySignedIt() throws {
    let chain = try Fixture.chain()
    let other = try Fixture.stranger.get().keyring.account
    let wrong = [
      try Self.ending(of: chain, number: 0), try Self.ending(of: chain, kind: .renameDevice),
      try Self.ending(of: chain, dependencies: Fixture.frontier),
      try Self.ending(of: chain, account: other),
      try Self.ending(of: chain, body: Array("{}".utf8)),
    ]
    for record in wrong {
      var chain = chain
      #expect(throws: VaultError.self) { try chain.end(by: record) }
      #expect(chain.ending == nil)
    }
    var empty = Membership(account: chain.account)
    #expect(throws: VaultError.brokenChain(number: 1)) {
      try empty.end(by: try Self.ending(of: chain))
    }
  }
}

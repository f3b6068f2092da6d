import Testing
import Wire

@testable import Vault

/// Records that say what counts from then on: keys of the server, and the lowest suite.
@Suite struct ServerKeysTests {
  static func record(
    _ kind: MembershipRecord.Kind, _ body: some Encodable, after chain: Membership,
    signer: MembershipRecord.Signer? = nil, key: SigningKey? = nil
  ) throws -> MembershipRecord {
    let keyring = try Fixture.account.get().keyring
    return try MembershipRecord.signed(
      kind: kind, account: chain.account, number: UInt64(chain.count), previous: chain.head,
      signer: signer ?? .device(keyring.device), dependencies: Frontier(),
      body: CanonicalJSON.encode(body), key: key ?? keyring.deviceKeys.signing)
  }

  @Test func aMemberSaysByWhichKeysTheServerIsKnown() throws {
    let keyring = try Fixture.account.get().keyring
    let (one, other) = (Digest32.sha256([1]), Digest32.sha256([2]))
    var chain = try Fixture.chain()
    #expect(chain.serverKeys.isEmpty)
    try chain.append(
      keyring.trusting(
        serverKeys: [other, one, other], membership: chain, frontier: Frontier()))
    #expect(Set(chain.serverKeys) == [one, other] && chain.serverKeys.count == 2)
    try chain.append(
      keyring.trusting(serverKeys: [other], membership: chain, frontier: Frontier()))
    #expect(chain.serverKeys == [other])
  }

  private struct Body: Encodable {
    let keys: [Digest32]
  }

  @Test func whatIsNoListOfKeysOrNotAMembersChangesNothing() throws {
    let keys = (0..<5).map { Digest32.sha256([$0]) }
    let sorted = MembershipRecord.ServerKeys(keys: keys).keys
    var entropy = SodiumEntropy()
    let stranger = SigningKey(seed: Secret(copying: entropy.bytes(32)))
    let chain = try Fixture.chain()
    let wrong = [
      try Self.record(.trustServer, Body(keys: []), after: chain),
      try Self.record(.trustServer, Body(keys: sorted), after: chain),
      try Self.record(.trustServer, Body(keys: [sorted[1], sorted[0]]), after: chain),
      try Self.record(.trustServer, Body(keys: [sorted[0], sorted[0]]), after: chain),
      try Self.record(.trustServer, Body(keys: [sorted[0]]), after: chain, key: stranger),
      try Self.record(
        .trustServer, Body(keys: [sorted[0]]), after: chain, signer: .account,
        key: SigningKey(seed: Fixture.accountSeed())),
    ]
    for record in wrong {
      var next = chain
      #expect(throws: VaultError.self) { try next.append(record) }
      #expect(next == chain)
    }
  }

  @Test func theSuiteOnlyRises() throws {
    let raise = { MembershipRecord.SuiteRaise(suite: $0) }
    var chain = try Fixture.chain()
    for suite: UInt8 in [0, 1] {
      let record = try Self.record(.raiseSuite, raise(suite), after: chain)
      #expect(throws: VaultError.malformed(field: "suite")) { try chain.append(record) }
    }
    let before = chain.head
    try chain.append(Self.record(.raiseSuite, raise(3), after: chain))
    #expect(chain.minimumSuite == 3)
    for suite: UInt8 in [1, 2, 3] {
      let record = try Self.record(.raiseSuite, raise(suite), after: chain)
      #expect(throws: VaultError.malformed(field: "suite")) { try chain.append(record) }
    }
    // What was sealed before stays readable; what names the record is not of the old suite.
    let keyring = try Fixture.account.get().keyring
    let old = try Fixture.commit(by: keyring, memberHead: before)
    #expect(try keyring.openCommit(old, membership: chain) == Fixture.plaintext)
    let new = try Fixture.commit(by: keyring, memberHead: chain.head)
    #expect(throws: VaultError.malformed(field: "suite")) { try chain.verify(new) }
  }
}

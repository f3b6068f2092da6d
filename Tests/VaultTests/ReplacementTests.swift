import Testing
import Wire

@testable import Vault

extension Fixture {
  static func replacement(
    of keyring: Keyring, in chain: Membership, seed: String = "replacement"
  ) throws -> (successor: Successor, record: MembershipRecord) {
    var entropy = SeededEntropy(seed)
    let successor = keyring.successor(entropy: &entropy)
    let record = try keyring.replacing(
      with: successor, name: DeviceName(name: "home pc", platform: "Debian 12"),
      membership: chain, dependencies: frontier, entropy: &entropy)
    return (successor, record)
  }
}

@Suite struct ReplacementTests {
  /// A signed replacement that is wrong in the one way the test is about.
  private func record(
    signer: MembershipRecord.Signer? = nil, key: SigningKey? = nil, replaced: DeviceID? = nil,
    device: DeviceDescription? = nil
  ) throws -> MembershipRecord {
    let keyring = try Fixture.account.get().keyring
    let chain = try Fixture.paired().chain
    let sound = try Fixture.replacement(of: keyring, in: chain).record.replacement()
    return try MembershipRecord.signed(
      kind: .replaceDevice, account: keyring.account, number: UInt64(chain.count),
      previous: chain.head, signer: signer ?? .device(keyring.device), dependencies: Frontier(),
      body: CanonicalJSON.encode(
        MembershipRecord.Replacement(
          replaced: replaced ?? keyring.device, device: device ?? sound.device)),
      key: key ?? keyring.deviceKeys.signing)
  }

  @Test func theSuccessorIsAnotherDeviceOfTheSameAccount() throws {
    let keyring = try Fixture.account.get().keyring
    var chain = try Fixture.chain()
    let (successor, record) = try Fixture.replacement(of: keyring, in: chain)
    try chain.append(record)
    let next = successor.keyring
    #expect(next.device != keyring.device)
    #expect(next.account == keyring.account)
    #expect(next.accountKey == keyring.accountKey)
    #expect(next.accountName == keyring.accountName)
    #expect(chain.order == [keyring.device, next.device])
    #expect(chain.replacements == [keyring.device: [next.device]])
    let description = try #require(chain.devices[next.device])
    #expect(description.authenticationKey == successor.authenticationKey.publicKey)
    #expect(try keyring.name(of: description).name == "home pc")
    // Its commits open for everybody, and it opens theirs.
    let commit = try Fixture.commit(by: next, memberHead: chain.head)
    #expect(try keyring.openCommit(commit, membership: chain) == Fixture.plaintext)
    #expect(try next.openCommit(Fixture.commit(), membership: chain) == Fixture.plaintext)
  }

  /// A second clone may need an identity, too; the first keeps writing under the old one.
  @Test func oneDeviceIsReplacedAsOftenAsItHasClones() throws {
    let keyring = try Fixture.account.get().keyring
    var chain = try Fixture.chain()
    let first = try Fixture.replacement(of: keyring, in: chain, seed: "first")
    try chain.append(first.record)
    let second = try Fixture.replacement(of: keyring, in: chain, seed: "second")
    try chain.append(second.record)
    let third = try Fixture.replacement(of: first.successor.keyring, in: chain, seed: "third")
    try chain.append(third.record)
    #expect(
      chain.replacements == [
        keyring.device: [first.successor.keyring.device, second.successor.keyring.device],
        first.successor.keyring.device: [third.successor.keyring.device],
      ])
    let commit = try Fixture.commit(memberHead: chain.head)
    #expect(try keyring.openCommit(commit, membership: chain) == Fixture.plaintext)
  }

  @Test func rowsOfTheOldIdentityDoNotOpenWithTheNew() throws {
    let keyring = try Fixture.account.get().keyring
    let (successor, _) = try Fixture.replacement(of: keyring, in: Fixture.chain())
    var entropy = SodiumEntropy()
    let row = try keyring.sealRow([1], binding: "row", entropy: &entropy)
    #expect(throws: VaultError.cannotOpen) {
      try successor.keyring.openRow(row, binding: "row")
    }
  }

  @Test func onlyTheDeviceItselfSaysThatItIsReplaced() throws {
    let paired = try Fixture.paired()
    let other = paired.joined.keyring
    let stranger = try Fixture.stranger.get().keyring
    func expect(_ error: VaultError, _ record: MembershipRecord) throws {
      var chain = paired.chain
      #expect(throws: error) { try chain.append(record) }
      #expect(chain == paired.chain)
    }
    var chain = paired.chain
    try chain.append(record())
    let own = try Fixture.account.get().keyring.device
    try expect(
      .notAMember(own), record(signer: .device(other.device), key: other.deviceKeys.signing))
    try expect(.badSignature, record(key: other.deviceKeys.signing))
    try expect(.notAMember(other.device), record(replaced: other.device))
    try expect(.notAMember(stranger.device), record(replaced: stranger.device))
    try expect(
      .notAMember(stranger.device),
      record(
        signer: .device(stranger.device), key: stranger.deviceKeys.signing,
        replaced: stranger.device))
    try expect(.brokenChain(number: 2), record(signer: .account))
  }

  @Test func theSuccessorHasKeysOfItsOwn() throws {
    let paired = try Fixture.paired()
    let own = try #require(paired.chain.devices[Fixture.account.get().keyring.device])
    let sound = try record().replacement().device
    func with(id: DeviceID? = nil, signing: Blob? = nil) -> DeviceDescription {
      DeviceDescription(
        device: id ?? sound.device, signingKey: signing ?? sound.signingKey,
        sealingKey: sound.sealingKey, authenticationKey: sound.authenticationKey,
        sealedName: sound.sealedName)
    }
    for (field, device) in [
      ("device id", with(id: own.device)), ("device id", with(id: .zero)),
      ("device id", with(id: paired.offer.device)), ("device keys", with(signing: own.signingKey)),
      ("device keys", with(signing: own.authenticationKey)),
      ("device keys", with(signing: paired.chain.accountKey)),
    ] {
      var chain = paired.chain
      #expect(throws: VaultError.malformed(field: field)) {
        try chain.append(record(device: device))
      }
    }
  }

  @Test func aRecordForAnotherPlaceOfTheChainIsRefused() throws {
    let keyring = try Fixture.account.get().keyring
    let (_, early) = try Fixture.replacement(of: keyring, in: Fixture.chain())
    var chain = try Fixture.paired().chain
    #expect(throws: VaultError.brokenChain(number: 1)) { try chain.append(early) }
    var empty = Membership(account: keyring.account)
    #expect(throws: VaultError.brokenChain(number: 1)) { try empty.append(early) }
    var foreign = Membership(account: try Fixture.stranger.get().keyring.account)
    #expect(throws: VaultError.wrongAccount) { try foreign.append(early) }
  }

  @Test func everyChangedByteOfAReplacementIsNoticed() throws {
    let keyring = try Fixture.account.get().keyring
    let chain = try Fixture.chain()
    let bytes = try Fixture.replacement(of: keyring, in: chain).record.bytes
    func appends(_ bytes: [UInt8]) -> Bool {
      do {
        var copy = chain
        try copy.append(MembershipRecord(bytes: bytes))
        return true
      } catch { return false }
    }
    #expect(appends(bytes))
    #expect(bytes.indices.filter { appends(bytes.flipped(at: $0)) } == [])
    #expect((0..<bytes.count).filter { appends(Array(bytes.prefix($0))) } == [])
    #expect(!appends(bytes + [0]))
  }
}

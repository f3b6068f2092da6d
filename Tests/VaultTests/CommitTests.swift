import Testing
import Wire

@testable import Vault

@Suite struct CommitTests {
  @Test(arguments: [0, 1, 508, 509, 4096, 65_532, 65_533, 200_000, Keyring.commitPlaintextLimit])
  func commitOpensToWhatWasSealed(count: Int) throws {
    let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let keyring = try Fixture.account.get().keyring
    let envelope = try Fixture.commit(plaintext)
    let reread = try Envelope(bytes: envelope.bytes)
    #expect(try keyring.openCommit(reread, membership: Fixture.chain()) == plaintext)
  }

  @Test func plaintextLimitFitsWithTheFullestFrontierAndNoByteMore() throws {
    var entropy = SeededEntropy("full frontier")
    let keyring = try Fixture.account.get().keyring
    var frontier = Frontier()
    for _ in 0..<Limits.devices {
      frontier[entropy.identifier()] = Head(sequence: .max, hash: .zero)
    }
    func seal(_ count: Int) throws -> Int {
      try keyring.sealCommit(
        [UInt8](repeating: 1, count: count), kind: .data, sequence: 1, previous: .zero,
        memberHead: .zero, dependencies: frontier, entropy: &entropy
      ).bytes.count
    }
    #expect(try seal(Keyring.commitPlaintextLimit) <= Limits.commitBytes)
    #expect(throws: VaultError.self) { try seal(Keyring.commitPlaintextLimit + 1) }
  }

  @Test func shortCommitsAllHaveOneSize() throws {
    let sizes = try Set(
      [0, 1, 100, 508].map { try Fixture.commit(.init(repeating: 1, count: $0)) }
        .map(\.bytes.count))
    #expect(sizes.count == 1)
  }

  @Test func sealingTheSameTwiceGivesOtherBytes() throws {
    #expect(try Fixture.commit(seed: "a").ciphertext != Fixture.commit(seed: "b").ciphertext)
  }

  @Test func commitOfAStrangerIsOfTheWrongAccount() throws {
    let stranger = try Fixture.stranger.get().keyring
    let envelope = try Fixture.commit(by: stranger)
    let keyring = try Fixture.account.get().keyring
    #expect(throws: VaultError.wrongAccount) {
      try keyring.openCommit(envelope, membership: Fixture.chain())
    }
  }

  /// The server may serve a whole chain of its own making under the account's id.
  @Test func chainWithAnotherAccountKeyIsRefused() throws {
    let keyring = try Fixture.account.get().keyring
    var entropy = SeededEntropy("impostor")
    let impostor = SigningKey(seed: entropy.secret(32))
    let body = MembershipRecord.Genesis(
      accountKey: impostor.publicKey, device: try Fixture.account.get().genesis.genesis().device)
    let genesis = try MembershipRecord.signed(
      kind: .genesis, account: keyring.account, number: 0, previous: .zero, signer: .account,
      dependencies: Frontier(), body: CanonicalJSON.encode(body), key: impostor)
    var chain = Membership(account: keyring.account)
    try chain.append(genesis)
    #expect(throws: VaultError.wrongAccount) {
      try keyring.openCommit(Fixture.commit(memberHead: chain.head), membership: chain)
    }
  }

  @Test func commitNamingAMembershipRecordNotHeldAsksForTheChain() throws {
    let paired = try Fixture.paired()
    let envelope = try Fixture.commit(by: paired.joined.keyring, memberHead: paired.chain.head)
    let keyring = try Fixture.account.get().keyring
    #expect(throws: VaultError.unknownMembership(paired.chain.head)) {
      try keyring.openCommit(envelope, membership: Fixture.chain())
    }
    #expect(try keyring.openCommit(envelope, membership: paired.chain) == Fixture.plaintext)
  }

  @Test func commitNamingARecordFromBeforeItsAuthorJoinedIsRefused() throws {
    let paired = try Fixture.paired()
    let envelope = try Fixture.commit(
      by: paired.joined.keyring, memberHead: try Fixture.chain().head)
    #expect(throws: VaultError.notAMember(paired.joined.keyring.device)) {
      try Fixture.account.get().keyring.openCommit(envelope, membership: paired.chain)
    }
  }

  @Test func commitSignedByAnotherMemberIsRefused() throws {
    let paired = try Fixture.paired()
    let envelope = try Fixture.commit()
    let unsigned = Array(envelope.bytes.dropLast(Envelope.signatureBytes))
    let other = paired.joined.keyring.deviceKeys.signing
    let forged = try Envelope(
      bytes: unsigned + other.sign(Envelope.signatureDomain + unsigned))
    #expect(throws: VaultError.badSignature) {
      try Fixture.account.get().keyring.openCommit(forged, membership: paired.chain)
    }
  }

  @Test func commitOfAnUnknownEpochOrCompartmentIsRefused() throws {
    let keyring = try Fixture.account.get().keyring
    let envelope = try Fixture.commit()
    func resigned(_ change: (inout EnvelopeHeader) -> Void) throws -> Envelope {
      var header = envelope.header
      change(&header)
      let unsigned =
        header.encoded(ciphertextLength: envelope.ciphertext.count) + envelope.ciphertext
      return try Envelope(
        bytes: unsigned + keyring.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned))
    }
    let chain = try Fixture.chain()
    #expect(throws: VaultError.unknownEpoch(7)) {
      try keyring.openCommit(resigned { $0.epoch = 7 }, membership: chain)
    }
    #expect(throws: VaultError.malformed(field: "vault")) {
      try keyring.openCommit(resigned { $0.vault = 1 }, membership: chain)
    }
  }

  @Test func lockedDeviceVerifiesACommitWithoutAKeyring() throws {
    try Fixture.chain().verify(Fixture.commit())
    let forged = try Envelope(bytes: Fixture.commit().bytes.flipped(at: 300))
    #expect(throws: VaultError.badSignature) { try Fixture.chain().verify(forged) }
  }
}

@Suite struct PaddingTests {
  @Test func paddedLengthsAreAFewAndNeverMuchLonger() {
    #expect(Padding.paddedCount(0) == 512)
    #expect(Padding.paddedCount(508) == 512)
    #expect(Padding.paddedCount(509) == 1024)
    #expect(Padding.paddedCount(65_532) == 65_536)
    #expect(Padding.paddedCount(65_533) == 67_584)
    let tooMuch = stride(from: 65_537, to: 300_000, by: 97).filter { count in
      let padded = Padding.paddedCount(count)
      return padded < count + 4 || Double(padded) > Double(count + 4) * 1.12
    }
    #expect(tooMuch == [])
  }

  @Test func paddingGrowsWithTheLength() {
    let padded = stride(from: 0, to: 140_000, by: 11).map(Padding.paddedCount)
    #expect(zip(padded, padded.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test(arguments: [0, 1, 508, 509, 70_000])
  func unpaddingGivesBackWhatWasPadded(count: Int) throws {
    let plaintext = [UInt8](repeating: 7, count: count)
    let padded = Padding.pad(plaintext)
    #expect(padded.count == Padding.paddedCount(count))
    #expect(try Padding.unpad(padded) == plaintext)
  }

  @Test func paddingOfAnotherFormIsRefused() {
    var nonzero = Padding.pad([1, 2, 3])
    nonzero[511] = 1
    let tooLong = Padding.pad([1, 2, 3]) + [UInt8](repeating: 0, count: 512)
    var liar = Padding.pad([1, 2, 3])
    liar.replaceSubrange(0..<4, with: [0xff, 0xff, 0xff, 0xff])
    for padded in [nonzero, tooLong, liar, [], [0, 0, 0, 0]] {
      #expect(throws: VaultError.malformed(field: "padding")) { try Padding.unpad(padded) }
    }
  }
}

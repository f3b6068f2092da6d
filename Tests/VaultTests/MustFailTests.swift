import Testing
import Wire

@testable import Vault

/// Whatever is changed in sealed or signed bytes must be noticed: every bit in turn, every end.
@Suite struct MustFailTests {
  /// The positions at which `open` took a copy of `bytes` with one bit turned for good.
  private func accepted(
    _ bytes: [UInt8], _ open: ([UInt8]) throws(VaultError) -> Void
  ) -> [Int] {
    bytes.indices.filter { position in
      (0..<8).contains { bit in
        var copy = bytes
        copy[position] ^= 1 << bit
        do {
          try open(copy)
          return true
        } catch { return false }
      }
    }
  }

  /// The lengths at which `open` took a cut copy for good; one byte more counts as one, too.
  private func acceptedCuts(
    _ bytes: [UInt8], _ open: ([UInt8]) throws(VaultError) -> Void
  ) -> [Int] {
    let copies = stride(from: 0, to: bytes.count, by: 7).map { Array(bytes.prefix($0)) }
    return (copies + [bytes.dropLast(), bytes + [0]]).filter { copy in
      do {
        try open(copy)
        return true
      } catch { return false }
    }.map(\.count)
  }

  private func openEnvelope(_ bytes: [UInt8]) throws(VaultError) {
    let (keyring, chain) = try unlocked()
    let envelope = try VaultError.reading { () throws(WireError) in try Envelope(bytes: bytes) }
    _ = try keyring.openCommit(envelope, membership: chain)
  }

  private func unlocked() throws(VaultError) -> (Keyring, Membership) {
    do {
      return (try Fixture.account.get().keyring, try Fixture.chain())
    } catch { throw .malformed(field: "fixture") }
  }

  @Test func everyChangedByteOfAnEnvelopeIsNoticed() throws {
    let bytes = try Fixture.commit().bytes
    try openEnvelope(bytes)
    #expect(accepted(bytes, openEnvelope) == [])
    #expect(acceptedCuts(bytes, openEnvelope) == [])
  }

  /// A member who changes the header of a commit and signs it anew is stopped by the additional
  /// data.
  @Test func everyChangedHeaderByteIsNoticedUnderANewSignature() throws {
    let envelope = try Fixture.commit()
    let keyring = try Fixture.account.get().keyring
    let unsigned = Array(envelope.bytes.dropLast(Envelope.signatureBytes))
    func open(_ unsigned: [UInt8]) throws(VaultError) {
      let signature = keyring.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned)
      try openEnvelope(unsigned + signature)
    }
    try open(unsigned)
    #expect(accepted(unsigned, open) == [])
  }

  @Test func aHeaderDoesNotOpenAnotherCommitsCiphertext() throws {
    let keyring = try Fixture.account.get().keyring
    let first = try Fixture.commit(seed: "first")
    let second = try Fixture.commit(Array("[]".utf8), seed: "second")
    let unsigned = Array(first.headerBytes) + second.ciphertext
    let spliced = unsigned + keyring.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned)
    #expect(throws: VaultError.cannotOpen) { try openEnvelope(spliced) }
  }

  private func openRotation(_ bytes: [UInt8]) throws(VaultError) {
    let (keyring, early) = try rotating()
    var chain = early
    try chain.append(
      try VaultError.reading { () throws(WireError) in try MembershipRecord(bytes: bytes) })
    _ = try keyring.extended(by: chain)
  }

  private func rotating() throws(VaultError) -> (Keyring, Membership) {
    do {
      return (try Fixture.account.get().keyring, try GoldenTests.pairedChain())
    } catch { throw .malformed(field: "fixture") }
  }

  @Test func everyChangedBitOfARotationIsNoticed() throws {
    let bytes = try Golden("rotation.json", make: { [:] }).bytes("record")
    try openRotation(bytes)
    #expect(accepted(bytes, openRotation) == [])
    #expect(acceptedCuts(bytes, openRotation) == [])
  }

  @Test func everyChangedBitOfASealedEpochIsNoticed() throws {
    let (keyring, _) = try rotating()
    let bytes = try Golden("rotation.json", make: { [:] }).bytes("sealed")
    func open(_ bytes: [UInt8]) throws(VaultError) {
      _ = try SealedEpoch.open(
        Blob(bytes), account: keyring.account, epoch: 1, device: keyring.deviceKeys)
    }
    try open(bytes)
    // X25519 ignores the last bit of a point, but HPKE's context holds the bytes as they came.
    #expect(accepted(bytes, open) == [])
    #expect(acceptedCuts(bytes, open) == [])
  }

  @Test func everyChangedByteOfARecordIsNoticed() throws {
    let paired = try Fixture.paired()
    let chain = try Fixture.chain()
    func append(_ bytes: [UInt8]) throws(VaultError) {
      var copy = chain
      try copy.append(
        try VaultError.reading { () throws(WireError) in try MembershipRecord(bytes: bytes) })
    }
    try append(paired.record.bytes)
    #expect(accepted(paired.record.bytes, append) == [])
    #expect(acceptedCuts(paired.record.bytes, append) == [])
  }

  @Test func everyChangedByteOfASlotIsNoticed() throws {
    let account = try Fixture.account.get()
    let login = try Fixture.login.get()
    let chain = try Fixture.chain()
    func recover(_ bytes: [UInt8]) throws(VaultError) {
      var entropy = SodiumEntropy()
      _ = try login.recover(
        slot: Blob(bytes), device: DeviceName(name: "mobile", platform: ""), membership: chain,
        dependencies: Frontier(), entropy: &entropy)
    }
    try recover(account.slot.bytes)
    #expect(accepted(account.slot.bytes, recover) == [])
    #expect(acceptedCuts(account.slot.bytes, recover) == [])
  }

  @Test func everyChangedByteOfAKeyringFileIsNoticed() throws {
    let disk = try Fixture.disk.get()
    func describe(_ bytes: [UInt8]) throws(VaultError) { _ = try Keyring.describe(disk: bytes) }
    try describe(disk)
    #expect(accepted(disk, describe) == [])
    #expect(acceptedCuts(disk, describe) == [])
  }

  /// One position in each field, the checksum made to fit: what somebody does on purpose.
  @Test(arguments: [
    (4, VaultError.malformed(field: "suite")),  // suite
    (5, .wrongPassphrase),  // account: the salt of the derivation
    (21, .cannotOpen),  // device
    (41, .parametersOutOfRange(memoryKibibytes: 64 * 1024, passes: 0)),  // passes
    (45, .wrongPassphrase),  // salt
    (61, .wrongPassphrase),  // commitment
    (93, .cannotOpen),  // nonce
    (121, .cannotOpen),  // ciphertext
  ])
  func alteredKeyringFileWithFittingChecksumIsNoticed(position: Int, error: VaultError) throws {
    var body = Array(try Fixture.disk.get().dropLast(32))
    if position == 41 {
      body.replaceSubrange(41..<45, with: [0, 0, 0, 0])
      body.replaceSubrange(37..<41, with: [0, 1, 0, 0])
    } else {
      body[position] ^= 1
    }
    let disk = body + Digest32.sha256(body).bytes
    #expect(throws: error) { try Keyring.open(disk: disk, passphrase: Fixture.typed()) }
  }

  @Test func everyChangedByteOfOfferAndAnswerIsNoticed() throws {
    let paired = try Fixture.paired()
    func openOffer(_ bytes: [UInt8]) throws(VaultError) {
      _ = try PairingOffer.open(letter: bytes, code: paired.code)
    }
    let letter = paired.joining.offerLetter
    try openOffer(letter)
    #expect(accepted(letter, openOffer) == [])
    #expect(acceptedCuts(letter, openOffer) == [])

    func accept(_ bytes: [UInt8]) throws(VaultError) {
      _ = try paired.joining.accept(answer: bytes)
    }
    var entropy = SodiumEntropy()
    let answer = try Fixture.account.get().keyring.answer(
      paired.offer, code: paired.code, frontier: Frontier(), memberHead: .zero,
      entropy: &entropy)
    try accept(answer)
    #expect(accepted(answer, accept) == [])
    #expect(acceptedCuts(answer, accept) == [])
  }

  @Test func everyChangedByteOfARowIsNoticed() throws {
    let keyring = try Fixture.account.get().keyring
    var entropy = SodiumEntropy()
    let row = try keyring.sealRow(Fixture.plaintext, binding: "log/1", entropy: &entropy)
    func open(_ bytes: [UInt8]) throws(VaultError) {
      _ = try keyring.openRow(bytes, binding: "log/1")
    }
    try open(row)
    #expect(accepted(row, open) == [])
    #expect(acceptedCuts(row, open) == [])
    #expect(throws: VaultError.cannotOpen) { try keyring.openRow(row, binding: "log/2") }
  }
}

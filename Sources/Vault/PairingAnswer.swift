import Crypto
import Foundation
public import Wire

/// The account's keys on their way to a new device: HPKE (RFC 9180) in PSK mode with X25519,
/// HKDF-SHA256 and ChaCha20-Poly1305, to the sealing key of the offer.
///
/// The pairing secret is the preshared key, so neither a server that swaps keys nor one that
/// records today and breaks X25519 later can open it.
enum PairingAnswer {
  private static let magic = Array("ANS1".utf8)
  private static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
  private static let encapsulatedBytes = 32

  /// `"ctx/v1/pair-answer"` and the digest of the offer: the answer fits no other.
  private static func info(_ offer: [UInt8]) -> Data {
    Data(Array("ctx/v1/pair-answer".utf8) + Digest32.sha256(offer).bytes)
  }

  private static func front(account: AccountID, device: DeviceID) -> [UInt8] {
    magic + [Suite.one] + account.bytes + device.bytes
  }

  private static func preshared(_ code: PairingCode) -> SymmetricKey {
    code.presharedKey.withBytes { SymmetricKey(data: $0) }
  }

  static func seal(
    _ contents: Secret, account: AccountID, from sponsor: DeviceKeys, to offer: PairingOffer,
    code: PairingCode
  ) throws(VaultError) -> [UInt8] {
    guard sponsor.sealing.agrees(with: offer.keys.sealing.bytes) else {
      throw .malformed(field: "sealing key")
    }
    let front = front(account: account, device: offer.device)
    do {
      var sender = try HPKE.Sender(
        recipientKey: Curve25519.KeyAgreement.PublicKey(
          rawRepresentation: offer.keys.sealing.bytes),
        ciphersuite: suite, info: info(offer.contents), presharedKey: preshared(code),
        presharedKeyIdentifier: Data(code.rendezvous.bytes))
      let ciphertext = try contents.withBytes { try sender.seal($0, authenticating: front) }
      return front + sender.encapsulatedKey + ciphertext
    } catch {
      throw .malformed(field: "sealing key")
    }
  }

  static func open(
    _ letter: [UInt8], device: DeviceKeys, offer: [UInt8], code: PairingCode
  ) throws(VaultError) -> (account: AccountID, contents: Secret) {
    guard letter.count <= Limits.mailboxBytes else {
      throw .overLimit(limit: "mailbox bytes", value: letter.count)
    }
    var reader = ByteReader(letter)
    let (account, encapsulated, ciphertext) = try VaultError.reading { () throws(WireError) in
      guard try reader.read(count: magic.count) == magic else { throw .wrongMagic }
      let suite = try reader.read(UInt8.self)
      guard suite == Suite.one else { throw .unknownSuite(suite) }
      let account: AccountID = try reader.identifier()
      guard try reader.identifier(DeviceKind.self) == device.device else {
        throw .malformed(field: "device")
      }
      return (
        account, try reader.read(count: encapsulatedBytes),
        try reader.read(count: reader.remaining)
      )
    }
    guard device.sealing.agrees(with: encapsulated) else { throw .cannotOpen }
    do {
      let key = try device.sealing.secret.withBytes {
        try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
      }
      var recipient = try HPKE.Recipient(
        privateKey: key, ciphersuite: suite, info: info(offer),
        encapsulatedKey: Data(encapsulated), presharedKey: preshared(code),
        presharedKeyIdentifier: Data(code.rendezvous.bytes))
      var opened = try recipient.open(
        ciphertext, authenticating: front(account: account, device: device.device))
      defer { opened.resetBytes(in: 0..<opened.count) }
      return (account, opened.withUnsafeBytes { Secret(SecretBytes(copying: $0)) })
    } catch {
      throw .cannotOpen
    }
  }
}

extension Keyring {
  /// The letter that makes the new device one of the account: epoch keys, account secret, name and
  /// public key, and a lower bound of what it must find on the server.
  ///
  /// Send it after the record of ``admit(_:membership:dependencies:entropy:)`` was accepted;
  /// `memberHead` is that record's digest. HPKE draws its own ephemeral key: the one thing here
  /// that `entropy` does not decide.
  public func answer(
    _ offer: PairingOffer, code: PairingCode, frontier: Frontier, memberHead: Digest32,
    entropy: inout some Entropy
  ) throws(VaultError) -> [UInt8] {
    var writer = SecretWriter()
    accountKeys.write(to: &writer)
    writer.write(memberHead.bytes)
    writer.write(frontier)
    let letter = try PairingAnswer.seal(
      writer.padded(), account: account, from: deviceKeys, to: offer, code: code)
    guard letter.count <= Limits.mailboxBytes else {
      throw .overLimit(limit: "mailbox bytes", value: letter.count)
    }
    return letter
  }
}

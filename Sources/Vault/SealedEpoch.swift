import Crypto
import Foundation
import Wire

/// The root key of an epoch and the account secret on their way to one device: HPKE (RFC 9180) in
/// base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305, to the device's sealing key. Who sent
/// it is told by the signature of the record it stands in.
enum SealedEpoch {
  private static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
  private static let encapsulatedBytes = 32
  /// The encapsulated key, the two secrets and the tag.
  static let byteCount =
    encapsulatedBytes + Cipher.keyBytes + AccountKeys.secretBytes + Cipher.tagBytes

  /// `"ctx/v1/epoch-key"`, account, epoch and device: it fits no other place.
  private static func info(_ account: AccountID, _ epoch: UInt32, _ device: DeviceID) -> Data {
    var writer = ByteWriter()
    writer.write(Purpose.epochKey.label)
    writer.write(account.bytes)
    writer.write(epoch)
    writer.write(device.bytes)
    return Data(writer.bytes)
  }

  /// HPKE draws its own ephemeral key.
  static func seal(
    _ root: Secret, _ accountSecret: Secret, account: AccountID, epoch: UInt32,
    for device: DeviceDescription,
    from sender: DeviceKeys
  ) throws(VaultError) -> Blob {
    guard sender.sealing.agrees(with: device.sealingKey.bytes) else {
      throw .malformed(field: "sealing key")
    }
    do {
      var hpke = try HPKE.Sender(
        recipientKey: Curve25519.KeyAgreement.PublicKey(
          rawRepresentation: device.sealingKey.bytes),
        ciphersuite: suite, info: info(account, epoch, device.device))
      let contents = root.joined(with: accountSecret)
      let ciphertext = try contents.withBytes { try hpke.seal($0) }
      return Blob(Array(hpke.encapsulatedKey) + Array(ciphertext))
    } catch {
      throw .malformed(field: "sealing key")
    }
  }

  static func open(
    _ sealed: Blob, account: AccountID, epoch: UInt32, device: DeviceKeys
  ) throws(VaultError) -> (root: Secret, accountSecret: Secret) {
    let bytes = sealed.bytes
    guard bytes.count == byteCount,
      device.sealing.agrees(with: Array(bytes.prefix(encapsulatedBytes)))
    else { throw .cannotOpen }
    do {
      let key = try device.sealing.secret.withBytes {
        try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
      }
      var recipient = try HPKE.Recipient(
        privateKey: key, ciphersuite: suite, info: info(account, epoch, device.device),
        encapsulatedKey: Data(bytes.prefix(encapsulatedBytes)))
      var opened = try recipient.open(Data(bytes.dropFirst(encapsulatedBytes)))
      defer { opened.resetBytes(in: 0..<opened.count) }
      return opened.withUnsafeBytes { buffer in
        (
          Secret(
            SecretBytes(copying: UnsafeRawBufferPointer(rebasing: buffer[..<Cipher.keyBytes]))),
          Secret(SecretBytes(copying: UnsafeRawBufferPointer(rebasing: buffer[Cipher.keyBytes...])))
        )
      }
    } catch {
      throw .cannotOpen
    }
  }
}

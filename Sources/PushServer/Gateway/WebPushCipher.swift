import Crypto
import Foundation

/// Encrypts a Web Push message for its receiver (RFC 8291; `aes128gcm` of RFC 8188).
enum WebPushCipher {
  /// The keys of a subscription.
  struct Receiver: Hashable, Sendable {
    let key: [UInt8]
    let secret: [UInt8]

    /// nil unless `key` is an uncompressed point of P-256 and `secret` has 16 bytes.
    init?(key: [UInt8], secret: [UInt8]) {
      guard secret.count == 16 else { return nil }
      do {
        _ = try P256.KeyAgreement.PublicKey(x963Representation: key)
      } catch {
        return nil
      }
      self.key = key
      self.secret = secret
    }
  }

  /// What RFC 8188 lets a receiver count on; one record holds all that is sent here.
  private static let recordBytes = 4096
  /// What stands before the text (RFC 8188, section 2.1): salt, size, length of the key, key.
  static let headerBytes = 16 + 4 + 1 + 65

  /// The body of the request to the push service.
  ///
  /// - Parameters:
  ///   - text: At most 3,993 bytes (RFC 8291, section 4).
  ///   - receiver: Who is to read it.
  ///   - length: What the text is padded to, so that its length says nothing.
  ///   - sender: Used for one message and no other.
  ///   - salt: 16 random bytes, used for one message and no other.
  static func seal(
    _ text: [UInt8], to receiver: Receiver, paddedTo length: Int,
    sender: P256.KeyAgreement.PrivateKey, salt: [UInt8]
  ) throws -> [UInt8] {
    let receiverKey = try P256.KeyAgreement.PublicKey(x963Representation: receiver.key)
    let shared = try sender.sharedSecretFromKeyAgreement(with: receiverKey)
    let senderKey = Array(sender.publicKey.x963Representation)
    let inputKey = shared.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: receiver.secret,
      sharedInfo: Array("WebPush: info\0".utf8) + receiver.key + senderKey, outputByteCount: 32)
    func derive(_ info: String, _ count: Int) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: inputKey, salt: salt, info: Array(info.utf8), outputByteCount: count)
    }
    let key = derive("Content-Encoding: aes128gcm\0", 16)
    let nonce = try derive("Content-Encoding: nonce\0", 12).withUnsafeBytes {
      try AES.GCM.Nonce(data: $0)
    }
    // 2 ends the last record; zeros after it are padding.
    let padding = [UInt8](repeating: 0, count: max(0, length - text.count))
    let box = try AES.GCM.seal(text + [2] + padding, using: key, nonce: nonce)
    let size = withUnsafeBytes(of: UInt32(recordBytes).bigEndian, Array.init)
    return salt + size + [UInt8(senderKey.count)] + senderKey + box.ciphertext + box.tag
  }
}

import CSodium

/// XChaCha20-Poly1305 (IETF), the one cipher of suite 1.
///
/// Its 24-byte nonces are drawn at random: two are never equal in practice, even after a virtual
/// machine was cloned.
enum Cipher {
  static let keyBytes = 32
  static let nonceBytes = 24
  static let tagBytes = 16

  /// The ciphertext, with the 16 bytes of the tag behind.
  static func seal(
    _ plaintext: UnsafeRawBufferPointer, additional: [UInt8], nonce: [UInt8], key: Secret
  ) -> [UInt8] {
    precondition(nonce.count == nonceBytes && key.count == keyBytes, "sizes of suite 1")
    let count = plaintext.count + tagBytes
    return [UInt8](unsafeUninitializedCapacity: count) { output, filled in
      let result = key.withBytes { key in
        crypto_aead_xchacha20poly1305_ietf_encrypt(
          UnsafeMutableRawBufferPointer(output).octets, nil,
          plaintext.assumingMemoryBound(to: UInt8.self).baseAddress,
          UInt64(plaintext.count), additional, UInt64(additional.count), nil, nonce,
          key.octets)
      }
      precondition(result == 0, "sealing cannot fail")
      filled = count
    }
  }

  /// The plaintext in ordinary memory; ``VaultError/cannotOpen`` when anything was changed.
  static func open(
    _ ciphertext: ArraySlice<UInt8>, additional: [UInt8], nonce: [UInt8], key: Secret
  ) throws(VaultError) -> [UInt8] {
    guard ciphertext.count >= tagBytes else { throw .cannotOpen }
    var opened = false
    let plaintext = [UInt8](unsafeUninitializedCapacity: ciphertext.count - tagBytes) {
      output, filled in
      opened = open(
        ciphertext, into: UnsafeMutableRawBufferPointer(output), additional: additional,
        nonce: nonce, key: key)
      filled = opened ? ciphertext.count - tagBytes : 0
    }
    guard opened else { throw .cannotOpen }
    return plaintext
  }

  /// The same, straight into guarded memory.
  static func openSecret(
    _ ciphertext: ArraySlice<UInt8>, additional: [UInt8], nonce: [UInt8], key: Secret
  ) throws(VaultError) -> Secret {
    guard ciphertext.count >= tagBytes else { throw .cannotOpen }
    var opened = false
    let plaintext = SecretBytes(count: ciphertext.count - tagBytes) { output in
      opened = open(
        ciphertext, into: output, additional: additional, nonce: nonce, key: key)
    }
    guard opened else { throw .cannotOpen }
    return Secret(plaintext)
  }

  private static func open(
    _ ciphertext: ArraySlice<UInt8>, into output: UnsafeMutableRawBufferPointer,
    additional: [UInt8], nonce: [UInt8], key: Secret
  ) -> Bool {
    guard nonce.count == nonceBytes, key.count == keyBytes else { return false }
    return ciphertext.withUnsafeBytes { ciphertext in
      key.withBytes { key in
        crypto_aead_xchacha20poly1305_ietf_decrypt(
          output.assumingMemoryBound(to: UInt8.self).baseAddress, nil, nil,
          ciphertext.octets, UInt64(ciphertext.count), additional,
          UInt64(additional.count), nonce,
          key.octets) == 0
      }
    }
  }
}

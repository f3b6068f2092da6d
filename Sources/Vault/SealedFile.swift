import Wire

/// The common front of everything that a passphrase opens: slot and local keyring.
///
/// ```
/// magic 4 | suite u8 | owner | memory KiB u32 | passes u32 | salt 16 | commitment 32 | nonce 24
/// | ciphertext length u32
/// ```
/// All of it is additional data of the ciphertext that follows.
struct PassphraseHeader {
  /// Magic, suite and what stands between them and the hashing parameters.
  let front: [UInt8]
  let hashing: PassphraseHashing
  let commitment: [UInt8]
  let nonce: [UInt8]

  static let commitmentBytes = 32

  func encoded(ciphertextCount: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(front)
    writer.write(UInt32(hashing.memoryKibibytes))
    writer.write(UInt32(hashing.passes))
    writer.write(hashing.salt.bytes)
    writer.write(commitment)
    writer.write(nonce)
    writer.write(UInt32(ciphertextCount))
    return writer.bytes
  }

  /// Reads what follows `front`; parameters out of range are refused before anything is hashed.
  static func read(
    _ reader: inout ByteReader, front: [UInt8]
  ) throws(VaultError) -> (header: PassphraseHeader, ciphertext: [UInt8]) {
    let (header, ciphertext) = try VaultError.reading { () throws(WireError) in
      let memory = Int(try reader.read(UInt32.self))
      let passes = Int(try reader.read(UInt32.self))
      let salt = try reader.read(count: HashingStrength.saltBytes)
      let header = PassphraseHeader(
        front: front,
        hashing: PassphraseHashing(
          memoryKibibytes: memory, passes: passes, salt: Blob(salt)),
        commitment: try reader.read(count: commitmentBytes),
        nonce: try reader.read(count: Cipher.nonceBytes))
      let ciphertext = try reader.read(count: Int(try reader.read(UInt32.self)))
      return (header, ciphertext)
    }
    try HashingStrength.check(header.hashing)
    return (header, ciphertext)
  }

  /// Header and ciphertext of `contents` under `key`.
  static func seal(
    _ contents: Secret, front: [UInt8], hashing: PassphraseHashing, key: Secret,
    commitment: Purpose, entropy: inout some Entropy
  ) -> [UInt8] {
    let header = PassphraseHeader(
      front: front, hashing: hashing, commitment: key.commitment(commitment),
      nonce: entropy.bytes(Cipher.nonceBytes))
    let additional = header.encoded(ciphertextCount: contents.count + Cipher.tagBytes)
    return additional
      + contents.withBytes {
        Cipher.seal($0, additional: additional, nonce: header.nonce, key: key)
      }
  }

  /// The contents; ``VaultError/wrongPassphrase`` when `key` is not the one committed to.
  func open(
    _ ciphertext: [UInt8], key: Secret, commitment purpose: Purpose
  ) throws(VaultError) -> Secret {
    guard Secret(copying: commitment).equals(key.commitment(purpose)) else {
      throw .wrongPassphrase
    }
    return try Cipher.openSecret(
      ciphertext[...], additional: encoded(ciphertextCount: ciphertext.count), nonce: nonce,
      key: key)
  }
}

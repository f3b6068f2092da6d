public import Wire

/// What a keyring file says while it is locked.
public struct KeyringFacts: Hashable, Sendable {
  public let account: AccountID
  public let device: DeviceID
  public let hashing: PassphraseHashing
}

/// The keyring as a file: `Formats.md`, "Local keyring file".
extension Keyring {
  private static let magic = Array("KEY1".utf8)
  private static let checksumBytes = Digest32.byteCount
  /// 64 KiB: the keys of over a thousand epochs.
  public static let diskByteLimit = 64 * 1024

  /// The file's bytes, sealed under `passphrase` with a fresh salt. Takes the time of one hash.
  public func sealedForDisk(
    passphrase: Passphrase, strength: HashingStrength, entropy: inout some Entropy
  ) throws(VaultError) -> [UInt8] {
    let hashing = strength.hashing(entropy: &entropy)
    let key = try Self.diskKey(passphrase, hashing: hashing, account: account)
    var writer = SecretWriter()
    accountKeys.write(to: &writer)
    deviceKeys.write(to: &writer)
    let sealed = PassphraseHeader.seal(
      writer.padded(), front: Self.magic + [Suite.one] + account.bytes + device.bytes,
      hashing: hashing, key: key, commitment: .localCommitment, entropy: &entropy)
    return sealed + Digest32.sha256(sealed).bytes
  }

  /// Opens a keyring file. A damaged one is told from a wrong passphrase by its checksum
  /// (``VaultError/badChecksum``), before anything is hashed; a deliberately altered one ends in
  /// ``VaultError/wrongPassphrase`` or ``VaultError/cannotOpen``.
  public static func open(disk: [UInt8], passphrase: Passphrase) throws(VaultError) -> Keyring {
    let (facts, header, ciphertext) = try read(disk)
    let key = try diskKey(passphrase, hashing: facts.hashing, account: facts.account)
    let contents = try header.open(ciphertext, key: key, commitment: .localCommitment)
    return try SecretReader.read(contents) { reader throws(VaultError) in
      Keyring(
        account: try AccountKeys.read(&reader, account: facts.account),
        device: try DeviceKeys(reading: &reader, device: facts.device))
    }
  }

  /// What is readable without the passphrase. It is authenticated only when the file is opened.
  public static func describe(disk: [UInt8]) throws(VaultError) -> KeyringFacts {
    try read(disk).facts
  }

  private static func diskKey(
    _ passphrase: Passphrase, hashing: PassphraseHashing, account: AccountID
  ) throws(VaultError) -> Secret {
    try passphrase.hashed(hashing).derived(.local, salt: account.bytes)
  }

  private static func read(
    _ disk: [UInt8]
  ) throws(VaultError) -> (facts: KeyringFacts, header: PassphraseHeader, ciphertext: [UInt8]) {
    guard disk.count <= diskByteLimit else {
      throw .overLimit(limit: "keyring bytes", value: disk.count)
    }
    guard disk.starts(with: magic) else { throw .malformed(field: "magic") }
    guard disk.count > checksumBytes else { throw .malformed(field: "length") }
    let body = Array(disk.dropLast(checksumBytes))
    guard Digest32.sha256(body).bytes == Array(disk.suffix(checksumBytes)) else {
      throw .badChecksum
    }
    var reader = ByteReader(body)
    let (account, device) = try VaultError.reading { () throws(WireError) in
      _ = try reader.read(count: magic.count)
      let suite = try reader.read(UInt8.self)
      guard suite == Suite.one else { throw .unknownSuite(suite) }
      return (try reader.identifier(AccountKind.self), try reader.identifier(DeviceKind.self))
    }
    let front = magic + [Suite.one] + account.bytes + device.bytes
    let (header, ciphertext) = try PassphraseHeader.read(&reader, front: front)
    guard reader.isAtEnd else { throw .malformed(field: "trailing bytes") }
    let facts = KeyringFacts(account: account, device: device, hashing: header.hashing)
    return (facts, header, ciphertext)
  }
}

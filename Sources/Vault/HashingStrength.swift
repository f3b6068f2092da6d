import CSodium
public import Wire

/// How hard Argon2id v1.3 (one lane) makes each guess at a passphrase.
public struct HashingStrength: Hashable, Sendable {
  public let memoryKibibytes: Int
  public let passes: Int

  /// 256 MiB, 3 passes: about half a second on a small machine.
  public static let standard = HashingStrength(memoryKibibytes: 256 * 1024, passes: 3)
  /// 64 MiB, 4 passes: for machines with little memory.
  public static let low = HashingStrength(memoryKibibytes: 64 * 1024, passes: 4)
  /// 64 MiB, 3 passes (the second profile of RFC 9106): nothing weaker is ever made or accepted, so
  /// that a server cannot talk a client into a cheap hash.
  public static let floor = HashingStrength(memoryKibibytes: 64 * 1024, passes: 3)
  /// 1 GiB, 10 passes: nothing above is accepted, so that a server cannot exhaust a client.
  public static let ceiling = HashingStrength(memoryKibibytes: 1024 * 1024, passes: 10)

  static let saltBytes = 16

  /// This strength with a fresh salt.
  func hashing(entropy: inout some Entropy) -> PassphraseHashing {
    PassphraseHashing(
      memoryKibibytes: memoryKibibytes, passes: passes, salt: Blob(entropy.bytes(Self.saltBytes)))
  }

  /// Throws ``VaultError/parametersOutOfRange(memoryKibibytes:passes:)`` outside ``floor`` and
  /// ``ceiling``. Called on all parameters that were read from anywhere.
  public static func check(_ hashing: PassphraseHashing) throws(VaultError) {
    guard (floor.memoryKibibytes...ceiling.memoryKibibytes).contains(hashing.memoryKibibytes),
      (floor.passes...ceiling.passes).contains(hashing.passes)
    else {
      throw .parametersOutOfRange(
        memoryKibibytes: hashing.memoryKibibytes, passes: hashing.passes)
    }
    guard hashing.salt.bytes.count == saltBytes else { throw .malformed(field: "salt") }
  }
}

extension Passphrase {
  /// The 32 bytes of Argon2id; takes the time and memory that `hashing` says.
  func hashed(_ hashing: PassphraseHashing) throws(VaultError) -> Secret {
    try HashingStrength.check(hashing)
    var result: Int32 = -1
    let output = SecretBytes(count: 32) { output in
      result = secret.withBytes { passphrase in
        Argon2id.hash(
          into: output, passphrase: passphrase, salt: hashing.salt.bytes, passes: hashing.passes,
          memoryKibibytes: hashing.memoryKibibytes)
      }
    }
    guard result == 0 else { throw .outOfMemory(kibibytes: hashing.memoryKibibytes) }
    return Secret(output)
  }
}

enum Argon2id {
  /// 0 when done; anything else when the memory is not to be had.
  static func hash(
    into output: UnsafeMutableRawBufferPointer, passphrase: UnsafeRawBufferPointer,
    salt: [UInt8], passes: Int, memoryKibibytes: Int
  ) -> Int32 {
    crypto_pwhash(
      output.octets, UInt64(output.count),
      UnsafeRawPointer(passphrase.octets).assumingMemoryBound(to: CChar.self),
      UInt64(passphrase.count),
      salt, UInt64(passes), memoryKibibytes * 1024, crypto_pwhash_ALG_ARGON2ID13)
  }
}

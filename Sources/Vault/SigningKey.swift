import CSodium
public import Wire

/// An Ed25519 key (RFC 8032): the account's, a device's, or a login's.
final class SigningKey: Sendable {
  static let seedBytes = 32
  static let publicBytes = 32

  /// Seed and public key, as libsodium keeps them.
  private let pair: Secret
  let publicKey: Blob

  init(seed: Secret) {
    precondition(seed.count == Self.seedBytes, "an Ed25519 seed is 32 bytes")
    var publicKey = [UInt8](repeating: 0, count: Self.publicBytes)
    let pair = SecretBytes(count: 64) { pair in
      seed.withBytes { seed in
        _ = crypto_sign_seed_keypair(
          &publicKey, pair.octets,
          seed.octets)
      }
    }
    self.pair = Secret(pair)
    self.publicKey = Blob(publicKey)
  }

  var seed: Secret {
    pair.withBytes { Secret(SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0.prefix(32)))) }
  }

  /// The 64 bytes of the signature; the same bytes give the same signature.
  func sign(_ bytes: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    pair.withBytes { pair in
      _ = crypto_sign_detached(
        &signature, nil, bytes, UInt64(bytes.count),
        pair.octets)
    }
    return signature
  }

  /// Whether `signature` is `publicKey`'s over `bytes`; false for keys and signatures of a wrong
  /// size.
  static func verify(
    _ signature: some Sequence<UInt8>, of bytes: [UInt8], by publicKey: Blob
  ) -> Bool {
    let signature = Array(signature)
    guard signature.count == 64, publicKey.bytes.count == publicBytes else { return false }
    return crypto_sign_verify_detached(
      signature, bytes, UInt64(bytes.count), publicKey.bytes) == 0
  }
}

/// A device's Ed25519 key towards the servers.
///
/// It is usable while locked, so it lies outside the sealed keyring, in a file of its own (mode
/// 0600). Whoever has it can fetch ciphertext and nothing else.
public final class AuthenticationKey: Sendable, Confidential {
  private let key: SigningKey

  /// The key of a 32-byte seed; any other length is ``VaultError/malformed(field:)``.
  public init(seed: [UInt8]) throws(VaultError) {
    guard seed.count == SigningKey.seedBytes else { throw .malformed(field: "seed") }
    key = SigningKey(seed: Secret(copying: seed))
  }

  init(_ key: SigningKey) {
    self.key = key
  }

  /// 32 bytes for the key's file; the caller wipes them.
  public var seed: [UInt8] { key.seed.withBytes { Array($0) } }
  /// 32 bytes.
  public var publicKey: Blob { key.publicKey }

  /// The 64 bytes of the signature.
  public func sign(_ bytes: [UInt8]) -> Blob { Blob(key.sign(bytes)) }

  /// Whether the signature is one over `bytes` by the key whose public part is `key`.
  public static func verifies(_ signature: Blob, of bytes: [UInt8], by key: Blob) -> Bool {
    SigningKey.verify(signature.bytes[...], of: bytes, by: key)
  }
}

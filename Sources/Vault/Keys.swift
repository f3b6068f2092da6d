import CSodium
import Wire

/// The root key of one epoch and what is derived from it.
struct EpochKeys: Sendable {
  let root: Secret
  /// Seals commits.
  let data: Secret
  /// Seals device names; that of epoch 0 serves for ever, so that old records stay readable.
  let name: Secret
  /// Seals the chunks of snapshots.
  let snapshot: Secret
  /// Seals their manifests.
  let snapshotManifest: Secret

  init(root: Secret, account: AccountID) {
    self.root = root
    data = root.derived(.data, salt: account.bytes)
    name = root.derived(.name, salt: account.bytes)
    snapshot = root.derived(.snapshot, salt: account.bytes)
    snapshotManifest = root.derived(.snapshotManifest, salt: account.bytes)
  }
}

/// What all devices of an account share.
struct AccountKeys: Sendable {
  static let secretBytes = 20

  let account: AccountID
  let name: String
  /// Never empty, always with epoch 0.
  let epochs: [UInt32: EpochKeys]
  /// The account secret: 160 bits, printed as the kit.
  let secret: Secret
  /// The account's public signing key: who else claims the account's id is an impostor.
  let publicKey: Blob

  func write(to writer: inout SecretWriter) {
    writer.write(name)
    writer.write(epochs)
    writer.write(secret)
    writer.write(publicKey.bytes)
  }

  static func read(
    _ reader: inout SecretReader, account: AccountID
  ) throws(VaultError) -> AccountKeys {
    let name = try reader.text()
    try check(name: name)
    return AccountKeys(
      account: account, name: name, epochs: try reader.epochs(account: account),
      secret: try reader.secret(secretBytes),
      publicKey: Blob(try reader.bytes(SigningKey.publicBytes)))
  }

  /// A name is shown on terminals, and at pairing it comes from elsewhere.
  static func check(name: String) throws(VaultError) {
    guard !name.isEmpty, name.isShowable else { throw .malformed(field: "account name") }
    guard name.count <= Limits.nameCharacters, name.utf8.count <= 4 * Limits.nameCharacters else {
      throw .overLimit(limit: "name characters", value: name.count)
    }
  }
}

/// An X25519 key: receives what is sealed for a device.
final class SealingKey: Sendable {
  static let keyBytes = 32

  let secret: Secret
  let publicKey: Blob

  init(secret: Secret) {
    precondition(secret.count == Self.keyBytes, "an X25519 key is 32 bytes")
    var publicKey = [UInt8](repeating: 0, count: Self.keyBytes)
    secret.withBytes {
      _ = crypto_scalarmult_base(&publicKey, $0.octets)
    }
    self.secret = secret
    self.publicKey = Blob(publicKey)
  }

  /// Whether `other` agrees on a secret with this key. Points of small order agree on zero with
  /// every key, and HPKE must refuse them (RFC 9180, section 7.1.4); swift-crypto does not.
  func agrees(with other: [UInt8]) -> Bool {
    guard other.count == Self.keyBytes else { return false }
    var result: Int32 = -1
    _ = SecretBytes(count: Self.keyBytes) { shared in
      result = secret.withBytes { crypto_scalarmult(shared.octets, $0.octets, other) }
    }
    return result == 0
  }
}

/// What one device has for itself, its authentication key apart.
struct DeviceKeys: Sendable {
  let device: DeviceID
  let signing: SigningKey
  let sealing: SealingKey
  /// The root of everything sealed on this disk only.
  let local: Secret

  init(entropy: inout some Entropy) {
    device = entropy.identifier()
    signing = SigningKey(seed: entropy.secret(SigningKey.seedBytes))
    sealing = SealingKey(secret: entropy.secret(SealingKey.keyBytes))
    local = entropy.secret(Cipher.keyBytes)
  }

  init(reading reader: inout SecretReader, device: DeviceID) throws(VaultError) {
    self.device = device
    signing = SigningKey(seed: try reader.secret(SigningKey.seedBytes))
    sealing = SealingKey(secret: try reader.secret(SealingKey.keyBytes))
    local = try reader.secret(Cipher.keyBytes)
  }

  func write(to writer: inout SecretWriter) {
    writer.write(signing.seed)
    writer.write(sealing.secret)
    writer.write(local)
  }
}

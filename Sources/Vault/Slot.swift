import Wire

/// What passphrase and kit together open: all a person needs after losing every device.
///
/// The server keeps it sealed and hands it out to whoever proves the login key.
struct Slot {
  static let magic = Array("SLT1".utf8)
  /// The one kind there is: passphrase and kit.
  static let kind: UInt8 = 1

  let account: AccountID
  /// Counts up with every rewrite, from 1.
  let version: UInt32
  let name: String
  let epochs: [UInt32: EpochKeys]
  /// The seed of the account's signing key, which exists in slots only.
  let accountSeed: Secret
  /// What the device that wrote the slot held: whoever shows less later hides something.
  let memberHead: Digest32
  let frontier: Frontier

  func sealed(
    login: LoginSecret, entropy: inout some Entropy
  ) throws(VaultError) -> Blob {
    var writer = SecretWriter()
    writer.write(name)
    writer.write(epochs)
    writer.write(accountSeed)
    writer.write(memberHead.bytes)
    writer.write(frontier)
    let sealed = PassphraseHeader.seal(
      writer.padded(), front: Self.front(account: account, version: version),
      hashing: login.hashing, key: login.slotKey(account: account), commitment: .slotCommitment,
      entropy: &entropy)
    guard sealed.count <= Limits.slotBytes else {
      throw .overLimit(limit: "slot bytes", value: sealed.count)
    }
    return Blob(sealed)
  }

  /// Opens a slot; ``VaultError/wrongPassphrase`` when passphrase or kit are not its own.
  static func open(_ sealed: Blob, login: LoginSecret) throws(VaultError) -> Slot {
    guard sealed.bytes.count <= Limits.slotBytes else {
      throw .overLimit(limit: "slot bytes", value: sealed.bytes.count)
    }
    var reader = ByteReader(sealed.bytes)
    let (account, version) = try VaultError.reading { () throws(WireError) in
      guard try reader.read(count: magic.count) == magic else { throw .wrongMagic }
      let suite = try reader.read(UInt8.self)
      guard suite == Suite.one else { throw .unknownSuite(suite) }
      let kind = try reader.read(UInt8.self)
      guard kind == Self.kind else { throw .unknownType(kind) }
      return (try reader.identifier(AccountKind.self), try reader.read(UInt32.self))
    }
    let (header, ciphertext) = try PassphraseHeader.read(
      &reader, front: front(account: account, version: version))
    guard reader.isAtEnd else { throw .malformed(field: "trailing bytes") }
    // The passphrase is hashed once for login and slot, so both must say the same of how.
    guard header.hashing == login.hashing else { throw .malformed(field: "hashing") }
    let contents = try header.open(
      ciphertext, key: login.slotKey(account: account), commitment: .slotCommitment)
    return try SecretReader.read(contents) { reader throws(VaultError) in
      Slot(
        account: account, version: version, name: try reader.text(),
        epochs: try reader.epochs(account: account),
        accountSeed: try reader.secret(SigningKey.seedBytes), memberHead: try reader.digest(),
        frontier: try reader.frontier())
    }
  }

  private static func front(account: AccountID, version: UInt32) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(magic)
    writer.write(Suite.one)
    writer.write(kind)
    writer.write(account.bytes)
    writer.write(version)
    return writer.bytes
  }
}

/// Passphrase hash and account secret joined: neither alone derives anything.
struct LoginSecret: Sendable {
  let hashing: PassphraseHashing
  private let material: Secret

  /// Takes the time of one hash.
  init(
    passphrase: Passphrase, accountSecret: Secret, hashing: PassphraseHashing
  ) throws(VaultError) {
    let hashed = try passphrase.hashed(hashing)
    self.hashing = hashing
    material = hashed.joined(with: accountSecret)
  }

  /// Proves passphrase and kit to the server. At that moment the account id is not known yet, so
  /// the salt of the hash stands in its place.
  var loginKey: SigningKey {
    SigningKey(seed: material.derived(.login, salt: hashing.salt.bytes))
  }

  func slotKey(account: AccountID) -> Secret {
    material.derived(.slot, salt: account.bytes)
  }
}

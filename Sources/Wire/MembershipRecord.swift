import Foundation

/// What everyone may know of a device: its public keys. Name and platform are sealed, so that the
/// server learns neither.
public struct DeviceDescription: Hashable, Sendable, Codable {
  public let device: DeviceID
  /// Ed25519, 32 bytes: signs commits and membership records.
  public let signingKey: Blob
  /// X25519, 32 bytes: receives epoch keys.
  public let sealingKey: Blob
  /// Ed25519, 32 bytes: proves the device to the servers, also while locked.
  public let authenticationKey: Blob
  /// `{"name","platform"}` sealed under the account's name key; nonce first.
  public let sealedName: Blob

  public init(
    device: DeviceID, signingKey: Blob, sealingKey: Blob, authenticationKey: Blob, sealedName: Blob
  ) {
    self.device = device
    self.signingKey = signingKey
    self.sealingKey = sealingKey
    self.authenticationKey = authenticationKey
    self.sealedName = sealedName
  }
}

/// One link of an account's membership chain: who may write, from when on.
///
/// Layout, integers big-endian:
/// ```
/// "MEM1" | suite u8 | kind u8 | account 16 | number u64 | previous 32 | signer kind u8 | signer 16
/// | n u8 | n × (device 16, sequence u64, hash 32) | body length u32 | body (JSON) | signature 64
/// ```
/// The signature is Ed25519 over `"ctx/v1/membership"` and every byte before it. `number` counts
/// from 0 (genesis); `previous` is the SHA-256 digest of the record before, zero for genesis.
public struct MembershipRecord: Hashable, Sendable {
  public enum Kind: UInt8, Sendable {
    case genesis = 1
    case addDevice = 2
    case replaceDevice = 4
    /// Begins an epoch with keys that the devices it takes out do not get.
    case rotateEpoch = 5
    /// Ends what is sealed by an older suite.
    case raiseSuite = 6
    /// Says by which keys the server is known from now on.
    case trustServer = 7
    /// Replaces the account's slot, with the same keys and kit: another passphrase.
    case changeSlot = 8
    case renameDevice = 9
    /// Ends the account. It stands in no chain, but for itself.
    case deleteAccount = 10
    // 3 is part of 5.
  }

  public enum Signer: Hashable, Sendable {
    case device(DeviceID)
    /// The account signing key: genesis, recovery and the end only.
    case account
  }

  /// What a genesis record says.
  public struct Genesis: Hashable, Sendable, Codable {
    /// Ed25519, 32 bytes: the account signing key.
    public let accountKey: Blob
    public let device: DeviceDescription

    public init(accountKey: Blob, device: DeviceDescription) {
      self.accountKey = accountKey
      self.device = device
    }
  }

  /// What a record that adds a device says.
  public struct Addition: Hashable, Sendable, Codable {
    public let device: DeviceDescription
    /// The ``Kind/replaceDevice`` record by which the device came into a list that gave way to this
    /// one: it has still the identities of the one it replaced.
    public let origin: Blob?

    public init(device: DeviceDescription, origin: Blob? = nil) {
      self.device = device
      self.origin = origin
    }
  }

  /// What a record says by which a restored or cloned device takes a new identity. It is signed by
  /// the replaced device, which stays a member: its twin, if there is one, goes on under the old
  /// id.
  public struct Replacement: Hashable, Sendable, Codable {
    public let replaced: DeviceID
    public let device: DeviceDescription

    public init(replaced: DeviceID, device: DeviceDescription) {
      self.replaced = replaced
      self.device = device
    }
  }

  /// What a record says that begins the next epoch, with or without taking devices out.
  ///
  /// What it depends on is its *cut*: commits up to there belong to epochs before, whatever comes
  /// later must be of the new one, and what a revoked device wrote beyond it is nothing.
  public struct Rotation: Hashable, Sendable, Codable {
    /// The number of the epoch that begins: one more than the last.
    public let epoch: UInt32
    /// In ascending order; empty where only the keys change.
    public let revoked: [DeviceID]
    /// For each device that stays, in ascending order of their ids.
    public let keys: [SealedKey]
    /// 32 bytes that only the right root key makes, so that all were given the same.
    public let commitment: Blob
    public let slot: SlotChange

    public init(
      epoch: UInt32, revoked: [DeviceID], keys: [SealedKey], commitment: Blob, slot: SlotChange
    ) {
      self.epoch = epoch
      self.revoked = revoked
      self.keys = keys
      self.commitment = commitment
      self.slot = slot
    }
  }

  /// An epoch's root key and the new account secret on their way to one device: 100 bytes of HPKE.
  public struct SealedKey: Hashable, Sendable, Codable {
    public let device: DeviceID
    public let key: Blob

    public init(device: DeviceID, key: Blob) {
      self.device = device
      self.key = key
    }
  }

  /// The account's slot from this record on, whole, so that a server that was set back gets it
  /// again with the record; an older one is refused.
  public struct SlotChange: Hashable, Sendable, Codable {
    /// Higher than that of any slot before.
    public let version: UInt32
    public let slot: Blob
    /// Ed25519, 32 bytes: proves passphrase and kit to the server.
    public let loginKey: Blob
    public let hashing: PassphraseHashing
    /// Whether the passphrase is another one: the other devices have theirs to change, too.
    public let isNewPassphrase: Bool?

    public init(
      version: UInt32, slot: Blob, loginKey: Blob, hashing: PassphraseHashing,
      isNewPassphrase: Bool? = nil
    ) {
      self.version = version
      self.slot = slot
      self.loginKey = loginKey
      self.hashing = hashing
      self.isNewPassphrase = isNewPassphrase
    }
  }

  /// What a record says that gives a device another name.
  public struct Renaming: Hashable, Sendable, Codable {
    public let device: DeviceID
    /// As in ``DeviceDescription/sealedName``.
    public let sealedName: Blob

    public init(device: DeviceID, sealedName: Blob) {
      self.device = device
      self.sealedName = sealedName
    }
  }

  /// What a record says that ends what is sealed by an older suite.
  public struct SuiteRaise: Hashable, Sendable, Codable {
    /// The lowest that counts from here on: higher than before.
    public let suite: UInt8

    public init(suite: UInt8) {
      self.suite = suite
    }
  }

  /// What a record says about the server's keys.
  public struct ServerKeys: Hashable, Sendable, Codable {
    /// Of more than four nobody knows which one is used.
    public static let limit = 4

    /// SHA-256 of each public key (SubjectPublicKeyInfo) that the server may show from here on, in
    /// place of any before. In ascending order.
    public let keys: [Digest32]

    public init(keys: some Sequence<Digest32>) {
      self.keys = Set(keys).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
  }

  /// What a record says that ends the account.
  public struct Ending: Hashable, Sendable, Codable {
    /// Where the person was who deleted it.
    public let device: DeviceID

    public init(device: DeviceID) {
      self.device = device
    }
  }

  public static let magic = Array("MEM1".utf8)
  public static let signatureDomain = Array("ctx/v1/membership".utf8)
  public static let signatureBytes = 64

  public let bytes: [UInt8]
  public let kind: Kind
  public let account: AccountID
  public let number: UInt64
  public let previous: Digest32
  public let signer: Signer
  /// The whole frontier of the account when the record was made.
  public let dependencies: Frontier
  /// JSON, as its author wrote it.
  public let body: [UInt8]

  /// Reads a record; its signature and place in the chain are not checked here.
  public init(bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Limits.membershipRecordBytes else {
      throw .overLimit(limit: "membership record bytes", value: bytes.count)
    }
    var reader = ByteReader(bytes)
    guard try reader.read(count: 4) == Self.magic else { throw .wrongMagic }
    let suite = try reader.read(UInt8.self)
    guard suite == Suite.one else { throw .unknownSuite(suite) }
    let type = try reader.read(UInt8.self)
    guard let kind = Kind(rawValue: type) else { throw .unknownType(type) }
    self.kind = kind
    account = try reader.identifier()
    number = try reader.read()
    previous = try reader.digest()
    signer = try Self.readSigner(&reader)
    dependencies = try reader.frontier()
    body = try reader.read(count: Int(try reader.read(UInt32.self)))
    _ = try reader.read(count: Self.signatureBytes)
    guard reader.isAtEnd else { throw .trailingBytes(count: reader.remaining) }
    self.bytes = bytes
  }

  private static func readSigner(_ reader: inout ByteReader) throws(WireError) -> Signer {
    let kind = try reader.read(UInt8.self)
    let device: DeviceID = try reader.identifier()
    switch kind {
    case 1: return .device(device)
    case 2 where device == .zero: return .account
    default: throw .malformed(field: "signer")
    }
  }

  /// Everything before the signature, for the signer to sign with ``signatureDomain`` in front.
  public static func unsignedBytes(
    kind: Kind, account: AccountID, number: UInt64, previous: Digest32, signer: Signer,
    dependencies: Frontier, body: [UInt8]
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(magic)
    writer.write(Suite.one)
    writer.write(kind.rawValue)
    writer.write(account.bytes)
    writer.write(number)
    writer.write(previous.bytes)
    switch signer {
    case .device(let device):
      writer.write(UInt8(1))
      writer.write(device.bytes)
    case .account:
      writer.write(UInt8(2))
      writer.write(DeviceID.zero.bytes)
    }
    writer.write(dependencies)
    writer.write(UInt32(body.count))
    writer.write(body)
    return writer.bytes
  }

  public var signature: ArraySlice<UInt8> { bytes[(bytes.count - Self.signatureBytes)...] }
  /// What ``signature`` signs.
  public var signedBytes: [UInt8] {
    Self.signatureDomain + bytes[..<(bytes.count - Self.signatureBytes)]
  }

  /// The body of a ``Kind/genesis`` record.
  public func genesis() throws(WireError) -> Genesis { try decodeBody() }
  /// The body of an ``Kind/addDevice`` record.
  public func addition() throws(WireError) -> Addition { try decodeBody() }
  /// The body of a ``Kind/replaceDevice`` record.
  public func replacement() throws(WireError) -> Replacement { try decodeBody() }

  /// The body of a ``Kind/rotateEpoch`` record.
  public func rotation() throws(WireError) -> Rotation { try decodeBody() }

  /// The body of a ``Kind/changeSlot`` record.
  public func slotChange() throws(WireError) -> SlotChange { try decodeBody() }

  /// The body of a ``Kind/renameDevice`` record.
  public func renaming() throws(WireError) -> Renaming { try decodeBody() }

  /// The body of a ``Kind/raiseSuite`` record.
  public func suiteRaise() throws(WireError) -> SuiteRaise { try decodeBody() }

  /// The body of a ``Kind/trustServer`` record.
  public func serverKeys() throws(WireError) -> ServerKeys { try decodeBody() }

  /// The body of a ``Kind/deleteAccount`` record.
  public func ending() throws(WireError) -> Ending { try decodeBody() }

  private func decodeBody<Body: Decodable>() throws(WireError) -> Body {
    do {
      return try JSONDecoder().decode(Body.self, from: Data(body))
    } catch {
      throw .malformed(field: "body")
    }
  }
}

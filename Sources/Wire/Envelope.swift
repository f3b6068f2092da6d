/// What every envelope and record starts with: the one set of algorithms there is.
public enum Suite {
  /// Argon2id, HKDF-SHA256, XChaCha20-Poly1305, Ed25519, SHA-256, HPKE with X25519.
  public static let one: UInt8 = 1
}

/// The plain part of a commit: all that anyone without the account's keys can know of it.
///
/// Layout, integers big-endian:
/// ```
/// "CTX1" | suite u8 | type u8 | account 16 | vault u32 | epoch u32 | device 16 | sequence u64
/// | previous 32 | member head 32 | n u8 | n × (device 16, sequence u64, hash 32)
/// | nonce 24 | ciphertext length u32
/// ```
/// These bytes are the additional data of the ciphertext that follows them.
public struct EnvelopeHeader: Hashable, Sendable {
  public enum Kind: UInt8, Sendable {
    case data = 1
    case membership = 2
    case heartbeat = 3
    case snapshotManifest = 4
  }

  public static let magic = Array("CTX1".utf8)
  public static let nonceBytes = 24

  public var kind: Kind
  public var account: AccountID
  /// The compartment; 0 until there are several.
  public var vault: UInt32
  public var epoch: UInt32
  public var device: DeviceID
  public var sequence: UInt64
  /// The digest of this device's previous envelope; zero for its first.
  public var previous: Digest32
  /// The membership record that was newest for the author.
  public var memberHead: Digest32
  /// The heads of other devices the author had seen, at most ``Limits/devices``.
  public var dependencies: Frontier
  /// 24 random bytes.
  public var nonce: [UInt8]

  public init(
    kind: Kind, account: AccountID, vault: UInt32 = 0, epoch: UInt32, device: DeviceID,
    sequence: UInt64, previous: Digest32, memberHead: Digest32, dependencies: Frontier,
    nonce: [UInt8]
  ) {
    self.kind = kind
    self.account = account
    self.vault = vault
    self.epoch = epoch
    self.device = device
    self.sequence = sequence
    self.previous = previous
    self.memberHead = memberHead
    self.dependencies = dependencies
    self.nonce = nonce
  }

  /// The header as it is sent in front of `ciphertextLength` bytes of ciphertext.
  public func encoded(ciphertextLength: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.magic)
    writer.write(Suite.one)
    writer.write(kind.rawValue)
    writer.write(account.bytes)
    writer.write(vault)
    writer.write(epoch)
    writer.write(device.bytes)
    writer.write(sequence)
    writer.write(previous.bytes)
    writer.write(memberHead.bytes)
    writer.write(dependencies)
    writer.write(nonce)
    writer.write(UInt32(ciphertextLength))
    return writer.bytes
  }

  static func read(_ reader: inout ByteReader) throws(WireError) -> (EnvelopeHeader, Int) {
    guard try reader.read(count: 4) == magic else { throw .wrongMagic }
    let suite = try reader.read(UInt8.self)
    guard suite == Suite.one else { throw .unknownSuite(suite) }
    let type = try reader.read(UInt8.self)
    guard let kind = Kind(rawValue: type) else { throw .unknownType(type) }
    let header = EnvelopeHeader(
      kind: kind, account: try reader.identifier(), vault: try reader.read(),
      epoch: try reader.read(), device: try reader.identifier(), sequence: try reader.read(),
      previous: try reader.digest(), memberHead: try reader.digest(),
      dependencies: try reader.frontier(), nonce: try reader.read(count: nonceBytes))
    return (header, Int(try reader.read(UInt32.self)))
  }
}

/// A commit as it is stored, hashed, signed and sent: header, ciphertext, signature.
///
/// The signature covers `"ctx/v1/commit"` followed by every byte before it. An envelope is kept as
/// the bytes it came in and never written anew.
public struct Envelope: Hashable, Sendable {
  public static let signatureDomain = Array("ctx/v1/commit".utf8)
  public static let signatureBytes = 64

  public let bytes: [UInt8]
  public let header: EnvelopeHeader
  private let headerCount: Int

  /// Reads an envelope; its signature and ciphertext are not checked here.
  public init(bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Limits.commitBytes else {
      throw .overLimit(limit: "commit bytes", value: bytes.count)
    }
    var reader = ByteReader(bytes)
    let (header, length) = try EnvelopeHeader.read(&reader)
    let headerCount = bytes.count - reader.remaining
    guard reader.remaining >= length + Self.signatureBytes else { throw .truncated }
    guard reader.remaining == length + Self.signatureBytes else {
      throw .trailingBytes(count: reader.remaining - length - Self.signatureBytes)
    }
    self.bytes = bytes
    self.header = header
    self.headerCount = headerCount
  }

  /// The header's bytes: the additional data of ``ciphertext``.
  public var headerBytes: ArraySlice<UInt8> { bytes[..<headerCount] }
  public var ciphertext: ArraySlice<UInt8> {
    bytes[headerCount..<(bytes.count - Self.signatureBytes)]
  }
  public var signature: ArraySlice<UInt8> { bytes[(bytes.count - Self.signatureBytes)...] }
  /// What ``signature`` signs.
  public var signedBytes: [UInt8] {
    Self.signatureDomain + bytes[..<(bytes.count - Self.signatureBytes)]
  }
}

extension ByteWriter {
  /// A count in one byte, then each head in the order of the device ids.
  mutating func write(_ frontier: Frontier) {
    let heads = frontier.sorted
    write(UInt8(heads.count))
    for (device, head) in heads {
      write(device.bytes)
      write(head.sequence)
      write(head.hash.bytes)
    }
  }
}

extension ByteReader {
  mutating func frontier() throws(WireError) -> Frontier {
    let count = Int(try read(UInt8.self))
    guard count <= Limits.devices else { throw .overLimit(limit: "devices", value: count) }
    var frontier = Frontier()
    var last: DeviceID?
    for _ in 0..<count {
      let device: DeviceID = try identifier()
      // One order only, so that one frontier has one form and one hash.
      if let last, last >= device { throw .malformed(field: "dependencies") }
      last = device
      frontier[device] = Head(sequence: try read(), hash: try digest())
    }
    return frontier
  }
}

/// Appends the fields of a binary layout; integers are big-endian.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func write(_ run: some Sequence<UInt8>) {
    bytes.append(contentsOf: run)
  }
}

/// Reads the fields of a binary layout in order; every read fails cleanly when bytes run out.
public struct ByteReader: Sendable {
  private var rest: ArraySlice<UInt8>

  public init(_ bytes: [UInt8]) {
    rest = bytes[...]
  }

  public var isAtEnd: Bool { rest.isEmpty }
  /// How many bytes are not read yet.
  public var remaining: Int { rest.count }

  public mutating func read<Value: FixedWidthInteger & UnsignedInteger>(
    _: Value.Type = Value.self
  ) throws(WireError) -> Value {
    let run = try read(count: Value.bitWidth / 8)
    return run.reduce(0) { $0 << 8 | Value($1) }
  }

  /// The next `count` bytes; nothing is allocated before the count was found to be there.
  public mutating func read(count: Int) throws(WireError) -> [UInt8] {
    guard count >= 0, rest.count >= count else { throw .truncated }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  public mutating func identifier<Kind: IdentifierKind>(
    _: Kind.Type = Kind.self
  ) throws(WireError) -> Identifier<Kind> {
    guard let id = Identifier<Kind>(bytes: try read(count: Identifier<Kind>.byteCount)) else {
      throw .truncated
    }
    return id
  }

  public mutating func digest() throws(WireError) -> Digest32 {
    guard let digest = Digest32(bytes: try read(count: Digest32.byteCount)) else {
      throw .truncated
    }
    return digest
  }
}

/// Why bytes from elsewhere are not what they claim to be.
public enum WireError: Error, Hashable, Sendable {
  /// The bytes end before the layout does.
  case truncated
  /// Bytes follow the end of the layout.
  case trailingBytes(count: Int)
  /// The first four bytes name another layout.
  case wrongMagic
  case unknownSuite(UInt8)
  case unknownType(UInt8)
  /// A length or count is over the limit that `limit` names.
  case overLimit(limit: String, value: Int)
  /// Text or JSON inside the layout does not read.
  case malformed(field: String)
}

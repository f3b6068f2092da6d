/// Names what an ``Identifier`` is for, so that ids of two kinds cannot be mixed up.
public protocol IdentifierKind: Sendable {}

/// A random 128-bit id, written as 32 lower-case hexadecimal digits.
///
/// Ids carry no order or time: two devices that never met cannot choose the same one. The order of
/// `<` is that of the bytes, and only breaks ties the same way everywhere.
public struct Identifier<Kind: IdentifierKind>: Hashable, Comparable, Sendable {
  @inlinable public static var byteCount: Int { 16 }

  @usableFromInline let high: UInt64
  @usableFromInline let low: UInt64

  /// The id of exactly 16 bytes, most significant first; nil for any other count.
  @inlinable
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    var position = 0
    for byte in bytes {
      if position < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
      position += 1
    }
    self.high = high
    self.low = low
  }

  /// The id written as 32 hexadecimal digits of either case; nil for any other text.
  public init?(_ text: some StringProtocol) {
    guard let bytes = Hex.decode(text) else { return nil }
    self.init(bytes: bytes)
  }

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The id of sixteen zero bytes, which stands for "nobody" where a layout has a fixed place.
  public static var zero: Self { Self(high: 0, low: 0) }

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.write(high)
    writer.write(low)
    return writer.bytes
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension Identifier: CustomStringConvertible {
  public var description: String { Hex.encode(bytes) }
}

extension Identifier: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = Self(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "an id is 32 hexadecimal digits")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

public enum AccountKind: IdentifierKind {}
public enum DeviceKind: IdentifierKind {}
public enum ContextKind: IdentifierKind {}
public enum AttributeKind: IdentifierKind {}
public enum VersionKind: IdentifierKind {}
public enum RendezvousKind: IdentifierKind {}
public enum InstanceKind: IdentifierKind {}

/// One person's contexts on one Attribute Server.
public typealias AccountID = Identifier<AccountKind>
/// One installed selector of an account. Never used again after revocation.
public typealias DeviceID = Identifier<DeviceKind>
public typealias ContextID = Identifier<ContextKind>
public typealias AttributeID = Identifier<AttributeKind>
/// One written value of one register; chosen at random so that a rewrite after a restore is
/// idempotent.
public typealias VersionID = Identifier<VersionKind>
/// A mailbox of the pairing procedure.
public typealias RendezvousID = Identifier<RendezvousKind>
/// One installation of an Attribute Server.
public typealias InstanceID = Identifier<InstanceKind>

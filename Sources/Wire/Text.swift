import Foundation

/// Base 16, lower case.
public enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of `text`; nil when its length is odd or a character is no hexadecimal digit.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 2)
    for position in stride(from: 0, to: characters.count, by: 2) {
      guard let high = value(characters[position]), let low = value(characters[position + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }
}

/// Base 64 with the URL and file name safe alphabet and no padding (RFC 4648, section 5).
public enum Base64URL {
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let standard = Data(bytes).base64EncodedString().utf8
    let text = standard.lazy.filter { $0 != 0x3d }.map { character -> UInt8 in
      switch character {
      case 0x2b: 0x2d  // + becomes -
      case 0x2f: 0x5f  // / becomes _
      default: character
      }
    }
    return String(decoding: Array(text), as: UTF8.self)
  }

  /// The bytes of `text`; nil when it is padded, has another alphabet, an impossible length, or
  /// bits left over that are not zero: every run of bytes has one text.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    guard !text.utf8.contains(where: { $0 == 0x2b || $0 == 0x2f || $0 == 0x3d }) else { return nil }
    var standard = text.utf8.map { character -> UInt8 in
      switch character {
      case 0x2d: 0x2b
      case 0x5f: 0x2f
      default: character
      }
    }
    guard endsInZeroBits(standard) else { return nil }
    standard.append(contentsOf: repeatElement(0x3d, count: (4 - standard.count % 4) % 4))
    return Data(base64Encoded: Data(standard)).map(Array.init)
  }

  /// Whether the last character carries no bits beyond the last whole byte: four are left over
  /// after one byte, two after two.
  private static func endsInZeroBits(_ standard: [UInt8]) -> Bool {
    guard let last = standard.last else { return true }
    switch standard.count % 4 {
    case 2: return "AQgw".utf8.contains(last)
    case 3: return "AEIMQUYcgkosw048".utf8.contains(last)
    default: return true
    }
  }
}

/// Bytes that cross the network inside JSON as a base64url string.
public struct Blob: Hashable, Sendable, Codable {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let bytes = Base64URL.decode(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "bytes are written in base64url without padding")
    }
    self.bytes = bytes
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Base64URL.encode(bytes))
  }
}

/// A SHA-256 digest: 32 bytes, base64url in JSON.
public struct Digest32: Hashable, Sendable, Codable {
  public static let byteCount = 32
  /// Stands for "no predecessor" in a chain.
  public static let zero = Digest32(unchecked: [UInt8](repeating: 0, count: byteCount))

  public let bytes: [UInt8]

  public init?(bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }

  private init(unchecked bytes: [UInt8]) {
    self.bytes = bytes
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let blob = try container.decode(Blob.self)
    guard let digest = Digest32(bytes: blob.bytes) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a digest is 32 bytes")
    }
    self = digest
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Blob(bytes))
  }
}

extension Digest32: CustomStringConvertible {
  public var description: String { Base64URL.encode(bytes) }
}

/// Base 32 as Douglas Crockford wrote it down: no I, L, O, U; forgiving when read.
public enum Crockford {
  private static let symbols = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

  /// The symbol of a value below 32.
  public static func symbol(_ value: UInt8) -> UInt8 { symbols[Int(value)] }

  /// Five bits a symbol, the last one filled up with zero bits.
  public static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    var bits = 0
    var held = 0
    for byte in bytes {
      bits = bits << 8 | Int(byte)
      held += 8
      while held >= 5 {
        held -= 5
        text.append(symbols[bits >> held & 31])
      }
      bits &= (1 << held) - 1
    }
    if held > 0 { text.append(symbols[bits << (5 - held) & 31]) }
    return text
  }

  /// The values of the symbols of `text`. Either case; dashes and white space are passed over; O is
  /// 0, I and L are 1; nil when anything else stands there.
  public static func values(_ text: String) -> [UInt8]? {
    var values: [UInt8] = []
    for scalar in text.unicodeScalars where scalar != "-" && !scalar.properties.isWhitespace {
      guard scalar.isASCII, let value = value(UInt8(scalar.value)) else { return nil }
      values.append(value)
    }
    return values
  }

  private static func value(_ character: UInt8) -> UInt8? {
    let upper = (0x61...0x7a).contains(character) ? character - 0x20 : character
    switch upper {
    case 0x4f: return 0  // O
    case 0x49, 0x4c: return 1  // I, L
    default: return symbols.firstIndex(of: upper).map { UInt8($0) }
    }
  }

  /// The bytes of the symbols' values; nil unless the bits left over are fewer than five and zero.
  public static func bytes(_ values: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits = 0
    var held = 0
    for value in values {
      bits = bits << 5 | Int(value)
      held += 5
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(bits >> held & 255))
        bits &= (1 << held) - 1
      }
    }
    return held < 5 && bits == 0 ? bytes : nil
  }

  /// Groups of `size` symbols with dashes between.
  public static func grouped(_ symbols: [UInt8], by size: Int) -> String {
    stride(from: 0, to: symbols.count, by: size)
      .map { String(decoding: symbols[$0..<min($0 + size, symbols.count)], as: UTF8.self) }
      .joined(separator: "-")
  }
}

import Selector

/// A control sequence of ECMA-48, `ESC [ parameters intermediates final`, as xterm uses it for
/// keys.
struct EscapeSequence {
  let parameters: [Int]
  /// `<`, `?` and the like, which mark sequences that are no keys.
  let isPrivate: Bool
  /// Whether it begins with `<`: xterm's mouse reports, mode 1006.
  let isMouse: Bool
  let final: UInt8
  /// Bytes it takes, with ESC and bracket.
  let length: Int

  /// 64 bytes: far more than any key needs; a longer one is noise and is passed over.
  static let limitBytes = 64

  enum Reading {
    case complete(EscapeSequence)
    case incomplete
    /// That many bytes are no sequence.
    case malformed(length: Int)
  }

  /// Reads the sequence that `bytes` begins with.
  static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
    let body = bytes.dropFirst(2)
    for (offset, byte) in body.enumerated() {
      switch byte {
      case 0x20...0x3F where offset < limitBytes: continue
      case 0x40...0x7E: return .complete(EscapeSequence(body.prefix(offset), final: byte))
      default: return .malformed(length: offset + 2)
      }
    }
    return .incomplete
  }

  private init(_ body: ArraySlice<UInt8>, final: UInt8) {
    isPrivate = body.contains { !(0x30...0x3B).contains($0) }
    isMouse = body.first == UInt8(ascii: "<")
    let numbers = isMouse ? body.dropFirst() : body
    parameters = numbers.split(separator: 0x3B, omittingEmptySubsequences: false).map { part in
      part.prefix(6).reduce(0) { $0 * 10 + Int($1 & 0x0F) }
    }
    self.final = final
    length = body.count + 3
  }

  /// The key it stands for; nil when it is none that this program knows.
  var key: Key? {
    guard !isPrivate else { return nil }
    switch final {
    case UInt8(ascii: "~"): return tilde
    case UInt8(ascii: "u"): return Self.coded(first, modifiers)
    default: return Self.lettered(final).map { Key(.named($0), modifiers) }
    }
  }

  /// `ESC [ < button ; column ; row M`, places counted from 1; nil for what is of no use here:
  /// releases (`m`), movements, other buttons, and buttons held with a modifier.
  var mouse: Mouse? {
    guard isMouse, final == UInt8(ascii: "M"), parameters.count == 3 else { return nil }
    let act: Mouse.Act? =
      switch parameters[0] {
      case 0: .press
      case 64: .wheelUp
      case 65: .wheelDown
      default: nil
      }
    return act.map { Mouse($0, row: parameters[2] - 1, column: parameters[1] - 1) }
  }

  private var first: Int { parameters.first ?? 0 }

  /// Xterm adds 1 for Shift, 2 for Alt, 4 for Control and 8 for Meta to 1.
  private static func modifiers(_ number: Int) -> Key.Modifiers {
    let bits = max(0, number - 1)
    var modifiers: Key.Modifiers = []
    if bits & (2 | 8) != 0 { modifiers.insert(.alt) }
    if bits & 4 != 0 { modifiers.insert(.control) }
    return modifiers
  }

  private var modifiers: Key.Modifiers {
    parameters.count > 1 ? Self.modifiers(parameters[1]) : []
  }

  private var tilde: Key? {
    if first == 27, parameters.count == 3 {
      return Self.coded(parameters[2], modifiers)
    }
    let name: Key.Name? =
      switch first {
      case 1, 7: .home
      case 2: .insert
      case 3: .delete
      case 4, 8: .end
      case 5: .pageUp
      case 6: .pageDown
      case 11...15: .f(first - 10)
      case 17...21: .f(first - 11)
      case 23...26: .f(first - 12)
      case 28, 29: .f(first - 13)
      case 31...34: .f(first - 14)
      default: nil
      }
    return name.map { Key(.named($0), modifiers) }
  }

  static func lettered(_ final: UInt8) -> Key.Name? {
    switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "Z"): .backTab
    case UInt8(ascii: "P")...UInt8(ascii: "S"): .f(Int(final) - 0x4F)
    default: nil
    }
  }

  /// A key given by its code point.
  private static func coded(_ code: Int, _ modifiers: Key.Modifiers) -> Key? {
    switch code {
    case 9: return Key(.named(.tab), modifiers)
    case 13: return Key(.named(.enter), modifiers)
    case 27: return Key(.named(.escape), modifiers)
    case 127: return Key(.named(.backspace), modifiers)
    default:
      guard code >= 0x20, let scalar = Unicode.Scalar(UInt32(code)) else { return nil }
      return Key(.character(Character(scalar)), modifiers)
    }
  }

  /// The key of `ESC O` and this byte (keypad in application mode included).
  static func singleShift(_ final: UInt8) -> Key? {
    if let name = lettered(final) { return .named(name) }
    switch final {
    case UInt8(ascii: "M"): return .named(.enter)
    case UInt8(ascii: "I"): return .named(.tab)
    case UInt8(ascii: "X"): return .character("=")
    case UInt8(ascii: "j")...UInt8(ascii: "y"):
      return .character(Character(Unicode.Scalar(final - 0x40)))
    default: return nil
    }
  }
}

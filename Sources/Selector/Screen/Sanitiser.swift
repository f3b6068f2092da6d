/// Makes text safe to show: what cannot be seen, or would reorder its neighbours, becomes a visible
/// mark, so that a name can neither spoof another nor reach the terminal's controls.
///
/// Only what is shown changes; the stored value never passes through here.
public enum Sanitiser {
  /// Combining marks shown over one character; ncurses keeps no more, and a pile of them hides
  /// text.
  static let markLimit = 4

  /// `text` as a frame may show it.
  ///
  /// - C0 controls and DEL: their symbols (`␊`); other invisible characters, bidi controls and line
  ///   separators: the code point in angle marks (`‹U+202E›`).
  /// - Variation selectors, joiners and skin tones after an emoji are dropped, because terminals
  ///   disagree on the width of such sequences; elsewhere they are shown as marks.
  /// - Code points with no known width: `?`. A combining mark with nothing below it: on `◌`.
  public static func display(_ text: String) -> String {
    if isPlain(text) { return text }
    var pass = Pass()
    for scalar in text.unicodeScalars {
      pass.append(scalar)
    }
    return pass.result
  }

  /// Whether `text` is printable ASCII throughout, which nearly all text is.
  static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
  }
}

/// One walk over a text.
private struct Pass {
  var result = ""
  /// Whether the scalar before belongs to an emoji, so that a joiner or selector may follow it.
  private var inEmoji = false
  private var marks = 0
  /// Whether a combining mark has something to stand on.
  private var hasBase = false

  mutating func append(_ scalar: Unicode.Scalar) {
    if Self.isOfScreens(scalar) {
      result.unicodeScalars.append(scalar)
      (inEmoji, hasBase, marks) = (false, true, 0)
      return
    }
    let treatment = Treatment(scalar, inEmoji: inEmoji)
    switch treatment {
    case .show: show(scalar)
    case .drop: return
    case .symbol(let symbol): substitute(String(symbol))
    case .codePoint: substitute(Self.angleMarks(scalar))
    case .unknown: substitute("?")
    }
    // Digits are emoji by property (keycaps), but a selector behind one is no reason to trust it.
    inEmoji = treatment == .show && scalar.value >= 0xA9 && scalar.properties.isEmoji
  }

  /// Printable ASCII, and what the screens draw with (bullet, ellipsis, lines and blocks): one
  /// column each, and nothing to look up.
  private static func isOfScreens(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21..<0x7F, 0x2022, 0x2026, 0x2500...0x259F: true
    default: false
    }
  }

  private mutating func show(_ scalar: Unicode.Scalar) {
    guard DisplayWidth.columns(of: scalar) == 0 else {
      result.unicodeScalars.append(scalar)
      hasBase = scalar.properties.generalCategory != .spaceSeparator
      marks = 0
      return
    }
    if !hasBase {
      result.unicodeScalars.append("\u{25CC}")
      hasBase = true
      marks = 0
    }
    guard marks < Sanitiser.markLimit else { return }
    marks += 1
    result.unicodeScalars.append(scalar)
  }

  private mutating func substitute(_ text: String) {
    result += text
    hasBase = false
  }

  private static func angleMarks(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "‹U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "›"
  }
}

private enum Treatment: Equatable {
  case show, drop, codePoint, unknown
  case symbol(Unicode.Scalar)

  init(_ scalar: Unicode.Scalar, inEmoji: Bool) {
    switch scalar.value {
    case 0x20..<0x7F: self = .show
    // U+2400 is the first of the control pictures.
    case 0..<0x20: self = .symbol(Unicode.Scalar(0x2400 + scalar.value) ?? "?")
    case 0x7F: self = .symbol("\u{2421}")
    case 0x200D, 0xFE00...0xFE0F: self = inEmoji ? .drop : .codePoint
    case 0x1F3FB...0x1F3FF: self = inEmoji ? .drop : .show
    // Combining grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian selectors: blank,
    // but letters or marks by category.
    case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x3164, 0xFFA0,
      0xE0100...0xE01EF:
      self = .codePoint
    default: self = Self.byCategory(scalar)
    }
  }

  private static func byCategory(_ scalar: Unicode.Scalar) -> Treatment {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: .codePoint
    case .unassigned, .privateUse, .surrogate: .unknown
    default: .show
    }
  }
}

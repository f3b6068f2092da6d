/// How many colours a terminal shows.
public enum ColourDepth: Int, Hashable, Sendable, CaseIterable, Comparable {
  /// None: bold, reverse and underline only.
  case mono
  /// The 8 or 16 colours of the terminal's own palette.
  case ansi8, ansi16
  /// The 256 colours of xterm.
  case indexed256
  /// 24 bits a cell.
  case direct

  public static func < (one: ColourDepth, other: ColourDepth) -> Bool {
    one.rawValue < other.rawValue
  }

  /// The depth to use.
  /// - Parameters:
  ///   - environment: `NO_COLOR` with any text but the empty one means mono (no-color.org).
  ///   - colours: how many colours terminfo says the terminal has; -1 for none.
  ///   - isDirect: whether colour numbers are 24-bit values (terminfo `RGB`). `COLORTERM` does not
  ///     change that: curses refuses 24-bit numbers for any other terminal.
  public static func detect(
    environment: [String: String], colours: Int, isDirect: Bool
  ) -> ColourDepth {
    if let refusal = environment["NO_COLOR"], !refusal.isEmpty { return .mono }
    if isDirect && colours > 256 { return .direct }
    return switch colours {
    case 256...: .indexed256
    case 16...: .ansi16
    case 8...: .ansi8
    default: .mono
    }
  }
}

/// A colour as a terminal of some depth takes it.
public enum ScreenColour: Hashable, Sendable {
  /// The terminal's own foreground or background.
  case own
  /// A palette number: below 8, 16 or 256 by depth.
  case indexed(UInt8)
  /// 0xRRGGBB; at `ColourDepth.direct` only.
  case rgb(UInt32)
}

/// How cells of one meaning look.
public struct Appearance: Hashable, Sendable {
  public var foreground: ScreenColour
  public var background: ScreenColour
  public var bold: Bool
  public var dim: Bool
  public var underline: Bool
  public var reverse: Bool

  public init(
    foreground: ScreenColour = .own, background: ScreenColour = .own, bold: Bool = false,
    dim: Bool = false, underline: Bool = false, reverse: Bool = false
  ) {
    self.foreground = foreground
    self.background = background
    self.bold = bold
    self.dim = dim
    self.underline = underline
    self.reverse = reverse
  }
}

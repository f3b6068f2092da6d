import Foundation

/// What asks a terminal to keep text in the clipboard a person pastes from (xterm's OSC 52).
///
/// No terminal says whether it did: many ask their owner first, some are told never to.
public enum ClipboardSequence {
  /// 74,994 bytes become the 100,000 characters of base 64 that common terminals take.
  public static let limitBytes = 74_994
  /// 252 bytes: GNU screen once held no more than 256 of a string, and shows what is left over.
  private static let screenChunkBytes = 252

  private static let xtermLike = [
    "xterm", "tmux", "foot", "alacritty", "kitty", "wezterm", "ghostty", "contour", "mintty",
    "rxvt",
    "konsole", "vte", "gnome", "st-",
  ]

  /// The bytes for `content`; nil when it is too much for a terminal, or this one is not known to
  /// pass over what it does not understand.
  ///
  /// Inside GNU screen the sequence goes through to the terminal in pieces. A terminal of the name
  /// `screen` on another machine is screen or tmux: tmux drops the pieces, and neither shows them.
  public static func bytes(_ content: [UInt8], environment: [String: String]) -> [UInt8]? {
    let term = environment["TERM"] ?? ""
    guard content.count <= limitBytes else { return nil }
    let body = Array("\u{1B}]52;c;\(Data(content).base64EncodedString())".utf8)
    if isXtermLike(environment) { return body + Array("\u{1B}\\".utf8) }
    guard term.hasPrefix("screen") else { return nil }
    // BEL ends it, as ESC \ ends the piece.
    return pieces(of: body + [0x07])
  }

  /// Whether it knows xterm's strings, or passes over those it does not know.
  static func isXtermLike(_ environment: [String: String]) -> Bool {
    let term = environment["TERM"] ?? ""
    return term.hasPrefix("screen") && environment["TMUX"]?.isEmpty == false
      || xtermLike.contains { term.hasPrefix($0) }
  }

  private static func pieces(of body: [UInt8]) -> [UInt8] {
    stride(from: 0, to: body.count, by: screenChunkBytes).flatMap { start in
      Array("\u{1B}P".utf8) + body[start..<min(start + screenChunkBytes, body.count)]
        + Array("\u{1B}\\".utf8)
    }
  }
}

/// Why a theme file was refused, and on which line.
public struct ThemeError: Error, Hashable, Sendable {
  public enum What: Hashable, Sendable {
    /// Not TOML; the reader's own words.
    case syntax(String)
    /// A name at the top, or in `[style]` and `[mono]`, that no theme has.
    case unknownTable(String)
    case unknownStyle(String)
    /// The value of this key has to be a text.
    case notText(String)
    /// A palette entry that is no `#rrggbb | number | name`, or has a name that style rules use.
    case badColour(String)
    /// A word of a style that is neither a colour of the palette nor an attribute.
    case unknownWord(String)
    /// A colour in `[mono]`.
    case colourInMono(String)
    /// The theme to inherit from is not there, or inherits from this one.
    case unknownTheme(String)
  }

  /// Counted from 1; 0 when the file as a whole is meant.
  public let line: Int
  public let what: What

  public init(line: Int, what: What) {
    self.line = line
    self.what = what
  }
}

extension ThemeError: CustomStringConvertible {
  public var description: String {
    "line \(line): \(what.sentence)"
  }
}

extension ThemeError.What {
  fileprivate var sentence: String {
    switch self {
    case .syntax(let text): text
    case .unknownTable(let name): "a theme has no `\(name)`, only inherits, palette, style, mono"
    case .unknownStyle(let name): "there is no style `\(name)`"
    case .notText(let key): "`\(key)` must be a text in quotes"
    case .badColour(let text): "`\(text)` is no colour such as \"#89b4fa | 111 | blue\""
    case .unknownWord(let word):
      "`\(word)` is no colour of the palette and none of bold, dim, underline, reverse"
    case .colourInMono(let word): "`\(word)`: a style in [mono] has no colours"
    case .unknownTheme(let name): "there is no theme `\(name)` to inherit from"
    }
  }
}

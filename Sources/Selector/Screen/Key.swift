/// One key press as the key map names it, with no trace of the terminal that sent it.
///
/// The textual form is the one in `keys.toml`, the footer and the help: `j`, `G`, `Space`, `Enter`,
/// `S-Tab`, `C-n` (Control), `M-b` (Alt), `C-M-x`, `F5`. `Key(key.description)` gives the key back.
public struct Key: Hashable, Sendable {
  /// What a key without a printable character is called.
  public enum Name: Hashable, Sendable {
    case up, down, left, right
    case home, end, pageUp, pageDown
    case insert, delete, backspace
    /// Tab without and with Shift; other keys do not report Shift.
    case tab, backTab
    case enter, escape
    /// A function key, 1 to 63.
    case f(Int)
  }

  public enum Symbol: Hashable, Sendable {
    /// What the key types. Upper and lower case are different keys.
    case character(Character)
    case named(Name)
  }

  public struct Modifiers: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    public static let control = Modifiers(rawValue: 1)
    public static let alt = Modifiers(rawValue: 2)
  }

  public let symbol: Symbol
  public let modifiers: Modifiers

  /// A terminal sends one byte for Control-I and Tab, Control-M or Control-J and Enter, Control-[
  /// and Escape, and cannot tell Control-n from Control-N: these become the same key here.
  public init(_ symbol: Symbol, _ modifiers: Modifiers = []) {
    guard modifiers.contains(.control), case .character(let character) = symbol else {
      self.symbol = symbol
      self.modifiers = modifiers
      return
    }
    let lower = Character(character.lowercased())
    if let name = Self.controlTwins[lower] {
      self.symbol = .named(name)
      self.modifiers = modifiers.subtracting(.control)
    } else {
      self.symbol = .character(lower)
      self.modifiers = modifiers
    }
  }

  public static func character(_ character: Character) -> Key {
    Key(.character(character))
  }

  public static func named(_ name: Name) -> Key {
    Key(.named(name))
  }

  public static func control(_ character: Character) -> Key {
    Key(.character(character), .control)
  }

  public static func alt(_ character: Character) -> Key {
    Key(.character(character), .alt)
  }

  /// What the key types into a field; nil for a named key and with any modifier.
  public var typed: Character? {
    guard modifiers.isEmpty, case .character(let character) = symbol else { return nil }
    return character
  }

  private static let controlTwins: [Character: Name] = [
    "i": .tab, "m": .enter, "j": .enter, "[": .escape,
  ]
}

extension Key: CustomStringConvertible {
  /// The keys' names and, after the first, other spellings that are understood.
  private static let names: [(name: Name, spellings: [String])] = [
    (.up, ["Up"]), (.down, ["Down"]), (.left, ["Left"]), (.right, ["Right"]),
    (.home, ["Home"]), (.end, ["End"]),
    (.pageUp, ["PgUp", "PageUp"]), (.pageDown, ["PgDn", "PageDown"]),
    (.insert, ["Ins", "Insert"]), (.delete, ["Del", "Delete"]),
    (.backspace, ["Backspace", "BS"]), (.tab, ["Tab"]), (.backTab, ["S-Tab", "Shift-Tab"]),
    (.enter, ["Enter", "Return"]), (.escape, ["Esc", "Escape"]),
  ]

  private static let prefixes: [(text: String, modifier: Modifiers)] = [
    ("C-", .control), ("Ctrl-", .control), ("M-", .alt), ("Alt-", .alt),
  ]

  private static let functionKeys = 1...63

  /// The key written as `text`; nil when it names none. Names and prefixes ignore case, a single
  /// character does not.
  public init?(_ text: String) {
    var rest = Substring(text)
    var modifiers: Modifiers = []
    while let (after, modifier) = Self.withoutPrefix(rest), !after.isEmpty {
      guard !modifiers.contains(modifier) else { return nil }
      modifiers.insert(modifier)
      rest = after
    }
    guard let symbol = Self.symbol(String(rest)) else { return nil }
    self.init(symbol, modifiers)
  }

  public var description: String {
    let control = modifiers.contains(.control) ? "C-" : ""
    let alt = modifiers.contains(.alt) ? "M-" : ""
    return control + alt + symbolText
  }

  private var symbolText: String {
    switch symbol {
    case .character(" "): return "Space"
    case .character(let character): return String(character)
    case .named(.f(let number)): return "F\(number)"
    case .named(let name): return Self.names.first { $0.name == name }?.spellings[0] ?? "?"
    }
  }

  private static func withoutPrefix(_ text: Substring) -> (Substring, Modifiers)? {
    for prefix in prefixes
    where text.prefix(prefix.text.count).lowercased() == prefix.text.lowercased() {
      return (text.dropFirst(prefix.text.count), prefix.modifier)
    }
    return nil
  }

  private static func symbol(_ text: String) -> Symbol? {
    if text.count == 1, let character = text.first {
      return character == " " || isPrintable(character) ? .character(character) : nil
    }
    let lower = text.lowercased()
    if lower == "space" { return .character(" ") }
    if lower.hasPrefix("f"), let number = Int(lower.dropFirst()), functionKeys.contains(number) {
      return .named(.f(number))
    }
    let found = names.first { $0.spellings.contains { $0.lowercased() == lower } }
    return found.map { .named($0.name) }
  }

  private static func isPrintable(_ character: Character) -> Bool {
    !character.isWhitespace
      && character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }
}

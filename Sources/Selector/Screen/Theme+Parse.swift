import SettingsFiles
import TOMLKit

extension Theme {
  /// Reads a theme file.
  /// - Parameters:
  ///   - name: what `:theme` calls it.
  ///   - text: the file.
  ///   - lookup: the theme of a name in `inherits`; nil when there is none. It is never asked for
  ///     `terminal`, which is part of the program. Keeping a theme from inheriting from itself in a
  ///     circle is the caller's matter: answer nil for a theme that is being read.
  /// - Throws: `ThemeError` for the first thing wrong; nothing unknown is passed over.
  public static func parse(
    name: String, toml text: String, inherits lookup: (String) throws -> Theme? = { _ in nil }
  ) throws -> Theme {
    let source = ThemeSource(text: text)
    let file = try source.table()
    if let stray = file.keys.sorted().first(where: { !ThemeSource.tables.contains($0) }) {
      throw source.error(.unknownTable(stray), at: stray)
    }
    var definition = try source.inherited(file, lookup)
    for (key, colour) in try source.texts(of: "palette", in: file) {
      guard let parsed = PaletteColour(colour), !ThemeSource.reserved.contains(key) else {
        throw source.error(.badColour(colour), at: key, in: "palette")
      }
      definition.palette[key] = parsed
    }
    let known = Set(definition.palette.keys).union(PaletteColour.named.keys)
    try source.readRules("style", in: file, into: &definition.styles) { rule in
      rule.colours.first { !known.contains($0) }.map { .unknownWord($0) }
    }
    try source.readRules("mono", in: file, into: &definition.mono) { rule in
      rule.colours.first.map { .colourInMono($0) }
    }
    return Theme(name: name, definition: definition)
  }
}

/// A theme's text and where things stand in it.
private struct ThemeSource {
  static let tables: Set = ["inherits", "palette", "style", "mono"]
  /// Words of a style rule, which no colour can be called.
  static let reserved: Set = ["on", "bold", "dim", "underline", "reverse"]

  let text: String

  func table() throws -> TOMLTable {
    do {
      return try SettingsText(text: text).table()
    } catch {
      throw ThemeError(line: error.line, what: .syntax(error.reason))
    }
  }

  func inherited(_ file: TOMLTable, _ lookup: (String) throws -> Theme?) throws -> ThemeDefinition {
    guard let value = file["inherits"] else { return Theme.base }
    guard let parent = value.string else { throw error(.notText("inherits"), at: "inherits") }
    if parent == Theme.terminalName { return Theme.base }
    guard let theme = try lookup(parent) else {
      throw error(.unknownTheme(parent), at: "inherits")
    }
    return theme.definition
  }

  /// The texts of one table, in the order of their names.
  func texts(of name: String, in file: TOMLTable) throws -> [(key: String, text: String)] {
    guard let value = file[name] else { return [] }
    guard let table = value.table else { throw error(.unknownTable(name), at: name) }
    return try table.keys.sorted().map { key in
      guard let text = table[key]?.string else { throw error(.notText(key), at: key, in: name) }
      return (key, text)
    }
  }

  func readRules(
    _ name: String, in file: TOMLTable, into rules: inout [StyleKey: StyleRule],
    complaint: (StyleRule) -> ThemeError.What?
  ) throws {
    for (key, text) in try texts(of: name, in: file) {
      guard let style = StyleKey(rawValue: key) else {
        throw error(.unknownStyle(key), at: key, in: name)
      }
      do {
        let rule = try StyleRule(parsing: text)
        if let complaint = complaint(rule) { throw error(complaint, at: key, in: name) }
        rules[style] = rule
      } catch let wrong as StyleRuleError {
        throw error(.unknownWord(wrong.word), at: key, in: name)
      }
    }
  }

  func error(_ what: ThemeError.What, at key: String, in table: String = "") -> ThemeError {
    ThemeError(line: line(of: key, in: table), what: what)
  }

  /// The line that gives `key` its value, or opens the table of that name; the TOML reader does not
  /// keep it. 0 when it is written in some rarer way.
  private func line(of key: String, in table: String) -> Int {
    var current = ""
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let bare = line.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
      if bare.hasPrefix("[") {
        current = String(bare.dropFirst().prefix { $0 != "]" })
        if table.isEmpty && current == key { return number + 1 }
      } else if current == table, bare.hasPrefix(key + "=") {
        return number + 1
      }
    }
    return 0
  }
}

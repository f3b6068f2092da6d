import SettingsFiles
import TOMLKit

/// What a person chose for good: `preferences.toml` in the folder of the configuration.
///
/// ```toml
/// theme = "dark"
/// mouse = true
/// links = true
/// ```
public struct Preferences: Hashable, Sendable {
  /// nil: the terminal's own colours.
  public var theme: String?
  public var hasMouse = false
  /// Whether sites can be opened where they stand (OSC 8).
  public var hasLinks = false

  public init() {}

  /// - Throws: the line of what is no preference.
  public init(parsing text: String) throws(PreferencesError) {
    let table: TOMLTable
    do {
      table = try SettingsText(text: text).table()
    } catch {
      throw PreferencesError(line: error.line, reason: error.reason)
    }
    for (key, value) in table {
      switch key {
      case "theme" where value.string != nil: theme = value.string
      case "mouse" where value.bool != nil: hasMouse = value.bool ?? false
      case "links" where value.bool != nil: hasLinks = value.bool ?? false
      default:
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = lines.firstIndex { $0.drop { $0 == " " }.hasPrefix(key) }.map { $0 + 1 } ?? 0
        throw PreferencesError(
          line: line,
          reason: "`\(key)` is not one of theme = \"NAME\", mouse and links = true or false")
      }
    }
  }

  /// As it is written to the file.
  public var text: String {
    let table = TOMLTable()
    table["theme"] = theme
    table["mouse"] = hasMouse
    table["links"] = hasLinks
    return table.convert() + "\n"
  }
}

/// What is wrong with `preferences.toml`, and on which line; 0 when it cannot be told.
public struct PreferencesError: Error, Hashable, Sendable {
  public let line: Int
  public let reason: String
}

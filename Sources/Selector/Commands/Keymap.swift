import SettingsFiles
import Synchronization
import TOMLKit

/// Which key does what where.
public struct Keymap: Sendable {
  /// All commands with the keys that hold now.
  public let commands: [Command]
  private let bindings: [Place: [Key: Command.ID]]
  private let memory = Memory()

  /// Each frame names keys, so what can be done where is worked out once.
  private final class Memory: Sendable {
    let found = Mutex<[Place: [Command]]>([:])
  }

  public static let standard = Keymap(Command.table)

  private init(_ commands: [Command]) {
    self.commands = commands
    var bindings: [Place: [Key: Command.ID]] = [:]
    for command in commands {
      for key in command.keys { bindings[command.place, default: [:]][key] = command.id }
    }
    self.bindings = bindings
  }

  /// What `key` does at `place`; the nearest place of its chain decides.
  func command(for key: Key, at place: Place) -> Command.ID? {
    for near in place.chain {
      if let id = bindings[near]?[key] { return id }
    }
    return nil
  }

  /// What can be done at `place`, nearest first, without what a nearer command hides.
  func commands(at place: Place) -> [Command] {
    memory.found.withLock { found in
      if let commands = found[place] { return commands }
      let commands = unhidden(at: place)
      found[place] = commands
      return commands
    }
  }

  private func unhidden(at place: Place) -> [Command] {
    var taken: Set<Key> = []
    var found: [Command] = []
    for near in place.chain {
      let here = commands.filter { $0.place == near }
      for var command in here {
        command.keys.removeAll(where: taken.contains)
        if !command.keys.isEmpty { found.append(command) }
      }
      taken.formUnion(here.flatMap(\.keys))
    }
    return found
  }

  /// The standard keys with those of a `keys.toml` in their place:
  ///
  /// ```toml
  /// [contexts]
  /// open = ["Enter", "o"]
  /// [everywhere]
  /// quit = "Q"
  /// ```
  ///
  /// A command that is named loses its standard keys; an empty list leaves it without any.
  public static func parse(_ text: String) throws(KeymapError) -> Keymap {
    let table: TOMLTable
    do {
      table = try SettingsText(text: text).table()
    } catch {
      throw .syntax(line: error.line, reason: error.reason)
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var commands = Command.table
    for (name, value) in table {
      let line = KeymapError.line(of: "[\(name)", in: lines)
      guard let place = Place(rawValue: name), let entries = value.table else {
        throw .unknownPlace(line: line, name: name)
      }
      try apply(entries, at: place, from: line, in: lines, to: &commands)
    }
    try checkKeys(of: commands, in: lines)
    return Keymap(commands)
  }

  private static func apply(
    _ entries: TOMLTable, at place: Place, from start: Int, in lines: [String],
    to commands: inout [Command]
  ) throws(KeymapError) {
    for (name, value) in entries {
      let line = KeymapError.line(of: name, in: lines, after: start)
      guard
        let position = commands.firstIndex(where: { $0.place == place && $0.id.rawValue == name })
      else { throw .unknownCommand(line: line, place: place.rawValue, name: name) }
      commands[position].keys = try keys(value, line: line)
    }
  }

  private static func keys(
    _ value: any TOMLValueConvertible, line: Int
  ) throws(KeymapError) -> [Key] {
    var texts: [String] = []
    if let one = value.string {
      texts = [one]
    } else if let several = value.array {
      texts = several.map { $0.string ?? "" }
    } else {
      throw .unknownKey(line: line, name: "")
    }
    var keys: [Key] = []
    for text in texts {
      guard let key = Key(text) else { throw .unknownKey(line: line, name: text) }
      keys.append(key)
    }
    return keys
  }

  private static func checkKeys(
    of commands: [Command], in lines: [String]
  ) throws(KeymapError) {
    var seen: [Place: [Key: Command.ID]] = [:]
    for command in commands {
      for key in command.keys {
        if let other = seen[command.place, default: [:]].updateValue(command.id, forKey: key) {
          let place = command.place.rawValue
          let start = KeymapError.line(of: "[\(place)", in: lines)
          // One of the two may be a standard key, which no line gives.
          let said = [command.id, other].map {
            KeymapError.line(of: $0.rawValue, in: lines, after: start)
          }
          throw .usedTwice(
            line: said.max() ?? 0, key: key.description, place: place, first: other.rawValue,
            second: command.id.rawValue)
        }
      }
    }
  }
}

/// What is wrong with a `keys.toml`. Lines count from 1; 0 when it cannot be told.
public enum KeymapError: Error, Hashable, Sendable {
  case syntax(line: Int, reason: String)
  case unknownPlace(line: Int, name: String)
  case unknownCommand(line: Int, place: String, name: String)
  case unknownKey(line: Int, name: String)
  case usedTwice(line: Int, key: String, place: String, first: String, second: String)

  /// The first line after `start` that begins with the word `text`.
  static func line(of text: String, in lines: [String], after start: Int = 0) -> Int {
    let found = lines.indices.first { place in
      let line = lines[place].drop { $0 == " " || $0 == "\"" || $0 == "\t" }
      guard place >= start, line.hasPrefix(text) else { return false }
      return line.dropFirst(text.count).first.map { !$0.isLetter && $0 != "-" } ?? true
    }
    return found.map { $0 + 1 } ?? 0
  }
}

extension KeymapError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .syntax(let line, let reason): "line \(line): \(reason)"
    case .unknownPlace(let line, let name):
      "line \(line): [\(name)] is no place; places: "
        + Place.allCases.map(\.rawValue).joined(separator: ", ")
    case .unknownCommand(let line, let place, let name):
      "line \(line): [\(place)] has no command \(name)"
    case .unknownKey(let line, let name):
      "line \(line): \"\(name)\" is no key; write j, G, Space, Enter, S-Tab, C-n, M-b, F5"
    case .usedTwice(let line, let key, let place, let first, let second):
      "line \(line): [\(place)] uses \(key) for \(first) and for \(second)"
    }
  }
}

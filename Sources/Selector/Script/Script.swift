/// Keys to press and screens to wait for: drives the selector in tests, demonstrations and
/// pictures as a person would.
///
/// One step a line; empty lines and lines that begin with `#` say nothing:
/// ```
/// press j j Enter 5j      keys as keys.toml names them, or letters typed one by one
/// type correct horse      the rest of the line, as typed
/// paste two words         the rest of the line, at once
/// wait github.example     until the screen shows this text
/// gone synchronising      until the screen shows it no more
/// pause 1.5               seconds, for whoever looks on
/// say This is a context.  in the message row, until the next key
/// size 120x35             only where there is no terminal
/// save list.txt           the screen as text, or as a picture when the name ends in .svg
/// ```
public struct Script: Hashable, Sendable {
  public enum Step: Hashable, Sendable {
    case press([Key])
    case type(String)
    case paste(String)
    case wait(String)
    case gone(String)
    case pause(milliseconds: Int)
    case say(String)
    case size(Size)
    case save(String)
  }

  /// A step and where it stands, counted from 1.
  public struct Line: Hashable, Sendable {
    public let number: Int
    public let step: Step
  }

  /// 1 MiB: a tour of an hour has some thousand lines.
  public static let limitBytes = 1 << 20
  /// 60 s: nobody looks on longer.
  public static let longestPause = 60_000

  public let lines: [Line]

  /// - Throws: the first line that is no step.
  public init(parsing text: String) throws(ScriptError) {
    var lines: [Line] = []
    let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (place, line) in all.enumerated() {
      let bare = line.drop { $0 == " " || $0 == "\t" }
      if bare.isEmpty || bare.hasPrefix("#") { continue }
      let verb = bare.prefix { $0 != " " }
      let rest = String(bare.dropFirst(verb.count + 1))
      let step = try Self.step(String(verb), rest, line: place + 1)
      lines.append(Line(number: place + 1, step: step))
    }
    self.lines = lines
  }

  private static func step(
    _ verb: String, _ rest: String, line: Int
  ) throws(ScriptError) -> Step {
    guard verbs.contains(verb) else { throw ScriptError(line: line, what: .unknown(verb)) }
    guard !rest.isEmpty else { throw ScriptError(line: line, what: .incomplete(verb)) }
    switch verb {
    case "press": return .press(try keys(rest, line: line))
    case "type": return .type(rest)
    case "paste": return .paste(rest)
    case "wait": return .wait(rest)
    case "gone": return .gone(rest)
    case "say": return .say(rest)
    case "save": return .save(rest)
    case "size":
      guard let size = Size(written: rest) else {
        throw ScriptError(line: line, what: .size(rest))
      }
      return .size(size)
    default:
      guard let seconds = Double(rest), seconds >= 0, seconds * 1000 <= Double(longestPause)
      else { throw ScriptError(line: line, what: .pause(rest)) }
      return .pause(milliseconds: Int(seconds * 1000))
    }
  }

  private static let verbs: Set = [
    "press", "type", "paste", "wait", "gone", "pause", "say", "size", "save",
  ]

  /// A word that names no key is typed letter by letter, so that `5j` needs no spaces.
  private static func keys(_ text: String, line: Int) throws(ScriptError) -> [Key] {
    var keys: [Key] = []
    for word in text.split(separator: " ").map(String.init) {
      if let key = Key(word) {
        keys.append(key)
      } else {
        let letters = word.compactMap { Key(String($0)) }
        guard letters.count == word.count, !word.contains("-") else {
          throw ScriptError(line: line, what: .key(word))
        }
        keys += letters
      }
    }
    return keys
  }
}

/// A line of a script that cannot be played.
public struct ScriptError: Error, Hashable, Sendable {
  public enum What: Hashable, Sendable {
    case unknown(String)
    case incomplete(String)
    case key(String)
    case size(String)
    case pause(String)
  }

  /// Counted from 1.
  public let line: Int
  public let what: What
}

extension ScriptError: CustomStringConvertible {
  public var description: String { "line \(line): \(what.sentence)" }
}

extension ScriptError.What {
  fileprivate var sentence: String {
    switch self {
    case .unknown(let verb):
      "`\(verb)` is none of press, type, paste, wait, gone, pause, say, size, save"
    case .incomplete(let verb): "`\(verb)` says nothing more"
    case .key(let name): "\"\(name)\" is no key; write j, G, Space, Enter, S-Tab, C-n, M-b, F5"
    case .size(let text): "\"\(text)\" is no size; write 80x24, from 1x1 to 1000x1000"
    case .pause(let text): "\"\(text)\" is no pause; write seconds, up to 60"
    }
  }
}

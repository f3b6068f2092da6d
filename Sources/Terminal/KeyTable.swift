import Selector

/// The byte sequences a terminal's description gives its keys.
struct KeyTable: Sendable {
  private var keys: [[UInt8]: Key] = [:]
  private var prefixes: Set<[UInt8]> = []
  private var longest = 0

  enum Match: Equatable {
    case none
    /// The bytes begin a sequence but do not end one.
    case beginning
    case key(Key, length: Int)
  }

  init(_ sequences: [(bytes: [UInt8], key: Key)] = []) {
    for (bytes, key) in sequences where !bytes.isEmpty {
      keys[bytes] = key
      longest = max(longest, bytes.count)
      for length in 1..<max(1, bytes.count) {
        prefixes.insert(Array(bytes[..<length]))
      }
    }
  }

  /// The longest sequence `bytes` begins with.
  func match(_ bytes: ArraySlice<UInt8>) -> Match {
    var length = min(longest, bytes.count)
    while length > 0 {
      if let key = keys[Array(bytes.prefix(length))] { return .key(key, length: length) }
      length -= 1
    }
    return prefixes.contains(Array(bytes)) ? .beginning : .none
  }

  /// Capability names of terminfo(5) and the keys they stand for. Shift is not told apart, except
  /// for the tabulator; the numbered ones are xterm's for Alt (3, 4), Control (5, 6) and both.
  static let capabilities: [(name: String, key: Key)] = {
    var all: [(String, Key)] = [
      ("kcuu1", .named(.up)), ("kcud1", .named(.down)), ("kcub1", .named(.left)),
      ("kcuf1", .named(.right)), ("khome", .named(.home)), ("kend", .named(.end)),
      ("kpp", .named(.pageUp)), ("knp", .named(.pageDown)), ("kich1", .named(.insert)),
      ("kdch1", .named(.delete)), ("kcbt", .named(.backTab)), ("kent", .named(.enter)),
      ("kLFT", .named(.left)), ("kRIT", .named(.right)), ("kHOM", .named(.home)),
      ("kEND", .named(.end)), ("kPRV", .named(.pageUp)), ("kNXT", .named(.pageDown)),
      ("kDC", .named(.delete)), ("kIC", .named(.insert)), ("kri", .named(.up)),
      ("kind", .named(.down)),
    ]
    let modified: [(String, Key.Name)] = [
      ("kUP", .up), ("kDN", .down), ("kLFT", .left), ("kRIT", .right), ("kHOM", .home),
      ("kEND", .end), ("kPRV", .pageUp), ("kNXT", .pageDown), ("kDC", .delete), ("kIC", .insert),
    ]
    let numbers: [(Int, Key.Modifiers)] = [
      (3, .alt), (4, .alt), (5, .control), (6, .control), (7, [.control, .alt]),
      (8, [.control, .alt]),
    ]
    for (name, key) in modified {
      all += numbers.map { ("\(name)\($0.0)", Key(.named(key), $0.1)) }
    }
    all += (1...63).map { ("kf\($0)", .named(.f($0))) }
    return all
  }()
}

import CNcurses
import Foundation
import Selector

/// What this terminal understands beyond its cells, and the bytes for it.
struct Features: Sendable {
  /// Whether it knows xterm's window title (OSC 2), bracketed paste and synchronized output; a
  /// terminal that knows only some of them passes over the others.
  let isXtermLike: Bool
  /// What a screen begins and ends with besides what ncurses itself sends.
  let enter: [UInt8]
  let leave: [UInt8]
  private let environment: [String: String]

  static let frameStart = Array("\u{1B}[?2026h".utf8)
  static let frameEnd = Array("\u{1B}[?2026l".utf8)
  /// Buttons and wheel (1000), reported as numbers of any size (1006).
  static let mouseOn = Array("\u{1B}[?1000h\u{1B}[?1006h".utf8)
  static let mouseOff = Array("\u{1B}[?1006l\u{1B}[?1000l".utf8)
  static let bell: UInt8 = 0x07
  /// Around cells that open `address`, which is printable ASCII.
  static func linkStart(_ address: String) -> [UInt8] {
    Array("\u{1B}]8;;\(address)\u{1B}\\".utf8)
  }
  static let linkEnd = Array("\u{1B}]8;;\u{1B}\\".utf8)

  /// Far more than a title needs; what is longer is cut.
  static let titleLimit = 128

  /// Reads the description that `screen_open` has loaded.
  init(term: String, environment: [String: String]) {
    self.environment = environment.merging(["TERM": term]) { $1 }
    isXtermLike = ClipboardSequence.isXtermLike(self.environment)
    var enter = Self.capability("smkx")
    var leave: [UInt8] = []
    if isXtermLike {
      enter += Array("\u{1B}[?2004h".utf8)
      leave += Self.frameEnd + Self.mouseOff + Array("\u{1B}[?2004l".utf8)
    }
    leave += Self.capability("rmkx") + Self.capability("sgr0") + Self.capability("op")
    // The alternate screen is cleared too: terminals keep it, and show it to the next program.
    leave += Self.capability("clear") + Self.capability("rmcup") + Self.capability("cnorm")
    if isXtermLike {
      enter += Array("\u{1B}[22;2t".utf8)
      leave += Array("\u{1B}[23;2t".utf8)
    }
    self.enter = enter
    self.leave = leave
  }

  func title(_ text: String) -> [UInt8] {
    guard isXtermLike, !text.isEmpty else { return [] }
    let shown = Sanitiser.display(String(text.prefix(Self.titleLimit)))
    return Array("\u{1B}]2;\(shown)\u{1B}\\".utf8)
  }

  /// Nil when the terminal has no clipboard or does not take that many bytes.
  func clipboard(_ bytes: [UInt8]) -> [UInt8]? {
    ClipboardSequence.bytes(bytes, environment: environment)
  }

  /// A string of the terminal's description; empty when it has none.
  static func capability(_ name: String) -> [UInt8] {
    guard let text = screen_capability(name) else { return [] }
    return withoutPadding(Array(String(cString: text).utf8))
  }

  /// Leaves out padding, `$<5*/>`, which only terminals on a real serial line need.
  static func withoutPadding(_ bytes: [UInt8]) -> [UInt8] {
    var plain: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.first {
      if rest.starts(with: Array("$<".utf8)), let end = rest.firstIndex(of: UInt8(ascii: ">")) {
        rest = rest[(end + 1)...]
      } else {
        plain.append(byte)
        rest.removeFirst()
      }
    }
    return plain
  }

  /// The keys of the terminal's description.
  static func keyTable() -> KeyTable {
    KeyTable(
      KeyTable.capabilities.compactMap { name, key in
        let bytes = capability(name)
        return bytes.isEmpty ? nil : (bytes, key)
      })
  }
}

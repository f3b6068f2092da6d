import CProcess
import Foundation

/// What `doctor` looks at of the terminal.
struct TerminalFacts: Hashable, Sendable {
  var isTerminal = true
  var term: String?
  /// Whether there is a description of it in the terminfo database.
  var isDescribed = true
  var isUTF8 = true
  var columns = 80
  var rows = 24

  static func current(_ environment: [String: String]) -> TerminalFacts {
    var size = winsize()
    let hasSize = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
    let term = environment["TERM"]
    return TerminalFacts(
      isTerminal: isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1, term: term,
      isDescribed: term.map { isDescribed($0, environment) } ?? false,
      isUTF8: isUTF8(environment), columns: hasSize ? Int(size.ws_col) : 0,
      rows: hasSize ? Int(size.ws_row) : 0)
  }

  /// Where ncurses looks, in its order (terminfo(5), "Fetching Compiled Descriptions").
  private static func isDescribed(_ term: String, _ environment: [String: String]) -> Bool {
    guard let first = term.first, !term.contains("/") else { return false }
    let folders = [
      environment["TERMINFO"], environment["HOME"].map { "\($0)/.terminfo" }, "/etc/terminfo",
      "/lib/terminfo", "/usr/share/terminfo",
    ]
    return folders.compactMap { $0 }.contains { folder in
      access("\(folder)/\(first)/\(term)", R_OK) == 0
    }
  }

  /// The first of these that is set counts (locale(7)).
  private static func isUTF8(_ environment: [String: String]) -> Bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty }
    let text = (set ?? "").lowercased()
    return text.contains("utf-8") || text.contains("utf8")
  }
}

/// What `doctor` looks at of the clipboard.
struct ClipboardFacts: Hashable, Sendable {
  /// The ways there are, the first to be tried first.
  var routes: [ClipboardRoute] = []

  static func current(_ environment: [String: String]) -> ClipboardFacts {
    ClipboardFacts(routes: ClipboardRoute.all(environment))
  }
}

/// What `doctor` looks at of this process.
struct MemoryFacts: Hashable, Sendable {
  var lockableBytes: UInt64
  var isDumpable: Bool

  static func current() -> MemoryFacts {
    MemoryFacts(lockableBytes: process_lockable_bytes(), isDumpable: process_is_dumpable() != 0)
  }

  /// What a person is told before the passphrase is typed; nil when keys are as safe as they can
  /// be.
  var warning: String? {
    guard lockableBytes < Doctor.lockedBytes else { return nil }
    return "Keys cannot be kept out of swap here: only \(lockableBytes / 1024) KiB of memory may be"
      + " locked. Everything works; `higgins doctor` tells the cure."
  }
}

import Foundation

/// One of the clipboards a person pastes from, reached through the tool their desktop or
/// multiplexer has for it. Everything here blocks: see ``SystemConsole/waiting(_:)``.
struct Clipboard: Sendable {
  enum Tool: String, CaseIterable, Sendable {
    case wlCopy = "wl-copy"
    case xclip
    case tmux
  }

  let tool: Tool
  var environment = ProcessInfo.processInfo.environment
  /// The program that clears later: this one. The new process follows the link itself, so that it
  /// names the program it was made from, even one that was replaced meanwhile.
  var clearing = "/proc/self/exe"

  private var copying: [String] {
    switch tool {
    case .wlCopy: ["wl-copy", "--sensitive"]
    case .xclip: ["xclip", "-selection", "clipboard", "-in"]
    // -w passes it on to the terminal's own clipboard, which tmux keeps from programs inside.
    case .tmux: ["tmux", "load-buffer", "-w", "-b", "higgins", "-"]
    }
  }

  private var pasting: [String] {
    switch tool {
    case .wlCopy: ["wl-paste", "--no-newline"]
    case .xclip: ["xclip", "-selection", "clipboard", "-out"]
    case .tmux: ["tmux", "show-buffer", "-b", "higgins"]
    }
  }

  /// Copies, and leaves a process behind that clears after `seconds` what is still there then.
  func copy(_ text: String, clearAfter seconds: Int) throws {
    try put(text)
    do {
      try AskedProgram(
        path: clearing,
        arguments: [
          ClearClipboardCommand.name, "--tool", tool.rawValue, "--after", "\(seconds)",
        ],
        environment: environment
      ).leave(as: tool.rawValue, input: Array(text.utf8))
    } catch {
      // Nobody would take it away.
      try clear(text)
      throw error
    }
  }

  private func put(_ text: String) throws {
    do {
      try ask(copying, input: text)
    } catch {
      // Older versions of wl-copy know no mark for secrets.
      guard tool == .wlCopy else { throw error }
      try ask(["wl-copy"], input: text)
    }
  }

  /// Takes `text` away if it is still what would be pasted.
  func clear(_ text: String) throws {
    guard try ask(pasting, limitBytes: text.utf8.count) == Array(text.utf8) else { return }
    switch tool {
    case .wlCopy: try ask(["wl-copy", "--clear"])
    case .xclip: try put("")
    case .tmux:
      // tmux takes no empty text, and hands on a space to the terminal's own clipboard.
      try put(" ")
      try ask(["tmux", "delete-buffer", "-b", "higgins"])
    }
  }

  @discardableResult
  private func ask(
    _ command: [String], input: String = "", limitBytes: Int = 0
  ) throws -> [UInt8] {
    guard let path = AskedProgram.find(command[0], in: environment) else {
      throw Failure(.failed, "\(command[0]) is not installed.")
    }
    return try AskedProgram(
      path: path, arguments: Array(command.dropFirst()), environment: environment
    ).run(input: Array(input.utf8), limitBytes: limitBytes)
  }
}

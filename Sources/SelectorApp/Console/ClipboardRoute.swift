import Foundation
import Terminal

/// A way to the clipboard a person pastes from.
enum ClipboardRoute: Hashable, Sendable {
  /// The terminal's own clipboard (OSC 52), wherever that terminal is.
  case terminal
  case tool(Clipboard.Tool)

  /// The ways from here, the likeliest first.
  ///
  /// Over SSH a desktop's clipboard is on the wrong machine, unless it was forwarded; the terminal
  /// is on the right one. tmux keeps its terminal's clipboard to itself, and is asked instead.
  static func all(_ environment: [String: String]) -> [ClipboardRoute] {
    func has(_ variable: String) -> Bool { environment[variable]?.isEmpty == false }
    let isRemote = has("SSH_CONNECTION") || has("SSH_TTY")
    let desktops: [(String, Clipboard.Tool)] = [("WAYLAND_DISPLAY", .wlCopy), ("DISPLAY", .xclip)]
    let desktop = desktops.filter { has($0.0) }.map { Self.tool($0.1) }
    let terminal: [ClipboardRoute] =
      ClipboardSequence.bytes([], environment: environment) == nil ? [] : [.terminal]
    let screen = has("TMUX") ? [.tool(.tmux)] + terminal : terminal
    return (isRemote ? screen + desktop : desktop + screen).filter { $0.isThere(environment) }
  }

  private func isThere(_ environment: [String: String]) -> Bool {
    guard case .tool(let tool) = self else { return true }
    return AskedProgram.find(tool.rawValue, in: environment) != nil
  }

  /// What came of a copy.
  struct Copied: Sendable {
    /// Names the way for the person: a terminal never says whether it took what it was sent.
    let words: String
    /// Whether something else than this process clears it in time.
    let outlivesProcess: Bool
    /// Takes it away if it is still there, as far as that can be known; nothing happens the second
    /// time.
    let clear: @Sendable () async -> Void
  }

  /// Who writes to the terminal.
  enum Writer: Sendable {
    /// The selector's screen, while it is open.
    case screen(any Surface)
    /// A command that ends before it is time to clear.
    case command
  }

  /// Copies by the first way that works, clears after `seconds` by the same one, and says which.
  ///
  /// It never holds up the caller's executor, and no way takes longer than
  /// ``AskedProgram/limitSeconds`` for each program asked.
  static func copy(
    _ text: String, by writer: Writer, clearAfter seconds: Int,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) async throws -> Copied {
    var reasons: [String] = []
    for route in all(environment) {
      do {
        switch route {
        case .terminal: return try await send(text, by: writer, seconds, environment)
        case .tool(let tool):
          let clipboard = Clipboard(tool: tool, environment: environment)
          try await SystemConsole.waiting { _ in
            try clipboard.copy(text, clearAfter: seconds)
          }
          return Copied(words: "copied with \(tool.rawValue)", outlivesProcess: true) {
            // The process that was left behind clears it in time if this does not work.
            try? await SystemConsole.waiting { _ in try clipboard.clear(text) }
          }
        }
      } catch {
        reasons.append(Failure(error).sentence)
      }
    }
    let why =
      reasons.isEmpty
      ? "There is no clipboard here: install wl-clipboard or xclip, or use tmux."
      : reasons.joined(separator: " ")
    throw Failure(.failed, "\(why) Nothing was copied.")
  }

  /// Terminals do not pass an empty clipboard on: a space takes the place of the secret.
  static let blank: [UInt8] = [0x20]

  private static func send(
    _ text: String, by writer: Writer, _ seconds: Int, _ environment: [String: String]
  ) async throws -> Copied {
    switch writer {
    case .screen(let surface):
      guard surface.sendToClipboard(Array(text.utf8)) else {
        throw Failure(.failed, "The terminal's clipboard does not take so much.")
      }
      return sent(clearing: surface, after: seconds)
    case .command:
      try await SystemConsole.waiting { _ in
        try TerminalClipboard(environment: environment).copy(text, clearAfter: seconds)
      }
      return Copied(words: "sent to terminal", outlivesProcess: true) {}
    }
  }

  private static func sent(clearing surface: any Surface, after seconds: Int) -> Copied {
    let flag = CancellationFlag()
    let clear: @Sendable () -> Void = {
      guard flag.setFirst() else { return }
      _ = surface.sendToClipboard(blank)
    }
    let timer = Task {
      do {
        try await Task.sleep(for: .seconds(seconds))
      } catch {
        return
      }
      clear()
    }
    return Copied(words: "sent to terminal", outlivesProcess: false) {
      timer.cancel()
      clear()
    }
  }
}

/// The clipboard of the terminal this process was started in, for a command without a screen.
struct TerminalClipboard: Sendable {
  let environment: [String: String]
  /// See ``Clipboard/clearing``.
  var clearing = "/proc/self/exe"

  /// Sends it, and leaves a process behind that sends a space after `seconds`: what a terminal
  /// holds by then nobody can ask it.
  func copy(_ text: String, clearAfter seconds: Int) throws {
    let terminal = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { throw Failure(.failed, "This command has no terminal.") }
    defer { close(terminal) }
    try send(Array(text.utf8), to: terminal)
    try AskedProgram(
      path: clearing, arguments: [ClearClipboardCommand.name, "--after", "\(seconds)"],
      environment: environment
    ).leave(as: "terminal", input: [], output: terminal)
  }

  /// Writes the sequence for `bytes` to a terminal.
  func send(_ bytes: [UInt8], to descriptor: Int32) throws {
    guard let sequence = ClipboardSequence.bytes(bytes, environment: environment) else {
      throw Failure(.failed, "The terminal's clipboard does not take so much.")
    }
    do {
      try Descriptor.write(sequence, to: descriptor)
    } catch {
      throw ConsoleError.file("the terminal", operation: "Writing to", code: error.code)
    }
  }
}

import Foundation
import Terminal

/// The way to the clipboard a person pastes from, and what it is called.
enum ClipboardRoute {
  /// Copies, clears after `seconds` by the same way, and says which it took.
  ///
  /// Over SSH the terminal's own clipboard comes first, by OSC 52: nobody hears whether it was
  /// taken, so it is "sent". The desktop's and tmux's tools are asked before it elsewhere.
  static func copy(
    _ text: String, terminal: Terminal, clearAfter seconds: Int
  ) async throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let isRemote = environment["SSH_CONNECTION"]?.isEmpty == false
    if isRemote, environment["TMUX"] == nil, send(text, terminal, clearAfter: seconds) {
      return "sent to terminal"
    }
    do {
      let clipboard = try Clipboard.system()
      try await clipboard.copy(text, clearAfter: seconds)
      return "copied with \(clipboard.tool.rawValue)"
    } catch {
      guard send(text, terminal, clearAfter: seconds) else { throw error }
      return "sent to terminal"
    }
  }

  private static func send(_ text: String, _ terminal: Terminal, clearAfter seconds: Int) -> Bool {
    guard terminal.sendToClipboard(Array(text.utf8)) else { return false }
    Task {
      do {
        try await Task.sleep(for: .seconds(seconds))
      } catch {
        return
      }
      // Terminals do not pass an empty clipboard on: a space takes the place of the secret.
      _ = terminal.sendToClipboard([0x20])
    }
    return true
  }
}

import Foundation
import Terminal

/// The way to the clipboard a person pastes from, and what it is called.
enum ClipboardRoute {
  /// What was copied, so that it can be taken away before its time.
  struct Copied: Sendable {
    /// Names the way for the person.
    let route: String
    /// Whether something else than this process clears it in time.
    let outlivesProcess: Bool
    /// Takes it away if it is still there; nothing happens the second time.
    let clear: @Sendable () async -> Void
  }

  /// Copies, clears after `seconds` by the same way, and says which it took.
  ///
  /// Over SSH the terminal's own clipboard comes first, by OSC 52: nobody hears whether it was
  /// taken, so it is "sent". The desktop's and tmux's tools are asked before it elsewhere.
  static func copy(
    _ text: String, terminal: any Surface, clearAfter seconds: Int
  ) async throws -> Copied {
    let environment = ProcessInfo.processInfo.environment
    let isRemote = environment["SSH_CONNECTION"]?.isEmpty == false
    if isRemote, environment["TMUX"] == nil,
      let sent = send(text, terminal, clearAfter: seconds)
    {
      return sent
    }
    do {
      let clipboard = try Clipboard.system()
      try await clipboard.copy(text, clearAfter: seconds)
      return Copied(route: "copied with \(clipboard.tool.rawValue)", outlivesProcess: true) {
        // The process that was left behind clears it in time if this does not work.
        try? clipboard.clear(text)
      }
    } catch {
      guard let sent = send(text, terminal, clearAfter: seconds) else { throw error }
      return sent
    }
  }

  private static func send(_ text: String, _ terminal: any Surface, clearAfter seconds: Int)
    -> Copied?
  {
    guard terminal.sendToClipboard(Array(text.utf8)) else { return nil }
    // Terminals do not pass an empty clipboard on: a space takes the place of the secret.
    let timer = Task {
      do {
        try await Task.sleep(for: .seconds(seconds))
      } catch {
        return
      }
      _ = terminal.sendToClipboard([0x20])
    }
    return Copied(route: "sent to terminal", outlivesProcess: false) {
      guard !timer.isCancelled else { return }
      timer.cancel()
      _ = terminal.sendToClipboard([0x20])
    }
  }
}

public import Selector

/// What happens at the terminal.
public enum TerminalEvent: Hashable, Sendable {
  case key(Key)
  /// A bracketed paste, as one text; line ends are `\n`, bytes that are no UTF-8 are U+FFFD.
  case paste(String)
  /// A paste over `InputDecoder.pasteLimitBytes`; nothing of it is used.
  case pasteRefused(bytes: Int)
  /// Only after `Terminal.setMouse(true)`.
  case mouse(Mouse)
  case resize(Size)
  /// Another program asks this one to stop (SIGTSTP): conceal, then call `Terminal.suspend()`.
  case suspendRequested
  /// The program was stopped and goes on; the screen is empty until a frame is shown.
  case continued
  /// SIGHUP: the terminal is about to go or has gone.
  case hangup
  /// SIGTERM or SIGINT from outside, by number: quit.
  case terminate(signal: Int32)
  /// The terminal is gone. The last event; nothing can be shown any more.
  case lost
}

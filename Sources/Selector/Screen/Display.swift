/// Where frames go: the terminal, or a list of frames in a test.
public protocol Display: Sendable {
  /// Shows `frame` in the colours of `theme`, the next time the display is free. Only the newest
  /// frame counts: one that was not yet painted when the next arrives is never seen.
  func show(_ frame: Frame, theme: Theme) async

  /// Gives the terminal back and stops the program until the shell continues it.
  ///
  /// Show a frame without secrets first. On return the screen is empty: show a frame.
  func suspend() async

  /// Sends `bytes` to the clipboard of the person's terminal, which may or may not take it: say
  /// "sent to terminal", never "copied". Empty bytes ask it to forget.
  /// - Returns: false when they are too many for a terminal or the terminal has no such thing.
  func sendToClipboard(_ bytes: [UInt8]) async -> Bool

  /// Puts the terminal back as it was found. Nothing is shown afterwards; a second call does
  /// nothing.
  func close() async
}

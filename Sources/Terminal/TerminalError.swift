/// Why no screen can be shown.
public enum TerminalError: Error, Hashable, Sendable {
  /// Standard input or output is no terminal.
  case notATerminal
  /// TERM names a terminal that cannot place its cursor, or is empty.
  case dumb(term: String)
  /// No description of this TERM is installed.
  case unknownTerminal(term: String)
  /// A process has one screen.
  case alreadyOpen
  /// The system refused, with its error number.
  case system(code: Int32)
}

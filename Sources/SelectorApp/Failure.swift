/// What a person is told when something did not work, and the exit code a script is told.
///
/// The sentence says what happened, what stays safe, and what to do. ``init(_:)`` is the one table
/// from every error of the lower targets to such a sentence.
struct Failure: Error, Hashable {
  /// The exit codes scripts rely on.
  enum Code: Int32, CaseIterable {
    case failed = 1
    /// Not found, or ambiguous.
    case notFound = 2
    /// Locked, or a wrong passphrase.
    case locked = 3
    /// The command needs the server and has none.
    case offline = 4
    /// A conflict needs a person.
    case conflict = 5
    /// The server, or a commit, is not what its signatures say.
    case alarm = 6
    case usage = 64
  }

  let code: Code
  /// One line, without a closing newline; empty when there is nobody left to read it.
  let sentence: String

  init(_ code: Code, _ sentence: String) {
    self.code = code
    self.sentence = sentence
  }
}

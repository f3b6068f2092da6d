/// The invariants of the protocol, by their names in the design.
enum Invariant: String, Sendable, CaseIterable {
  /// No loss: what was durably committed anywhere stands everywhere at rest.
  case s1
  /// A version is hidden only by one whose author had seen it.
  case s2
  /// Equal frontiers show equal contexts; at rest all frontiers are equal, the server's too.
  case s3
  /// Nobody sees a part of a commit; nothing leaves midway through an edit.
  case s4
  /// What a device holds never shrinks, across crashes.
  case s5
  /// A commit is held only with all it depends on; a device reads what it wrote.
  case s6
  /// A message delivered several times is delivered once.
  case s7
  /// No device signs two commits of one sequence, or seals twice with one nonce.
  case s8
  /// It comes to rest, and asks no more often than a budget allows.
  case s9
  /// Nothing is dropped before something proven stands for it.
  case s10
  /// All that is applied was signed by a member; no alarm without a fault.
  case s11
  /// A server that rolls back, withholds or forks raises the alarm that says so.
  case s12
  /// After a revocation nothing is sealed that opens with a key the revoked device had.
  case s13
  /// S1 to S3 hold without the push service, and with one that lies.
  case s14
  /// They hold with wrong clocks; tokens fail closed.
  case s15
  /// After a crash the disk holds the state before a write or after it.
  case s16
}

/// A check that failed.
struct Violation: Error, CustomStringConvertible, Sendable {
  let invariant: Invariant
  let text: String

  init(_ invariant: Invariant, _ text: String) {
    self.invariant = invariant
    self.text = text
  }

  var description: String { "\(invariant.rawValue.uppercased()): \(text)" }
}

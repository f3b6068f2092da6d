/// One line of `higgins doctor`.
struct Finding: Hashable, Sendable, Encodable {
  enum State: String, Encodable, Sendable {
    case good = "ok"
    /// Works, and should be better.
    case warning
    case failed
  }

  let check: String
  let state: State
  let text: String
  /// What to do about it.
  let cure: String?

  static func good(_ check: String, _ text: String) -> Finding {
    Finding(check: check, state: .good, text: text, cure: nil)
  }

  static func warning(_ check: String, _ text: String, cure: String) -> Finding {
    Finding(check: check, state: .warning, text: text, cure: cure)
  }

  static func failed(_ check: String, _ text: String, cure: String?) -> Finding {
    Finding(check: check, state: .failed, text: text, cure: cure)
  }

  /// State, check, and what there is to say.
  var row: [String] {
    [state.rawValue, check, cure.map { "\(text). \($0)" } ?? text]
  }
}

/// How far something long has come, counted: "snapshot 3 of 12".
public struct SyncProgress: Hashable, Sendable {
  public let done: Int
  public let total: Int
  /// What is counted, in a word a person can use.
  public let what: String

  public init(done: Int, total: Int, what: String) {
    self.done = done
    self.total = total
    self.what = what
  }
}

extension FixedWidthInteger {
  /// The sum, or the greatest number there is: what a server says may be any number.
  func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

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

/// Counts what goes and comes in one synchronisation: "sync 12 of 40".
public struct SyncCount: Hashable, Sendable {
  /// 20 commits: what less takes is over before it is read.
  public static let worthSaying = 20

  private var total = 0
  private var rest = 0

  public init() {}

  /// Notes what is still to come or go. What comes to be known on the way adds to the whole; the
  /// end of the run ends the count.
  public mutating func note(rest: Int, isRunning: Bool) {
    guard isRunning, rest > 0 else {
      (total, self.rest) = (0, 0)
      return
    }
    if rest > self.rest { total = total.addingClamped(rest - self.rest) }
    self.rest = rest
  }

  /// nil where it is not worth saying.
  public var progress: SyncProgress? {
    total < Self.worthSaying
      ? nil : SyncProgress(done: total - rest, total: total, what: "sync")
  }
}

extension FixedWidthInteger {
  /// The sum, or the greatest number there is: what a server says may be any number.
  func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

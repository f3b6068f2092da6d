/// How long to wait before the next attempt: a random part of a span that doubles with each failure
/// ("full jitter", M. Brooker, Exponential Backoff And Jitter, 2015), so that many devices that
/// lost the same server do not come back at once.
///
/// Spans: 0.5 s, 1 s, 2 s … 60 s.
public struct Backoff: Hashable, Sendable {
  public static let firstSpan = Duration.milliseconds(500)
  public static let longestSpan = Duration.seconds(60)

  /// Failures since the last ``reset()``.
  public private(set) var failures = 0

  public init() {}

  /// The span the next wait is chosen from.
  public var span: Duration {
    // 2^7 × 0.5 s is past the longest; more doubling would only overflow.
    min(Self.firstSpan * (1 << min(failures, 7)), Self.longestSpan)
  }

  /// The wait after one more failure.
  ///
  /// - Parameter random: from 0 to 1, without 1.
  public mutating func next(random: Double) -> Duration {
    let wait = span * random
    failures += 1
    return wait
  }

  public mutating func reset() {
    failures = 0
  }
}

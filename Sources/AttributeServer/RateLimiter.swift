import Synchronization
import Wire

/// How often something may be asked: a bucket that refills steadily (token bucket).
public struct Rate: Hashable, Sendable {
  public let perSecond: Double
  public let burst: Double

  public init(perSecond: Double, burst: Double) {
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// One bucket for each key. Full buckets are forgotten, so memory follows those who ask often.
final class RateLimiter<Key: Hashable & Sendable>: Sendable {
  private struct Bucket {
    var tokens: Double
    var at: Duration
  }

  private struct State {
    var buckets: [Key: Bucket] = [:]
    /// Above this many keys, those whose bucket has filled up again are swept out.
    var sweptAbove = RateLimiter.leastSweptAbove
  }

  private static var leastSweptAbove: Int { 10_000 }

  private let rate: Rate
  private let state = Mutex(State())

  init(_ rate: Rate) {
    self.rate = rate
  }

  /// Takes one token, or throws ``/Wire/Problem/Code/rateLimited`` with the seconds until there is
  /// one.
  func take(_ key: Key, now: Duration) throws(Problem) {
    let wait = state.withLock { state -> Double? in
      if state.buckets.count > state.sweptAbove { sweep(&state, now: now) }
      var bucket = state.buckets[key] ?? Bucket(tokens: rate.burst, at: now)
      bucket.tokens = filled(bucket, now: now)
      bucket.at = now
      defer { state.buckets[key] = bucket }
      if let missing = secondsUntilToken(having: bucket.tokens) { return missing }
      bucket.tokens -= 1
      return nil
    }
    if let wait { throw Problem(.rateLimited, retryAfter: wait) }
  }

  /// Throws what ``take(_:now:)`` would, and takes nothing.
  func check(_ key: Key, now: Duration) throws(Problem) {
    let wait = state.withLock { state -> Double? in
      state.buckets[key].flatMap { secondsUntilToken(having: filled($0, now: now)) }
    }
    if let wait { throw Problem(.rateLimited, retryAfter: wait) }
  }

  /// nil if there is a whole one.
  private func secondsUntilToken(having tokens: Double) -> Double? {
    tokens >= 1 ? nil : (1 - tokens) / rate.perSecond
  }

  /// The next sweep is due at twice what is left: else each call of a crowd would search all of it.
  private func sweep(_ state: inout State, now: Duration) {
    state.buckets = state.buckets.filter { filled($0.value, now: now) < rate.burst }
    state.sweptAbove = max(Self.leastSweptAbove, 2 * state.buckets.count)
  }

  private func filled(_ bucket: Bucket, now: Duration) -> Double {
    let passed = max(0, (now - bucket.at) / .seconds(1))
    return min(rate.burst, bucket.tokens + passed * rate.perSecond)
  }
}

extension Problem {
  /// - Parameter retryAfter: seconds, rounded up.
  init(_ code: Code, retryAfter: Double) {
    self.init(code, retryAfterSeconds: max(1, Int(retryAfter.rounded(.up))))
  }
}

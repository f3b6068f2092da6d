import Synchronization
import Wire

/// Slows down who guesses passphrase and kit.
///
/// For each source, the first ``freeGuesses`` that fail cost nothing; the next has to wait a
/// second, and each further one twice as long as the one before. For each account that is named,
/// all failures together spend a bucket. Whether there is such an account makes no difference.
/// A proof that holds spends nothing, and devices prove themselves otherwise: no guess locks one
/// out.
final class GuessLimiter: Sendable {
  /// Passphrases mistyped in a row are seldom more.
  static let freeGuesses = 5
  /// Up to 64 s: what a person still waits for, and 1,350 guesses a day.
  private static let mostDoublings = 6
  /// Ten minutes without a failure are a new beginning.
  static let memory = Duration.seconds(600)
  /// Above this many sources, those whose time is over are swept out.
  private static let leastSweptAbove = 10_000

  private struct Failures {
    var count: Int
    var last: Duration

    var wait: Duration {
      guard count >= freeGuesses else { return .zero }
      return .seconds(1 << min(count - freeGuesses, mostDoublings))
    }
  }

  private struct State {
    var sources: [String: Failures] = [:]
    var sweptAbove = GuessLimiter.leastSweptAbove
  }

  private let state = Mutex(State())
  /// By the digest of the account's name.
  private let handles: RateLimiter<Digest32>

  init(handle: Rate) {
    handles = RateLimiter(handle)
  }

  /// Throws ``/Wire/Problem/Code/rateLimited`` while the next guess has to wait.
  func check(_ handle: Digest32, from source: String, now: Duration) throws(Problem) {
    let wait = state.withLock { state in
      state.sources[source].map { $0.last + $0.wait - now } ?? .zero
    }
    if wait > .zero { throw Problem(.rateLimited, retryAfter: wait / .seconds(1)) }
    try handles.check(handle, now: now)
  }

  func fail(_ handle: Digest32, from source: String, now: Duration) {
    state.withLock { state in
      if state.sources.count > state.sweptAbove { Self.sweep(&state, now: now) }
      var failures = state.sources[source] ?? Failures(count: 0, last: now)
      if now - failures.last >= Self.memory { failures.count = 0 }
      state.sources[source] = Failures(count: failures.count + 1, last: now)
    }
    // It was not spent a moment ago; that others spent it meanwhile changes nothing.
    try? handles.take(handle, now: now)
  }

  private static func sweep(_ state: inout State, now: Duration) {
    state.sources = state.sources.filter { now - $0.value.last < memory }
    state.sweptAbove = max(leastSweptAbove, 2 * state.sources.count)
  }
}

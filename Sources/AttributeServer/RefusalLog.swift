import Logging
import Synchronization
import Wire

/// Tells whoever runs the server that more was asked than is allowed: at once, and then once a
/// minute with how often, as a flood must not fill the log. No address and no account stands in it.
final class RefusalLog: Sendable {
  private static let pause = Duration.seconds(60)

  private struct State {
    var count = 0
    var told: Duration?
  }

  private let logger: Logger
  private let state = Mutex(State())

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// Passes on what `body` throws, and counts it.
  func counting(now: Duration, _ body: () throws(Problem) -> Void) throws(Problem) {
    do {
      try body()
    } catch {
      note(now: now)
      throw error
    }
  }

  private func note(now: Duration) {
    let count = state.withLock { state -> Int? in
      state.count += 1
      if let told = state.told, now - told < Self.pause { return nil }
      defer { state = State(count: 0, told: now) }
      return state.count
    }
    guard let count else { return }
    logger.warning(
      "More is asked without a token than is allowed; enrolled devices go on",
      metadata: ["refused": "\(count)"])
  }
}

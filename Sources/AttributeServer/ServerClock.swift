import Foundation

/// The time as the server reads it; passed in, so that tests move it.
public struct ServerClock: Sendable {
  /// Milliseconds since 1970: what tokens and answers say.
  public let now: @Sendable () -> Int64
  /// Never goes back: what waits and rates are measured by.
  public let uptime: @Sendable () -> Duration

  public init(
    now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration
  ) {
    self.now = now
    self.uptime = uptime
  }

  public static let system: ServerClock = {
    let start = ContinuousClock.now
    return ServerClock(
      now: { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) },
      uptime: { ContinuousClock.now - start })
  }()
}

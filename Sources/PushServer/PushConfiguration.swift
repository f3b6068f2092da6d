public import Access
public import Logging
import Wire

/// All that a Push Service is made of.
public struct PushConfiguration: Sendable {
  public var deviceHost: String
  /// 0 lets the system choose.
  public var devicePort: Int
  public var signalHost: String
  /// 0 lets the system choose.
  public var signalPort: Int
  /// Whoever sends signals bears it.
  public var serviceKey: String
  public var tokens: any TokenChecker
  /// `Origin` headers that are let in. Selectors send none; a page in a browser always does.
  public var allowedOrigins: Set<String>
  /// Devices and those that are still saying hello, together.
  public var maximumConnections: Int
  /// Milliseconds since 1970.
  public var now: @Sendable () -> Int64
  /// A clock that never goes back.
  public var uptime: @Sendable () -> Duration
  public var logger: Logger

  public init(
    deviceHost: String = "127.0.0.1", devicePort: Int = 0, signalHost: String = "127.0.0.1",
    signalPort: Int = 0, serviceKey: String, tokens: any TokenChecker,
    allowedOrigins: Set<String> = [], maximumConnections: Int = 20_000,
    now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration,
    logger: Logger
  ) {
    self.deviceHost = deviceHost
    self.devicePort = devicePort
    self.signalHost = signalHost
    self.signalPort = signalPort
    self.serviceKey = serviceKey
    self.tokens = tokens
    self.allowedOrigins = allowedOrigins
    self.maximumConnections = maximumConnections
    self.now = now
    self.uptime = uptime
    self.logger = logger
  }
}

public import Access
public import Logging
public import NIOSSL
public import Wire

/// All that a Push Service is made of.
public struct PushConfiguration: Sendable {
  /// 256: four accounts of 64 devices behind one address translator.
  public static let usualPerAddress = 256

  public var deviceHost: String
  /// 0 lets the system choose.
  public var devicePort: Int
  public var signalHost: String
  /// 0 lets the system choose.
  public var signalPort: Int
  /// Whoever sends signals bears it.
  public var serviceKey: String
  public var tokens: any TokenChecker
  /// Reads the Attribute Server's feed of revocations after the entry of that number, all that is
  /// kept for nil. Without it, only what is posted here is known.
  public var revocations: (@Sendable (UInt64?) async throws -> SignedRevocations)?
  /// 45 s: what was revoked while nothing could be posted is known within a minute.
  public var revocationInterval = Duration.seconds(45)
  /// `Origin` headers that are let in. Selectors send none; a page in a browser always does.
  public var allowedOrigins: Set<String>
  /// Devices and those that are still saying hello, together.
  public var maximumConnections: Int
  /// Connections of one address, an IPv6 network of 64 bits taken as one; nil, behind a proxy: no
  /// limit, as all come from there.
  public var connectionsPerAddress: Int?
  /// From the connection to the end of its first request, and from one request to the next.
  public var requestWait = Duration.seconds(10)
  /// How long a device that lost its connection may be away before the others are told.
  public var absence = Hub.usualAbsence
  /// Whether `/push/echo` sends back what comes, for conformance suites.
  public var echoes: Bool
  /// The demo chat at `/push_server/`; nil leaves it out.
  public var chat: Chat?
  /// For devices. Nil: plaintext, for loopback or behind a proxy.
  public var tls: TLSConfiguration?
  /// Whether signals come over ``tls`` too.
  public var protectsSignals: Bool
  /// Milliseconds since 1970.
  public var now: @Sendable () -> Int64
  /// A clock that never goes back.
  public var uptime: @Sendable () -> Duration
  public var logger: Logger
  /// Where the service counts; `GET /metrics` of the signals' listener shows it.
  public var metrics: MetricsRegistry
  /// The roads to sleeping devices; nil leaves them out.
  public var gateways: GatewayConfiguration?

  /// The demo of the proposal this project began with.
  public struct Chat: Hashable, Sendable {
    /// Must stand in everybody's first message; nil lets everybody in.
    public var secret: String?
    /// Whether the WebSocket of 2010 is spoken too, which protects nobody from anything: a listener
    /// that is not on loopback refuses it.
    public var speaksHixie75: Bool

    public init(secret: String? = nil, speaksHixie75: Bool = false) {
      self.secret = secret
      self.speaksHixie75 = speaksHixie75
    }
  }

  public init(
    deviceHost: String = "127.0.0.1", devicePort: Int = 0, signalHost: String = "127.0.0.1",
    signalPort: Int = 0, serviceKey: String, tokens: any TokenChecker,
    revocations: (@Sendable (UInt64?) async throws -> SignedRevocations)? = nil,
    allowedOrigins: Set<String> = [], maximumConnections: Int = 20_000,
    connectionsPerAddress: Int? = nil, echoes: Bool = false,
    chat: Chat? = nil, tls: TLSConfiguration? = nil, protectsSignals: Bool = false,
    now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration,
    logger: Logger, metrics: MetricsRegistry = MetricsRegistry(),
    gateways: GatewayConfiguration? = nil
  ) {
    self.deviceHost = deviceHost
    self.devicePort = devicePort
    self.signalHost = signalHost
    self.signalPort = signalPort
    self.serviceKey = serviceKey
    self.tokens = tokens
    self.revocations = revocations
    self.allowedOrigins = allowedOrigins
    self.maximumConnections = maximumConnections
    self.connectionsPerAddress = connectionsPerAddress
    self.echoes = echoes
    self.chat = chat
    self.tls = tls
    self.protectsSignals = protectsSignals
    self.now = now
    self.uptime = uptime
    self.logger = logger
    self.metrics = metrics
    self.gateways = gateways
  }
}

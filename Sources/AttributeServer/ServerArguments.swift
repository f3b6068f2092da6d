public import Logging
public import NIOSSL
public import Wire

/// Who may create an account.
public enum Registration: String, Sendable, CaseIterable {
  /// Whoever has a single-use code of ``Invites``.
  case invite
  /// Anyone who reaches the server; for loopback only.
  case open
  case closed
}

/// How much one caller may ask for.
public struct ServerLimits: Hashable, Sendable {
  /// For each device, over all its calls.
  public var device = Rate(perSecond: 10, burst: 50)
  /// For each device, over the chunks of snapshots: 12.5 MiB a second.
  public var chunks = Rate(perSecond: 50, burst: 200)
  /// For each source address (/24, or /64 of IPv6), over the calls that need no token.
  public var address = Rate(perSecond: 5, burst: 60)
  /// Over the calls of everybody that need no token: as much as forty addresses may ask.
  public var everybody = Rate(perSecond: 200, burst: 2400)
  /// For each account that is named, over proofs of its passphrase and kit that fail.
  public var handle = Rate(perSecond: 1, burst: 30)
  /// What one account's commits and snapshots may add up to.
  public var quotaBytes: Int

  public init(
    device: Rate = Rate(perSecond: 10, burst: 50),
    chunks: Rate = Rate(perSecond: 50, burst: 200),
    address: Rate = Rate(perSecond: 5, burst: 60),
    everybody: Rate = Rate(perSecond: 200, burst: 2400),
    handle: Rate = Rate(perSecond: 1, burst: 30), quotaBytes: Int = Limits.accountQuotaBytes
  ) {
    self.device = device
    self.chunks = chunks
    self.address = address
    self.everybody = everybody
    self.handle = handle
    self.quotaBytes = quotaBytes
  }
}

/// Where signals go: the Push Service's web-service API.
public struct SignalTarget: Hashable, Sendable {
  /// `http://HOST:PORT`; the route is appended.
  public let url: String
  /// Sent as a bearer token; known to both servers and nobody else.
  public let serviceKey: String

  public init(url: String, serviceKey: String) {
    self.url = url
    self.serviceKey = serviceKey
  }
}

/// All that an Attribute Server is made of.
public struct ServerArguments: Sendable {
  public var database: ServerDatabase
  public var invites: Invites
  public var host: String
  /// 0 lets the system choose.
  public var port: Int
  /// The path of a Unix socket to listen on instead; what was left there is taken away.
  public var socket: String?
  public var registration: Registration
  /// ``/Wire/ServerInfo/push`` as devices are told.
  public var push: String?
  /// nil: signals stay queued until there is a Push Service.
  public var signals: SignalTarget?
  /// Where commands reach the running server: ``DataFolder/control``. Nil: nowhere.
  public var control: String?
  /// Nil: plaintext, for loopback or behind a proxy.
  public var tls: TLSConfiguration?
  /// The hashes of public keys that devices may have seen on their way here: a proof names one of
  /// them. The zero hash stands for plaintext.
  public var keyHashes: @Sendable () -> [Digest32]
  public var limits: ServerLimits
  /// Whether nothing is taken for the time being, while all that is held is given.
  public var isReadOnly = false
  public var clock: ServerClock
  public var logger: Logger
  /// Told of every call that is refused: its route as it is declared, `none` where there is none of
  /// that path, and why.
  public var onRefusal: @Sendable (_ route: String, _ code: Problem.Code) -> Void = { _, _ in }
  /// Called with the port once connections are accepted.
  public var onListening: @Sendable (Int) async -> Void

  public init(
    database: ServerDatabase, invites: Invites, host: String = "127.0.0.1", port: Int = 0,
    registration: Registration, push: String? = nil, signals: SignalTarget? = nil,
    control: String? = nil, socket: String? = nil, tls: TLSConfiguration? = nil,
    keyHashes: @escaping @Sendable () -> [Digest32] = { [.zero] },
    limits: ServerLimits = ServerLimits(), clock: ServerClock = .system,
    logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.database = database
    self.invites = invites
    self.host = host
    self.port = port
    self.socket = socket
    self.registration = registration
    self.push = push
    self.signals = signals
    self.control = control
    self.tls = tls
    self.keyHashes = keyHashes
    self.limits = limits
    self.clock = clock
    self.logger = logger
    self.onListening = onListening
  }

  var ledger: Ledger { Ledger(quotaBytes: limits.quotaBytes, isReadOnly: isReadOnly) }
}

public import Wire

/// Where the replica stands, as the status pane and `higgins status` say it.
public struct SyncStatus: Hashable, Sendable {
  public enum State: String, Hashable, Sendable {
    /// The server confirmed everything and had nothing more.
    case current
    case syncing
    /// Changes wait for their quiet period or the next attempt.
    case waiting
    case offline
    case locked
    case alarm
    /// The account was deleted: what is here is a copy that can be read and not changed.
    case deleted
  }

  public enum Push: String, Hashable, Sendable {
    case connected, connecting, down
  }

  public struct Alarm: Hashable, Sendable {
    /// Stable: `rollback`, `fork`, `forged`, `refused` …
    public let code: String
    public let text: String

    public init(code: String, text: String) {
      self.code = code
      self.text = text
    }
  }

  public struct Peer: Hashable, Sendable, Identifiable {
    public let id: DeviceID
    public let name: String
    public let platform: String
    public let isThisDevice: Bool
    public let isOnline: Bool
    /// Milliseconds since 1970; nil when never heard of.
    public let lastSeen: Int64?
    /// How many of this device's changes it has not acknowledged; nil when it never said what it
    /// holds.
    public let behind: Int?
    /// What its keys are known by: the beginning of their digest, in symbols a person compares.
    public let keys: String?

    public init(
      id: DeviceID, name: String, platform: String, isThisDevice: Bool, isOnline: Bool,
      lastSeen: Int64?, behind: Int?, keys: String? = nil
    ) {
      self.id = id
      self.name = name
      self.platform = platform
      self.isThisDevice = isThisDevice
      self.isOnline = isOnline
      self.lastSeen = lastSeen
      self.behind = behind
      self.keys = keys
    }
  }

  /// A device that was taken out of the account.
  public struct Former: Hashable, Sendable, Identifiable {
    public let id: DeviceID
    public let name: String
    /// Whether it said, signed, that it has erased itself.
    public let hasErased: Bool

    public init(id: DeviceID, name: String, hasErased: Bool) {
      self.id = id
      self.name = name
      self.hasErased = hasErased
    }
  }

  public var state: State
  /// Changes the server does not hold yet.
  public var waiting: Int
  public var conflicts: Int
  public var alarms: [Alarm]
  public var push: Push
  /// `websocket`, `events` or `polling`; nil while down.
  public var pushTransport: String?
  public var pushSince: Int64?
  /// Better transports that did not come through, the best first.
  public var pushRefusals: [RefusedTransport]
  public var peers: [Peer]
  /// The devices that were revoked.
  public var former: [Former]
  /// The sum of all sequences held: grows by one with each commit of anyone.
  public var revision: UInt64
  public var lastReceived: Int64?
  public var lastSent: Int64?
  /// When the server was last lost; nil while it answers.
  public var offlineSince: Int64?
  /// Why, in words a person can use ("connection refused").
  public var failure: String?
  public var nextAttempt: Int64?
  /// Commits that arrived while locked.
  public var sealedWaiting: Int

  public init(
    state: State = .offline, waiting: Int = 0, conflicts: Int = 0, alarms: [Alarm] = [],
    push: Push = .down, pushTransport: String? = nil, pushSince: Int64? = nil,
    peers: [Peer] = [], former: [Former] = [], revision: UInt64 = 0, lastReceived: Int64? = nil,
    lastSent: Int64? = nil,
    offlineSince: Int64? = nil, failure: String? = nil, nextAttempt: Int64? = nil,
    sealedWaiting: Int = 0, pushRefusals: [RefusedTransport] = []
  ) {
    self.state = state
    self.waiting = waiting
    self.conflicts = conflicts
    self.alarms = alarms
    self.push = push
    self.pushTransport = pushTransport
    self.pushSince = pushSince
    self.pushRefusals = pushRefusals
    self.peers = peers
    self.former = former
    self.revision = revision
    self.lastReceived = lastReceived
    self.lastSent = lastSent
    self.offlineSince = offlineSince
    self.failure = failure
    self.nextAttempt = nextAttempt
    self.sealedWaiting = sealedWaiting
  }
}

/// A transport to the Push Service that does not come through, and why in words a person can use.
public struct RefusedTransport: Hashable, Sendable, Codable {
  public let transport: String
  public let reason: String

  public init(transport: String, reason: String) {
    self.transport = transport
    self.reason = reason
  }
}

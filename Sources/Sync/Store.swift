public import Wire

/// What one step changes on disk: all of it or nothing.
public struct Transaction: Hashable, Sendable {
  /// Commits in causal order, this device's own among them, as the bytes that were signed.
  public var commits: [Envelope]
  /// Membership records in the chain's order.
  public var records: [MembershipRecord]
  /// What the server is known to hold; nil leaves it.
  public var serverFrontier: Frontier?
  public var generation: String?
  /// Saved edits whose commit waits for its quiet period, sealed; replaces all of them when set.
  public var settled: [SettledRow]?
  public var notices: [Notice]

  public init() {
    commits = []
    records = []
    serverFrontier = nil
    generation = nil
    settled = nil
    notices = []
  }

  public var isEmpty: Bool { self == Transaction() }
}

/// The saved edits of one context that no commit holds yet: sealed operations.
public struct SettledRow: Hashable, Sendable {
  public let context: ContextID
  public let sealed: [UInt8]

  public init(context: ContextID, sealed: [UInt8]) {
    self.context = context
    self.sealed = sealed
  }
}

/// Something a person must be able to read later: an alarm, a refused commit.
public struct Notice: Hashable, Sendable {
  /// Stable, as in ``SyncStatus/Alarm``.
  public let code: String
  public let text: String
  /// Milliseconds since 1970.
  public let at: Int64
  /// Whether it stands until somebody deals with it.
  public let isAlarm: Bool

  public init(code: String, text: String, at: Int64, isAlarm: Bool) {
    self.code = code
    self.text = text
    self.at = at
    self.isAlarm = isAlarm
  }
}

/// What a store holds besides the commits.
public struct StoredState: Hashable, Sendable {
  /// The newest commit held of each device.
  public var frontier: Frontier
  public var serverFrontier: Frontier
  public var generation: String?
  public var records: [MembershipRecord]
  public var settled: [SettledRow]
  public var notices: [Notice]

  public init(
    frontier: Frontier = Frontier(), serverFrontier: Frontier = Frontier(),
    generation: String? = nil, records: [MembershipRecord] = [], settled: [SettledRow] = [],
    notices: [Notice] = []
  ) {
    self.frontier = frontier
    self.serverFrontier = serverFrontier
    self.generation = generation
    self.records = records
    self.settled = settled
    self.notices = notices
  }
}

/// The disk of one device. The log of commits is the truth; contexts are a fold of it.
public protocol Store: Sendable {
  func load() throws -> StoredState

  /// Writes all of `transaction` or nothing; when it returns, a power cut no longer undoes it.
  /// The frontier advances with the commits.
  func write(_ transaction: Transaction) throws

  /// Commits that `frontier` lacks, in the order they were written (which is causal), at most
  /// `count` of them and `bytes` together, but at least one if there is any.
  func commits(beyond frontier: Frontier, count: Int, bytes: Int) throws -> [Envelope]

  /// Every commit in the order they were written.
  func forEachCommit(_ body: (Envelope) throws -> Void) throws
}

/// The Attribute Server as the client knows it.
public protocol AttributeService: Sendable {
  func synchronise(_ request: SyncRequest) async throws(ServiceFailure) -> SyncResponse
}

/// Why the server did not answer as hoped.
public enum ServiceFailure: Error, Hashable, Sendable {
  /// No answer: `reason` in words ("connection refused").
  case unreachable(reason: String)
  case refused(Problem)
  /// An answer that does not read.
  case unintelligible(String)
}

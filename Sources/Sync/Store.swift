public import Vault
public import Wire

/// What one step changes on disk: all of it or nothing.
public struct Transaction: Hashable, Sendable {
  /// What this store goes back to of a device's chain: nil where nothing of it is proven.
  public struct Rewind: Hashable, Sendable {
    public let device: DeviceID
    public let head: Head?

    public init(device: DeviceID, to head: Head?) {
      self.device = device
      self.head = head
    }
  }

  /// The parts are carried out in the order they stand here.
  ///
  /// Forgets commits beyond a point of their device's chain; what they said is in ``settled``.
  public var rewinds: [Rewind]
  /// Commits in causal order, this device's own among them, as the bytes that were signed.
  public var commits: [Envelope]
  /// Membership records in the chain's order.
  public var records: [MembershipRecord]
  /// How many membership records stay, before ``records`` are added; nil: all.
  public var recordsKept: Int?
  /// The record by which the account was deleted.
  public var ending: MembershipRecord?
  /// Becomes the checkpoint: contexts are a fold of it and of the commits beyond it. The frontier
  /// advances to what it covers, where that is ahead.
  public var snapshot: SealedSnapshot?
  /// The server has the checkpoint whole since then, milliseconds since 1970.
  public var snapshotHeldSince: Int64?
  /// Commits up to here may go: the checkpoint covers them by hash.
  public var prune: Frontier?
  /// What the server is known to hold; nil leaves it.
  public var serverFrontier: Frontier?
  public var generation: String?
  /// Saved edits whose commit waits for its quiet period, sealed; replaces all of them when set.
  public var settled: [SettledRow]?
  /// Forms that were open, sealed; replaces all of them when set.
  public var drafts: [DraftRow]?
  public var notices: [Notice]
  /// Notices with these codes go; before ``notices`` are added.
  public var clearedNotices: [String]
  /// This device goes on under another identity.
  public var device: DeviceID?
  /// Commits that contradict what is held: proof against whoever showed them.
  public var evidence: [Envelope]
  /// Whether the store may lack commits of its own device; nil leaves it.
  public var isUncertain: Bool?
  /// Others' changes that no commit of this device stands on; nil leaves it.
  public var unanswered: Unanswered?
  /// Membership records that cannot be taken before this device has gone back to their cut;
  /// replaces all of them when set.
  public var learned: [MembershipRecord]?
  /// Records of lists of devices that gave way to the server's; replaces all of them when set.
  public var forgotten: [MembershipRecord]?

  public init() {
    rewinds = []
    commits = []
    records = []
    notices = []
    clearedNotices = []
    evidence = []
  }

  public var isEmpty: Bool { self == Transaction() }
}

/// Whether others' changes are held that no commit of this device stands on yet.
public enum Unanswered: Hashable, Sendable {
  case nothing
  /// Milliseconds since 1970.
  case since(Int64)
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
  /// The newest commit held of each device, the checkpoint's included.
  public var frontier: Frontier
  public var serverFrontier: Frontier
  public var generation: String?
  public var records: [MembershipRecord]
  /// The record by which the account was deleted.
  public var ending: MembershipRecord?
  public var settled: [SettledRow]
  public var drafts: [DraftRow]
  public var notices: [Notice]
  public var checkpoint: Checkpoint?
  /// Commits beyond the checkpoint, and what they add up to.
  public var logCommits: Int
  public var logBytes: Int
  /// Where the log begins: commits up to here are not in it, the checkpoint has what they said.
  public var floor: Frontier
  /// Commits of this device may be gone: none is made before a sync was answered.
  public var isUncertain: Bool
  public var unanswered: Unanswered
  /// Verified records that wait until this device has gone back to their cut.
  public var learned: [MembershipRecord]
  /// Records of lists of devices that gave way to the server's, as long as that lacks something of
  /// what they say.
  public var forgotten: [MembershipRecord]

  /// The snapshot that contexts are folded from.
  public struct Checkpoint: Hashable, Sendable {
    public let id: Digest32
    /// What it stands for; less than it covers where a chain went back since.
    public var frontier: Frontier
    /// Under whose key it is sealed.
    public let epoch: UInt32
    /// Since when the server has it whole; nil while it does not.
    public var heldSince: Int64?

    public init(id: Digest32, frontier: Frontier, epoch: UInt32, heldSince: Int64? = nil) {
      self.id = id
      self.epoch = epoch
      self.frontier = frontier
      self.heldSince = heldSince
    }
  }

  public init(
    frontier: Frontier = Frontier(), serverFrontier: Frontier = Frontier(),
    generation: String? = nil, records: [MembershipRecord] = [], settled: [SettledRow] = [],
    drafts: [DraftRow] = [], notices: [Notice] = [], checkpoint: Checkpoint? = nil,
    logCommits: Int = 0, logBytes: Int = 0, floor: Frontier = Frontier(),
    isUncertain: Bool = false, unanswered: Unanswered = .nothing,
    learned: [MembershipRecord] = [], forgotten: [MembershipRecord] = []
  ) {
    self.frontier = frontier
    self.serverFrontier = serverFrontier
    self.generation = generation
    self.records = records
    self.settled = settled
    self.drafts = drafts
    self.notices = notices
    self.checkpoint = checkpoint
    self.logCommits = logCommits
    self.logBytes = logBytes
    self.floor = floor
    self.isUncertain = isUncertain
    self.unanswered = unanswered
    self.learned = learned
    self.forgotten = forgotten
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

  /// Every commit beyond the checkpoint, in the order they were written.
  func forEachCommit(_ body: (Envelope) throws -> Void) throws

  /// The snapshot that comes before those commits.
  func checkpoint() throws -> SealedSnapshot?

  /// The digest of a commit that is or was held; nil where that is not known.
  func hash(of device: DeviceID, at sequence: UInt64) throws -> Digest32?

  /// The same for many places at once.
  func digests(at places: Set<CommitPlace>) throws -> [CommitPlace: Digest32]
}

/// Snapshots on the Attribute Server.
public protocol SnapshotService: Sendable {
  /// Begins to send a snapshot, or asks what is still missing of it.
  func offer(_ offer: SnapshotOffer) async throws(ServiceFailure) -> SnapshotProgress
  func put(_ chunk: [UInt8], at position: Int, of snapshot: Digest32) async throws(ServiceFailure)
  func finish(_ snapshot: Digest32) async throws(ServiceFailure) -> SnapshotSummary
  func describe(_ snapshot: Digest32) async throws(ServiceFailure) -> SnapshotDescription
  func chunk(_ position: Int, of snapshot: Digest32) async throws(ServiceFailure) -> [UInt8]
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

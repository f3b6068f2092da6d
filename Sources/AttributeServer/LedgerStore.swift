public import Wire

/// What the ledger knows of one account.
public struct LedgerAccount: Hashable, Sendable {
  public let id: AccountID
  /// Ed25519, 32 bytes: signs the genesis record and, in recovery, the record of a new device.
  public let accountKey: [UInt8]
  public var epoch: UInt32
  /// The digest of the newest membership record.
  public var memberHead: Digest32
  /// How many membership records there are; the next one bears this number.
  public var memberCount: UInt64
  /// What the account's commits add up to.
  public var usedBytes: Int

  public init(
    id: AccountID, accountKey: [UInt8], epoch: UInt32, memberHead: Digest32, memberCount: UInt64,
    usedBytes: Int
  ) {
    self.id = id
    self.accountKey = accountKey
    self.epoch = epoch
    self.memberHead = memberHead
    self.memberCount = memberCount
    self.usedBytes = usedBytes
  }
}

/// What the ledger knows of one device. Kept for ever, so that old commits stay checkable.
public struct LedgerDevice: Hashable, Sendable {
  public let id: DeviceID
  public let account: AccountID
  /// Ed25519, 32 bytes.
  public let signingKey: [UInt8]
  /// Ed25519, 32 bytes.
  public let authenticationKey: [UInt8]
  /// The number of the membership record that added it.
  public let addedBy: UInt64
  /// The number of the one that took it out; nil while it is a member.
  public var revokedBy: UInt64?

  public init(
    id: DeviceID, account: AccountID, signingKey: [UInt8], authenticationKey: [UInt8],
    addedBy: UInt64, revokedBy: UInt64? = nil
  ) {
    self.id = id
    self.account = account
    self.signingKey = signingKey
    self.authenticationKey = authenticationKey
    self.addedBy = addedBy
    self.revokedBy = revokedBy
  }

  public var isRevoked: Bool { revokedBy != nil }
}

/// A commit as it was accepted.
public struct LedgerCommit: Hashable, Sendable {
  public let account: AccountID
  public let device: DeviceID
  public let sequence: UInt64
  public let hash: Digest32
  /// The whole envelope with its signature.
  public let bytes: [UInt8]

  public init(
    account: AccountID, device: DeviceID, sequence: UInt64, hash: Digest32, bytes: [UInt8]
  ) {
    self.account = account
    self.device = device
    self.sequence = sequence
    self.hash = hash
    self.bytes = bytes
  }
}

/// One page of commits that a caller lacks, in the order they were accepted.
public struct LedgerPage: Hashable, Sendable {
  public var frames: [[UInt8]]
  /// Whether there are more than fitted.
  public var more: Bool

  public init(frames: [[UInt8]] = [], more: Bool = false) {
    self.frames = frames
    self.more = more
  }
}

/// Places of one device's chain that a heal snapshot passed over: the digests strictly between
/// `after` and `upTo` were never seen here, and nothing ties `upTo` to `after`.
public struct LedgerJump: Hashable, Sendable {
  /// The last sequence held before; 0 when there was none.
  public let after: UInt64
  /// The sequence the snapshot stands at.
  public let upTo: UInt64

  public init(after: UInt64, upTo: UInt64) {
    self.after = after
    self.upTo = upTo
  }
}

/// A sealed snapshot, complete or on its way here.
public struct LedgerSnapshot: Hashable, Sendable {
  /// The digest of ``manifest``.
  public let id: Digest32
  public let account: AccountID
  /// Who wrote it.
  public let device: DeviceID
  /// The manifest's envelope, as signed.
  public let manifest: [UInt8]
  /// What it covers, as its manifest says.
  public let frontier: Frontier
  /// How many chunks there are.
  public let chunks: Int
  /// What the chunks add up to.
  public let bytes: Int
  /// Milliseconds since 1970, when it was last offered.
  public var offeredAt: Int64
  /// Milliseconds since 1970; nil while chunks are missing or nobody said it is finished.
  public var completedAt: Int64?

  public init(
    id: Digest32, account: AccountID, device: DeviceID, manifest: [UInt8], frontier: Frontier,
    chunks: Int, bytes: Int, offeredAt: Int64, completedAt: Int64? = nil
  ) {
    self.id = id
    self.account = account
    self.device = device
    self.manifest = manifest
    self.frontier = frontier
    self.chunks = chunks
    self.bytes = bytes
    self.offeredAt = offeredAt
    self.completedAt = completedAt
  }

  public var isComplete: Bool { completedAt != nil }
}

/// What one step of pruning removed.
public struct LedgerRemoval: Hashable, Sendable {
  public var commits: Int
  public var bytes: Int

  public init(commits: Int = 0, bytes: Int = 0) {
    self.commits = commits
    self.bytes = bytes
  }
}

/// Reads and writes inside one transaction of a ``LedgerStore``.
public protocol LedgerTransaction: SnapshotTransaction {
  func accounts() throws -> [AccountID]
  func account(_ id: AccountID) throws -> LedgerAccount?
  /// A device of any account: ids are never shared.
  func device(_ id: DeviceID) throws -> LedgerDevice?
  func deviceCount(of account: AccountID) throws -> Int
  /// What is held of the account, every device that committed.
  func frontier(of account: AccountID) throws -> Frontier
  /// The digest of that commit; kept for ever, also when its bytes are pruned. Nil for a place that
  /// a heal snapshot passed over.
  func hash(device: DeviceID, sequence: UInt64) throws -> Digest32?
  /// The number of the record with this digest; nil when it is not of this account's chain.
  func memberNumber(of hash: Digest32, account: AccountID) throws -> UInt64?
  /// The records from `number` on, oldest first.
  func memberRecords(from number: UInt64, account: AccountID) throws -> [[UInt8]]
  /// The commits that `frontier` does not hold, oldest first: as many as fit in `maxBytes`, but
  /// at least one.
  func page(of account: AccountID, lacking frontier: Frontier, maxBytes: Int) throws -> LedgerPage

  /// Inserts the account with its first record.
  mutating func insert(account: LedgerAccount, genesis: [UInt8]) throws
  mutating func insert(device: LedgerDevice) throws
  /// Appends the next record and makes it the account's head.
  mutating func append(record: [UInt8], hash: Digest32, account: AccountID) throws
  /// Begins the epoch, under the slot that goes with it.
  mutating func begin(
    epoch: UInt32, of account: AccountID, slot: MembershipRecord.SlotChange
  ) throws
  /// Marks the device as taken out by the record of that number, and queues that for the Push
  /// Service.
  mutating func revoke(device: DeviceID, of account: AccountID, by number: UInt64) throws
  /// Makes `head` the device's newest commit and forgets those beyond, with every snapshot that
  /// covers one of them.
  mutating func rewind(device: DeviceID, of account: AccountID, to head: Head?) throws
  /// What revoked devices said when they had erased themselves.
  func farewells(of account: AccountID) throws -> [Farewell]
  /// The record by which the account was deleted; nil for any other id.
  func ending(of account: AccountID) throws -> [UInt8]?
  mutating func keep(_ farewell: Farewell) throws
  /// Removes everything of the account but `ending`, and queues for the Push Service that none of
  /// its devices is let in any more.
  mutating func delete(account: AccountID, ending: [UInt8]) throws

  /// Queues the signal of the account's newest record, in the place of an older one's: who brought
  /// it knew all before it.
  mutating func queueSignal(
    ofRecord number: UInt64, of account: AccountID, by device: DeviceID) throws

  /// Appends the commit, makes it its device's head, adds to the account's used bytes, and queues
  /// its signal.
  mutating func append(commit: LedgerCommit) throws
}

/// The part of a ``LedgerTransaction`` that snapshots and pruning need. Whatever stores or removes
/// bytes changes the account's used bytes with it.
public protocol SnapshotTransaction {
  /// Of each device that has one: the last sequence whose bytes, or some before them, are not held.
  func bases(of account: AccountID) throws -> [DeviceID: UInt64]
  func jumps(of device: DeviceID) throws -> [LedgerJump]
  /// The account's snapshots: the complete ones in the order of their completion, then the others.
  func snapshots(of account: AccountID) throws -> [LedgerSnapshot]
  func snapshot(_ id: Digest32) throws -> LedgerSnapshot?
  /// Which chunks have not come, lowest first, at most `limit` of them.
  func missingChunks(of id: Digest32, limit: Int) throws -> [Int]
  /// The digest that was offered for that chunk.
  func chunkHash(_ number: Int, of id: Digest32) throws -> Digest32?
  /// Nil while it has not come.
  func chunk(_ number: Int, of id: Digest32) throws -> [UInt8]?
  /// What the chunks that came add up to.
  func chunkBytes(of id: Digest32) throws -> Int

  mutating func insert(snapshot: LedgerSnapshot, chunks: [Digest32]) throws
  mutating func renew(snapshot id: Digest32, at: Int64) throws
  /// Stores a chunk that has not come yet.
  mutating func put(chunk: [UInt8], number: Int, of snapshot: LedgerSnapshot) throws
  /// Makes it the newest complete one.
  mutating func complete(snapshot id: Digest32, at: Int64) throws
  mutating func remove(snapshot: LedgerSnapshot) throws
  /// Makes `head` the device's head and base without its commits, remembers the places passed over,
  /// and queues its signal.
  mutating func jump(device: DeviceID, of account: AccountID, from: UInt64, to head: Head) throws
  mutating func raiseBase(of device: DeviceID, in account: AccountID, to sequence: UInt64) throws
  /// Removes the bytes of the oldest commits of `sequences`, at most `limit` of them; their digests
  /// stay.
  mutating func prune(
    device: DeviceID, of account: AccountID, sequences: ClosedRange<UInt64>, limit: Int
  ) throws -> LedgerRemoval
}

/// Where the ledger is kept: every call is one transaction, which a thrown error rolls back.
///
/// Errors other than `Problem` do not leave a store: it turns its own into
/// ``/Wire/Problem/Code/storageFull`` or ``/Wire/Problem/Code/internalFailure``.
public protocol LedgerStore {
  associatedtype Transaction: LedgerTransaction

  mutating func write<Value>(
    _ body: (inout Transaction) throws -> Value
  ) throws(Problem) -> Value
  func read<Value>(_ body: (Transaction) throws -> Value) throws(Problem) -> Value
}

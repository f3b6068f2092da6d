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

  public init(
    id: DeviceID, account: AccountID, signingKey: [UInt8], authenticationKey: [UInt8],
    addedBy: UInt64
  ) {
    self.id = id
    self.account = account
    self.signingKey = signingKey
    self.authenticationKey = authenticationKey
    self.addedBy = addedBy
  }
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

/// Reads and writes inside one transaction of a ``LedgerStore``.
public protocol LedgerTransaction {
  func account(_ id: AccountID) throws -> LedgerAccount?
  /// A device of any account: ids are never shared.
  func device(_ id: DeviceID) throws -> LedgerDevice?
  func deviceCount(of account: AccountID) throws -> Int
  /// What is held of the account, every device that committed.
  func frontier(of account: AccountID) throws -> Frontier
  /// The digest of that commit; kept for ever, also when its bytes are pruned.
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
  /// Appends the commit, makes it its device's head, adds to the account's used bytes, and queues
  /// its signal.
  mutating func append(commit: LedgerCommit) throws
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

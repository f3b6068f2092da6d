import GRDB
import Logging
import Wire

@testable import AttributeServer

func quietLogger() -> Logger {
  Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

func openDatabase(_ folder: TemporaryFolder) throws -> ServerDatabase {
  try ServerDatabase(path: folder.path + "/attributes.sqlite", logger: quietLogger())
}

func openStore(_ folder: TemporaryFolder) throws -> SQLiteLedgerStore {
  try openDatabase(folder).store
}

/// Where a fact is tried: what the ledger decides is the same over both.
enum StoreKind: CaseIterable {
  case memory
  case disk

  func ledger() throws -> TestLedger<AnyLedgerStore> {
    switch self {
    case .memory: return try TestLedger(store: AnyLedgerStore(MemoryLedgerStore()))
    case .disk:
      let folder = try TemporaryFolder()
      return try TestLedger(store: AnyLedgerStore(try openStore(folder), in: folder))
    }
  }
}

/// Either store, so that one test can run over both.
struct AnyLedgerStore: LedgerStore {
  private var base: any LedgerStore
  private let folder: TemporaryFolder?

  init(_ base: some LedgerStore, in folder: TemporaryFolder? = nil) {
    self.base = base
    self.folder = folder
  }

  mutating func write<Value>(
    _ body: (inout AnyTransaction) throws -> Value
  ) throws(Problem) -> Value {
    try base.writeErased(body)
  }

  func read<Value>(_ body: (AnyTransaction) throws -> Value) throws(Problem) -> Value {
    try base.readErased(body)
  }

  /// What a check of the database finds; nothing in memory.
  func findings() throws -> [String] {
    guard let disk = base as? SQLiteLedgerStore else { return [] }
    return try disk.database.read { LedgerCheck.findings(in: $0).map(\.description) }
  }
}

extension LedgerStore {
  fileprivate mutating func writeErased<Value>(
    _ body: (inout AnyTransaction) throws -> Value
  ) throws(Problem) -> Value {
    try write { transaction throws in
      var erased = AnyTransaction(base: transaction)
      let value = try body(&erased)
      transaction = erased.base as! Transaction
      return value
    }
  }

  fileprivate func readErased<Value>(
    _ body: (AnyTransaction) throws -> Value
  ) throws(Problem) -> Value {
    try read { try body(AnyTransaction(base: $0)) }
  }
}

/// Hands everything on.
struct AnyTransaction: LedgerTransaction {
  fileprivate var base: any LedgerTransaction

  func accounts() throws -> [AccountID] { try base.accounts() }
  func account(_ id: AccountID) throws -> LedgerAccount? { try base.account(id) }
  func device(_ id: DeviceID) throws -> LedgerDevice? { try base.device(id) }
  func deviceCount(of account: AccountID) throws -> Int { try base.deviceCount(of: account) }
  func frontier(of account: AccountID) throws -> Frontier { try base.frontier(of: account) }
  func hash(device: DeviceID, sequence: UInt64) throws -> Digest32? {
    try base.hash(device: device, sequence: sequence)
  }
  func memberNumber(of hash: Digest32, account: AccountID) throws -> UInt64? {
    try base.memberNumber(of: hash, account: account)
  }
  func memberRecords(from number: UInt64, account: AccountID) throws -> [[UInt8]] {
    try base.memberRecords(from: number, account: account)
  }
  func page(of account: AccountID, lacking frontier: Frontier, maxBytes: Int) throws -> LedgerPage {
    try base.page(of: account, lacking: frontier, maxBytes: maxBytes)
  }
  mutating func insert(account: LedgerAccount, genesis: [UInt8]) throws {
    try base.insert(account: account, genesis: genesis)
  }
  mutating func insert(device: LedgerDevice) throws { try base.insert(device: device) }
  mutating func append(record: [UInt8], hash: Digest32, account: AccountID) throws {
    try base.append(record: record, hash: hash, account: account)
  }
  mutating func queueSignal(
    ofRecord number: UInt64, of account: AccountID, by device: DeviceID
  ) throws { try base.queueSignal(ofRecord: number, of: account, by: device) }
  mutating func append(commit: LedgerCommit) throws { try base.append(commit: commit) }
  mutating func begin(
    epoch: UInt32, of account: AccountID, slot: MembershipRecord.SlotChange
  ) throws { try base.begin(epoch: epoch, of: account, slot: slot) }
  mutating func revoke(device: DeviceID, of account: AccountID, by number: UInt64) throws {
    try base.revoke(device: device, of: account, by: number)
  }
  mutating func rewind(device: DeviceID, of account: AccountID, to head: Head?) throws {
    try base.rewind(device: device, of: account, to: head)
  }
  func farewells(of account: AccountID) throws -> [Farewell] {
    try base.farewells(of: account)
  }
  mutating func keep(_ farewell: Farewell) throws { try base.keep(farewell) }

  func ending(of account: AccountID) throws -> [UInt8]? { try base.ending(of: account) }
  mutating func delete(account: AccountID, ending: [UInt8]) throws {
    try base.delete(account: account, ending: ending)
  }

  func bases(of account: AccountID) throws -> [DeviceID: UInt64] { try base.bases(of: account) }
  func jumps(of device: DeviceID) throws -> [LedgerJump] { try base.jumps(of: device) }
  func snapshots(of account: AccountID) throws -> [LedgerSnapshot] {
    try base.snapshots(of: account)
  }
  func snapshot(_ id: Digest32) throws -> LedgerSnapshot? { try base.snapshot(id) }
  func missingChunks(of id: Digest32, limit: Int) throws -> [Int] {
    try base.missingChunks(of: id, limit: limit)
  }
  func chunkHash(_ number: Int, of id: Digest32) throws -> Digest32? {
    try base.chunkHash(number, of: id)
  }
  func chunk(_ number: Int, of id: Digest32) throws -> [UInt8]? { try base.chunk(number, of: id) }
  func chunkBytes(of id: Digest32) throws -> Int { try base.chunkBytes(of: id) }
  mutating func insert(snapshot: LedgerSnapshot, chunks: [Digest32]) throws {
    try base.insert(snapshot: snapshot, chunks: chunks)
  }
  mutating func renew(snapshot id: Digest32, at: Int64) throws {
    try base.renew(snapshot: id, at: at)
  }
  mutating func put(chunk: [UInt8], number: Int, of snapshot: LedgerSnapshot) throws {
    try base.put(chunk: chunk, number: number, of: snapshot)
  }
  mutating func complete(snapshot id: Digest32, at: Int64) throws {
    try base.complete(snapshot: id, at: at)
  }
  mutating func remove(snapshot: LedgerSnapshot) throws { try base.remove(snapshot: snapshot) }
  mutating func jump(device: DeviceID, of account: AccountID, from: UInt64, to head: Head) throws {
    try base.jump(device: device, of: account, from: from, to: head)
  }
  mutating func raiseBase(
    of device: DeviceID, in account: AccountID, to sequence: UInt64
  ) throws {
    try base.raiseBase(of: device, in: account, to: sequence)
  }
  mutating func prune(
    device: DeviceID, of account: AccountID, sequences: ClosedRange<UInt64>, limit: Int
  ) throws -> LedgerRemoval {
    try base.prune(device: device, of: account, sequences: sequences, limit: limit)
  }
}

public import Wire

/// A ledger in memory, for simulations: a value, so that a copy is a snapshot and assigning an
/// older copy is a restored backup.
///
/// A copy shares everything with its origin; a write then copies the tables it touches, of which
/// the digests are one small table a device.
public struct MemoryLedgerStore: LedgerStore, LedgerTransaction, Sendable {
  private var deviceTable: [DeviceID: LedgerDevice] = [:]
  private var slotTable: [AccountID: MembershipRecord.SlotChange] = [:]
  private var farewellTable: [DeviceID: Farewell] = [:]
  private var endingTable: [AccountID: [UInt8]] = [:]
  private var recordTable: [AccountID: [(hash: Digest32, bytes: [UInt8])]] = [:]
  /// The digests of each device's chain by their sequence.
  private var linkTable: [DeviceID: [UInt64: Digest32]] = [:]
  // What the extension for snapshots shares.
  var accountTable: [AccountID: LedgerAccount] = [:]
  var commitTable: [AccountID: [LedgerCommit]] = [:]
  var frontierTable: [AccountID: Frontier] = [:]
  var baseTable: [AccountID: [DeviceID: UInt64]] = [:]
  var jumpTable: [DeviceID: [LedgerJump]] = [:]
  var uploads: [Digest32: Upload] = [:]
  var uploadOrder: [AccountID: [Digest32]] = [:]
  /// Signals queued and not taken yet, the newest of each device.
  public internal(set) var signals: [DeviceID: Signal] = [:]
  private var recordSignals: [AccountID: Signal] = [:]

  public init() {}

  public mutating func write<Value>(
    _ body: (inout MemoryLedgerStore) throws -> Value
  ) throws(Problem) -> Value {
    var copy = self
    do {
      let value = try body(&copy)
      self = copy
      return value
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(.internalFailure)
    }
  }

  public func read<Value>(
    _ body: (MemoryLedgerStore) throws -> Value
  ) throws(Problem) -> Value {
    do {
      return try body(self)
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(.internalFailure)
    }
  }

  /// Empties the queue of signals: those of commits in the order of the authors' ids, then those of
  /// records in the order of the accounts'.
  public mutating func takeSignals() -> [Signal] {
    defer { (signals, recordSignals) = ([:], [:]) }
    return signals.sorted { $0.key < $1.key }.map(\.value)
      + recordSignals.sorted { $0.key < $1.key }.map(\.value)
  }

  public func account(_ id: AccountID) -> LedgerAccount? { accountTable[id] }

  public func device(_ id: DeviceID) -> LedgerDevice? { deviceTable[id] }

  public func deviceCount(of account: AccountID) -> Int {
    deviceTable.values.count { $0.account == account }
  }

  public func frontier(of account: AccountID) -> Frontier { frontierTable[account] ?? Frontier() }

  public func hash(device: DeviceID, sequence: UInt64) -> Digest32? {
    linkTable[device]?[sequence]
  }

  public func memberNumber(of hash: Digest32, account: AccountID) -> UInt64? {
    recordTable[account]?.firstIndex { $0.hash == hash }.map(UInt64.init)
  }

  public func memberRecords(from number: UInt64, account: AccountID) -> [[UInt8]] {
    (recordTable[account] ?? []).dropFirst(Int(number)).map(\.bytes)
  }

  public func page(
    of account: AccountID, lacking frontier: Frontier, maxBytes: Int
  ) -> LedgerPage {
    var page = LedgerPage()
    var room = maxBytes
    for commit in commitTable[account] ?? []
    where commit.sequence > frontier.sequence(of: commit.device) {
      room -= commit.bytes.count
      guard room >= 0 || page.frames.isEmpty else {
        page.more = true
        break
      }
      page.frames.append(commit.bytes)
    }
    return page
  }

  public mutating func insert(account: LedgerAccount, genesis: [UInt8]) {
    accountTable[account.id] = account
    recordTable[account.id] = [(account.memberHead, genesis)]
  }

  public mutating func insert(device: LedgerDevice) {
    deviceTable[device.id] = device
  }

  public mutating func append(record: [UInt8], hash: Digest32, account: AccountID) {
    recordTable[account, default: []].append((hash, record))
    accountTable[account]?.memberHead = hash
    accountTable[account]?.memberCount += 1
  }

  public mutating func begin(
    epoch: UInt32, of account: AccountID, slot: MembershipRecord.SlotChange
  ) {
    accountTable[account]?.epoch = epoch
    slotTable[account] = slot
  }

  public mutating func revoke(device: DeviceID, of account: AccountID, by number: UInt64) {
    deviceTable[device]?.revokedBy = number
  }

  public mutating func rewind(device: DeviceID, of account: AccountID, to head: Head?) {
    let place = head?.sequence ?? 0
    for commit in commitTable[account] ?? []
    where commit.device == device && commit.sequence > place {
      linkTable[device]?[commit.sequence] = nil
      use(-commit.bytes.count, of: account)
    }
    commitTable[account]?.removeAll { $0.device == device && $0.sequence > place }
    frontierTable[account, default: Frontier()][device] = head
    for snapshot in snapshots(of: account) where snapshot.frontier.sequence(of: device) > place {
      remove(snapshot: snapshot)
    }
  }

  public func farewells(of account: AccountID) -> [Farewell] {
    farewellTable.values.filter { deviceTable[$0.device]?.account == account }
      .sorted { $0.device < $1.device }
  }

  public mutating func keep(_ farewell: Farewell) {
    farewellTable[farewell.device] = farewell
  }

  public func ending(of account: AccountID) -> [UInt8]? { endingTable[account] }

  public mutating func delete(account: AccountID, ending: [UInt8]) {
    for id in deviceTable.values.filter({ $0.account == account }).map(\.id) {
      deviceTable[id] = nil
      farewellTable[id] = nil
      linkTable[id] = nil
      jumpTable[id] = nil
      signals[id] = nil
    }
    recordSignals[account] = nil
    for snapshot in snapshots(of: account) { remove(snapshot: snapshot) }
    slotTable[account] = nil
    recordTable[account] = nil
    accountTable[account] = nil
    commitTable[account] = nil
    frontierTable[account] = nil
    baseTable[account] = nil
    uploadOrder[account] = nil
    endingTable[account] = ending
  }

  public mutating func queueSignal(
    ofRecord number: UInt64, of account: AccountID, by device: DeviceID
  ) {
    recordSignals[account] = Signal(account: account, recordBy: device)
  }

  public mutating func append(commit: LedgerCommit) {
    commitTable[commit.account, default: []].append(commit)
    link(device: commit.device, sequence: commit.sequence, hash: commit.hash)
    frontierTable[commit.account, default: Frontier()][commit.device] = Head(
      sequence: commit.sequence, hash: commit.hash)
    use(commit.bytes.count, of: commit.account)
    signals[commit.device] = Signal(
      account: commit.account, device: commit.device, sequence: commit.sequence)
  }

  mutating func link(device: DeviceID, sequence: UInt64, hash: Digest32) {
    linkTable[device, default: [:]][sequence] = hash
  }

  mutating func use(_ bytes: Int, of account: AccountID) {
    accountTable[account]?.usedBytes += bytes
  }
}

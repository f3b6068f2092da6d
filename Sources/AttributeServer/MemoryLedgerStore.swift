public import Wire

/// A ledger in memory, for simulations: a value, so that a copy is a snapshot and assigning an
/// older copy is a restored backup.
public struct MemoryLedgerStore: LedgerStore, LedgerTransaction, Sendable {
  private struct Link: Hashable {
    let device: DeviceID
    let sequence: UInt64
  }

  private var accounts: [AccountID: LedgerAccount] = [:]
  private var devices: [DeviceID: LedgerDevice] = [:]
  private var records: [AccountID: [(hash: Digest32, bytes: [UInt8])]] = [:]
  private var commits: [AccountID: [LedgerCommit]] = [:]
  private var links: [Link: Digest32] = [:]
  private var frontiers: [AccountID: Frontier] = [:]
  /// Signals queued and not taken yet, the newest of each device.
  public private(set) var signals: [DeviceID: Signal] = [:]

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

  /// Empties the queue of signals, in the order of the authors' ids.
  public mutating func takeSignals() -> [Signal] {
    defer { signals = [:] }
    return signals.sorted { $0.key < $1.key }.map(\.value)
  }

  public func account(_ id: AccountID) -> LedgerAccount? { accounts[id] }

  public func device(_ id: DeviceID) -> LedgerDevice? { devices[id] }

  public func deviceCount(of account: AccountID) -> Int {
    devices.values.count { $0.account == account }
  }

  public func frontier(of account: AccountID) -> Frontier { frontiers[account] ?? Frontier() }

  public func hash(device: DeviceID, sequence: UInt64) -> Digest32? {
    links[Link(device: device, sequence: sequence)]
  }

  public func memberNumber(of hash: Digest32, account: AccountID) -> UInt64? {
    records[account]?.firstIndex { $0.hash == hash }.map(UInt64.init)
  }

  public func memberRecords(from number: UInt64, account: AccountID) -> [[UInt8]] {
    (records[account] ?? []).dropFirst(Int(number)).map(\.bytes)
  }

  public func page(
    of account: AccountID, lacking frontier: Frontier, maxBytes: Int
  ) -> LedgerPage {
    var page = LedgerPage()
    var room = maxBytes
    for commit in commits[account] ?? []
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
    accounts[account.id] = account
    records[account.id] = [(account.memberHead, genesis)]
  }

  public mutating func insert(device: LedgerDevice) {
    devices[device.id] = device
  }

  public mutating func append(record: [UInt8], hash: Digest32, account: AccountID) {
    records[account, default: []].append((hash, record))
    accounts[account]?.memberHead = hash
    accounts[account]?.memberCount += 1
  }

  public mutating func append(commit: LedgerCommit) {
    commits[commit.account, default: []].append(commit)
    links[Link(device: commit.device, sequence: commit.sequence)] = commit.hash
    frontiers[commit.account, default: Frontier()][commit.device] = Head(
      sequence: commit.sequence, hash: commit.hash)
    accounts[commit.account]?.usedBytes += commit.bytes.count
    signals[commit.device] = Signal(
      account: commit.account, device: commit.device, sequence: commit.sequence)
  }
}

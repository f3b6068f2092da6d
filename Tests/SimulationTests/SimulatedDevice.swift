import Sync
import Vault
import Wire

@testable import Sync

/// A device's disk: what survives a crash.
struct SimulatedDisk {
  var state: StoredState
  var log: [Envelope] = []
  /// The next write fails, as on a full disk.
  var isFull = false

  struct Full: Error {}

  /// All of `transaction` or nothing.
  mutating func write(_ transaction: Transaction) throws {
    if isFull { throw Full() }
    log += transaction.commits
    for envelope in transaction.commits {
      let header = envelope.header
      state.frontier[header.device] = Head(sequence: header.sequence, hash: envelope.hash)
    }
    state.records += transaction.records
    if let frontier = transaction.serverFrontier { state.serverFrontier = frontier }
    if let generation = transaction.generation { state.generation = generation }
    if let settled = transaction.settled { state.settled = settled }
    state.notices += transaction.notices
  }

  func commits(beyond frontier: Frontier, count: Int) -> [Envelope] {
    Array(
      log.lazy.filter { $0.header.sequence > frontier.sequence(of: $0.header.device) }
        .prefix(count))
  }
}

/// The shell around one core, with everything outside replaced by the world.
struct SimulatedDevice {
  let number: Int
  let keyring: Keyring
  var core: SyncCore
  var disk: SimulatedDisk
  /// How far its wall clock is off, milliseconds.
  let skew: Int64
  var isPushUp = false
  var isUp = true
  /// The request whose outcome it waits for.
  var pending: Int?
  /// The form the person has open.
  var form: ContextID?
  /// What the person saved and was told is saved: unique texts.
  var promised: [Promise] = []

  struct Promise {
    let context: ContextID
    let attribute: AttributeID
    let text: String
  }

  static let waits: SyncMachine.Waits = {
    var waits = SyncMachine.Waits()
    // Only signals may bring changes within a run: the timed sync would hide a lost one.
    waits.pollWithPush = .seconds(100_000)
    return waits
  }()

  init(number: Int, keyring: Keyring, records: [MembershipRecord], skew: Int64) throws {
    self.number = number
    self.keyring = keyring
    self.skew = skew
    disk = SimulatedDisk(state: StoredState(records: records))
    core = try SyncCore(
      device: keyring.device, account: keyring.account, stored: disk.state, waits: Self.waits)
  }

  func moment(_ now: Int64) -> SyncCore.Moment {
    SyncCore.Moment(uptime: .milliseconds(now), wall: 1_700_000_000_000 + now + skew)
  }

  /// Decide on a copy, write, then keep the copy: as the real shell does.
  mutating func take(
    _ event: SyncCore.Event, at now: Int64, _ entropy: inout SeededEntropy, bug: PlantedBug?
  ) throws -> SyncCore.Step {
    var next = core
    var step = try next.step(event, at: moment(now), entropy: &entropy)
    if bug == .loseSettledEdits { step.transaction.settled = nil }
    if bug == .keepCopyWhenDiskIsFull { core = next }
    if !step.transaction.isEmpty { try disk.write(step.transaction) }
    core = next
    return step
  }

  /// A new process on the same disk: locked, then unlocked by a fold of the log.
  mutating func restart(at now: Int64) throws -> SyncCore.Event {
    core = try SyncCore(
      device: keyring.device, account: keyring.account, stored: disk.state, waits: Self.waits)
    var replica = Replica(own: keyring.device)
    for envelope in disk.log {
      try replica.fold(
        envelope, with: keyring, membership: core.membership, now: moment(now).wall)
    }
    (pending, form, isPushUp, isUp) = (nil, nil, false, true)
    return .unlocked(keyring, replica)
  }
}

/// Bugs the checks have to find; each is caught by another kind of check.
enum PlantedBug: CaseIterable, Sendable {
  /// Safety: the shell forgets to keep saved edits until they are committed.
  case loseSettledEdits
  /// Safety: memory runs ahead of a disk that refused the write.
  case keepCopyWhenDiskIsFull
  /// Liveness: signals start nothing.
  case ignoreSignals
  /// Every step: the core is not told that a form is open.
  case forgetOpenForms
}

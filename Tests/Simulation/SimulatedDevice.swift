import PushServer
import Sync
import Vault
import Wire

/// One device: the real core in a shell whose disk, clock and chance belong to the world.
final class SimulatedDevice {
  /// What the person saved and was told is saved: a unique text.
  struct Promise {
    let context: ContextID
    let attribute: AttributeID
    let text: String
    /// What stood on the screen when the form was opened; nil for a command line.
    let base: [VersionID]?
  }

  /// A form the person has open.
  struct Form {
    let context: ContextID
    let attribute: AttributeID
    let base: [VersionID]
    /// What is typed is kept under this id, and has not been saved.
    let draft: DraftID
  }

  let number: Int
  var keyring: Keyring
  /// The keys of every identity it had, and of the one it prepares: files beside the store.
  var keyrings: [DeviceID: Keyring]
  /// The next identity of an earlier one, kept before anybody hears of it.
  var successors: [DeviceID: Successor] = [:]
  /// What the shell does beside its steps.
  enum Chore { case writing, sending, fetching, restoring, restating, replacing }

  /// The chores that are on their way.
  var underway: Set<Chore> = []
  /// Counts processes: what one of them began, the next does not hear of.
  var life = 0
  /// Commits more than there are that the store says, so that snapshots come soon.
  let bias: Int
  var core: SyncCore
  var disk: Disk
  var entropy: DeviceEntropy
  /// How far its wall clock is off, milliseconds.
  var skew: Int64
  /// What its wall clock shows for ever.
  var frozenAt: Int64?
  var isUp = true
  /// Destroyed for good.
  var isGone = false
  /// The request whose outcome it waits for.
  var pending: Int?
  var connection: Hub.ConnectionID?
  /// When the push connection was last asked for, and how often it ended soon after.
  var connectedAt: Int64 = 0
  var hangUps = 0
  var form: Form?
  var promised: [Promise] = []
  /// What was typed and neither saved nor given up, as the disk has it.
  var typed: [DraftID: String] = [:]
  /// Until when the shell lets timers be, after the disk refused one.
  var timersRestUntil: Int64 = 0
  var requests = 0
  /// States its disk was in, for a restore; filled when the weather has restores.
  var past: [Disk.Contents] = []
  /// The most it ever held, for the check that this never shrinks.
  var held = Frontier()
  var memberCount = 0
  /// Requests that were sent since a hostile answer.
  var requestsSinceHostility: Int?

  init(
    number: Int, keyring: Keyring, records: [MembershipRecord], skew: Int64, seed: UInt64,
    bug: PlantedBug?, bias: Int = 0
  ) throws {
    self.bias = bias
    keyrings = [keyring.device: keyring]
    self.number = number
    self.keyring = keyring
    self.skew = skew
    entropy = DeviceEntropy(seed: seed, bug: bug)
    disk = Disk(state: StoredState(records: records), device: keyring.device)
    core = try SyncCore(
      device: keyring.device, account: keyring.account, stored: disk.state(bias: bias))
  }

  var isLocked: Bool { core.isLocked }

  func moment(_ now: Int64) -> SyncCore.Moment {
    SyncCore.Moment(
      uptime: .milliseconds(now), wall: frozenAt ?? (World.epoch + now + skew))
  }

  /// A new process on what the disk holds: locked.
  func start(waits: SyncMachine.Waits) throws {
    life += 1
    if let known = keyrings[disk.current.device] { keyring = known }
    core = try SyncCore(
      device: keyring.device, account: keyring.account, stored: disk.state(bias: bias),
      waits: waits)
    (pending, form, connection, isUp) = (nil, nil, nil, true)
    timersRestUntil = 0
    underway = []
    entropy.restart()
  }

  /// What the log says, folded as the shell does it at unlock.
  func folded(at now: Int64) throws -> Replica {
    let keyring = try keyring.extended(by: core.membership)
    var replica = Replica(own: keyring.device)
    if let checkpoint = disk.current.checkpoint {
      try keyring.openSnapshot(checkpoint, membership: core.membership) { piece in
        try replica.merge(piece: piece, now: moment(now).wall)
      }
    }
    for envelope in disk.current.beyondCheckpoint {
      let author = envelope.header.device
      if entropy.bug == .forgetPastDevices,
        core.membership.replacements[author] != nil || core.membership.revoked[author] != nil
      {
        continue
      }
      try replica.fold(
        envelope, with: keyring, membership: core.membership, now: moment(now).wall)
    }
    return replica
  }

  /// The versions of saved edits that no commit holds yet.
  func settledVersions() throws -> [Shadow.Version] {
    // The store may belong to the next identity a moment before the process does.
    let keyring = keyrings[disk.current.device] ?? keyring
    return try disk.current.state.settled.flatMap { row in
      try Shadow.read(
        try keyring.openRow(row.sealed, binding: "settled/\(row.context)"))
    }
  }
}

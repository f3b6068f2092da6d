/// Kinds of trouble that are counted, so that a test sees whether they come up at all.
enum Trouble: CaseIterable, Sendable {
  case crash, badDisk, cutOff, serverRestart, serverRestore, deviceLost, deviceRestored, clone
  case replacement, snapshotWritten, snapshotStored, snapshotFetched, logPruned, serverPruned, alarm
  case locked, conflict, undo, redo, heartbeat, quota, merge, recordRestored, revocation, wipe
  case cutOffByKeys, labelConflict, laterProgram
  case parting, restated, stranded, deletion, endingRestored
  // What S14 and S15 are about.
  case flood, lie, wrongClock, expiredToken, otherProtocol
}

/// What can go wrong in a run and how often, in percent of messages, moments or acts.
struct Weather: Sendable {
  var name: String
  // The network between devices and server.
  var loss: UInt64 = 0
  var duplication: UInt64 = 0
  var slowness: UInt64 = 0
  var truncation: UInt64 = 0
  var bitFlips: UInt64 = 0
  /// Of acts: a device is cut off from the server for a while.
  var partitions: UInt64 = 0
  /// Every message is encoded and read again; otherwise only those that are damaged.
  var encodes = false
  /// What a page of an answer may hold; nil for the usual.
  var pageBytes: Int?
  // The push service.
  var signalLoss: UInt64 = 0
  var pushBreaks: UInt64 = 0
  var isPushOff = false
  var floods: UInt64 = 0
  var lies: UInt64 = 0
  var expiries: UInt64 = 0
  // The devices.
  /// Of crash sites passed, in a thousand.
  var crashes: UInt64 = 0
  var fullDisks: UInt64 = 0
  var failingSyncs: UInt64 = 0
  var clockJumps: UInt64 = 0
  var badTimers: UInt64 = 0
  var locks: UInt64 = 0
  /// Of acts: a device is destroyed for good, at most one in a run.
  var losses: UInt64 = 0
  /// Of acts: a device gets an earlier state of its disk back, at most one in a run.
  var clientRestores: UInt64 = 0
  /// Of acts: a second device starts from a copy of the disk, at most one in a run.
  var clones: UInt64 = 0
  /// Of acts: a device takes another one out of the account, at most one in a run.
  var revocations: UInt64 = 0
  /// Of acts: a device deletes the account.
  var deletions: UInt64 = 0
  /// Of acts: a device gets another name.
  var renamings: UInt64 = 0
  /// How many devices are destroyed, set back, cloned or taken out in a run at the most.
  var disasters = 1
  /// Of acts: a later program was at work on the device, and wrote what this one does not know.
  var laterPrograms: UInt64 = 0
  /// Of restores: the store was salvaged, and says so.
  var salvages: UInt64 = 0
  /// Commits more than there are that stores say: at 500 a snapshot is written.
  var snapshotBias = 0
  /// Of acts: a month goes by.
  var months: UInt64 = 0
  // The server.
  var serverRestarts: UInt64 = 0
  var serverRestores: UInt64 = 0
  /// Of requests: answered with a problem that passes.
  var problems: UInt64 = 0
  /// What the account's commits may add up to, bytes; nil for no bound.
  var quotaBytes: Int?
  /// What a hostile server does to every third answer.
  var hostility: Hostility?

  /// Whether answers may say what no honest server would: alarms are then no mistake.
  var mayAlarm: Bool { bitFlips > 0 || serverRestores > 0 || hostility != nil || setsBack }
  /// Whether a device may find its own chain set back.
  var setsBack: Bool { clientRestores > 0 || clones > 0 }

  static let calm = Weather(name: "calm")

  static let storm = Weather(
    name: "storm", loss: 12, duplication: 10, slowness: 20, signalLoss: 30, pushBreaks: 5,
    crashes: 4, fullDisks: 4, failingSyncs: 3)

  /// The kinds of weather that seeds go through in turn.
  static let catalogue: [Weather] = [
    calm, storm,
    Weather(
      name: "bad lines", loss: 10, duplication: 20, slowness: 40, truncation: 15, encodes: true,
      signalLoss: 20),
    Weather(
      name: "small pages", loss: 5, slowness: 20, pageBytes: 1, signalLoss: 20, crashes: 3),
    Weather(name: "bit flips", loss: 3, slowness: 10, bitFlips: 20, signalLoss: 10),
    Weather(name: "partitions", loss: 3, slowness: 10, partitions: 25, pushBreaks: 5, crashes: 2),
    Weather(name: "bad disks", slowness: 10, crashes: 12, fullDisks: 12, failingSyncs: 12),
    Weather(name: "bad clocks", loss: 5, slowness: 10, crashes: 2, clockJumps: 25, badTimers: 20),
    Weather(name: "server restarts", loss: 5, duplication: 10, slowness: 20, serverRestarts: 20),
    Weather(
      name: "server restores", loss: 5, duplication: 5, slowness: 10, crashes: 3,
      serverRestores: 12),
    Weather(name: "no push", loss: 10, slowness: 10, isPushOff: true, crashes: 3),
    Weather(name: "push floods", slowness: 10, signalLoss: 20, floods: 30),
    Weather(name: "push lies", slowness: 10, signalLoss: 40, pushBreaks: 5, lies: 40),
    Weather(name: "expired tokens", slowness: 10, expiries: 15, problems: 15),
    Weather(name: "locks", loss: 8, slowness: 10, crashes: 3, fullDisks: 4, locks: 20),
    Weather(name: "lost devices", loss: 8, slowness: 10, losses: 12, serverRestores: 10),
    Weather(
      name: "restored devices", loss: 5, slowness: 10, crashes: 2, fullDisks: 6, failingSyncs: 4,
      clientRestores: 15),
    Weather(
      name: "salvaged stores", loss: 5, slowness: 10, crashes: 2, clientRestores: 15,
      salvages: 100),
    Weather(name: "clones", loss: 5, slowness: 10, crashes: 2, clones: 15),
    Weather(
      name: "clones and restores", loss: 5, slowness: 10, crashes: 2, clones: 25,
      serverRestores: 25),
    Weather(
      name: "full accounts", loss: 8, slowness: 10, crashes: 2, quotaBytes: 6_000),
    Weather(
      name: "snapshots", loss: 5, duplication: 5, slowness: 10, crashes: 4, fullDisks: 3,
      snapshotBias: 497),
    Weather(
      name: "months", loss: 5, slowness: 10, crashes: 4, snapshotBias: 497, months: 25),
    Weather(
      name: "later programs", loss: 5, slowness: 10, crashes: 3, clientRestores: 5,
      laterPrograms: 25, snapshotBias: 497, months: 15),
    Weather(
      name: "months and restores", loss: 5, slowness: 10, crashes: 3, snapshotBias: 496,
      months: 20, serverRestores: 12),
    Weather(
      name: "restored devices with snapshots", loss: 5, slowness: 10, crashes: 2, fullDisks: 6,
      clientRestores: 15, snapshotBias: 496, months: 10),
    Weather(
      name: "revoked devices", loss: 5, duplication: 5, slowness: 10, partitions: 15, crashes: 3,
      fullDisks: 6, locks: 10, revocations: 50),
    Weather(
      name: "revocations and restores", loss: 5, slowness: 10, crashes: 2, revocations: 50,
      snapshotBias: 496, serverRestores: 12),
    Weather(
      name: "parted lists", loss: 5, slowness: 10, partitions: 20, crashes: 2, clones: 8,
      revocations: 25, renamings: 40, disasters: 3, snapshotBias: 496,
      serverRestores: 20),
    Weather(
      name: "both set back", loss: 5, slowness: 10, partitions: 10, crashes: 2,
      clientRestores: 20, clones: 10, renamings: 10, disasters: 3, snapshotBias: 496,
      months: 8, serverRestores: 20),
    Weather(
      name: "deleted accounts", loss: 5, duplication: 5, slowness: 10, partitions: 25, crashes: 3,
      fullDisks: 4, locks: 8, deletions: 20, renamings: 10, serverRestores: 20),
    Weather(
      name: "all set back", loss: 5, slowness: 10, partitions: 20, crashes: 2, losses: 4,
      clientRestores: 12, clones: 8, revocations: 12, renamings: 20, disasters: 4,
      snapshotBias: 496, months: 8, serverRestores: 20),
    Weather(
      name: "months set back", slowness: 5, partitions: 25, crashes: 2, losses: 3,
      clientRestores: 10, clones: 10, disasters: 4, snapshotBias: 497, months: 60,
      serverRestores: 12),
  ]

  /// One of the catalogue by its name.
  static func named(_ name: String) -> Weather {
    catalogue.first { $0.name == name } ?? storm
  }

  static func of(seed: UInt64) -> Weather { catalogue[Int(seed % UInt64(catalogue.count))] }
}

import AttributeServer
import PushServer
import Sync
import Vault
import Wire

/// Devices, both servers' real decisions, a network and disks, in virtual time from one seed.
///
/// Time is in milliseconds since the run began. Nothing here reads a clock or draws chance from
/// anywhere but the seed, so a seed gives one run.
final class World {
  enum Happening {
    case act(SimulatedDevice)
    case request(SimulatedDevice, id: Int, Message<SyncRequest>, isCopy: Bool)
    case outcome(SimulatedDevice, id: Int, Message<SyncResponse>)
    case failure(SimulatedDevice, id: Int, ServiceFailure)
    case start(SimulatedDevice)
    case unlock(SimulatedDevice)
    case saveForm(SimulatedDevice)
    case closeForm(SimulatedDevice)
    case mend(SimulatedDevice)
    case connect(SimulatedDevice)
    case toPush(Hub.ConnectionID, [UInt8])
    case fromPush(SimulatedDevice, Hub.ConnectionID, [UInt8])
    case tickPush
    /// What a process of a device began, unless it has ended since.
    case resume(SimulatedDevice, life: Int, () throws -> Void)
  }

  /// What a wall clock that is right shows at the start: 14 November 2023.
  static let epoch: Int64 = 1_700_000_000_000

  let family: Family
  /// Which of many variants it is, where a test tries them all.
  var number = 0
  /// The weather it began in.
  let name: String
  let bug: PlantedBug?
  let waits: SyncMachine.Waits
  var weather: Weather
  var devices: [SimulatedDevice] = []
  var server: SimulatedServer
  var push = PushSide()
  var hostile: HostileServer?
  /// A second history that the server shows to some devices, by their numbers.
  var otherView: SimulatedServer?
  var misled: Set<Int> = []
  /// What a hostile server does to the parts of a snapshot it gives.
  var forgesSnapshots: ((inout [[UInt8]]) -> Void)?
  var shadow = Shadow()
  var entropy: SeededEntropy
  var now: Int64 = 0
  /// How far the calendar went on beside the time that passed, milliseconds.
  var calendar: Int64 = 0
  /// The servers' clock.
  var wall: Int64 { Self.epoch + now + calendar }
  private var queue: [(at: Int64, order: Int, what: Happening)] = []
  private var order = 0
  var requests = 0
  var texts = 0
  /// Devices that reach neither server, and whether their messages vanish or are refused at once.
  var cutOff: [Int: Bool] = [:]
  /// The commits signed in this step.
  var newlySigned: Set<Digest32> = []
  /// What must stand everywhere at rest.
  var mustHold: Set<VersionID> = []
  /// Frontiers seen with the contexts they showed.
  var shown: [Digest32: Int] = [:]
  /// Whether alarms are no mistake, for the rest of the run.
  var mayAlarm: Bool
  /// Whether a device may be set back or cloned in this run.
  var setsBack: Bool
  /// Attributes of which a text was written again to end a conflict.
  var rewritten: Set<AttributeID> = []
  /// Contexts that came out of the trash, with their texts written again.
  var restored: Set<ContextID> = []
  var later: [LaterWord] = []
  /// Hostile answers that raised their alarm.
  var detections = 0
  /// Disasters of which a run has one at the most.
  var disasters = 0

  /// The keys that devices had when they were taken out of the account.
  var revoked: [Keyring] = []

  /// How often each kind of trouble came up.
  private(set) var tally: [Trouble: Int] = [:]

  // Crash sites.
  /// Counts the places at which a process can stop.
  private(set) var sites = 0
  /// The site at which the process stops, once.
  var crashSite: Int?
  /// Counts the requests the server heard; at this one it stops, before or after it took it.
  var serves = 0
  var serverStop: Int?
  var serverStopsBefore = false

  // The trace.
  private let isTracing: Bool
  private(set) var trace: [String] = []
  /// FNV-1a of the trace.
  private(set) var traceHash: UInt64 = 0xCBF2_9CE4_8422_2325

  init(
    family: Family, seed: UInt64, weather: Weather, devices count: Int? = nil,
    bug: PlantedBug? = nil, isTracing: Bool = false, waits: SyncMachine.Waits? = nil
  ) throws {
    self.family = family
    name = weather.name
    self.weather = weather
    mayAlarm = weather.mayAlarm
    setsBack = weather.setsBack
    self.bug = bug
    self.isTracing = isTracing
    self.waits = waits ?? SyncMachine.Waits()
    entropy = SeededEntropy(seed: seed)
    server = SimulatedServer(store: family.server, bug: bug, quotaBytes: weather.quotaBytes)
    // Mostly three devices: more add little but time.
    let count = count ?? [3, 3, 3, 2, 4, 3, 3, 5, 3, 6][Int(seed / 16 % 10)]
    for number in 0..<min(count, family.keyrings.count) {
      // One clock right, one ten years ahead, one ten years behind.
      let decade: Int64 = 10 * 365 * 86_400_000
      var records = Array(family.records.prefix(number + 1))
      if bug == .believeIntruders, number == 0 {
        records = family.records + [family.intruder.record]
      }
      let device = try SimulatedDevice(
        number: number, keyring: family.keyrings[number], records: records,
        skew: [0, decade, -decade][number % 3] + Int64(entropy.pick(0...1000)),
        seed: entropy.next(), bug: bug, bias: weather.snapshotBias)
      self.devices.append(device)
    }
    if let move = weather.hostility {
      hostile = HostileServer(move: move, family: family, other: try Runs.stranger.get())
    }
    if !weather.isPushOff { schedule(.tickPush, at: 25_000) }
    for device in self.devices { try start(device) }
  }

  func count(_ trouble: Trouble) { tally[trouble, default: 0] += 1 }

  func record(_ line: @autoclosure () -> String) {
    let line = "\(now) \(line())"
    for byte in line.utf8 {
      traceHash = (traceHash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    if isTracing { trace.append(line) }
  }

  // MARK: running

  /// Lets persons act `count` times in all, then runs for `rest` more.
  func live(acts count: Int, rest: Int64 = 20_000) throws {
    var at = now
    for _ in 0..<count {
      at += Int64(entropy.pick(1...900))
      guard let device = entropy.pick(devices) else { return }
      schedule(.act(device), at: at)
    }
    try settle(until: at + rest)
  }

  /// Everything becomes well, and everybody is asked to synchronise until they have rested thrice.
  func heal() throws {
    weather = .calm
    hostile = nil
    server.liftQuota()
    cutOff = [:]
    crashSite = nil
    record("heal")
    for device in devices where !device.isGone {
      device.disk.nextFault = nil
      device.frozenAt = nil
      // A copy of a deleted account looks at its start whether the server knows.
      if !device.isUp || device.core.isEnded { try start(device) }
      if device.isLocked { try unlock(device) }
      if device.form != nil { try closeForm(of: device) }
      if device.connection == nil { try connect(device) }
    }
    let before = devices.map(\.requests)
    // A person reads the alarm of two histories; each round may show one more.
    let rounds = devices.contains(where: Self.isForked) || mayPart ? 6 : 3
    for _ in 0..<rounds {
      for device in devices where !device.isGone {
        if Self.isForked(device) { try take(.mergeWanted, by: device) }
        try take(.requested, by: device)
      }
      try revokeAgain()
      try settle(until: now + 60_000)
    }
    for (device, count) in zip(devices, before) where device.requests - count > 60 {
      throw Violation(
        .s9, "device \(device.number) asked \(device.requests - count) times while all was well")
    }
  }

  /// Whether lists of devices may part: each device that says anew what one said takes a round.
  private var mayPart: Bool { (tally[.serverRestore] ?? 0) > 0 }

  private static func isForked(_ device: SimulatedDevice) -> Bool {
    device.core.alarms.contains { $0.code == "fork" }
  }

  func settle(until end: Int64) throws {
    var steps = 0
    while let next = nextTime(), next <= end {
      now = max(now, next)
      steps += 1
      guard steps < 20_000 else { throw Violation(.s9, "it never comes to rest") }
      try turn()
    }
    now = max(now, end)
  }

  private func nextTime() -> Int64? {
    let timers = devices.compactMap { dueTime(of: $0) }
    return (timers + queue.map(\.at)).min()
  }

  private func dueTime(of device: SimulatedDevice) -> Int64? {
    guard device.isUp, bug != .forgetTimers, let next = device.core.nextTimer else { return nil }
    return max(next.wholeMilliseconds, device.timersRestUntil)
  }

  private func turn() throws {
    if let first = queue.indices.min(by: {
      (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order)
    }),
      queue[first].at <= now
    {
      return try carryOut(queue.remove(at: first).what)
    }
    for device in devices {
      guard let due = dueTime(of: device), due <= now else { continue }
      if entropy.chance(weather.badTimers) {
        // Late now, and early soon after: neither may do harm.
        device.timersRestUntil = now + Int64(entropy.pick(1...5000))
        return
      }
      try take(.timer, by: device)
      return
    }
  }

  func schedule(_ what: Happening, at time: Int64) {
    order += 1
    queue.append((time, order, what))
  }

  private func carryOut(_ what: Happening) throws {
    switch what {
    case .act(let device): try act(device)
    case .request(let device, let id, let message, let isCopy):
      try serve(message, from: device, id: id, isCopy: isCopy)
    case .outcome(let device, let id, let message): try deliver(message, to: device, id: id)
    case .failure(let device, let id, let failure):
      guard device.isUp, device.pending == id else { return }
      device.pending = nil
      try fail(failure, of: device)
    case .start(let device):
      if !device.isUp, !device.isGone { try start(device) }
    case .unlock(let device):
      if device.isUp, device.isLocked { try unlock(device) }
    case .saveForm(let device): try saveForm(of: device)
    case .closeForm(let device): try closeForm(of: device)
    case .mend(let device): cutOff[device.number] = nil
    case .connect(let device): try connect(device)
    case .toPush(let id, let text): try pushHears(text, from: id)
    case .fromPush(let device, let id, let text): try hear(text, on: id, by: device)
    case .resume(let device, let life, let body):
      if device.isUp, device.life == life { try body() }
    case .tickPush:
      try tickPush()
      if let move = weather.hostility {
        hostile = HostileServer(move: move, family: family, other: try Runs.stranger.get())
      }
      if !weather.isPushOff { schedule(.tickPush, at: now + 25_000) }
    }
  }

  // MARK: crash sites

  struct Crash: Error {}

  /// A place at which the process may stop.
  func passSite() throws {
    sites += 1
    if crashSite == sites {
      crashSite = nil
      throw Crash()
    }
    if weather.crashes > 0, entropy.next() % 1000 < weather.crashes { throw Crash() }
  }
}

extension Duration {
  /// Rounded up, so that a timer is never early.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}

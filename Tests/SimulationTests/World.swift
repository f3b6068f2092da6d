import AttributeServer
import Sync
import Vault
import Wire

@testable import Sync

/// How bad the network and the machines are, in percent of messages or moments.
struct Weather: Sendable {
  var loss: UInt64 = 0
  var duplication: UInt64 = 0
  var slowness: UInt64 = 0
  var signalLoss: UInt64 = 0
  var crashes: UInt64 = 0
  var fullDisks: UInt64 = 0
  var pushBreaks: UInt64 = 0

  static let calm = Weather()
  static let storm = Weather(
    loss: 15, duplication: 10, slowness: 20, signalLoss: 30, crashes: 4, fullDisks: 4,
    pushBreaks: 5)
}

/// A check that failed: what, when, and the seed that shows it again.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

/// Devices, a server with the real ledger, and a network, in virtual time from one seed.
struct World {
  private enum Happening {
    case act(Int)
    case request(Int, id: Int, SyncRequest, isCopy: Bool)
    case outcome(Int, id: Int, Result<SyncResponse, ServiceFailure>)
    case signal(Int, Signal)
    case push(Int, isUp: Bool)
    case restart(Int)
    case closeForm(Int)
  }

  let bug: PlantedBug?
  var weather: Weather
  var devices: [SimulatedDevice]
  private var server: MemoryLedgerStore
  private let ledger = Ledger()
  private var entropy: SeededEntropy
  private var now: Int64 = 0
  private var queue: [(at: Int64, order: Int, what: Happening)] = []
  private var order = 0
  private var requests = 0
  private var texts = 0
  /// One line for each thing that happened; equal for equal seeds.
  private(set) var trace: [String] = []

  init(family: Family, seed: UInt64, weather: Weather, bug: PlantedBug? = nil) throws {
    self.weather = weather
    self.bug = bug
    var entropy = SeededEntropy(seed: seed)
    server = family.server
    devices = try family.keyrings.enumerated().map { number, keyring in
      // One clock right, one ten years ahead, one ten years behind.
      let decade: Int64 = 10 * 365 * 86_400_000
      return try SimulatedDevice(
        number: number, keyring: keyring, records: family.records,
        skew: [0, decade, -decade][number % 3] + Int64(entropy.pick(0...1000)))
    }
    self.entropy = entropy
    for number in devices.indices { try restart(number) }
  }

  // MARK: running

  /// Lets persons act `count` times in all, then runs until nothing is left to happen.
  mutating func live(acts count: Int) throws {
    var at = now
    for _ in 0..<count {
      at += Int64(entropy.pick(1...900))
      schedule(.act(entropy.pick(0...(devices.count - 1))), at: at)
    }
    try settle(until: at + 60_000)
  }

  /// The network heals, every machine comes up, and everybody is asked to synchronise.
  mutating func heal() throws {
    weather = .calm
    for number in devices.indices {
      devices[number].disk.isFull = false
      if !devices[number].isUp { try restart(number) }
      if let form = devices[number].form { try close(form, of: number) }
      schedule(.push(number, isUp: true), at: now)
    }
    for _ in 0..<3 {
      for number in devices.indices { try take(.requested, by: number) }
      try settle(until: now + 60_000)
    }
  }

  private mutating func settle(until end: Int64) throws {
    var steps = 0
    while let next = nextTime(), next <= end {
      now = max(now, next)
      steps += 1
      guard steps < 20_000 else { throw Violation(description: "it never comes to rest") }
      try turn()
    }
    now = end
  }

  private func nextTime() -> Int64? {
    let timers = devices.filter(\.isUp).compactMap(\.core.nextTimer).map(\.wholeMilliseconds)
    return (timers + queue.map(\.at)).min()
  }

  private mutating func turn() throws {
    if let first = queue.indices.min(by: {
      (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order)
    }),
      queue[first].at <= now
    {
      try carryOut(queue.remove(at: first).what)
      return
    }
    for number in devices.indices
    where devices[number].isUp
      && (devices[number].core.nextTimer?.wholeMilliseconds).map({ $0 <= now }) == true
    {
      try take(.timer, by: number)
      return
    }
  }

  private mutating func schedule(_ what: Happening, at time: Int64) {
    order += 1
    queue.append((time, order, what))
  }

  // MARK: what happens

  private mutating func carryOut(_ what: Happening) throws {
    switch what {
    case .act(let number): try act(number)
    case .request(let number, let id, let request, let isCopy):
      try serve(request, from: number, id: id, isCopy: isCopy)
    case .outcome(let number, let id, let result):
      guard devices[number].isUp, devices[number].pending == id else { return }
      devices[number].pending = nil
      switch result {
      case .success(let response): try take(.answered(response), by: number)
      case .failure(let failure): try take(.failed(failure), by: number)
      }
    case .signal(let number, let signal):
      guard devices[number].isUp, devices[number].isPushUp, bug != .ignoreSignals else { return }
      try take(.signal(signal.device, signal.sequence), by: number)
    case .push(let number, let isUp):
      guard devices[number].isUp else { return }
      devices[number].isPushUp = isUp
      try take(.push(isUp: isUp), by: number)
    case .restart(let number): try restart(number)
    case .closeForm(let number):
      if let form = devices[number].form { try close(form, of: number) }
    }
  }

  private mutating func restart(_ number: Int) throws {
    trace.append("\(now) \(number) restart")
    let event = try devices[number].restart(at: now)
    try take(event, by: number)
    try take(.started, by: number)
    schedule(.push(number, isUp: true), at: now + Int64(entropy.pick(1...500)))
  }

  private mutating func crash(_ number: Int) {
    trace.append("\(now) \(number) crash")
    devices[number].isUp = false
    devices[number].pending = nil
    schedule(.restart(number), at: now + Int64(entropy.pick(1...5000)))
  }

  private mutating func act(_ number: Int) throws {
    guard devices[number].isUp else { return }
    if entropy.chance(weather.crashes) { return crash(number) }
    if entropy.chance(weather.pushBreaks) {
      try carryOut(.push(number, isUp: false))
      schedule(.push(number, isUp: true), at: now + Int64(entropy.pick(100...3000)))
    }
    try edit(number)
  }

  private mutating func edit(_ number: Int) throws {
    let contexts = devices[number].core.replica.contexts
    let text = "text-\(texts)-of-\(number)"
    texts += 1
    guard contexts.count >= 3, !entropy.chance(10),
      let context = contexts.isEmpty ? nil : contexts[entropy.pick(0...(contexts.count - 1))],
      let attribute = context.attributes.isEmpty
        ? nil : context.attributes[entropy.pick(0...(context.attributes.count - 1))]
    else {
      let attributes = ["username", "password"].map {
        Edit.NewAttribute(label: $0, kind: .text, text: "\($0)-\(text)")
      }
      try save(
        [.createContext(name: "context \(text)", kind: .account, attributes: attributes)],
        by: number, promising: nil)
      return
    }
    if entropy.chance(5) {
      try save([.deleteContext(context.id)], by: number, promising: nil)
      return
    }
    if devices[number].form == nil, entropy.chance(50) {
      devices[number].form = context.id
      if bug != .forgetOpenForms { try take(.formOpened(context.id), by: number) }
      schedule(.closeForm(number), at: now + Int64(entropy.pick(100...4000)))
    }
    let promise = SimulatedDevice.Promise(
      context: context.id, attribute: attribute.id, text: text)
    try save(
      [.setValue(context.id, attribute.id, text: text, base: nil)],
      by: number, promising: promise)
  }

  private mutating func save(
    _ edits: [Edit], by number: Int, promising promise: SimulatedDevice.Promise?
  ) throws {
    do {
      try take(.saved(edits, immediately: false), by: number, failing: true)
      if let promise { devices[number].promised.append(promise) }
    } catch is SimulatedDisk.Full {
      trace.append("\(now) \(number) full")
    }
  }

  private mutating func close(_ form: ContextID, of number: Int) throws {
    devices[number].form = nil
    if bug != .forgetOpenForms { try take(.formClosed(form), by: number) }
  }

  /// One event through a device's shell. A full disk fails the step and leaves everything.
  private mutating func take(
    _ event: SyncCore.Event, by number: Int, failing: Bool = false
  ) throws {
    guard devices[number].isUp else { return }
    if event.mayMeetAFullDisk { devices[number].disk.isFull = entropy.chance(weather.fullDisks) }
    do {
      let step = try devices[number].take(event, at: now, &entropy, bug: bug)
      try checkForm(step, of: number)
      for effect in step.effects {
        if case .synchronise(let plan) = effect { send(plan, from: number) }
      }
      let sequences = step.transaction.commits.map {
        "\($0.header.device.description.prefix(4)):\($0.header.sequence)"
      }
      trace.append("\(now) \(number) \(event.name) \(sequences.joined(separator: ","))")
    } catch let full as SimulatedDisk.Full {
      devices[number].disk.isFull = false
      if failing { throw full }
      // The shell reports it, and the core hears that the run failed.
      if case .answered = event { try take(.failed(.unreachable(reason: "disk full")), by: number) }
    }
    try checkOwnEdits(of: number)
  }

  private mutating func send(_ plan: SyncPlan, from number: Int) {
    requests += 1
    devices[number].pending = requests
    let frames = plan.pushBeyond.map { devices[number].disk.commits(beyond: $0, count: 100) }
    let request = plan.request(frames: frames ?? [])
    let isLost = entropy.chance(weather.loss)
    if isLost {
      schedule(
        .outcome(number, id: requests, .failure(.unreachable(reason: "timed out"))),
        at: now + 5000)
    } else {
      schedule(.request(number, id: requests, request, isCopy: false), at: now + delay())
    }
    if entropy.chance(weather.duplication) {
      schedule(.request(number, id: requests, request, isCopy: true), at: now + delay())
    }
  }

  private mutating func delay() -> Int64 {
    Int64(entropy.chance(weather.slowness) ? entropy.pick(100...4000) : entropy.pick(1...30))
  }

  private mutating func serve(
    _ request: SyncRequest, from number: Int, id: Int, isCopy: Bool
  ) throws {
    let caller = Caller(
      account: devices[number].core.account, device: devices[number].core.device)
    let response = try ledger.sync(request, by: caller, generation: "1", in: &server)
    for outcome in response.outcomes {
      if let problem = outcome.problem, !problem.retryable {
        throw Violation(description: "an honest commit was refused: \(problem.code.rawValue)")
      }
    }
    for signal in server.takeSignals() { spread(signal) }
    if isCopy { return }
    if entropy.chance(weather.loss) {
      schedule(
        .outcome(number, id: id, .failure(.unreachable(reason: "timed out"))), at: now + 5000)
    } else {
      schedule(.outcome(number, id: id, .success(response)), at: now + delay())
    }
  }

  private mutating func spread(_ signal: Signal) {
    for device in devices where device.core.device != signal.device {
      guard !entropy.chance(weather.signalLoss) else { continue }
      schedule(.signal(device.number, signal), at: now + delay())
    }
  }

  // MARK: checks

  /// Every step: what a person saved and was told is saved stands in this device's own history.
  private func checkOwnEdits(of number: Int) throws {
    let device = devices[number]
    guard device.isUp, let last = device.promised.last else { return }
    try checkHistory(of: device, holds: last)
  }

  private func checkHistory(
    of device: SimulatedDevice, holds promise: SimulatedDevice.Promise
  ) throws {
    let history = device.core.replica.history(of: promise.attribute, in: promise.context)
    let count = history.count { $0.text == promise.text }
    guard count == 1 else {
      throw Violation(
        description: "\(promise.text) stands \(count) times in the history of \(device.number)")
    }
  }

  /// Every step: no commit holds an operation of a context whose form is open.
  private func checkForm(_ step: SyncCore.Step, of number: Int) throws {
    let device = devices[number]
    guard let form = device.form else { return }
    for envelope in step.transaction.commits where envelope.header.device == device.core.device {
      let plaintext = try device.keyring.openCommit(envelope, membership: device.core.membership)
      let operations = try [Operation](plaintext: plaintext)
      guard !operations.contains(where: { $0.context == form }) else {
        throw Violation(description: "a commit left midway through an edit on \(number)")
      }
    }
  }

  /// Liveness and safety at rest: everybody shows the same, nothing waits, each promise is kept.
  func checkAgreement() throws {
    let expected = devices[0].core.replica.contexts
    for device in devices {
      guard device.core.alarms.isEmpty else {
        throw Violation(description: "a false alarm: \(device.core.alarms[0].text)")
      }
      guard device.core.waiting == 0 else {
        throw Violation(description: "\(device.core.waiting) changes wait on \(device.number)")
      }
      guard device.core.replica.contexts == expected else {
        throw Violation(description: "\(device.number) shows other contexts than 0")
      }
      guard device.core.frontier == devices[0].core.frontier,
        device.core.serverFrontier == device.core.frontier
      else { throw Violation(description: "frontiers differ on \(device.number)") }
      for promise in devices.flatMap(\.promised) {
        try checkHistory(of: device, holds: promise)
      }
    }
  }
}

extension Duration {
  /// Rounded up, so that a timer is never early.
  fileprivate var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}

extension SyncCore.Event {
  /// What happens in the middle of a life; a start on a full disk is refused and tried again.
  fileprivate var mayMeetAFullDisk: Bool {
    switch self {
    case .saved, .timer, .answered, .formClosed: true
    default: false
    }
  }

  fileprivate var name: String {
    switch self {
    case .started: "started"
    case .formOpened: "opened"
    case .formClosed: "closed"
    case .saved: "saved"
    case .timer: "timer"
    case .signal: "signal"
    case .behind: "behind"
    case .push(let isUp): isUp ? "push up" : "push down"
    case .requested: "requested"
    case .answered: "answered"
    case .failed: "failed"
    case .unlocked: "unlocked"
    case .locked: "locked"
    }
  }
}

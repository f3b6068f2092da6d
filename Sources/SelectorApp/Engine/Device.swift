import Foundation
import Storage
import Sync
import Transport
import Vault
import Wire

/// One process's hold on one profile: the one place that awaits.
///
/// Everything that happens goes through ``take(_:)``: the core decides on a copy, the store writes,
/// and only then the copy becomes the truth and its effects are carried out. No `await` stands
/// between reading the core and replacing it.
actor Device {
  nonisolated let folder: ProfileFolder
  nonisolated let settings: ProfileSettings
  /// This device's name as it was when the profile was made: all that a locked screen shows.
  nonisolated let ownName: String
  let client: AttributeClient
  let store: SQLiteStore
  private let profileLock: ProfileLock
  var core: SyncCore
  var entropy = SodiumEntropy()
  var keyring: Keyring?
  var names: [DeviceID: DeviceName] = [:]
  var push: PushConnection?
  var pushState = SyncStatus.Push.down
  var pushSince: Int64?
  var pushTask: Task<Void, Never>?
  var presence: [DeviceID: PushFrame.Presence] = [:]
  /// The newest commit of this device that each peer said it holds.
  var acknowledged: [DeviceID: UInt64] = [:]
  private var timer: Task<Void, Never>?
  private var isStarted = false
  private var observers: [Int: AsyncStream<DeviceEvent>.Continuation] = [:]
  private var nextObserver = 0
  private var lastStatus: SyncStatus?
  var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  var nextWaiter = 0
  private static let clock = ContinuousClock()
  private static let origin = clock.now

  /// Opens the profile and takes its lock; it stays locked until ``unlock(_:)``.
  static func open(_ folder: ProfileFolder) throws -> Device {
    guard folder.exists else { throw DeviceError.noProfile }
    let lock = try ProfileLock.acquire(folder.lock)
    let settings = try folder.readSettings()
    guard let key = try? AuthenticationKey(seed: try folder.readFile(folder.deviceKey)) else {
      throw DeviceError.damagedProfile(file: folder.deviceKey)
    }
    let store = try SQLiteStore(path: folder.database, digest: { Digest32.sha256($0) })
    let core = try SyncCore(
      device: settings.device, account: settings.account, stored: try store.load())
    let client = try AttributeClient(
      address: try ServerAddress(settings.server), trust: .of(pin: settings.pin),
      prover: DeviceKeyProver(device: settings.device, key: key), instance: settings.instance,
      digest: { Digest32.sha256($0) })
    let name = try store.row(Onboarding.nameRow).map { String(decoding: $0, as: UTF8.self) }
    return Device(
      folder: folder, settings: settings, name: name ?? "this device", lock: lock, store: store,
      core: core, client: client)
  }

  private init(
    folder: ProfileFolder, settings: ProfileSettings, name: String, lock: ProfileLock,
    store: SQLiteStore, core: SyncCore, client: AttributeClient
  ) {
    ownName = name
    self.folder = folder
    self.settings = settings
    profileLock = lock
    self.store = store
    self.core = core
    self.client = client
  }

  var isLocked: Bool { core.isLocked }

  /// Opens the keyring and folds the log into contexts.
  ///
  /// - Throws: ``VaultError/wrongPassphrase``; then nothing changed.
  func unlock(_ passphrase: Passphrase) throws {
    let opened = try Keyring.open(
      disk: try folder.readFile(folder.keyring), passphrase: passphrase)
    guard opened.device == settings.device, opened.account == settings.account else {
      throw DeviceError.damagedProfile(file: folder.keyring)
    }
    try opened.check(core.membership)
    var replica = Replica(own: settings.device)
    let membership = core.membership
    let now = Self.wallClock
    try store.forEachCommit { envelope in
      try replica.fold(envelope, with: opened, membership: membership, now: now)
    }
    keyring = opened
    refreshNames()
    do {
      try take(.unlocked(opened, replica))
    } catch {
      keyring = nil
      throw error
    }
    publishContexts()
  }

  /// Commits what is saved and forgets everything that can be read; sync goes on sealed.
  func lock() throws {
    try take(.locked)
    keyring = nil
    publishContexts()
  }

  /// Begins to synchronise, and to listen when `push` is wanted.
  func start(push wantsPush: Bool) async {
    if !isStarted {
      isStarted = true
      // A command that saved has asked already; one round trip is enough.
      if core.isSynchronising { armTimer(atLeast: .zero) } else { attempt(.started) }
    }
    if wantsPush { startPush() }
  }

  /// Sends what is still unsent within `limit`, then lets go of everything.
  func stop(flush limit: Duration) async {
    if isStarted, core.waiting > 0, core.failure == nil { _ = await synchronise(within: limit) }
    isStarted = false
    timer?.cancel()
    pushTask?.cancel()
    await push?.close()
    for observer in observers.values { observer.finish() }
    observers = [:]
    do {
      try store.close()
    } catch {
      report("store_close", "The store could not be closed cleanly; it checks itself next time.")
    }
    profileLock.release()
  }

  /// Makes edits true here; they are on disk when this returns.
  func save(_ edits: [Edit], immediately: Bool) async throws {
    try take(.saved(edits, immediately: immediately))
  }

  func formOpened(_ context: ContextID) { attempt(.formOpened(context)) }
  func formClosed(_ context: ContextID) { attempt(.formClosed(context)) }

  func contexts() -> [ContextRecord] { core.replica.contexts }

  func deleted() -> [(id: ContextID, name: String, at: Int64, by: DeviceID)] {
    core.replica.deleted
  }

  func history(of attribute: AttributeID, in context: ContextID) -> [ValueRecord] {
    core.replica.history(of: attribute, in: context)
  }

  /// All there is at this moment, as a value.
  var replica: Replica { core.replica }

  func accountName() -> String? { keyring?.accountName }

  /// What happens from now on; the first events tell where things stand.
  func events() -> AsyncStream<DeviceEvent> {
    let number = nextObserver
    nextObserver += 1
    let (stream, continuation) = AsyncStream.makeStream(of: DeviceEvent.self)
    continuation.onTermination = { _ in Task { await self.forget(observer: number) } }
    observers[number] = continuation
    continuation.yield(.contexts(contexts()))
    continuation.yield(.status(status()))
    return stream
  }

  private func forget(observer number: Int) { observers[number] = nil }

  /// Puts one event through the core. Nothing changes when it throws.
  func take(_ event: SyncCore.Event) throws {
    var next = core
    let step = try next.step(event, at: Self.moment, entropy: &entropy)
    if !step.transaction.isEmpty { try store.write(step.transaction) }
    core = next
    if !step.transaction.records.isEmpty { refreshNames() }
    for effect in step.effects { perform(effect) }
    if !step.transaction.isEmpty || step.effects.contains(where: \.isChange) { publishContexts() }
    afterStep()
  }

  /// The same where nobody waits for an error: it is said in the log, and tried again later.
  func attempt(_ event: SyncCore.Event) {
    do {
      try take(event)
    } catch {
      report("storage", "\(Failure(error).sentence)")
      armTimer(atLeast: .seconds(5))
    }
  }

  private func afterStep() {
    armTimer(atLeast: .zero)
    publishStatus()
    guard !core.isSynchronising else { return }
    for waiter in waiters.values { waiter.resume() }
    waiters = [:]
  }

  private func perform(_ effect: SyncCore.Effect) {
    switch effect {
    case .synchronise(let plan): Task { await self.run(plan) }
    case .acknowledge(let device, let sequence):
      push?.acknowledge(device: device, sequence: sequence)
    case .changed(let changes): tell(.changed(changes))
    case .noticed(let notice): tell(.notice(notice))
    }
  }

  private func run(_ plan: SyncPlan) async {
    do {
      let frames = try plan.pushBeyond.map {
        try store.commits(
          beyond: $0, count: Limits.framesPerSync, bytes: Limits.frameBytesPerSync)
      }
      let wasOffline = core.failure != nil
      let response = try await client.synchronise(plan.request(frames: frames ?? []))
      try take(.answered(response))
      if wasOffline, pushState == .down { push?.reconnectNow() }
    } catch let failure as ServiceFailure {
      attempt(.failed(failure))
    } catch {
      report("storage", Failure(error).sentence)
      attempt(.failed(.unreachable(reason: "this device could not keep the answer")))
    }
  }

  private func armTimer(atLeast wait: Duration) {
    timer?.cancel()
    guard isStarted, let due = core.nextTimer else { return }
    let delay = max(due - Self.moment.uptime, wait)
    timer = Task {
      do {
        try await Task.sleep(for: delay)
      } catch {
        return
      }
      self.attempt(.timer)
    }
  }

  func refreshNames() {
    guard let keyring else { return }
    for (id, description) in core.membership.devices {
      // A name that does not open is shown by its id; the device is no less a member.
      if let name = try? keyring.name(of: description) { names[id] = name }
    }
  }

  func tell(_ event: DeviceEvent) {
    for observer in observers.values { observer.yield(event) }
  }

  func report(_ code: String, _ text: String) {
    tell(.notice(Notice(code: code, text: text, at: Self.wallClock, isAlarm: false)))
  }

  private func publishContexts() {
    if !observers.isEmpty { tell(.contexts(contexts())) }
  }

  func publishStatus() {
    let status = status()
    guard status != lastStatus else { return }
    lastStatus = status
    tell(.status(status))
  }

  static var wallClock: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
  static var moment: SyncCore.Moment {
    SyncCore.Moment(uptime: clock.now - origin, wall: wallClock)
  }
}

extension SyncCore.Effect {
  fileprivate var isChange: Bool {
    if case .changed = self { true } else { false }
  }
}

/// Proves this device to the servers with its authentication key, which works while locked.
struct DeviceKeyProver: DeviceProver {
  let device: DeviceID
  let key: AuthenticationKey

  func prove(_ bytes: [UInt8]) throws -> Blob { key.sign(bytes) }
}

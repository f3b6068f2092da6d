import Foundation
import Storage
import Sync
import Synchronization
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
  /// Changes only when this device takes another identity.
  private nonisolated let settingsBox: Mutex<ProfileSettings>
  /// This device's name as it was when the profile was made: all that a locked screen shows.
  nonisolated let ownName: String
  var client: AttributeClient
  private(set) var store: SQLiteStore
  let profileLock: ProfileLock
  var core: SyncCore
  var entropy = SodiumEntropy()
  /// What this device can open; nil while locked.
  var keyring: Keyring? { core.keyring }
  var guesses = Guesses()
  var telling = Telling()
  /// Why nothing of the account is here any more; nil while this device is a member.
  var wiped: String?
  /// Tells the server that everything was erased.
  var saying: Task<Void, Never>?
  var names: [DeviceID: DeviceName] = [:]
  var push: PushConnection?
  var pushState = SyncStatus.Push.down
  var pushSince: Int64?
  /// What carries the connection; nil while there is none.
  var pushTransport: PushTransport?
  var pushRefusals: [RefusedTransport] = []
  var pushTask: Task<Void, Never>?
  var presence: [DeviceID: PushFrame.Presence] = [:]
  /// The newest commit of this device that each peer said it holds.
  var acknowledged: [DeviceID: UInt64] = [:]
  /// What is written down of ``presence`` and ``acknowledged``.
  var keptBook: PeerBook
  /// What was there when it could last be read.
  private var seen: Frontier
  private var timer: Task<Void, Never>?
  private var isStarted = false
  private var holdsBack = false
  /// What would be asked of the server, were it not held back.
  private(set) var heldPlan: SyncPlan?
  /// Whether a snapshot is being written, sent or fetched, or an identity replaced: one at a time.
  var underway: Set<Chore> = []
  /// What a person must be told that happened while the profile was opened.
  private(set) var opening: [Notice]
  /// Counts what makes a fold of the log that is on its way worthless.
  private var foldNumber = 0
  private var progress: SyncProgress?
  private var syncCount = SyncCount()
  /// Whether the store was salvaged, and the server has not answered since.
  private(set) var isUncertain = false
  private var locking: (@Sendable () async -> Void)?
  /// Counts what was asked to lock it, and how many are unlocking it.
  private var lockings = 0
  private var unlockings = 0
  /// When a command last came; time asleep counts.
  private(set) var lastUse = ContinuousClock.now
  private var observers: [Int: AsyncStream<DeviceEvent>.Continuation] = [:]
  private var nextObserver = 0
  private var lastStatus: SyncStatus?
  var waiters: [CheckedContinuation<Void, Never>] = []
  private static let clock = ContinuousClock()
  private static let origin = clock.now

  /// Opens the profile and takes its lock; it stays locked until ``unlock(_:)``.
  ///
  /// A damaged store is set aside, and what still reads of it becomes a new one; ``opening`` says
  /// so. A change of identity that was interrupted is finished.
  static func open(
    _ folder: ProfileFolder, memory: MemoryFacts = .current()
  ) throws -> Device {
    guard folder.exists else { throw DeviceError.absence(of: folder) }
    let lock = try ProfileLock.acquire(folder.lock)
    if folder.farewellText != nil {
      // The erasing was interrupted.
      defer { lock.release() }
      try folder.erase()
      throw DeviceError.absence(of: folder)
    }
    let found = try folder.readSettings()
    let (store, salvage) = try SQLiteStore.openOrSalvage(
      path: folder.database, device: found.device, now: wallClock, digest: { Digest32.sha256($0) })
    let settings = try Identity.finishSwitch(in: folder, settings: found, store: store)
    let stored = try store.load()
    let core = try SyncCore(
      device: settings.device, account: settings.account, stored: stored)
    var opening = salvage.map { [$0.notice(at: wallClock)] } ?? []
    if let warning = memory.warning {
      opening.append(Notice(code: "memory", text: warning, at: wallClock, isAlarm: false))
    }
    let name = try store.row(Onboarding.nameRow).map { String(decoding: $0, as: UTF8.self) }
    return Device(
      folder: folder, settings: settings, name: name ?? "this device", lock: lock, store: store,
      core: core, client: try client(for: settings, in: folder),
      opening: opening, isUncertain: stored.isUncertain)
  }

  static func client(
    for settings: ProfileSettings, in folder: ProfileFolder
  ) throws -> AttributeClient {
    guard let key = try? AuthenticationKey(seed: try folder.readFile(folder.deviceKey)) else {
      throw DeviceError.damagedProfile(file: folder.deviceKey)
    }
    return try AttributeClient(
      address: try ServerAddress(settings.server), trust: .of(pin: settings.pin),
      prover: DeviceKeyProver(device: settings.device, key: key), instance: settings.instance,
      digest: { Digest32.sha256($0) })
  }

  private init(
    folder: ProfileFolder, settings: ProfileSettings, name: String, lock: ProfileLock,
    store: SQLiteStore, core: SyncCore, client: AttributeClient, opening: [Notice],
    isUncertain: Bool
  ) {
    ownName = name
    self.folder = folder
    settingsBox = Mutex(settings)
    profileLock = lock
    self.store = store
    self.core = core
    self.client = client
    self.opening = opening
    self.isUncertain = isUncertain
    seen = core.frontier
    keptBook = PeerBook.read(of: settings.device, from: store)
    acknowledged = keptBook.held
    presence = keptBook.presence
  }

  nonisolated var settings: ProfileSettings { settingsBox.withLock { $0 } }

  /// The file first.
  func keep(_ settings: ProfileSettings) throws {
    try folder.writeSettings(settings)
    settingsBox.withLock { $0 = settings }
  }

  var isLocked: Bool { core.isLocked }
  /// Whether it is locked, and nobody is unlocking it.
  var staysLocked: Bool { isLocked && unlockings == 0 }

  /// Opens the keyring and folds checkpoint and log into contexts, beside this actor; observers
  /// are told how far it is.
  ///
  /// - Throws: ``VaultError/wrongPassphrase`` or ``DeviceError/guessedTooOften(seconds:)``; then
  ///   nothing changed.
  func unlock(_ passphrase: Passphrase) async throws {
    let opened = try guess {
      try Identity.keyring(in: folder, settings: settings, passphrase: passphrase)
    }
    if core.membership.count == 0 { try await fetchMembership() }
    try opened.check(core.membership)
    do {
      try await unlock(with: opened)
    } catch let error as StorageError where error.isDamage {
      try salvage()
      if core.membership.count == 0 { try await fetchMembership() }
      try opened.check(core.membership)
      try await unlock(with: opened)
    }
  }

  /// After a salvage that kept nothing, the server is asked who belongs to the account; the keyring
  /// tells whether that is true.
  private func fetchMembership() async throws {
    _ = await synchronise(within: .seconds(20))
    guard core.membership.count > 0 else {
      let reason = core.failure.map { Failure($0).sentence } ?? "It did not answer in time."
      throw DeviceError.membershipMissing(reason: reason)
    }
  }

  private func unlock(with file: Keyring) async throws {
    let asked = lockings
    unlockings += 1
    defer { unlockings -= 1 }
    var folded: Fold
    var number: Int
    repeat {
      number = foldNumber
      folded = try await Fold.make(
        of: store, own: settings.device, seen: seen, now: Self.wallClock,
        trust: { try await self.trust(file) }
      ) { done, total in
        await self.say(SyncProgress(done: done, total: total, what: "opening"))
      }
    } while number != foldNumber
    say(nil)
    guard lockings == asked else { throw DeviceError.locked }
    let trust = try trust(file)
    try folded.finish(from: store, trust: trust, now: Self.wallClock)
    try take(.unlocked(trust.keyring, folded.replica))
    // What a former process saved. Where the disk takes nothing it waits, and can be read.
    attempt(.timer)
    refreshNames()
    // What was published before the names could be read calls the others by their ids.
    publishStatus()
    if settings.passphraseChanges == nil { try notePassphrase() }
    try beginTelling()
    if let passphraseChangedBy {
      report(
        "passphrase",
        "\(passphraseChangedBy) changed the account's passphrase; this device takes the old one"
          + " until `higgins passphrase`.")
    }
    publishContexts()
    publishDrafts()
    tell(.unlocked)
    if !folded.news.isEmpty { tell(.changed(folded.news)) }
  }

  /// The keyring with what the list of devices, as it is now, added to it.
  private func trust(_ file: Keyring) throws -> Fold.Trust {
    Fold.Trust(keyring: try file.extended(by: core.membership), membership: core.membership)
  }

  /// Commits what is saved and forgets everything that can be read; sync goes on sealed. Where the
  /// disk takes nothing, what is saved waits on it sealed. An unlocking that is on its way ends
  /// without having opened anything.
  func lock() throws {
    lockings += 1
    do {
      try take(.locked)
    } catch let error as StorageError {
      try take(.lockedUncommitted)
      complain(error)
    }
    seen = core.frontier
    publishContexts()
    publishDrafts()
  }

  /// Locks it for a command, by whoever shows what is open here.
  func lockAsAsked() async throws {
    if let locking, !isLocked { await locking() }
    if !staysLocked { try lock() }
  }

  /// What saves the rest and locks when a command asks for it; else ``lock()`` does.
  func lockBy(_ locking: @escaping @Sendable () async -> Void) { self.locking = locking }

  /// Notes that a person, or a program of theirs, asks something of it.
  func touch() { lastUse = .now }

  /// Begins to synchronise, and to listen when `push` is wanted.
  func start(push wantsPush: Bool) async {
    if core.isEnded, !isStarted {
      isStarted = true
      Task { await self.giveEndingBack() }
    }
    if !isStarted {
      isStarted = true
      // A command that saved has asked already; one round trip is enough.
      if let plan = heldPlan {
        heldPlan = nil
        Task { await self.run(plan) }
      }
      if core.isSynchronising { armTimer(atLeast: .zero) } else { attempt(.started) }
    }
    if wantsPush { startPush() }
  }

  /// Sends what is still unsent within `limit`, then lets go of everything.
  func stop(flush limit: Duration) async {
    if isStarted, wiped == nil, core.waiting > 0, core.failure == nil {
      _ = await synchronise(within: limit)
    }
    isStarted = false
    timer?.cancel()
    pushTask?.cancel()
    await push?.close()
    for observer in observers.values { observer.finish() }
    observers = [:]
    await saying?.value
    guard wiped == nil else { return profileLock.release() }
    keepPeerBook()
    do {
      try store.close()
    } catch {
      report("store_close", "The store could not be closed cleanly; it checks itself next time.")
    }
    profileLock.release()
  }

  /// Makes edits true here; they are on disk when this returns.
  ///
  /// - Parameters:
  ///   - edits: Applied in this order.
  ///   - immediately: Commits them at once: they are the whole edit.
  ///   - holdsBack: Nothing is sent before ``start(push:)``.
  func save(_ edits: [Edit], immediately: Bool, holdsBack: Bool = false) async throws {
    self.holdsBack = holdsBack && !isStarted
    defer {
      self.holdsBack = false
      if progress?.what == "import" || progress?.what == "sealing" { say(nil) }
    }
    try take(.saved(edits, immediately: immediately))
  }

  /// The same for edits that depend on what there is at the moment they are made.
  func save(
    immediately: Bool, holdsBack: Bool = false, _ edits: @Sendable (Replica) throws -> [Edit]
  ) async throws {
    try await save(try edits(core.replica), immediately: immediately, holdsBack: holdsBack)
  }

  /// What happens from now on; the first events tell where things stand.
  func events() -> AsyncStream<DeviceEvent> {
    let number = nextObserver
    nextObserver += 1
    let (stream, continuation) = AsyncStream.makeStream(of: DeviceEvent.self)
    continuation.onTermination = { _ in Task { await self.forget(observer: number) } }
    observers[number] = continuation
    continuation.yield(.contexts(contexts()))
    continuation.yield(.status(status()))
    if !core.drafts.isEmpty { continuation.yield(.drafts(core.drafts)) }
    for notice in opening { continuation.yield(.notice(notice)) }
    return stream
  }

  private func forget(observer number: Int) { observers[number] = nil }

  /// Puts one event through the core. Nothing changes when it throws.
  func take(_ event: SyncCore.Event) throws {
    if let wiped { throw DeviceError.revoked(text: wiped) }
    var next = core
    let step = try next.step(event, at: Self.moment, entropy: &entropy) { say($0) }
    if !step.transaction.isEmpty { try store.write(step.transaction) }
    core = next
    if !step.transaction.records.isEmpty { refreshNames() }
    if step.transaction.snapshot != nil || !step.transaction.rewinds.isEmpty { foldNumber += 1 }
    isUncertain = step.transaction.isUncertain ?? isUncertain
    if let device = step.transaction.device { switchIdentity(to: device) }
    for effect in step.effects { perform(effect) }
    if step.transaction.drafts != nil { publishDrafts() }
    afterStep()
  }

  /// The same for an answer, with what the store holds at the places it names.
  func take(_ response: SyncResponse) throws {
    let digests = try store.digests(at: core.places(namedBy: response))
    try take(.answered(response, digests: digests))
  }

  /// The same where nobody waits for an error: it is said in the log, and tried again later.
  func attempt(_ event: SyncCore.Event) {
    do {
      try take(event)
    } catch {
      complain(error)
      armTimer(atLeast: .seconds(5))
    }
  }

  /// Says what did not work; a store that turned out to be damaged is salvaged.
  func complain(_ error: any Error) {
    guard wiped == nil else { return }
    report("storage", Failure(error).sentence)
    guard let error = error as? StorageError, error.isDamage, !underway.contains(.salvage) else {
      return
    }
    underway.insert(.salvage)
    Task { await self.salvageAndGoOn() }
  }

  func afterStep() {
    armTimer(atLeast: .zero)
    countSync()
    publishStatus()
    if !isBusy { wakeWaiters() }
  }

  private func perform(_ effect: SyncCore.Effect) {
    switch effect {
    case .synchronise(let plan):
      if holdsBack { heldPlan = plan } else { Task { await self.run(plan) } }
    case .acknowledge(let device, let sequence):
      push?.acknowledge(device: device, sequence: sequence)
    case .changed(let changes): tell(.changed(changes))
    case .contextsChanged(let ids): publish(ids)
    case .noticed(let notice): tell(notice)
    case .writeSnapshot: begin(.writing) { try await self.writeSnapshot() }
    case .uploadSnapshot(let id): begin(.sending) { try await self.sendSnapshot(id) }
    case .fetchSnapshot(let summary): begin(.fetching) { try await self.fetchSnapshot(summary) }
    case .readBranches(let claims): readBranches(claims)
    case .restoreMembership(let records):
      begin(.restoring) { try await self.restoreMembership(records) }
    case .restate(let record): begin(.restating) { try await self.restate(record) }
    case .replaceDevice: begin(.replacing) { try await self.replaceDevice() }
    case .wipe: wipe()
    case .leave: leave()
    }
  }

  private func run(_ plan: SyncPlan) async {
    do {
      let frames = try plan.pushBeyond.map {
        try store.commits(
          beyond: $0, count: Limits.framesPerSync, bytes: Limits.frameBytesPerSync)
      }
      let (wasOffline, asked) = (core.failure != nil, store)
      let response = try await client.synchronise(plan.request(frames: frames ?? []))
      // Another store is in its place, which asks for itself.
      guard store === asked else { return }
      try take(response)
      wantFarewells()
      if wasOffline, pushState == .down { push?.reconnectNow() }
    } catch let failure as ServiceFailure {
      switch failure {
      case .refused(let problem) where problem.code == .authenticationRevoked:
        await askWhyRevoked()
      case .refused(let problem) where problem.code == .authenticationFailed:
        await askWhetherDeleted(after: failure)
      case .unreachable(TransportError.otherKey):
        guard await followsNewKey() else { return attempt(.failed(failure)) }
        await run(plan)
      default: attempt(.failed(failure))
      }
    } catch DeviceError.revoked {
      // It has erased itself while the answer was on its way.
    } catch {
      lose(error)
    }
  }

  /// What the server said could not be kept here: it is asked again in a while.
  func lose(_ error: any Error) {
    attempt(.failed(.unreachable(reason: "this device could not keep the answer")))
    complain(error)
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

  func tell(_ event: DeviceEvent) {
    for observer in observers.values { observer.yield(event) }
  }

  func report(_ code: String, _ text: String) {
    tell(.notice(Notice(code: code, text: text, at: Self.wallClock, isAlarm: false)))
  }

  private func publishContexts() {
    if !observers.isEmpty { tell(.contexts(contexts())) }
  }

  private func publishDrafts() {
    if !observers.isEmpty { tell(.drafts(core.drafts)) }
  }

  private func publish(_ changed: Set<ContextID>) {
    guard !observers.isEmpty, !changed.isEmpty else { return }
    let records = changed.compactMap { core.replica[$0] }
    let removed = changed.subtracting(records.map(\.id))
    tell(.contextsChanged(records, removed: removed))
  }

  /// What is counted at the moment: a fold, a transfer, or what a synchronisation moves.
  var counted: SyncProgress? { progress ?? syncCount.progress }

  private func countSync() {
    let before = counted
    syncCount.note(rest: core.outstanding, isRunning: core.isSynchronising)
    if counted != before { tell(.progress(counted)) }
  }

  func say(_ progress: SyncProgress?) {
    self.progress = progress
    tell(.progress(counted))
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

// MARK: another store or identity in place

extension Device {
  /// Sets the damaged store aside and goes on, locked, with what still reads of it.
  func salvage() throws {
    // Whether it closes does not matter any more.
    try? store.abandon()
    let (store, salvage) = try SQLiteStore.salvage(
      path: folder.database, device: settings.device, now: Self.wallClock,
      digest: { Digest32.sha256($0) })
    self.store = store
    core = try SyncCore(
      device: settings.device, account: settings.account, stored: try store.load())
    isUncertain = true
    foldNumber += 1
    if let notice = salvage?.notice(at: Self.wallClock) {
      opening.append(notice)
      tell(.notice(notice))
    }
    publishStatus()
  }

  /// Lets go of all there was.
  func forgetEverything() {
    names = [:]
    // An empty core of a chain that was verified.
    if let empty = try? SyncCore(
      device: settings.device, account: settings.account,
      stored: StoredState(records: core.membership.records))
    {
      core = empty
    }
    foldNumber += 1
    pushTask?.cancel()
    timer?.cancel()
    Task { [push] in await push?.close() }
    afterStep()
  }

  /// The same in the middle of things: what was unlocked is unlocked again.
  private func salvageAndGoOn() async {
    defer { underway.remove(.salvage) }
    let opened = keyring
    do {
      try salvage()
      if isStarted { attempt(.started) }
      guard let opened else { return }
      if core.membership.count == 0 { try await fetchMembership() }
      try opened.check(core.membership)
      try await unlock(with: opened)
    } catch {
      report("storage", Failure(error).sentence)
      publishContexts()
    }
  }

  /// The store says already who this device is; files and connections follow.
  private func switchIdentity(to device: DeviceID) {
    do {
      let settings = try Identity.finishSwitch(in: folder, settings: settings, store: store)
      guard settings.device == device else {
        throw DeviceError.damagedProfile(file: folder.settings)
      }
      settingsBox.withLock { $0 = settings }
      client = try Self.client(for: settings, in: folder)
    } catch {
      report("storage", Failure(error).sentence)
      return
    }
    refreshNames()
    acknowledged = [:]
    reconnect()
  }

  /// The push connection again, of the client there is now.
  func reconnect() {
    guard let old = push else { return }
    push = nil
    pushTask?.cancel()
    Task {
      await old.close()
      self.startPush()
    }
  }
}

public import Vault
public import Wire

/// One device's whole decision: what is true locally, what to write to disk, when to ask the server
/// and what to believe of its answer. A value: it does nothing by itself.
///
/// The shell calls ``step(_:at:entropy:counting:)`` on a copy, writes the transaction, and keeps
/// the copy only when the disk took it; then it carries out the effects. A full disk so leaves
/// everything as it was.
public struct SyncCore: Sendable {
  public struct Moment: Hashable, Sendable {
    /// Since some fixed moment; never jumps.
    public var uptime: Duration
    /// Milliseconds since 1970; may jump.
    public var wall: Int64

    public init(uptime: Duration, wall: Int64) {
      self.uptime = uptime
      self.wall = wall
    }
  }

  /// When a saved context becomes a commit.
  public struct Quiet: Hashable, Sendable {
    /// 300 ms without another save: a person who corrects a second field makes one commit.
    public var period = Duration.milliseconds(300)
    /// 3 s from the first save: constant typing must not starve the other devices.
    public var cap = Duration.seconds(3)

    public init() {}
  }

  public enum Event: Sendable {
    case started
    /// Nothing of the context leaves until the form is closed (rule a).
    case formOpened(ContextID)
    case formClosed(ContextID)
    /// A person's change. `immediately`: a command line, which is the whole edit.
    case saved([Edit], immediately: Bool)
    case timer
    /// "This device's commit is on the server"; nil: some commit is (rule b).
    case signal(DeviceID, UInt64)
    case behind
    case push(isUp: Bool)
    /// A person asked, or the process woke up.
    case requested
    /// Another push connection took the place of this device's, though there is one process of it:
    /// a twin may be at work. Two that only read would never notice each other otherwise.
    case displaced
    /// `digests`: what the store holds at ``SyncCore/places(namedBy:)``, as far as it is known.
    case answered(SyncResponse, digests: [CommitPlace: Digest32] = [:])
    case failed(ServiceFailure)
    /// The replica is a fold of the store's log, made with this keyring.
    case unlocked(Keyring, Replica)
    case locked
    /// The same where the disk takes nothing at present: keys are forgotten all the same, and what
    /// is saved waits as it lies on the disk.
    case lockedUncommitted
    /// A form was typed in; it is kept until it is dropped.
    case drafted(Draft)
    case draftDropped(DraftID)
    /// A person has dealt with alarms; nil: with all.
    case alarmsCleared(code: String?)
    case snapshotWritten(SealedSnapshot)
    /// The server has the snapshot whole.
    case snapshotStored(Digest32)
    /// A snapshot of the server, whole. `hashes` are those of the commits held here at the
    /// sequences it covers, as far as they are known.
    case snapshotFetched(SealedSnapshot, hashes: [DeviceID: Digest32])
    case snapshotFailed(SnapshotFailure)
    /// What ``Effect/readBranches(_:)`` asked for.
    case branches([Branch])
    /// A person wants both of two histories of one device that contradict each other.
    case mergeWanted
    /// The server took the record by which this device goes on under another identity.
    case replaced(Keyring, MembershipRecord)
    case replacementFailed(ServiceFailure)
    /// Records after those held here, outside an answer: the server refuses this device as taken
    /// out of the account and shows why, or it has taken one of this device's own.
    case recordsShown([Blob], isRefused: Bool)
    /// The record by which the account was deleted, or what somebody says is it.
    case endingShown(Blob)
    /// A record that cuts is on its way to the server: nothing is committed before it is over. It
    /// may be one of several.
    case rotating(Bool)
  }

  /// What became of a snapshot's writing, sending or fetching.
  public enum SnapshotFailure: Hashable, Sendable {
    case notWritten
    /// The server keeps another history than the snapshot's.
    case notDominating
    case notSent(ServiceFailure)
    case notFetched(ServiceFailure)
  }

  public enum Effect: Sendable, Equatable {
    /// Send a request with the commits the store holds beyond `SyncPlan.pushBeyond`.
    case synchronise(SyncPlan)
    /// Tell the push service that the commit is held here.
    case acknowledge(DeviceID, UInt64)
    case changed([Change])
    /// What a screen shows of these contexts became different.
    case contextsChanged(Set<ContextID>)
    case noticed(Notice)
    /// Seal what the replica is at this moment, then ``Event/snapshotWritten(_:)``.
    case writeSnapshot
    case uploadSnapshot(Digest32)
    case fetchSnapshot(SnapshotSummary)
    /// Answer with ``Event/branches(_:)``, one branch for each claim.
    case readBranches([Claim])
    /// The server lacks these records, which follow each other: have it take them in this order,
    /// then ``Event/behind``.
    case restoreMembership([MembershipRecord])
    /// Make new keys, have the server take the record, then ``Event/replaced(_:_:)``.
    case replaceDevice
    /// Say anew what this record of a list says that gave way to the server's, with
    /// ``/Vault/Keyring/restating(_:membership:frontier:)``, then
    /// ``Event/recordsShown(_:isRefused:)`` and ``Event/behind``.
    case restate(MembershipRecord)
    /// This device was taken out of the account: erase all there is of it here.
    case wipe
    /// The account was deleted: let go of the servers. What is here stays until a person erases it.
    case leave
  }

  public struct Step: Sendable {
    public var transaction = Transaction()
    public var effects: [Effect] = []

    public init() {}
  }

  public internal(set) var device: DeviceID
  public let account: AccountID
  public internal(set) var replica: Replica
  public internal(set) var frontier: Frontier
  public internal(set) var serverFrontier: Frontier
  public internal(set) var membership: Membership
  public internal(set) var generation: String?
  /// What each other device is known to hold of this device's commits, from its own commits.
  public internal(set) var heldByPeers: [DeviceID: UInt64] = [:]
  public internal(set) var alarms: [Notice]
  public internal(set) var lastReceived: Int64?
  public internal(set) var lastSent: Int64?
  public internal(set) var offlineSince: Int64?
  public internal(set) var failure: ServiceFailure?
  /// Commits that arrived while locked.
  public internal(set) var sealedWaiting = 0
  /// Forms that were open and not saved, oldest first; empty while locked.
  public internal(set) var drafts: [Draft] = []
  public internal(set) var checkpoint: StoredState.Checkpoint?
  /// The server has this many commits that are not here yet.
  public internal(set) var lacking: UInt64 = 0
  /// Whether something went back since the question was asked that is on its way.
  var hasGoneBack = false
  var draftRows: [DraftRow]
  /// Commits since the checkpoint, and what they add up to.
  var logCommits: Int
  var logBytes: Int
  /// Commits up to here are not in the log.
  var floor: Frontier
  var snapshotWork = SnapshotWork.none
  var isUncertain: Bool
  /// Others' changes that no commit of this device stands on.
  var unanswered: Unanswered
  var replacement: Replacement?
  /// Whether no place of this device's own chain was given up since it has this identity.
  var mayKeepIdentity = true
  /// The records that cut this device off, until it has gone back to their cut.
  var learned: [MembershipRecord]
  /// Records of lists that gave way to the server's, until that says all that they said.
  public internal(set) var forgotten: [MembershipRecord]
  /// Whether the server lacks records that are held here.
  var isListBehind = false
  /// Whether a person wants both histories where two contradict each other.
  var wantsMerge = false
  /// What is read again for that until this device has its next identity.
  var merging: [Claim]?
  /// What this device can open, the newest epoch included; nil while locked.
  public internal(set) var keyring: Keyring?
  var machine: SyncMachine
  /// How many records that cut are on their way: two commands may make one at once.
  private var rotations = 0
  var settling: [ContextID: Settling] = [:]
  var forms: [ContextID: Int] = [:]
  /// The head of the membership when the server was last asked.
  var askedHead: Digest32?
  /// Why the server refused a commit for good; nothing is sent again before somebody asks.
  public internal(set) var refusal: Problem?
  private let quiet: Quiet

  /// Saved operations of one context that no commit holds yet.
  struct Settling: Sendable {
    var operations: [Operation]
    var sealed: [UInt8]
    var firstSaved: Duration
    var due: Duration
  }

  /// The device as its disk knows it, locked.
  public init(
    device: DeviceID, account: AccountID, stored: StoredState,
    waits: SyncMachine.Waits = SyncMachine.Waits(), quiet: Quiet = Quiet()
  ) throws(VaultError) {
    self.device = device
    self.account = account
    self.quiet = quiet
    replica = Replica(own: device)
    frontier = stored.frontier
    serverFrontier = stored.serverFrontier
    generation = stored.generation
    alarms = stored.notices.filter(\.isAlarm)
    draftRows = stored.drafts
    checkpoint = stored.checkpoint
    logCommits = stored.logCommits
    logBytes = stored.logBytes
    floor = stored.floor
    isUncertain = stored.isUncertain
    unanswered = stored.unanswered
    learned = stored.learned
    forgotten = stored.forgotten
    if let notice = stored.notices.last(where: { $0.code == Replacement.code }) {
      replacement = .detected
      mayKeepIdentity = notice.text == Self.goingOver
    }
    machine = SyncMachine(waits: waits)
    membership = Membership(account: account)
    for record in stored.records { try membership.append(record) }
    if let ending = stored.ending { try membership.end(by: ending) }
    unsettled = stored.settled
  }

  /// Rows a former process saved and did not commit; opened at the next unlock.
  var unsettled: [SettledRow]

  /// Whether a commit can be made now: not before this device's own chain is known to be whole.
  var mayCommit: Bool {
    keyring != nil && !isUncertain && replacement == nil && !isRevoked && rotations == 0 && !isEnded
      && !isOutdated && !owesKeys
  }
  /// Whether the account is sealed by a suite that this program does not know: it reads what is
  /// here, and keeps edits until a later program sends them.
  public var isOutdated: Bool { membership.minimumSuite > Suite.one }
  /// Whether the account was deleted: nothing is changed, sent or asked for any more.
  public var isEnded: Bool { membership.ending != nil }
  /// Whether this device was taken out of the account.
  public var isRevoked: Bool { membership.revoked[device] != nil }
  /// Whether this device is on its way to another identity.
  public var isReplacing: Bool { replacement != nil }

  public var isLocked: Bool { keyring == nil }
  public var isSynchronising: Bool { machine.isRunning }

  /// This device's commits and saved edits the server does not hold.
  public var waiting: Int {
    let own = frontier.sequence(of: device)
    let held = serverFrontier.sequence(of: device)
    return Int(own > held ? own - held : 0) + settling.count
  }

  /// Commits that this device or the server lacks of what the other one has.
  public var outstanding: Int {
    Int(clamping: lacking.addingClamped(serverFrontier.lacked(of: frontier)))
  }

  /// When to send ``Event/timer``; nil when nothing is due.
  public var nextTimer: Duration? {
    guard !isEnded else { return nil }
    let settled = mayCommit ? settling.filter { forms[$0.key] == nil }.map(\.value.due).min() : nil
    return [settled, machine.nextAttempt].compactMap { $0 }.min()
  }

  public var nextAttempt: Duration? { machine.nextAttempt }

  /// Takes one event.
  ///
  /// - Throws: ``EditError`` for an edit that cannot be made, ``/Vault/VaultError`` when something
  ///   cannot be sealed. The caller then drops the copy it called this on.
  public mutating func step(
    _ event: Event, at now: Moment, entropy: inout some Entropy,
    counting: (SyncProgress) -> Void = { _ in }
  ) throws -> Step {
    var step = Step()
    let former = (isAsking: machine.isRunning, work: snapshotWork)
    switch event {
    case .started:
      // The process may have ended between learning of it and erasing.
      if isRevoked { step.effects.append(.wipe) }
      run(.wanted, at: now, &step, &entropy)
    case .formOpened(let context): forms[context, default: 0] += 1
    case .formClosed(let context): close(context, at: now)
    case .saved(let edits, let immediately):
      try save(
        edits, immediately: immediately, at: now, &step, &entropy, counting: counting)
    case .timer:
      try commitDue(at: now, &step, &entropy)
      run(.timer, at: now, &step, &entropy)
    case .signal(let author, let sequence):
      if sequence > frontier.sequence(of: author) { run(.wanted, at: now, &step, &entropy) }
    case .behind: run(.wanted, at: now, &step, &entropy)
    case .push(let isUp): run(.push(isUp: isUp), at: now, &step, &entropy)
    case .requested:
      refusal = nil
      run(.wanted, at: now, &step, &entropy)
    case .displaced:
      beatSoon(&step)
      run(.wanted, at: now, &step, &entropy)
    case .answered(let response, let digests):
      try accept(response, digests, at: now, &step, &entropy)
    case .failed(let failure): fail(failure, at: now, &step, &entropy)
    case .unlocked(let keyring, let replica):
      try unlock(keyring, replica, at: now, &step, &entropy)
    case .locked: try lock(at: now, &step, &entropy)
    case .lockedUncommitted: lock()
    case .drafted(let draft): try keep(draft, &step, &entropy)
    case .draftDropped(let id): drop(id, &step)
    case .alarmsCleared(let code): clearAlarms(code, &step)
    case .snapshotWritten(let snapshot): written(snapshot, &step)
    case .snapshotStored(let id): stored(id, at: now, &step, &entropy)
    case .snapshotFetched(let snapshot, let hashes):
      try fetched(snapshot, hashes: hashes, at: now, &step, &entropy)
    case .snapshotFailed(let failure): snapshotFailed(failure, at: now, &step, &entropy)
    case .branches(let branches): try leave(branches, at: now, &step, &entropy)
    case .mergeWanted: wantMerge(at: now, &step, &entropy)
    case .replaced(let keyring, let record):
      try replaced(by: keyring, record, at: now, &step, &entropy)
    case .replacementFailed(let failure):
      if replacement == .asking { replacement = .pulling }
      fail(failure, at: now, &step, &entropy)
    case .recordsShown(let records, let isRefused):
      believe(records, isRefused: isRefused, at: now, &step, &entropy)
    case .endingShown(let record): believe(ending: record, at: now, &step, &entropy)
    case .rotating(let isBegun):
      // Changes nothing on disk, so that it cannot fail: what waited is the timer's.
      rotations = max(0, rotations + (isBegun ? 1 : -1))
    }
    if !step.transaction.rewinds.isEmpty { noteGoingBack(from: former) }
    let touched = replica.takeTouched()
    if !touched.isEmpty { step.effects.append(.contextsChanged(touched)) }
    return step
  }

  mutating func run(
    _ trigger: SyncMachine.Trigger, at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) {
    guard !isEnded else { return }
    let random = entropy.bytes(4).reduce(0) { $0 << 8 | UInt32($1) }
    let jitter = Double(random) / 4_294_967_296
    guard machine.handle(trigger, at: now.uptime, jitter: jitter) else { return }
    askedHead = membership.count == 0 ? nil : membership.head
    hasGoneBack = false
    // The disk may have refused what came of it.
    if replacement == .detected, keyring != nil {
      step.effects.append(.readBranches(merging ?? interruptedClaims))
    }
    step.effects.append(
      .synchronise(
        SyncPlan(
          generation: generation, frontier: frontier,
          memberHead: askedHead,
          pushBeyond: maySend ? serverFrontier.raised(to: floor) : nil)))
  }

  /// What is on its way, an answer or a snapshot, was begun when this device held what it went back
  /// on by now.
  private mutating func noteGoingBack(from former: (isAsking: Bool, work: SnapshotWork)) {
    hasGoneBack = former.isAsking
    if former.work == .writing { snapshotWork = .outdated }
  }

  /// Not while this device's chain is in doubt. Records that the server lacks stand on commits,
  /// which it gets before a new identity can begin; where this device went over to another list,
  /// what it says anew there comes after all commits that are good in both.
  private var maySend: Bool {
    guard refusal == nil else { return false }
    return replacement == nil
      || replacement == .pulling && (isListBehind || !forgotten.isEmpty)
  }

  /// Changes nothing on disk, so that it cannot fail: the commit is the timer's.
  private mutating func close(_ context: ContextID, at now: Moment) {
    let open = forms[context, default: 0] - 1
    forms[context] = open > 0 ? open : nil
    guard let firstSaved = settling[context]?.firstSaved, forms[context] == nil else { return }
    let due = due(firstSaved: firstSaved, now: now.uptime)
    settling[context]?.due = due
  }

  mutating func fail(
    _ failure: ServiceFailure, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) {
    guard !isEnded else { return }
    self.failure = failure
    if offlineSince == nil { offlineSince = now.wall }
    run(.failed, at: now, &step, &entropy)
  }

  /// How a saved edit waits: until `period` after the last save, `cap` after the first at most.
  func due(firstSaved: Duration, now: Duration) -> Duration {
    min(now + quiet.period, firstSaved + quiet.cap)
  }
}

/// What to ask the server; the shell adds the commits from the store.
public struct SyncPlan: Hashable, Sendable {
  public let generation: String?
  public let frontier: Frontier
  public let memberHead: Digest32?
  /// The commits to send are those this frontier lacks; nil: send none.
  public let pushBeyond: Frontier?

  /// The request with the commits found.
  public func request(frames: [Envelope]) -> SyncRequest {
    SyncRequest(
      generation: generation, frontier: frontier, memberHead: memberHead,
      frames: frames.map { Blob($0.bytes) })
  }
}

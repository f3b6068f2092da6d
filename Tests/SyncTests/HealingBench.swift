import Testing
import Vault
import Wire

@testable import Sync

/// One device's core with a disk that keeps what transactions say, and restarts.
struct HealingBench {
  struct Disk {
    var frontier = Frontier()
    var serverFrontier = Frontier()
    var records: [MembershipRecord] = []
    var settled: [SettledRow] = []
    var drafts: [DraftRow] = []
    var notices: [Notice] = []
    var evidence: [Envelope] = []
    var checkpoint: SealedSnapshot?
    var snapshotHeldSince: Int64?
    var pruned: Frontier?
    var device: DeviceID
    var isUncertain = false
    var unanswered = Unanswered.nothing
    var learned: [MembershipRecord] = []
    var forgotten: [MembershipRecord] = []
  }

  var core: SyncCore
  var entropy: SeededEntropy
  var now = SyncCore.Moment(uptime: .zero, wall: 1_000_000)
  var disk: Disk
  var log: [Envelope] = []
  var keyring: Keyring
  private let slot: Blob
  private let login: KitLogin

  init(seed: UInt64 = 7, isUncertain: Bool = false) throws {
    entropy = SeededEntropy(seed: seed)
    let passphrase = try Self.passphrase
    let new = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    keyring = new.keyring
    slot = new.slot
    login = try new.keyring.login(passphrase, hashing: new.hashing)
    disk = Disk(device: new.keyring.device)
    disk.records = [new.genesis]
    disk.isUncertain = isUncertain
    core = try SyncCore(
      device: disk.device, account: new.keyring.account,
      stored: StoredState(records: disk.records, isUncertain: isUncertain))
    try take(.unlocked(keyring, Replica(own: disk.device)))
  }

  /// An empty disk of the same account and device.
  init(like other: HealingBench) throws {
    entropy = SeededEntropy(seed: 7)
    keyring = other.keyring
    slot = other.slot
    login = other.login
    disk = Disk(device: keyring.device)
    disk.records = other.disk.records
    core = try SyncCore(
      device: keyring.device, account: keyring.account,
      stored: StoredState(records: disk.records, isUncertain: true))
    try take(.unlocked(keyring, Replica(own: keyring.device)))
  }

  @discardableResult
  mutating func take(_ event: SyncCore.Event) throws -> [SyncCore.Effect] {
    var next = core
    let step = try next.step(looked(up: event), at: now, entropy: &entropy)
    write(step.transaction)
    core = next
    return step.effects
  }

  /// As the shell does it: an answer goes with what the log holds at the places it names.
  private func looked(up event: SyncCore.Event) -> SyncCore.Event {
    guard case .answered(let response, _) = event else { return event }
    let places = core.places(namedBy: response)
    let digests = log.reduce(into: [CommitPlace: Digest32]()) { digests, envelope in
      let place = CommitPlace(envelope.header.device, envelope.header.sequence)
      if places.contains(place) { digests[place] = envelope.hash }
    }
    return .answered(response, digests: digests)
  }

  private mutating func write(_ transaction: Transaction) {
    for rewind in transaction.rewinds {
      log.removeAll {
        $0.header.device == rewind.device && $0.header.sequence > rewind.head?.sequence ?? 0
      }
      disk.frontier[rewind.device] = rewind.head
    }
    for commit in transaction.commits {
      log.append(commit)
      disk.frontier[commit.header.device] = Head(
        sequence: commit.header.sequence, hash: commit.hash)
    }
    if let kept = transaction.recordsKept { disk.records.removeLast(disk.records.count - kept) }
    disk.records += transaction.records
    if let snapshot = transaction.snapshot {
      disk.checkpoint = snapshot
      disk.frontier = disk.frontier.raised(to: snapshot.frontier)
    }
    if let since = transaction.snapshotHeldSince { disk.snapshotHeldSince = since }
    if let prune = transaction.prune { disk.pruned = prune }
    if let frontier = transaction.serverFrontier { disk.serverFrontier = frontier }
    if let settled = transaction.settled { disk.settled = settled }
    if let drafts = transaction.drafts { disk.drafts = drafts }
    disk.notices.removeAll { transaction.clearedNotices.contains($0.code) }
    disk.notices += transaction.notices
    disk.evidence += transaction.evidence
    if let device = transaction.device { disk.device = device }
    if let isUncertain = transaction.isUncertain { disk.isUncertain = isUncertain }
    if let unanswered = transaction.unanswered { disk.unanswered = unanswered }
    if let learned = transaction.learned { disk.learned = learned }
    if let forgotten = transaction.forgotten { disk.forgotten = forgotten }
  }

  /// A new process on the same disk, unlocked by a fold.
  mutating func restart() throws {
    core = try SyncCore(
      device: disk.device, account: keyring.account,
      stored: StoredState(
        frontier: disk.frontier, serverFrontier: disk.serverFrontier, records: disk.records,
        settled: disk.settled, drafts: disk.drafts, notices: disk.notices,
        isUncertain: disk.isUncertain, unanswered: disk.unanswered, learned: disk.learned,
        forgotten: disk.forgotten))
    try unlock()
  }

  @discardableResult
  mutating func unlock() throws -> [SyncCore.Effect] {
    var replica = Replica(own: disk.device)
    for envelope in log {
      try replica.fold(envelope, with: keyring, membership: core.membership, now: now.wall)
    }
    return try take(.unlocked(keyring, replica))
  }

  /// As the shell answers ``SyncCore/Effect/readBranches(_:)`` for the own chain.
  mutating func readOwnChain(proven: Head?) throws {
    let rest = log.filter {
      $0.header.device == core.device && $0.header.sequence > proven?.sequence ?? 0
    }
    try take(
      .branches([SyncCore.Branch(device: core.device, proven: proven, commits: rest)]))
  }

  /// As the shell answers ``SyncCore/Effect/replaceDevice``.
  mutating func replace() throws {
    let successor = keyring.successor(entropy: &entropy)
    let record = try keyring.replacing(
      with: successor, name: DeviceName(name: "home pc", platform: "linux"),
      membership: core.membership, dependencies: core.frontier, entropy: &entropy)
    keyring = successor.keyring
    try take(.replaced(successor.keyring, record))
  }

  /// Another device of the account.
  mutating func pairedDevice() throws -> Keyring {
    let code = try PairingCode(
      server: "http://127.0.0.1:7480", pin: nil, for: keyring, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: "work pc", platform: "linux"), entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    let record = try keyring.admit(
      offer, membership: core.membership, dependencies: core.frontier, entropy: &entropy)
    let answer = try keyring.answer(
      offer, code: code, frontier: core.frontier, memberHead: record.hash, entropy: &entropy)
    var response = self.answer(holding: core.frontier)
    response.membership = [Blob(record.bytes)]
    response.memberHead = record.hash
    try take(.requested)
    try take(.answered(response))
    return try joining.accept(answer: answer).keyring
  }

  /// The next epoch, by `author`, who has seen `cut` of the account.
  mutating func rotation(
    by author: Keyring, without leaving: Set<DeviceID> = [], cut: Frontier
  ) throws -> MembershipRecord {
    try author.rotation(
      without: leaving, membership: core.membership, cut: cut, slot: slot, login: login,
      passphrase: try Self.passphrase, strength: .floor, entropy: &entropy
    ).record
  }

  /// This device's record of another passphrase, after `chain`.
  mutating func passphraseChange(in chain: Membership) throws -> MembershipRecord {
    try keyring.passphraseChange(
      to: try Passphrase(utf8: Array("another one of four words".utf8)), membership: chain,
      frontier: core.frontier, slot: slot, login: login, strength: .floor, entropy: &entropy)
  }

  private static var passphrase: Passphrase {
    get throws { try Passphrase(utf8: Array("correct horse battery staple".utf8)) }
  }

  mutating func commit(
    by author: Keyring, _ edit: Edit, sequence: UInt64, previous: Digest32 = .zero,
    over dependencies: Frontier = Frontier()
  ) throws -> Envelope {
    let operations = try Replica(own: author.device).operations(
      for: edit, now: now.wall, entropy: &entropy)
    return try author.sealCommit(
      try operations.encoded(), kind: .data, sequence: sequence, previous: previous,
      memberHead: core.membership.head, dependencies: dependencies, entropy: &entropy)
  }

  mutating func snapshot(root: Digest32? = nil) throws -> SealedSnapshot {
    let plain = try core.replica.snapshot(now: now.wall, coveredByAll: nil)
    return try keyring.sealSnapshot(
      pieces: plain.pieces, root: root ?? plain.root, versions: plain.versions,
      covering: core.frontier, memberHead: core.membership.head, writtenAt: now.wall,
      entropy: &entropy)
  }

  /// What a server that holds `frontier` answers.
  func answer(holding frontier: Frontier, frames: [Envelope] = []) -> SyncResponse {
    SyncResponse(
      generation: "1", outcomes: [], membership: [], frames: frames.map { Blob($0.bytes) },
      serverFrontier: frontier, memberHead: core.membership.head, more: false)
  }

  func answer(holding newest: [DeviceID: Envelope], frames: [Envelope]) -> SyncResponse {
    var frontier = core.frontier
    for (device, commit) in newest {
      frontier[device] = Head(sequence: commit.header.sequence, hash: commit.hash)
    }
    return answer(holding: frontier, frames: frames)
  }

  var context: ContextRecord? { core.replica.contexts.first }
}

extension [SyncCore.Effect] {
  var plan: SyncPlan? {
    for case .synchronise(let plan) in self { return plan }
    return nil
  }
}

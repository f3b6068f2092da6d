import Vault
import Wire

/// What the server says, none of which is believed unchecked.
extension SyncCore {
  mutating func accept(
    _ response: SyncResponse, _ digests: [CommitPlace: Digest32], at now: Moment,
    _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    guard !isEnded else { return }
    failure = nil
    offlineSince = nil
    // What it continues is not held any more.
    guard !hasGoneBack else { return run(.succeeded(more: true), at: now, &step, &entropy) }
    let (held, known) = (frontier, serverFrontier)
    if let other = parting(shownBy: response.membership) {
      meet(.parted(other), serverFrontier: response.serverFrontier, at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    }
    do {
      if !isBeforeEpoch(response), wantsSnapshot(response, at: now, &step) {
        var next = self
        var trial = step
        try next.extendMembership(response, at: now, &trial)
        self = next
        step = trial
        if isRevoked { return }
        restoreMembership(response, at: now, &step)
        // What the server holds is judged when the snapshot is here.
        run(.unfinished, at: now, &step, &entropy)
        return
      }
      try checked(response, digests, at: now, &step)
    } catch let distrust as Distrust {
      meet(distrust, serverFrontier: response.serverFrontier, at: now, &step)
      // Until a server that was set back knows of an epoch, it takes what is not of it.
      restoreMembership(response, at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    }
    if isRevoked { return }
    restoreMembership(response, at: now, &step)
    acknowledge(step.transaction.commits, &step)
    if isUncertain, !response.more {
      isUncertain = false
      step.transaction.isUncertain = false
      try commitDue(at: now, &step, &entropy)
    }
    if !restateNext(response, &step) { goOnReplacing(response, &step) }
    healBySnapshot(&step)
    let canPush = refusal == nil && replacement == nil && serverFrontier.reaches(floor)
    let lacks = canPush && !serverFrontier.reaches(frontier)
    let isUnfinished = response.more || lacks || isBeforeEpoch(response)
    // That the server says it holds more of others moves nothing: it might say so for ever.
    let moved =
      held != frontier || serverFrontier.lacked(of: frontier) != known.lacked(of: frontier)
    if isUnfinished && !moved {
      if let problem = Self.incapacity(of: response) {
        fail(.refused(problem), at: now, &step, &entropy)
      } else {
        run(.stalled, at: now, &step, &entropy)
      }
      return
    }
    run(.succeeded(more: isUnfinished), at: now, &step, &entropy)
    guard !machine.isRunning else { return }
    if replacement == nil { wantsMerge = false }
    try beat(at: now, &step, &entropy)
    tendSnapshots(at: now, &step)
  }

  /// Why the server takes nothing at present, a full disk say: nothing is wrong with what was sent,
  /// and a person wants to know why it waits.
  private static func incapacity(of response: SyncResponse) -> Problem? {
    response.outcomes.compactMap(\.problem).first { $0.retryable && $0.status >= 500 }
  }

  /// What the server shows is not to be believed: a new identity, if it is about this device's own
  /// chain; both histories, if the person wants them; an alarm else.
  mutating func meet(
    _ distrust: Distrust, serverFrontier: Frontier, at now: Moment, _ step: inout Step
  ) {
    if case .cutOff(let cut, let author, let records) = distrust {
      learned = records
      step.transaction.learned = records
      beginMerge(with: cut, forked: author, because: Self.keysChanged, at: now, &step)
      return
    }
    if case .parted(let other) = distrust {
      meet(other, serverFrontier: serverFrontier, at: now, &step)
      return
    }
    let isAboutOwn = distrust.isAboutOwn(device)
    if isAboutOwn, replacement == nil, !isUncertain {
      beginReplacement(at: now, &step)
    } else if isAboutOwn, replacement == .pulling {
      takeBackEverything(against: serverFrontier, at: now, &step)
    } else if wantsMerge, case .fork(let author, _, _) = distrust {
      beginMerge(with: serverFrontier, forked: author, at: now, &step)
    } else {
      raise(distrust, at: now, &step)
    }
  }

  /// Applies the answer as a whole; when a part of it is not to be believed, nothing of it stays.
  private mutating func checked(
    _ response: SyncResponse, _ digests: [CommitPlace: Digest32], at now: Moment,
    _ step: inout Step
  ) throws {
    var next = self
    var digests = digests
    var trial = step
    try next.extendMembership(response, at: now, &trial)
    if next.isRevoked {
      self = next
      step = trial
      return
    }
    // A server that was set back to before an epoch takes what is not of it, from devices that have
    // not heard of it. It gets the record, and then gives that up.
    let isBeforeEpoch = next.isBeforeEpoch(response)
    if !isBeforeEpoch {
      for blob in response.frames { try next.receive(blob, &digests, at: now, &trial) }
    }
    next.noteServer(response, at: now, &trial)
    try next.checkHeads(response, digests, known: serverFrontier)
    if !isBeforeEpoch { try next.checkNothingIsWithheld(response, known: serverFrontier) }
    self = next
    step = trial
  }

  /// Whether the server has not heard of the newest epoch: it was set back, or the question is
  /// older than the epoch.
  private func isBeforeEpoch(_ response: SyncResponse) -> Bool {
    guard response.memberHead != membership.head, let newest = membership.rotations.last,
      let held = membership.records.firstIndex(where: { $0.hash == response.memberHead })
    else { return false }
    return held < newest.number
  }

  private mutating func extendMembership(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) throws {
    try extendMembership(by: response.membership, at: now, &step)
    // One that is held but older is a server set back, or an answer to an older question.
    guard membership.contains(response.memberHead) else { throw Distrust.membership }
  }

  private static let outdated = """
    The account is sealed in a newer way than this program knows. Changes made here stay here until \
    it is updated.
    """

  mutating func extendMembership(
    by records: [Blob], at now: Moment, _ step: inout Step
  ) throws {
    if let other = parting(shownBy: records) { throw Distrust.parted(other) }
    let (epoch, wasOutdated) = (membership.epoch, isOutdated)
    for blob in records {
      do {
        let record = try MembershipRecord(bytes: blob.bytes)
        // An answer to an older question may repeat what is held.
        if record.number < membership.count { continue }
        guard record.isBelieved(recalling: forgotten) else { throw Distrust.membership }
        try membership.append(record)
        step.transaction.records.append(record)
      } catch {
        throw Distrust.membership
      }
    }
    if isOutdated, !wasOutdated {
      note(Notice(code: "outdated", text: Self.outdated, at: now.wall, isAlarm: false), &step)
    }
    if membership.epoch > epoch { try beginEpochs(after: epoch, &step) }
  }

  /// Takes a commit, and adds its digest to those that are known.
  private mutating func receive(
    _ blob: Blob, _ digests: inout [CommitPlace: Digest32], at now: Moment, _ step: inout Step
  ) throws {
    guard let envelope = try? Envelope(bytes: blob.bytes) else { throw Distrust.malformed }
    let header = envelope.header
    let head = frontier[header.device]
    let held = head?.sequence ?? 0
    if header.sequence <= held {
      let known =
        header.sequence == held
        ? head?.hash : digests[CommitPlace(header.device, header.sequence)]
      guard known == nil || known == envelope.hash else {
        throw fork(at: header.sequence, shownBy: envelope)
      }
      return
    }
    // Commits in this device's name that it does not know: a twin, or a life before a restored
    // disk.
    if header.device == device, replacement == nil, !isUncertain {
      throw Distrust.ownTwin(header.sequence)
    }
    guard header.sequence == held + 1 else {
      throw Distrust.brokenChain(header.device, header.sequence)
    }
    guard header.previous == head?.hash ?? .zero else { throw fork(at: held, shownBy: envelope) }
    try checkDependencies(of: header, digests)
    step.effects += try open(envelope, at: now)
    frontier[header.device] = Head(sequence: header.sequence, hash: envelope.hash)
    digests[CommitPlace(header.device, header.sequence)] = envelope.hash
    step.transaction.commits.append(envelope)
    count(envelope)
    if header.kind == .data { noteUnanswered(at: now, &step) }
    lastReceived = now.wall
    heldByPeers[header.device] = max(
      heldByPeers[header.device] ?? 0, header.dependencies.sequence(of: device))
  }

  /// Two commits of one sequence: evidence only where the second is genuine.
  private func fork(at sequence: UInt64, shownBy envelope: Envelope) -> Distrust {
    do {
      try membership.verify(envelope)
      return .fork(envelope.header.device, sequence, envelope)
    } catch {
      return .forged(envelope.header.device, envelope.header.sequence)
    }
  }

  private func checkDependencies(
    of header: EnvelopeHeader, _ digests: [CommitPlace: Digest32]
  ) throws {
    for (author, dependency) in header.dependencies.heads {
      let held = frontier[author]
      guard let held, held.sequence >= dependency.sequence else {
        throw Distrust.withheld(author, dependency.sequence)
      }
      let hash =
        held.sequence == dependency.sequence
        ? held.hash : digests[CommitPlace(author, dependency.sequence)]
      if let hash, hash != dependency.hash {
        throw Distrust.fork(author, dependency.sequence, nil)
      }
    }
  }

  private mutating func open(_ envelope: Envelope, at now: Moment) throws -> [Effect] {
    do {
      guard let keyring else {
        try membership.verify(envelope)
        sealedWaiting += 1
        return []
      }
      let plaintext = try keyring.openCommit(envelope, membership: membership)
      guard envelope.header.kind == .data else { return [] }
      let changes = replica.apply(
        try [Operation](plaintext: plaintext), device: envelope.header.device,
        sequence: envelope.header.sequence, now: now.wall)
      return changes.isEmpty ? [] : [.changed(changes)]
    } catch {
      throw Distrust.forged(envelope.header.device, envelope.header.sequence)
    }
  }

  private mutating func noteServer(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) {
    let lost = response.serverFrontier.lacked(of: serverFrontier)
    if lost > 0 { noteRollback(lost, at: now, &step) }
    let sent = response.serverFrontier.sequence(of: device)
    if sent > serverFrontier.sequence(of: device) { lastSent = now.wall }
    parkIfRefused(response, at: now, &step)
    if serverFrontier != response.serverFrontier {
      serverFrontier = response.serverFrontier
      step.transaction.serverFrontier = response.serverFrontier
      replica.confirm(sent)
    }
    lacking = frontier.lacked(of: response.serverFrontier)
    noteRepair(response, &step)
    if generation != response.generation {
      generation = response.generation
      step.transaction.generation = response.generation
    }
  }

  /// A commit refused for good must not be sent in a circle, and never blocks what comes in.
  private mutating func parkIfRefused(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) {
    let problem = response.outcomes.compactMap(\.problem).first { !$0.retryable }
    guard let problem, refusal == nil else { return }
    // It gets the records by which it knows the author first.
    if problem.code == .unknownDevice, response.memberHead != membership.head { return }
    if [.deviceFork, .deviceRolledBack].contains(problem.code),
      problem.held.map({ $0[device] != nil }) == true
    {
      if replacement == nil { return beginReplacement(at: now, &step) }
      if replacement == .pulling {
        return takeBackEverything(against: response.serverFrontier, at: now, &step)
      }
    }
    if problem.code == .deviceFork,
      let (author, head) = problem.held?.heads.first(where: { $0.key != device })
    {
      if wantsMerge, replacement == nil {
        let server = response.serverFrontier
        return beginMerge(withUnshown: server, forked: author, at: now, &step)
      }
      raise(.fork(author, head.sequence, nil), at: now, &step)
    }
    refusal = problem
    let text = "The server refused a change: \(problem.title). It stays here; s tries again."
    note(Notice(code: "refused", text: text, at: now.wall, isAlarm: false), &step)
  }

  /// An honest server answers from one moment: it gives what it says it holds, or says that there
  /// is more, or offers a snapshot. One that was set back is another matter.
  private func checkNothingIsWithheld(_ response: SyncResponse, known: Frontier) throws {
    guard !response.more, response.snapshot == nil,
      known.heads.allSatisfy({ $0.value.sequence <= response.serverFrontier.sequence(of: $0.key) })
    else { return }
    for (author, head) in response.serverFrontier.heads
    where head.sequence > frontier.sequence(of: author) {
      throw Distrust.withheld(author, frontier.sequence(of: author) + 1)
    }
  }

  private func checkHeads(
    _ response: SyncResponse, _ digests: [CommitPlace: Digest32], known: Frontier
  ) throws {
    for (author, head) in response.serverFrontier.heads {
      // What it held, by its own word or by ours, cannot have become something else.
      for held in [frontier[author], known[author]].compactMap({ $0 })
      where held.sequence == head.sequence && held.hash != head.hash {
        throw Distrust.fork(author, head.sequence, nil)
      }
      if let hash = digests[CommitPlace(author, head.sequence)], hash != head.hash {
        throw Distrust.fork(author, head.sequence, nil)
      }
    }
  }

  /// The newest commit of each other device among those just taken.
  private func acknowledge(_ commits: [Envelope], _ step: inout Step) {
    let newest = commits.reduce(into: [DeviceID: UInt64]()) { newest, envelope in
      let header = envelope.header
      if header.device != device {
        newest[header.device] = max(newest[header.device] ?? 0, header.sequence)
      }
    }
    for (author, sequence) in newest.sorted(by: { $0.key < $1.key }) {
      step.effects.append(.acknowledge(author, sequence))
    }
  }

  /// The server knows less than it did: an old copy of it was restored. It gets everything again,
  /// without anybody choosing; that it happened is said until a person has read it.
  mutating func noteRollback(_ lost: UInt64, at now: Moment, _ step: inout Step) {
    let text = """
      The server lost \(lost) change\(lost == 1 ? "" : "s"), as if an old copy of it was restored. \
      \(Self.repairing)
      """
    replaceAlarm(Notice(code: Self.rollback, text: text, at: now.wall, isAlarm: true), &step)
  }

  /// The server does not know devices that it knew: it gets their records again, as it gets
  /// commits.
  private mutating func restoreMembership(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) {
    let records = membership.records
    isListBehind = false
    guard let asked = records.lastIndex(where: { $0.hash == askedHead }),
      let held = records.firstIndex(where: { $0.hash == response.memberHead }), held < asked
    else { return }
    isListBehind = true
    if !alarms.contains(where: { $0.code == Self.rollback && $0.text.hasSuffix(Self.repairing) }) {
      let text = """
        The server forgot \(asked - held) entries of the list of devices, as if an old copy of it \
        was restored. \(Self.repairing)
        """
      replaceAlarm(Notice(code: Self.rollback, text: text, at: now.wall, isAlarm: true), &step)
    }
    step.effects.append(.restoreMembership(Array(records[(held + 1)...])))
  }

  private mutating func noteRepair(_ response: SyncResponse, _ step: inout Step) {
    guard serverFrontier.reaches(frontier), response.memberHead == membership.head,
      let alarm = alarms.first(where: { $0.code == Self.rollback }),
      alarm.text.hasSuffix(Self.repairing)
    else { return }
    let text = alarm.text.replacing(Self.repairing, with: "They are back.")
    replaceAlarm(
      Notice(code: Self.rollback, text: text, at: alarm.at, isAlarm: true), &step)
  }

  private static let rollback = "rollback"
  /// How the text of a rollback ends until the server holds everything again.
  private static let repairing = "This device sends them again."

  mutating func replaceAlarm(_ notice: Notice, _ step: inout Step) {
    alarms.removeAll { $0.code == notice.code }
    alarms.append(notice)
    step.transaction.clearedNotices.append(notice.code)
    note(notice, &step)
  }

  mutating func clearAlarms(_ code: String?, _ step: inout Step) {
    let codes = alarms.map(\.code).filter { code == nil || $0 == code }
    guard !codes.isEmpty else { return }
    alarms.removeAll { codes.contains($0.code) }
    step.transaction.clearedNotices = codes
  }

  mutating func raise(_ distrust: Distrust, at now: Moment, _ step: inout Step) {
    guard !alarms.contains(where: { $0.code == distrust.code }) else { return }
    let notice = Notice(
      code: distrust.code, text: distrust.text, at: now.wall, isAlarm: true)
    alarms.append(notice)
    if case .fork(_, _, let evidence?) = distrust { step.transaction.evidence.append(evidence) }
    note(notice, &step)
  }

  func note(_ notice: Notice, _ step: inout Step) {
    step.transaction.notices.append(notice)
    step.effects.append(.noticed(notice))
  }
}

/// Why an answer is not believed. The replica stays as it was.
enum Distrust: Error {
  case malformed
  case membership
  /// The server has another list of devices than this one, and both are genuine.
  case parted(Membership)
  case brokenChain(DeviceID, UInt64)
  case withheld(DeviceID, UInt64)
  case fork(DeviceID, UInt64, Envelope?)
  case forged(DeviceID, UInt64)
  case forgedSnapshot(DeviceID)
  case forgedEnding
  /// There are commits in this device's own name that it never made.
  case ownTwin(UInt64)
  /// A new epoch began without knowing commits of that device that are held here: not the server's
  /// fault.
  case cutOff(Frontier, DeviceID, [MembershipRecord])

  /// Whether it says that this device has a twin, rather than that the server lies.
  func isAboutOwn(_ own: DeviceID) -> Bool {
    switch self {
    case .ownTwin: true
    case .fork(let device, _, _), .brokenChain(let device, _): device == own
    default: false
    }
  }

  var code: String {
    switch self {
    case .malformed: "malformed"
    case .membership, .parted: "membership"
    case .brokenChain: "broken_chain"
    case .withheld: "withheld"
    case .fork, .ownTwin: "fork"
    case .cutOff: "cut_off"
    case .forged, .forgedSnapshot, .forgedEnding: "forged"
    }
  }

  var text: String {
    switch self {
    case .malformed: "The server sent a change that does not read. Nothing of it was taken."
    case .membership:
      "The server's list of devices does not continue the one this device holds. Nothing was taken."
    case .parted:
      """
      The server forgot a part of the list of devices, and what it has in its place was written by \
      a device that was taken out, or with a kit that was given up. Nothing was taken.
      """
    case .brokenChain(let device, let sequence), .withheld(let device, let sequence):
      "The server withholds change \(sequence) of device \(short(device)). Nothing was taken."
    case .fork(let device, let sequence, _):
      """
      There are two different changes \(sequence) of device \(short(device)). Nothing was taken; \
      `higgins alarms merge` keeps both.
      """
    case .ownTwin(let sequence):
      "The server has a change \(sequence) in this device's name that it never made."
    case .cutOff(_, let device, _):
      "Changes of device \(short(device)) came too late for a change of keys."
    case .forgedSnapshot(let device):
      "A snapshot of device \(short(device)) is not genuine. Nothing of it was taken."
    case .forgedEnding:
      """
      The server says that the account was deleted, and the proof is not genuine. Nothing was \
      erased or taken.
      """
    case .forged(let device, let sequence):
      "Change \(sequence) of device \(short(device)) is not genuine. Nothing was taken."
    }
  }

  private func short(_ device: DeviceID) -> String { String(device.description.prefix(8)) }
}

import Vault
import Wire

/// What the server says, none of which is believed unchecked.
extension SyncCore {
  mutating func accept(
    _ response: SyncResponse, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    failure = nil
    offlineSince = nil
    let (held, known) = (frontier, serverFrontier)
    do {
      try checked(response, at: now, &step)
    } catch let distrust as Distrust {
      raise(distrust, at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    }
    acknowledge(step.transaction.commits, &step)
    let lacks = !isParked && !serverFrontier.reaches(frontier)
    if (response.more || lacks) && held == frontier && known == serverFrontier {
      run(.stalled, at: now, &step, &entropy)
      return
    }
    run(.succeeded(more: response.more || lacks), at: now, &step, &entropy)
  }

  /// Applies the answer as a whole; when a part of it is not to be believed, nothing of it stays.
  private mutating func checked(
    _ response: SyncResponse, at now: Moment, _ step: inout Step
  ) throws {
    var next = self
    var trial = step
    try next.extendMembership(response, &trial)
    for blob in response.frames { try next.receive(blob, at: now, &trial) }
    next.noteServer(response, at: now, &trial)
    try next.checkOwnChain(response)
    self = next
    step = trial
  }

  private mutating func extendMembership(_ response: SyncResponse, _ step: inout Step) throws {
    for blob in response.membership {
      do {
        let record = try MembershipRecord(bytes: blob.bytes)
        // An answer to an older question may repeat what is held.
        if record.number < membership.count { continue }
        try membership.append(record)
        step.transaction.records.append(record)
      } catch {
        throw Distrust.membership
      }
    }
    guard membership.head == response.memberHead else { throw Distrust.membership }
  }

  private mutating func receive(
    _ blob: Blob, at now: Moment, _ step: inout Step
  ) throws {
    guard let envelope = try? Envelope(bytes: blob.bytes) else { throw Distrust.malformed }
    let header = envelope.header
    let head = frontier[header.device]
    let held = head?.sequence ?? 0
    if header.sequence <= held {
      guard header.sequence < held || envelope.hash == head?.hash else {
        throw Distrust.fork(header.device, header.sequence)
      }
      return
    }
    guard header.sequence == held + 1, header.previous == head?.hash ?? .zero else {
      throw Distrust.brokenChain(header.device, header.sequence)
    }
    try checkDependencies(of: header)
    step.effects += try open(envelope, at: now)
    frontier[header.device] = Head(sequence: header.sequence, hash: envelope.hash)
    step.transaction.commits.append(envelope)
    lastReceived = now.wall
    let held_ = header.dependencies.sequence(of: device)
    heldByPeers[header.device] = max(heldByPeers[header.device] ?? 0, held_)
  }

  private func checkDependencies(of header: EnvelopeHeader) throws {
    for (author, dependency) in header.dependencies.heads {
      let held = frontier[author]
      guard let held, held.sequence >= dependency.sequence else {
        throw Distrust.withheld(author, dependency.sequence)
      }
      if held.sequence == dependency.sequence, held.hash != dependency.hash {
        throw Distrust.fork(author, dependency.sequence)
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
    let lost = serverFrontier.heads.reduce(into: UInt64(0)) { sum, entry in
      let now = response.serverFrontier.sequence(of: entry.key)
      if now < entry.value.sequence { sum += entry.value.sequence - now }
    }
    if lost > 0 {
      let text = "The server lost \(lost) changes; this device sends them again."
      note(Notice(code: "server_lost", text: text, at: now.wall, isAlarm: false), &step)
    }
    let sent = response.serverFrontier.sequence(of: device)
    if sent > serverFrontier.sequence(of: device) { lastSent = now.wall }
    parkIfRefused(response, at: now, &step)
    if serverFrontier != response.serverFrontier {
      serverFrontier = response.serverFrontier
      step.transaction.serverFrontier = response.serverFrontier
      replica.confirm(sent)
    }
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
    guard let problem, !isParked else { return }
    isParked = true
    let text = "The server refused a change: \(problem.title). It stays here; s tries again."
    note(Notice(code: "refused", text: text, at: now.wall, isAlarm: false), &step)
  }

  private func checkOwnChain(_ response: SyncResponse) throws {
    for (author, head) in response.serverFrontier.heads {
      guard let held = frontier[author] else { continue }
      if held.sequence == head.sequence, held.hash != head.hash {
        throw Distrust.fork(author, head.sequence)
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

  private mutating func raise(_ distrust: Distrust, at now: Moment, _ step: inout Step) {
    guard !alarms.contains(where: { $0.code == distrust.code }) else { return }
    let notice = Notice(
      code: distrust.code, text: distrust.text, at: now.wall, isAlarm: true)
    alarms.append(notice)
    note(notice, &step)
  }

  private func note(_ notice: Notice, _ step: inout Step) {
    step.transaction.notices.append(notice)
    step.effects.append(.noticed(notice))
  }
}

/// Why an answer is not believed. The replica stays as it was.
private enum Distrust: Error {
  case malformed
  case membership
  case brokenChain(DeviceID, UInt64)
  case withheld(DeviceID, UInt64)
  case fork(DeviceID, UInt64)
  case forged(DeviceID, UInt64)

  var code: String {
    switch self {
    case .malformed: "malformed"
    case .membership: "membership"
    case .brokenChain: "broken_chain"
    case .withheld: "withheld"
    case .fork: "fork"
    case .forged: "forged"
    }
  }

  var text: String {
    switch self {
    case .malformed: "The server sent a change that does not read. Nothing of it was taken."
    case .membership:
      "The server's list of devices does not continue the one this device holds. Nothing was taken."
    case .brokenChain(let device, let sequence), .withheld(let device, let sequence):
      "The server withholds change \(sequence) of device \(short(device)). Nothing was taken."
    case .fork(let device, let sequence):
      "There are two different changes \(sequence) of device \(short(device)). Nothing was taken."
    case .forged(let device, let sequence):
      "Change \(sequence) of device \(short(device)) is not genuine. Nothing was taken."
    }
  }

  private func short(_ device: DeviceID) -> String { String(device.description.prefix(8)) }
}

public import Vault
public import Wire

/// What this device's person does: edits settle, then become commits.
extension SyncCore {
  /// 160 KiB: operations packed into one commit by an import, so that padding (at most 12 %) stays
  /// below ``/Wire/Limits/commitBytes``.
  static let packedBytes = 160 * 1024
  /// 250: edits from which on, and each further so many, a person is told how far it is.
  private static let countedEdits = 250

  mutating func save(
    _ edits: [Edit], immediately: Bool, at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy, counting: (SyncProgress) -> Void
  ) throws {
    guard let keyring else { throw EditError.locked }
    guard !isEnded else { throw EditError.accountDeleted }
    var changes: [Change] = []
    var batches: [[Operation]] = []
    for (place, edit) in edits.enumerated() {
      if place > 0, place.isMultiple(of: Self.countedEdits) {
        counting(SyncProgress(done: place, total: edits.count, what: "import"))
      }
      let operations = try replica.operations(for: edit, now: now.wall, entropy: &entropy)
      for operation in operations { try operation.checkSize() }
      changes += replica.apply(
        operations, device: device, sequence: Version.uncommitted, now: now.wall)
      batches.append(operations)
    }
    step.effects.append(.changed(changes))
    // A command's edit is whole. It waits only where nothing can be committed yet, and where a form
    // of its context is open.
    let whole = immediately && mayCommit ? batches.filter { !isOpen($0) } : []
    let waiting = immediately && mayCommit ? batches.filter(isOpen) : batches
    if !waiting.isEmpty {
      for operations in waiting { settle(operations, isWhole: immediately, at: now) }
      try sealSettling(touched: Set(waiting.joined().map(\.context)), keyring, &entropy)
      step.transaction.settled = settledRows
    }
    guard !whole.isEmpty else { return }
    try commit(
      packing: whole.map { takeSettled(before: $0) }, with: keyring, &step, &entropy,
      counting: counting)
    step.transaction.settled = settledRows
    run(.wanted, at: now, &step, &entropy)
  }

  private func isOpen(_ operations: [Operation]) -> Bool {
    operations.contains { forms[$0.context] != nil }
  }

  /// The operations with what was saved of their contexts before, on which they stand: a reader of
  /// one commit must not see half of an edit.
  private mutating func takeSettled(before operations: [Operation]) -> [Operation] {
    Set(operations.map(\.context)).sorted()
      .flatMap { settling.removeValue(forKey: $0)?.operations ?? [] } + operations
  }

  private mutating func settle(_ operations: [Operation], isWhole: Bool, at now: Moment) {
    // An undo may be about several contexts; each waits for its own form.
    for (context, group) in Dictionary(grouping: operations, by: \.context) {
      var settled =
        settling[context]
        ?? Settling(operations: [], sealed: [], firstSaved: now.uptime, due: now.uptime)
      settled.operations += group
      settled.due = isWhole ? now.uptime : due(firstSaved: settled.firstSaved, now: now.uptime)
      settling[context] = settled
    }
  }

  mutating func sealSettling(
    touched: Set<ContextID>, _ keyring: Keyring, _ entropy: inout some Entropy
  ) throws {
    for context in touched.sorted() {
      guard let operations = settling[context]?.operations else { continue }
      settling[context]?.sealed = try keyring.sealRow(
        try operations.encoded(), binding: Self.binding(of: context), entropy: &entropy)
    }
  }

  var settledRows: [SettledRow] {
    settling.map { SettledRow(context: $0.key, sealed: $0.value.sealed) }
      .sorted { $0.context < $1.context }
  }

  private static func binding(of context: ContextID) -> String { "settled/\(context)" }

  /// Commits every settled context whose quiet period is over and whose form is closed.
  mutating func commitDue(
    at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    guard mayCommit else { return }
    let due = settling.filter { forms[$0.key] == nil && $0.value.due <= now.uptime }
    try commit(settled: due.keys.sorted(), at: now, &step, &entropy)
  }

  private mutating func commit(
    settled contexts: [ContextID], at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws {
    guard !contexts.isEmpty, mayCommit, let keyring else { return }
    for context in contexts {
      guard let settled = settling.removeValue(forKey: context) else { continue }
      try commit(packing: [settled.operations], with: keyring, &step, &entropy)
    }
    step.transaction.settled = settledRows
    run(.wanted, at: now, &step, &entropy)
  }

  /// One commit for each run of batches that fits; a batch that alone is too large is split, which
  /// only values at their limit can make necessary.
  private mutating func commit(
    packing batches: [[Operation]], with keyring: Keyring, _ step: inout Step,
    _ entropy: inout some Entropy, counting: (SyncProgress) -> Void = { _ in }
  ) throws {
    var packed: [Operation] = []
    var bytes = 0
    for (place, batch) in batches.enumerated() {
      if place > 0, place.isMultiple(of: Self.countedEdits) {
        counting(SyncProgress(done: place, total: batches.count, what: "sealing"))
      }
      let size = try batch.encoded().count
      if bytes + size > Self.packedBytes, !packed.isEmpty {
        try commit(packed, with: keyring, &step, &entropy)
        (packed, bytes) = ([], 0)
      }
      guard size > Self.packedBytes else {
        packed += batch
        bytes += size
        continue
      }
      for operation in batch {
        let size = try [operation].encoded().count
        if bytes + size > Self.packedBytes, !packed.isEmpty {
          try commit(packed, with: keyring, &step, &entropy)
          (packed, bytes) = ([], 0)
        }
        packed.append(operation)
        bytes += size
      }
    }
    if !packed.isEmpty { try commit(packed, with: keyring, &step, &entropy) }
  }

  private mutating func commit(
    _ operations: [Operation], with keyring: Keyring, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws {
    let sequence = try commit(
      try operations.encoded(), as: .data, with: keyring, &step, &entropy)
    replica.place(operations, in: sequence)
  }

  /// The next commit of this device, over everything that is held here; its sequence.
  @discardableResult
  mutating func commit(
    _ plaintext: [UInt8], as kind: EnvelopeHeader.Kind, with keyring: Keyring, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws -> UInt64 {
    let last = frontier[device]
    var others = frontier
    others[device] = nil
    let envelope = try keyring.sealCommit(
      plaintext, kind: kind, sequence: (last?.sequence ?? 0) + 1,
      previous: last?.hash ?? .zero, memberHead: membership.head, dependencies: others,
      entropy: &entropy)
    frontier[device] = Head(sequence: envelope.header.sequence, hash: envelope.hash)
    step.transaction.commits.append(envelope)
    count(envelope)
    answered(&step)
    return envelope.header.sequence
  }

  /// Opens what is held. Changes nothing on the disk: a full one keeps nobody from reading, and
  /// what was saved and is due is the timer's.
  mutating func unlock(
    _ keyring: Keyring, _ replica: Replica, at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws {
    // Two may unlock at once. The fold of the second does not hold what was saved since the first.
    guard isLocked else { return }
    self.keyring = try keyring.extended(by: membership)
    self.replica = replica
    self.replica.confirm(serverFrontier.sequence(of: device))
    sealedWaiting = 0
    for row in unsettled {
      let operations = try [Operation](
        plaintext: try keyring.openRow(row.sealed, binding: Self.binding(of: row.context)))
      _ = self.replica.apply(
        operations, device: device, sequence: Version.uncommitted, now: now.wall)
      settling[row.context] = Settling(
        operations: operations, sealed: row.sealed, firstSaved: now.uptime, due: now.uptime)
    }
    unsettled = []
    try openDrafts(with: keyring)
    if isRevoked { step.effects.append(.wipe) }
    if replacement == .detected {
      step.effects.append(.readBranches(interruptedClaims))
    }
    if snapshotWork == .wanted || replacement == .pulling { run(.wanted, at: now, &step, &entropy) }
  }

  /// Commits what has settled, and locks. A form that is still open loses its protection: its saved
  /// parts are whole.
  mutating func lock(
    at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    forms = [:]
    try commit(settled: settling.keys.sorted(), at: now, &step, &entropy)
    lock()
  }

  /// Forgets everything that can be read. Changes nothing on the disk, so that it cannot fail.
  mutating func lock() {
    forms = [:]
    // What is not committed yet waits sealed, as it lies on the disk.
    unsettled += settledRows
    settling = [:]
    keyring = nil
    if replacement == .asking { replacement = .pulling }
    drafts = []
    replica = Replica(own: device)
  }
}

extension Replica {
  /// Adds a commit of the log, whose author and signature were checked when it was stored.
  ///
  /// - Returns: what it changed.
  @discardableResult
  public mutating func fold(
    _ envelope: Envelope, with keyring: Keyring, membership: Membership, now: Int64
  ) throws -> [Change] {
    guard envelope.header.kind == .data else { return [] }
    let plaintext = try keyring.openCommit(envelope, membership: membership)
    return apply(
      try [Operation](plaintext: plaintext), device: envelope.header.device,
      sequence: envelope.header.sequence, now: now)
  }
}

import Wire

extension Ledger {
  /// Takes one envelope, or throws the `Problem` that says which rule it breaks.
  ///
  /// The rules, in order: it reads; it is of this account and kind; its author is a device of the
  /// account; it is not held already; its signature verifies; it follows the author's head by
  /// sequence and hash; all it depends on is held, by equal hashes; its epoch and membership head
  /// are the account's; it fits the quota.
  func accept(
    _ bytes: [UInt8], account id: AccountID, in transaction: inout some LedgerTransaction
  ) throws -> SyncResponse.Outcome.Status {
    let envelope = try read(bytes)
    let header = envelope.header
    guard header.account == id, let account = try transaction.account(id),
      let author = try transaction.device(header.device), author.account == id
    else { throw Problem(.unknownDevice) }
    let hash = digest(bytes)
    if try transaction.hash(device: header.device, sequence: header.sequence) == hash {
      return .known
    }
    guard verifies(envelope.signature, of: envelope.signedBytes, by: author.signingKey) else {
      throw Problem(.badSignature)
    }
    if try isPassedOver(device: header.device, sequence: header.sequence, in: transaction) {
      return .known
    }
    let frontier = try transaction.frontier(of: id)
    try checkChain(header, head: frontier[header.device], in: transaction)
    guard header.dependencies[header.device] == nil else {
      throw Problem(.malformed, detail: "A commit depends on its own device by its previous hash.")
    }
    try checkDependencies(header.dependencies, frontier: frontier, in: transaction)
    try checkMembership(of: header, account: account, author: author, in: transaction)
    guard account.usedBytes + bytes.count <= quotaBytes else {
      throw Problem(.quota, detail: "An account's commits add up to at most \(quotaBytes) bytes.")
    }
    try transaction.append(
      commit: LedgerCommit(
        account: id, device: header.device, sequence: header.sequence, hash: hash, bytes: bytes))
    return .accepted
  }

  private func read(_ bytes: [UInt8]) throws(Problem) -> Envelope {
    let envelope: Envelope
    do {
      envelope = try Envelope(bytes: bytes)
    } catch .overLimit("commit bytes", _) {
      throw Problem(.tooLarge, detail: "A commit has at most \(Limits.commitBytes) bytes.")
    } catch {
      throw Problem(.malformed, detail: "A commit's envelope does not read.")
    }
    switch envelope.header.kind {
    case .data, .heartbeat: break
    case .membership, .snapshotManifest:
      throw Problem(.malformed, detail: "That kind of envelope is not taken here.")
    }
    guard envelope.header.vault == 0 else {
      throw Problem(.malformed, detail: "There is one vault, 0.")
    }
    guard envelope.header.sequence > 0 else {
      throw Problem(.malformed, detail: "Sequences count from 1.")
    }
    return envelope
  }

  private func checkChain(
    _ header: EnvelopeHeader, head: Head?, in transaction: some LedgerTransaction
  ) throws {
    let last = head?.sequence ?? 0
    guard header.sequence > last else {
      // Held, but not byte for byte: the author has two histories.
      let hash = try transaction.hash(device: header.device, sequence: header.sequence) ?? .zero
      throw Problem(
        .deviceFork,
        held: Frontier([header.device: Head(sequence: header.sequence, hash: hash)]))
    }
    let held = Frontier(head.map { [header.device: $0] } ?? [:])
    guard header.sequence == last + 1 else { throw Problem(.chainGap, held: held) }
    guard header.previous == head?.hash ?? .zero else { throw Problem(.deviceFork, held: held) }
  }

  func checkDependencies(
    _ dependencies: Frontier, frontier: Frontier, in transaction: some LedgerTransaction
  ) throws {
    var missing = Frontier()
    for (device, head) in dependencies.heads {
      guard head.sequence > 0 else { throw Problem(.malformed, detail: "Sequences count from 1.") }
      guard head.sequence <= frontier.sequence(of: device) else {
        missing[device] = head
        continue
      }
      if try isPassedOver(device: device, sequence: head.sequence, in: transaction) { continue }
      let held = try transaction.hash(device: device, sequence: head.sequence) ?? .zero
      guard held == head.hash else {
        throw Problem(
          .deviceFork, held: Frontier([device: Head(sequence: head.sequence, hash: held)]))
      }
    }
    guard missing.heads.isEmpty else { throw Problem(.missingDependencies, missing: missing) }
  }

  /// Whether a heal snapshot passed over that place: the server holds what stood there as part of
  /// the snapshot and never learned its digest, so comparing it is left to clients.
  private func isPassedOver(
    device: DeviceID, sequence: UInt64, in transaction: some LedgerTransaction
  ) throws -> Bool {
    try transaction.jumps(of: device).contains { $0.after < sequence && sequence < $0.upTo }
  }

  func checkMembership(
    of header: EnvelopeHeader, account: LedgerAccount, author: LedgerDevice,
    in transaction: some LedgerTransaction
  ) throws {
    guard !author.isRevoked else {
      throw Problem(.staleEpoch, detail: "The author was taken out of the account.")
    }
    guard header.epoch == account.epoch else { throw Problem(.staleEpoch) }
    // The record the author saw must be of this chain, and not older than the author itself.
    guard let seen = try transaction.memberNumber(of: header.memberHead, account: account.id),
      seen >= author.addedBy
    else { throw Problem(.staleMembership) }
  }
}

import Crypto
public import Wire

/// Who asks: what a verified access token says.
public struct Caller: Hashable, Sendable {
  public let account: AccountID
  /// Zero with the right to enrol only.
  public let device: DeviceID
  /// Whether the token is of scope `enrol`: got with passphrase and kit, by no device yet.
  public let enrolling: Bool

  public init(account: AccountID, device: DeviceID, enrolling: Bool = false) {
    self.account = account
    self.device = device
    self.enrolling = enrolling
  }
}

/// Decides what the server takes and gives: the append-only set of signed commits and the
/// membership chain of each account. It reads no clock, no network and no ciphertext.
///
/// The same decisions run over SQLite in the server and over memory in simulations.
public struct Ledger: Sendable {
  /// The epoch of an account's first commits.
  public static let firstEpoch: UInt32 = 0

  /// What one account's commits and snapshots may add up to.
  public let quotaBytes: Int
  /// Whether nothing is taken: what is held is given all the same.
  public let isReadOnly: Bool

  public init(quotaBytes: Int = Limits.accountQuotaBytes, isReadOnly: Bool = false) {
    self.quotaBytes = quotaBytes
    self.isReadOnly = isReadOnly
  }

  func requireWritable() throws(Problem) {
    guard isReadOnly else { return }
    throw Problem(.readOnlyMaintenance, detail: "What is here is given; changes wait.")
  }

  /// Takes the frames one by one, each in a transaction of its own, then answers with a page of
  /// what the caller lacks. A refused frame blocks neither the others nor the answer.
  public func sync<Store: LedgerStore>(
    _ request: SyncRequest, by caller: Caller, generation: String, in store: inout Store
  ) throws(Problem) -> SyncResponse {
    try checkSize(of: request)
    try store.read { transaction throws in try requireDevice(caller, in: transaction) }
    var outcomes: [SyncResponse.Outcome] = []
    for frame in request.frames {
      outcomes.append(take(frame.bytes, account: caller.account, in: &store))
    }
    return try store.read { transaction throws in
      try answer(
        request, outcomes: outcomes, account: caller.account, generation: generation,
        in: transaction)
    }
  }

  private func checkSize(of request: SyncRequest) throws(Problem) {
    guard request.frames.count <= Limits.framesPerSync else {
      throw Problem(
        .tooMany, detail: "A request carries at most \(Limits.framesPerSync) commits.")
    }
    let bytes = request.frames.reduce(0) { $0 + $1.bytes.count }
    guard bytes <= Limits.frameBytesPerSync else {
      throw Problem(
        .tooLarge,
        detail: "A request's commits add up to at most \(Limits.frameBytesPerSync) bytes.")
    }
  }

  /// A token outlives its device by minutes, so the device is looked up again.
  func requireDevice(_ caller: Caller, in transaction: some LedgerTransaction) throws {
    guard try !member(caller, in: transaction).isRevoked else {
      throw Problem(.authenticationRevoked)
    }
  }

  /// The same for what a device that was taken out may still ask: why.
  func member(
    _ caller: Caller, in transaction: some LedgerTransaction
  ) throws -> LedgerDevice {
    guard !caller.enrolling, let device = try transaction.device(caller.device),
      device.account == caller.account
    else { throw Problem(.authenticationFailed) }
    return device
  }

  private func take<Store: LedgerStore>(
    _ bytes: [UInt8], account: AccountID, in store: inout Store
  ) -> SyncResponse.Outcome {
    do throws(Problem) {
      try requireWritable()
      let status = try store.write { transaction throws in
        try accept(bytes, account: account, in: &transaction)
      }
      return SyncResponse.Outcome(status: status)
    } catch {
      return SyncResponse.Outcome(status: .refused, problem: error)
    }
  }

  private func answer(
    _ request: SyncRequest, outcomes: [SyncResponse.Outcome], account id: AccountID,
    generation: String, in transaction: some LedgerTransaction
  ) throws -> SyncResponse {
    guard let account = try transaction.account(id) else { throw Problem(.authenticationFailed) }
    var held = request.frontier
    // What the caller just sent it holds: sending it back would cost a page for nothing.
    for (frame, outcome) in zip(request.frames, outcomes) where outcome.status != .refused {
      // It was read when it was taken, so it reads again.
      let header = try Envelope(bytes: frame.bytes).header
      // Less one, not one more: the caller may say that it holds any number.
      guard header.sequence - 1 == held.sequence(of: header.device) else { continue }
      held[header.device] = Head(sequence: header.sequence, hash: digest(frame.bytes))
    }
    let frontier = try transaction.frontier(of: id)
    let offer = try snapshot(for: held, frontier: frontier, account: id, in: transaction)
    let page =
      offer.required
      ? LedgerPage()
      : try transaction.page(
        of: id, lacking: held, maxBytes: min(max(request.maxBytes, 1), Limits.pageBytes))
    return SyncResponse(
      generation: generation, outcomes: outcomes,
      membership: try records(after: request.memberHead, account: id, in: transaction),
      frames: page.frames.map { Blob($0) },
      serverFrontier: frontier, memberHead: account.memberHead, more: page.more,
      snapshot: offer.snapshot.map(summary))
  }

  /// The snapshot a caller is given, and whether it can go on without it: no commits are sent to
  /// one that lacks pruned ones, since what follows depends on them.
  private func snapshot(
    for held: Frontier, frontier: Frontier, account: AccountID,
    in transaction: some LedgerTransaction
  ) throws -> (snapshot: LedgerSnapshot?, required: Bool) {
    let bases = try transaction.bases(of: account)
    let required = !Self.covers(held, bases)
    guard required || Self.missing(frontier, from: held) > Limits.snapshotInterval else {
      return (nil, false)
    }
    let newest = try newestSnapshot(of: account, bases: bases, in: transaction)
    guard let newest else {
      // Never so unless the database was changed by hand: `higginsd check` finds it.
      if required { throw Problem(.snapshotRequired, detail: "The server lost its snapshot.") }
      return (nil, false)
    }
    guard required || Self.missing(newest.frontier, from: held) > Limits.snapshotInterval else {
      return (nil, false)
    }
    return (newest, required)
  }

  /// How many commits of `frontier` are not in `held`.
  private static func missing(_ frontier: Frontier, from held: Frontier) -> UInt64 {
    frontier.heads.reduce(0) { sum, entry in
      let sequence = held.sequence(of: entry.key)
      return sum + (entry.value.sequence > sequence ? entry.value.sequence - sequence : 0)
    }
  }

  /// The records after `head`; all of them for a caller that holds none, or one that was never of
  /// this chain: it will see for itself where the chains part.
  func records(
    after head: Digest32?, account: AccountID, in transaction: some LedgerTransaction
  ) throws -> [Blob] {
    var from: UInt64 = 0
    if let head, let number = try transaction.memberNumber(of: head, account: account) {
      from = number + 1
    }
    return try transaction.memberRecords(from: from, account: account).map { Blob($0) }
  }
}

/// SHA-256, the one digest of the protocol.
func digest(_ bytes: [UInt8]) -> Digest32 {
  // A SHA-256 digest has 32 bytes, so the fallback is never taken.
  Digest32(bytes: Array(SHA256.hash(data: bytes))) ?? .zero
}

/// Whether `signature` is Ed25519 by `key` over `message`; false for what is no key at all.
func verifies(_ signature: some Sequence<UInt8>, of message: [UInt8], by key: [UInt8]) -> Bool {
  do {
    let key = try Curve25519.Signing.PublicKey(rawRepresentation: key)
    return key.isValidSignature(Array(signature), for: message)
  } catch {
    return false
  }
}

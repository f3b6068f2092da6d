import Crypto
public import Wire

extension Ledger {
  /// Ed25519 and X25519 public keys.
  private static let keyBytes = 32
  /// A name of 64 characters and a platform, sealed; room to spare.
  private static let sealedNameBytes = 1024

  /// Founds an account with its genesis record and first device. One transaction of the caller's,
  /// so that what else belongs to an account can be written with it.
  public func found(
    _ id: AccountID, genesis bytes: [UInt8], in transaction: inout some LedgerTransaction
  ) throws {
    let record = try read(bytes)
    guard record.kind == .genesis, record.account == id, record.number == 0,
      record.previous == .zero, record.signer == .account, record.dependencies.heads.isEmpty
    else { throw Problem(.malformed, detail: "The record founds no account of that id.") }
    let genesis: MembershipRecord.Genesis
    do { genesis = try record.genesis() } catch { throw Self.unreadableBody }
    guard verifies(record.signature, of: record.signedBytes, by: genesis.accountKey.bytes) else {
      throw Problem(.badSignature)
    }
    guard try transaction.account(id) == nil, try transaction.ending(of: id) == nil else {
      throw Problem(.accountExists)
    }
    try check(genesis.device, in: transaction)
    let account = LedgerAccount(
      id: id, accountKey: genesis.accountKey.bytes, epoch: Self.firstEpoch,
      memberHead: digest(bytes), memberCount: 1, usedBytes: 0)
    try transaction.insert(account: account, genesis: bytes)
    try transaction.insert(device: ledgerDevice(genesis.device, account: id, number: 0))
  }

  /// Appends a record: compare-and-swap on the chain's head.
  ///
  /// What the record depends on must be held by equal hashes; more may be held. A server that was
  /// set back gets its records again from any device that has them, also from one that did not sign
  /// them, and by then others may have sent commits its author never saw. A record that begins an
  /// epoch needs the whole frontier, since it cuts there; given back to a server that was set back,
  /// it still cuts there: commits beyond are given up, their authors write them anew.
  ///
  /// The record that already is in the chain, sent again, is answered like the first time.
  public func append<Store: LedgerStore>(
    _ request: MembershipRequest, by caller: Caller, in store: inout Store
  ) throws(Problem) -> MembershipResponse {
    try requireWritable()
    return try store.write { transaction throws in
      if !caller.enrolling { try requireDevice(caller, in: transaction) }
      let hash = digest(request.record.bytes)
      if try transaction.memberNumber(of: hash, account: caller.account) == nil {
        try extend(request, hash: hash, by: caller, in: &transaction)
        try queueSignal(of: request.record.bytes, by: caller, in: &transaction)
      }
      if try transaction.ending(of: caller.account) != nil {
        return MembershipResponse(memberHead: hash, records: [], serverFrontier: Frontier())
      }
      return try chain(after: hash, of: caller.account, in: transaction)
    }
  }

  /// The records after `head` (all of them for nil), and what the server holds: enough to make the
  /// next record.
  public func membership<Store: LedgerStore>(
    after head: Digest32?, by caller: Caller, in store: Store
  ) throws(Problem) -> MembershipResponse {
    try store.read { transaction throws in
      // A device that was taken out is shown why, and can then believe it.
      if !caller.enrolling { _ = try member(caller, in: transaction) }
      return try chain(after: head, of: caller.account, in: transaction)
    }
  }

  private func chain(
    after head: Digest32?, of id: AccountID, in transaction: some LedgerTransaction
  ) throws -> MembershipResponse {
    guard let account = try transaction.account(id) else { throw Problem(.authenticationFailed) }
    return MembershipResponse(
      memberHead: account.memberHead,
      records: try records(after: head, account: id, in: transaction),
      serverFrontier: try transaction.frontier(of: id),
      farewells: try transaction.farewells(of: id))
  }

  /// Keeps a revoked device's word that it has erased itself, for the others to see.
  public func keep<Store: LedgerStore>(
    _ farewell: Farewell, by caller: Caller, in store: inout Store
  ) throws(Problem) {
    try requireWritable()
    try store.write { transaction throws in
      let device = try member(caller, in: transaction)
      guard let number = device.revokedBy, farewell.device == device.id,
        let record = try transaction.memberRecords(from: number, account: caller.account).first
      else { throw Problem(.malformed, detail: "Only a revoked device says farewell.") }
      let signed = Farewell.signedBytes(
        account: caller.account, device: device.id, record: digest(record))
      guard verifies(farewell.signature.bytes, of: signed, by: device.authenticationKey) else {
        throw Problem(.badSignature)
      }
      try transaction.keep(farewell)
    }
  }

  /// For all but the device that brought the record, or that the record brings in. An account that
  /// it ended has nobody to tell.
  private func queueSignal(
    of record: [UInt8], by caller: Caller, in transaction: inout some LedgerTransaction
  ) throws {
    guard let account = try transaction.account(caller.account) else { return }
    let author = caller.enrolling ? try device(addedBy: read(record)).device : caller.device
    try transaction.queueSignal(ofRecord: account.memberCount - 1, of: account.id, by: author)
  }

  private func extend(
    _ request: MembershipRequest, hash: Digest32, by caller: Caller,
    in transaction: inout some LedgerTransaction
  ) throws {
    let bytes = request.record.bytes
    let record = try read(bytes)
    guard let account = try transaction.account(caller.account) else {
      throw Problem(.authenticationFailed)
    }
    guard record.account == caller.account else {
      throw Problem(.malformed, detail: "The record is of another account.")
    }
    // An end that a server forgot stands for itself, whatever was appended since in its place.
    let isForgottenEnd = record.kind == .deleteAccount && request.isRestored == true
    guard
      isForgottenEnd
        || request.expectedHead == account.memberHead && record.previous == account.memberHead
          && record.number == account.memberCount
    else { throw Problem(.staleMembership) }
    let key = try signingKey(of: record, account: account, caller: caller, in: transaction)
    guard verifies(record.signature, of: record.signedBytes, by: key) else {
      throw Problem(.badSignature)
    }
    if record.kind == .deleteAccount {
      try end(by: record, in: &transaction)
      return
    }
    // Given back to a server that was set back, it may stand on commits that were taken back since:
    // they mean something only where an epoch cuts.
    if request.isRestored != true || record.kind == .rotateEpoch {
      try requireWhatWasSeen(record, in: transaction)
    }
    if record.kind == .rotateEpoch {
      try rotate(
        record, account: account, isRestored: request.isRestored == true, in: &transaction)
      try transaction.append(record: bytes, hash: hash, account: caller.account)
      return
    }
    if [.changeSlot, .renameDevice, .raiseSuite, .trustServer].contains(record.kind) {
      try change(by: record, account: account, in: &transaction)
      try transaction.append(record: bytes, hash: hash, account: caller.account)
      return
    }
    let device = try device(addedBy: record)
    try check(device, in: transaction)
    guard try transaction.deviceCount(of: caller.account) < Limits.devices else {
      throw Problem(.tooMany, detail: "An account has at most \(Limits.devices) devices.")
    }
    try transaction.append(record: bytes, hash: hash, account: caller.account)
    try transaction.insert(
      device: ledgerDevice(device, account: caller.account, number: record.number))
  }

  private func requireWhatWasSeen(
    _ record: MembershipRecord, in transaction: some LedgerTransaction
  ) throws {
    do {
      try checkDependencies(
        record.dependencies, frontier: try transaction.frontier(of: record.account),
        in: transaction)
    } catch let problem as Problem where problem.code == .missingDependencies {
      // One code for "synchronise, then try again".
      throw Problem(
        .staleMembership, detail: "The record was made with commits seen that are not held.",
        missing: problem.missing)
    }
  }

  /// Deletes the account, as its key has signed: the record is all that stays, so that its devices
  /// can be shown it.
  private func end(
    by record: MembershipRecord, in transaction: inout some LedgerTransaction
  ) throws {
    do { _ = try record.ending() } catch { throw Self.unreadableBody }
    guard record.signer == .account, record.dependencies == Frontier() else {
      throw Problem(.malformed, detail: "The account's key alone ends it.")
    }
    try transaction.delete(account: record.account, ending: record.bytes)
  }

  /// The record by which the account was deleted.
  public func ending<Store: LedgerStore>(
    of account: AccountID, in store: Store
  ) throws(Problem) -> EndingResponse {
    try store.read { transaction throws in
      guard let record = try transaction.ending(of: account) else { throw Problem(.notFound) }
      return EndingResponse(record: Blob(record))
    }
  }

  /// Begins the epoch of a record whose place, signature and dependencies were found good.
  private func rotate(
    _ record: MembershipRecord, account: LedgerAccount, isRestored: Bool,
    in transaction: inout some LedgerTransaction
  ) throws {
    let rotation: MembershipRecord.Rotation
    do { rotation = try record.rotation() } catch { throw Self.unreadableBody }
    guard rotation.epoch == account.epoch + 1, case .device = record.signer,
      rotation.slot.slot.bytes.count <= Limits.slotBytes
    else { throw Problem(.malformed, detail: "The record does not begin the next epoch.") }
    let frontier = try transaction.frontier(of: account.id)
    let beyond = frontier.heads.filter {
      $0.value.sequence > record.dependencies.sequence(of: $0.key)
    }
    guard beyond.isEmpty || isRestored else {
      throw Problem(.staleMembership, detail: "Commits came that the record does not know.")
    }
    let bases = try transaction.bases(of: account.id)
    for device in beyond.keys.sorted() {
      let head = record.dependencies[device]
      guard bases[device] ?? 0 <= head?.sequence ?? 0 else {
        throw Problem(.staleMembership, detail: "What the record cuts off was pruned.")
      }
      try transaction.rewind(device: device, of: account.id, to: head)
    }
    for id in rotation.revoked {
      guard let device = try transaction.device(id), device.account == account.id,
        !device.isRevoked
      else { throw Problem(.unknownDevice) }
      try transaction.revoke(device: id, of: account.id, by: record.number)
    }
    try transaction.begin(epoch: rotation.epoch, of: account.id, slot: rotation.slot)
  }

  /// What a record changes that neither adds a device nor begins an epoch.
  private func change(
    by record: MembershipRecord, account: LedgerAccount,
    in transaction: inout some LedgerTransaction
  ) throws {
    guard case .device = record.signer else {
      throw Problem(.malformed, detail: "A device of the account signs that.")
    }
    let slot: MembershipRecord.SlotChange
    do {
      switch record.kind {
      case .renameDevice:
        guard try record.renaming().sealedName.bytes.count <= Self.sealedNameBytes else {
          throw Problem(.malformed, detail: "The device's name has a wrong size.")
        }
        return
      case .raiseSuite:
        _ = try record.suiteRaise()
        return
      case .trustServer:
        _ = try record.serverKeys()
        return
      default: slot = try record.slotChange()
      }
    } catch is WireError {
      throw Self.unreadableBody
    }
    guard slot.slot.bytes.count <= Limits.slotBytes, slot.loginKey.bytes.count == Self.keyBytes
    else { throw Problem(.malformed, detail: "The slot or its key has a wrong size.") }
    try transaction.begin(epoch: account.epoch, of: account.id, slot: slot)
  }

  /// The device a record brings into the account: a further one, or the one that takes the place
  /// of its signer, whose chain was set back or cloned.
  private func device(
    addedBy record: MembershipRecord
  ) throws(Problem) -> DeviceDescription {
    switch record.kind {
    case .genesis, .rotateEpoch, .raiseSuite, .trustServer, .changeSlot, .renameDevice,
      .deleteAccount:
      throw Problem(.malformed, detail: "An account has one genesis record.")
    case .addDevice:
      do { return try record.addition().device } catch { throw Self.unreadableBody }
    case .replaceDevice:
      let replacement: MembershipRecord.Replacement
      do { replacement = try record.replacement() } catch { throw Self.unreadableBody }
      guard record.signer == .device(replacement.replaced) else {
        throw Problem(.badSignature, detail: "Only a device itself says that it is replaced.")
      }
      return replacement.device
    }
  }

  /// A device may bring what any device of the chain, or the account key, has signed; whoever only
  /// proved passphrase and kit brings what the account key has signed.
  private func signingKey(
    of record: MembershipRecord, account: LedgerAccount, caller: Caller,
    in transaction: some LedgerTransaction
  ) throws -> [UInt8] {
    switch record.signer {
    case .account:
      return account.accountKey
    case .device(let id) where !caller.enrolling:
      guard let device = try transaction.device(id), device.account == account.id else {
        throw Problem(.unknownDevice)
      }
      guard !device.isRevoked else {
        throw Problem(.badSignature, detail: "Its signer is revoked.")
      }
      return device.signingKey
    case .device:
      throw Problem(.badSignature, detail: "Passphrase and kit prove the account key alone.")
    }
  }

  private static let unreadableBody = Problem(
    .malformed, detail: "The record's body does not read.")

  private func read(_ bytes: [UInt8]) throws(Problem) -> MembershipRecord {
    do {
      return try MembershipRecord(bytes: bytes)
    } catch .overLimit("membership record bytes", _) {
      throw Problem(
        .tooLarge, detail: "A membership record has at most \(Limits.membershipRecordBytes) bytes.")
    } catch {
      throw Problem(.malformed, detail: "The membership record does not read.")
    }
  }

  private func check(
    _ device: DeviceDescription, in transaction: some LedgerTransaction
  ) throws {
    let keys = [device.signingKey, device.sealingKey, device.authenticationKey]
    guard device.device != .zero, keys.allSatisfy({ $0.bytes.count == Self.keyBytes }),
      device.sealedName.bytes.count <= Self.sealedNameBytes
    else { throw Problem(.malformed, detail: "The device's keys or name have a wrong size.") }
    guard try transaction.device(device.device) == nil else {
      throw Problem(.malformed, detail: "A device id is used once.")
    }
  }

  private func ledgerDevice(
    _ device: DeviceDescription, account: AccountID, number: UInt64
  ) -> LedgerDevice {
    LedgerDevice(
      id: device.device, account: account, signingKey: device.signingKey.bytes,
      authenticationKey: device.authenticationKey.bytes, addedBy: number)
  }
}

public import Wire

extension Keyring {
  /// Says anew what a record of a chain said that gave way to `membership`: its next record, signed
  /// by this device. `frontier` is what the account's server holds.
  ///
  /// Throws ``VaultError/cannotOpen`` for an epoch whose key this device was not given: another one
  /// says that.
  public func restating(
    _ record: MembershipRecord, membership: Membership, frontier: Frontier
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    let kind = record.kind == .replaceDevice ? .addDevice : record.kind
    func signed(_ body: some Encodable) throws(VaultError) -> MembershipRecord {
      try self.signed(kind, body, membership: membership, dependencies: frontier)
    }
    switch record.kind {
    case .addDevice, .replaceDevice:
      guard let device = record.newDevice else { throw .malformed(field: "body") }
      let origin = try record.origin
      return try signed(MembershipRecord.Addition(device: device, origin: origin))
    case .rotateEpoch:
      return try signed(try restated(try read(record.rotation), membership: membership))
    case .raiseSuite: return try signed(try read(record.suiteRaise))
    case .trustServer: return try signed(try read(record.serverKeys))
    case .changeSlot: return try signed(try read(record.slotChange))
    case .renameDevice: return try signed(try read(record.renaming))
    case .genesis, .deleteAccount: throw .brokenChain(number: record.number)
    }
  }

  private func read<Body>(_ body: () throws(WireError) -> Body) throws(VaultError) -> Body {
    try VaultError.reading(body)
  }

  /// The same epoch for who is a member here: the same root key, account secret and slot, without
  /// those whom it left out and the identities they took since.
  private func restated(
    _ rotation: MembershipRecord.Rotation, membership: Membership
  ) throws(VaultError) -> MembershipRecord.Rotation {
    guard let keys = try keys(begunBy: rotation) else { throw .cannotOpen }
    let leaving = membership.lineages(of: rotation.revoked)
    let sealed = try sealedKeys(
      keys.root, keys.accountSecret, epoch: rotation.epoch, membership: membership,
      without: leaving)
    return MembershipRecord.Rotation(
      epoch: rotation.epoch, revoked: leaving.sorted(), keys: sealed,
      commitment: rotation.commitment, slot: rotation.slot)
  }
}

extension MembershipRecord {
  /// The word of the device that went on as another, which is kept when that is said anew.
  fileprivate var origin: Blob? {
    get throws(VaultError) {
      switch kind {
      case .replaceDevice: Blob(bytes)
      case .addDevice: try VaultError.reading { () throws(WireError) in try addition() }.origin
      default: nil
      }
    }
  }
}

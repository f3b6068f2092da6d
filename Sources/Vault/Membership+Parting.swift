public import Wire

/// Two chains of one account that part: a server was set back, and took another record before it
/// was given back those it forgot.
///
/// The chain at the server stays, since it can only be appended to. Who holds the other one goes
/// over to it, and has what that one said appended anew, signed by itself. So nobody chooses, and
/// whoever is last to come finds nothing left to do.
extension Membership {
  /// How many records both chains begin with.
  public func shared(with other: Membership) -> Int {
    zip(records, other.records).prefix { $0 == $1 }.count
  }

  /// Whether this chain may give way to `other`: only if all that is said there beyond what they
  /// share was signed by somebody whom neither this chain nor `forgotten`, records of chains that
  /// gave way before, takes out.
  ///
  /// Otherwise a device that was taken out, and a server that plays along, could undo that. What
  /// the account key signs, passphrase and kit do; so it does not count where those were changed.
  public func mayGiveWay(to other: Membership, recalling forgotten: [MembershipRecord]) -> Bool {
    let shared = shared(with: other)
    guard shared > 0, !contains(other.head), !other.contains(head) else { return false }
    let lost = forgotten + records[shared...]
    return other.records[shared...].allSatisfy { record in
      if case .device(let signer) = record.signer, revoked[signer] != nil { return false }
      return record.isBelieved(recalling: lost)
    }
  }

  /// What a chain that gave way said and this one does not.
  public struct Debt: Hashable, Sendable {
    /// The next record to be said anew; nil when there is none, or only a person can say it.
    public let next: MembershipRecord?
    /// Whether an epoch did not begin here that began there: what is sealed meanwhile could be
    /// opened with keys that were given up for that reason.
    public let isOfKeys: Bool
    /// Whether the passphrase was changed there, and not since here.
    public let isOfPassphrase: Bool

    public static let none = Debt(next: nil, isOfKeys: false, isOfPassphrase: false)
  }

  /// What `forgotten`, records of chains that gave way to this one, in their order, say beyond it.
  ///
  /// Nothing is said anew that this chain contradicts since: what a device said that it takes out,
  /// or another name of the same device. `frontier` is what the next record would depend on.
  public func debt(of forgotten: [MembershipRecord], at frontier: Frontier) -> Debt {
    let places = forgotten.compactMap { number(of: $0.previous) }
    guard let parting = places.min() else { return .none }
    let since = records[min(parting + 1, count)...]
    let owed = forgotten.enumerated().filter { place, record in
      isOwed(record, before: forgotten[(place + 1)...], since: since, forgotten)
    }.map(\.element)
    let next = owed.first { $0.slotBody == nil || isSayable($0, at: frontier) }
    return Debt(
      next: next, isOfKeys: owed.contains { $0.kind == .rotateEpoch },
      isOfPassphrase: owed.contains { $0.kind == .changeSlot })
  }

  private func isOwed(
    _ record: MembershipRecord, before later: ArraySlice<MembershipRecord>,
    since: ArraySlice<MembershipRecord>, _ forgotten: [MembershipRecord]
  ) -> Bool {
    if let rotation = record.rotationBody {
      return !isCovered(rotation, since: since)
    }
    // Whoever this chain takes out, or does not have, has said nothing that counts.
    if case .device(let signer) = record.signer, !active.contains(signer) { return false }
    switch record.kind {
    case .addDevice, .replaceDevice:
      guard let device = record.newDevice, devices[device.device] == nil,
        devices.count < Limits.devices
      else { return false }
      // One that came in there has no keys of an epoch that began here, and none are made for it.
      let known = Set(forgotten.compactMap { $0.rotationBody?.commitment })
      return !since.contains { $0.rotationBody.map { !known.contains($0.commitment) } ?? false }
        && !later.contains { $0.rotationBody?.revoked.contains(device.device) ?? false }
    case .renameDevice:
      guard let renaming = try? record.renaming(), let device = devices[renaming.device],
        revoked[renaming.device] == nil, device.sealedName != renaming.sealedName
      else { return false }
      return !(since + later).contains { (try? $0.renaming())?.device == renaming.device }
    case .raiseSuite:
      return (try? record.suiteRaise()).map { $0.suite > minimumSuite } ?? false
    case .trustServer:
      return !(since + later).contains { $0.kind == .trustServer }
    case .changeSlot:
      return record.slotBody.map { $0.version > slot?.version ?? 1 } ?? false
    case .genesis, .rotateEpoch, .deleteAccount:
      return false
    }
  }

  /// Whether an epoch that began here leaves out whom that one left out.
  private func isCovered(
    _ rotation: MembershipRecord.Rotation, since: ArraySlice<MembershipRecord>
  ) -> Bool {
    let slots = since.filter { $0.kind == .rotateEpoch }.compactMap(\.slotBody)
    return !slots.isEmpty
      && rotation.revoked.allSatisfy { devices[$0] == nil || revoked[$0] != nil }
      && (rotation.slot.isNewPassphrase != true
        || since.contains { $0.slotBody?.isNewPassphrase == true })
  }

  /// Whether a record with a slot can be said anew without passphrase and kit: the slot names the
  /// record before it and what its author held, which whoever opens it wants to be shown.
  private func isSayable(_ record: MembershipRecord, at frontier: Frontier) -> Bool {
    guard let change = record.slotBody, change.version > slot?.version ?? 1,
      contains(record.previous), frontier.reaches(record.dependencies)
    else { return false }
    return record.rotationBody.map { $0.epoch == epoch + 1 } ?? true
  }
}

extension MembershipRecord {
  /// Whether its signer counts, given what `forgotten` says, records of chains that gave way.
  public func isBelieved(recalling forgotten: [MembershipRecord]) -> Bool {
    switch signer {
    case .device(let signer):
      !forgotten.contains { $0.rotationBody?.revoked.contains(signer) ?? false }
    case .account: !forgotten.contains { $0.kind == .rotateEpoch || $0.kind == .changeSlot }
    }
  }

  /// The body of a record of ``Kind/rotateEpoch``; nil of any other. These were read when they were
  /// appended to a chain.
  var rotationBody: Rotation? { kind == .rotateEpoch ? try? rotation() : nil }

  /// The slot it puts in the place of the last one.
  var slotBody: SlotChange? {
    switch kind {
    case .rotateEpoch: rotationBody?.slot
    case .changeSlot: try? slotChange()
    default: nil
    }
  }

  /// The device it brings into the account.
  public var newDevice: DeviceDescription? {
    switch kind {
    case .genesis: (try? genesis())?.device
    case .addDevice: (try? addition())?.device
    case .replaceDevice: (try? replacement())?.device
    default: nil
    }
  }
}

extension DeviceDescription {
  /// Whether id and keys are the same, whatever it is called.
  func hasKeys(of other: DeviceDescription) -> Bool {
    device == other.device && signingKey == other.signingKey && sealingKey == other.sealingKey
      && authenticationKey == other.authenticationKey
  }
}

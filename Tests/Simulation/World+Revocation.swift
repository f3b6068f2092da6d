import AttributeServer
import Sync
import Vault
import Wire

/// Devices that are taken out of the account.
extension World {
  /// As the shell does it: from a device that has sent and received everything.
  func revoke(
    _ other: SimulatedDevice, by device: SimulatedDevice, isAgain: Bool = false
  ) throws {
    let allowed = weather.disasters
    let leaving = device.core.membership.lineage(of: other.keyring.device)
    guard device.isUp, !device.isLocked, isAgain || !other.isGone, device.core.waiting == 0,
      !leaving.contains(device.keyring.device), cutOff[device.number] == nil,
      !device.core.isReplacing, device.core.membership.devices[other.keyring.device] != nil,
      leaving.allSatisfy({ device.core.membership.revoked[$0] == nil })
    else { return }
    let over: () throws -> Void = { [self] in try take(.rotating(false), by: device) }
    let failed: (ServiceFailure) throws -> Void = { [self] in
      try over()
      try fail($0, of: device)
    }
    try take(.rotating(true), by: device)
    later(device, losing: failed) { [self] in
      let membership = device.core.membership
      let leaving = membership.lineages(of: leaving)
      guard isAgain || disasters < allowed, !leaving.isEmpty,
        !leaving.contains(device.keyring.device), let keyring = device.core.keyring,
        device.core.serverFrontier == device.core.frontier
      else { return try over() }
      let rotation = try keyring.rotation(
        without: leaving, membership: membership, cut: device.core.serverFrontier,
        slot: family.slot, login: family.login, passphrase: Family.passphrase,
        strength: .floor, entropy: &device.entropy)
      try attempt(failed) {
        let request = MembershipRequest(
          expectedHead: membership.head, record: Blob(rotation.record.bytes))
        try append(
          request, by: Caller(account: family.account, device: device.keyring.device))
        if !isAgain { disasters += 1 }
        record("\(device.number) revoked \(other.number)")
        count(.revocation)
        revoked.append(
          contentsOf: devices.filter { leaving.contains($0.keyring.device) }
            .map { $0.core.keyring ?? $0.keyring })
        later(device, losing: failed) { [self] in
          try take(.recordsShown([Blob(rotation.record.bytes)], isRefused: false), by: device)
          try over()
        }
      }
    }
  }

  /// The server says that the device is revoked; it is shown the records.
  func askWhyRevoked(_ device: SimulatedDevice) {
    later(device, losing: { [self] in try fail($0, of: device) }) { [self] in
      try attempt({ [self] in try fail($0, of: device) }) {
        let caller = Caller(account: family.account, device: device.keyring.device)
        let head = device.core.membership.head
        var records: [Blob] = []
        _ = try server.change { ledger, store throws(Problem) in
          records = try ledger.membership(after: head, by: caller, in: store).records
        }
        try take(.recordsShown(records, isRefused: true), by: device)
      }
    }
  }

  /// Everything of the account goes from the device's disk.
  func wipe(_ device: SimulatedDevice) throws {
    if bug == .keepRevoked { return }
    record("\(device.number) wiped")
    count(.wipe)
    device.isGone = true
    device.isUp = false
    device.pending = nil
    device.form = nil
    hangUp(device)
    try settleClaims()
  }

  /// S13: what is sealed by somebody who knows of a revocation, and leaves the device, opens with
  /// no key of the revoked.
  func checkSecrecy(
    of sealed: [Envelope], membership: Membership, forgotten: [MembershipRecord]
  ) throws {
    let leaving = Set(membership.revoked.keys).union(takenOut(in: forgotten))
    guard !leaving.isEmpty else { return }
    for envelope in sealed {
      guard envelope.header.epoch == membership.epoch else {
        throw Violation(.s13, "\(envelope.header.sequence) is sealed with keys of an old epoch")
      }
      for keyring in revoked where leaving.contains(keyring.device) {
        let isOpen =
          envelope.header.kind == .snapshotManifest
          ? (try? keyring.openManifest(envelope, membership: membership)) != nil
          : (try? keyring.openCommit(envelope, membership: membership)) != nil
        if isOpen { throw Violation(.s13, "a revoked device opens what was sealed later") }
      }
    }
  }

  /// The same of a snapshot that is sent. One that was sealed before its author knew is no fault.
  func checkSecrecy(of snapshot: SealedSnapshot, sentBy device: SimulatedDevice) throws {
    let (header, core) = (snapshot.manifest.header, device.core)
    guard header.device == core.device, header.memberHead == core.membership.head else { return }
    try checkSecrecy(
      of: [snapshot.manifest], membership: core.membership, forgotten: core.forgotten)
  }

  func takenOut(in records: [MembershipRecord]) -> Set<DeviceID> {
    Set(records.flatMap { record in (try? record.rotation().revoked) ?? [] })
  }

  /// A device that knows of its own revocation has nothing any more.
  func checkWiped(_ device: SimulatedDevice) throws {
    guard device.core.isRevoked, !device.isGone else { return }
    throw Violation(.s13, "device \(device.number) was revoked and keeps everything")
  }
}

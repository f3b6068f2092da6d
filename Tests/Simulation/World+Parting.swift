import AttributeServer
import Sync
import Vault
import Wire

/// Two lists of devices, after a server was set back, and what must become of them.
extension World {
  /// As the shell does it: says anew what a list said that gave way to the server's.
  func restate(
    _ entry: MembershipRecord, by device: SimulatedDevice, _ end: @escaping End
  ) {
    if bug == .keepForgottenToOneself || bug == .dropForgottenEpochs && entry.kind == .rotateEpoch {
      return
    }
    let isCut = entry.kind == .rotateEpoch
    let over: () throws -> Void = { [self] in
      if isCut { try take(.rotating(false), by: device) }
      try end(nil)
    }
    let failed: (ServiceFailure) throws -> Void = { [self] in
      try over()
      try fail($0, of: device)
    }
    later(device, losing: failed) { [self] in
      guard let keyring = device.core.keyring, device.core.isOwed(entry) else {
        return try end(nil)
      }
      if isCut { try take(.rotating(true), by: device) }
      let membership = device.core.membership
      let next: MembershipRecord
      do {
        next = try keyring.restating(
          entry, membership: membership, frontier: device.core.serverFrontier)
      } catch VaultError.cannotOpen {
        return try over()
      }
      try attempt(failed) {
        let request = MembershipRequest(
          expectedHead: membership.head, record: Blob(next.bytes))
        try append(request, by: caller(device))
        record("\(device.number) restated \(entry.kind) \(entry.number) as \(next.number)")
        count(.restated)
        later(device, losing: failed) { [self] in
          try take(.recordsShown([Blob(next.bytes)], isRefused: false), by: device)
          try take(.behind, by: device)
          try over()
        }
      }
    }
  }

  /// A person gives a device another name.
  func rename(_ other: SimulatedDevice, by device: SimulatedDevice) throws {
    let id = other.keyring.device
    guard device.isUp, !device.isLocked, cutOff[device.number] == nil, !device.core.isReplacing,
      device.core.membership.active.contains(id), device.core.forgotten.isEmpty
    else { return }
    texts += 1
    let name = DeviceName(name: "name \(texts)", platform: "linux")
    let failed: (ServiceFailure) throws -> Void = { [self] in try fail($0, of: device) }
    later(device, losing: failed) { [self] in
      try attempt(failed) {
        let membership = device.core.membership
        guard let keyring = device.core.keyring, membership.active.contains(id),
          !device.core.isEnded
        else { return }
        let next = try keyring.renaming(
          id, to: name, membership: membership, frontier: device.core.serverFrontier,
          entropy: &device.entropy)
        let request = MembershipRequest(expectedHead: membership.head, record: Blob(next.bytes))
        try append(request, by: caller(device))
        record("\(device.number) renamed \(other.number)")
        later(device, losing: failed) { [self] in
          try take(.recordsShown([Blob(next.bytes)], isRefused: false), by: device)
        }
      }
    }
  }

  /// A device adds another one, which the others do not know.
  func admitIntruder(by device: SimulatedDevice) throws {
    let entry = family.intruder.record
    try append(
      MembershipRequest(expectedHead: entry.previous, record: Blob(entry.bytes)),
      by: caller(device))
  }

  /// The bug: the server's list takes the place of the one held, whoever signed it.
  func believeAnyList(shownBy response: SyncResponse, to device: SimulatedDevice) throws {
    let shown = try response.membership.map { try MembershipRecord(bytes: $0.bytes) }
    let held = device.core.membership.records
    let shared = zip(held, shown).prefix { $0 == $1 }.count
    guard shown.first?.number == 0, shared < held.count else { return }
    var transaction = Transaction()
    transaction.recordsKept = shared
    transaction.records = Array(shown[shared...])
    try device.disk.write(transaction)
    try device.disk.sync()
    device.memberCount = shown.count
    crash(device)
  }

  /// A person reads that keys are to be changed again, and takes out once more who was taken out.
  func revokeAgain() throws {
    let owing = devices.filter { !$0.isGone && $0.core.needsRevocation }
    let leaving = owing.reduce(into: Set<DeviceID>()) {
      $0.formUnion(takenOut(in: $1.core.forgotten))
    }
    for other in devices where leaving.contains(other.keyring.device) {
      let free = devices.first { device in
        !device.isGone && !owing.contains { $0 === device }
          && !leaving.contains(device.keyring.device)
          && device.core.membership.active.contains(device.keyring.device)
      }
      if let free { try revoke(other, by: free, isAgain: true) }
    }
  }

  /// After a disaster a device counts as taken out only if somebody still knows that it was.
  func settleRevocations() {
    let known = devices.filter { !$0.isGone }.map(\.disk.current.state)
      .reduce(into: takenOut(in: serverChain)) {
        $0.formUnion(takenOut(in: $1.records + $1.forgotten + $1.learned))
      }
    revoked.removeAll { !known.contains($0.device) }
  }

  // MARK: at rest

  /// Devices that cannot come back by themselves stay with what they have, and with an alarm; and
  /// only where there is a reason.
  func setStrandedAside() throws {
    let chain = serverChain
    var isAny = false
    for device in devices where !device.isGone {
      guard try isStranded(device, beside: chain) else { continue }
      record("\(device.number) is stranded")
      count(.stranded)
      device.isGone = true
      device.isUp = false
      isAny = true
    }
    if isAny { try settleClaims() }
  }

  var serverChain: [MembershipRecord] {
    server.store.memberRecords(from: 0, account: family.account)
      .compactMap { try? MembershipRecord(bytes: $0) }
  }

  private func isStranded(
    _ device: SimulatedDevice, beside chain: [MembershipRecord]
  ) throws -> Bool {
    let own = device.core.membership
    guard chain.last.map({ own.contains($0.hash) }) != true else { return false }
    let shared = zip(own.records, chain).prefix { $0 == $1 }.count
    let (lost, gained) = (device.core.forgotten + own.records[shared...], chain[shared...])
    let leaving = takenOut(in: lost)
    let isWrittenByLeaving = gained.contains { record in
      if case .device(let signer) = record.signer { return leaving.contains(signer) }
      return false
    }
    // Whom the server does not know it refuses, without showing a list.
    let isKnown = chain.contains { $0.newDevice?.device == device.keyring.device }
    if isWrittenByLeaving {
      guard !isKnown || device.core.alarms.contains(where: { $0.code == "membership" }) else {
        throw Violation(.s12, "device \(device.number) does not say that its list was left")
      }
      return true
    }
    // Without the keys of an epoch that began there, it joins anew.
    return !isKnown && gained.contains { $0.kind == .rotateEpoch }
  }

  /// S13: nobody who was taken out is a member again, and all have the same list.
  func checkMembership() throws {
    let living = devices.filter { !$0.isGone }
    guard let chain = living.first?.core.membership else { return }
    for device in living where device.core.membership.head != chain.head {
      throw Violation(.s3, "device \(device.number) has another list of devices")
    }
    for device in living where !device.core.forgotten.isEmpty {
      throw Violation(.s9, "device \(device.number) has not said again what was forgotten")
    }
    for keyring in revoked where chain.active.contains(keyring.device) {
      throw Violation(.s13, "device \(keyring.device) is a member again")
    }
  }
}

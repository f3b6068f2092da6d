import AttributeServer
import Sync
import Vault
import Wire

/// An account that one of its devices deletes, for all of them.
///
/// The server erases everything and keeps the record of that alone. Each device keeps what it
/// holds, what it never sent included; it changes and sends nothing more.
extension World {
  /// As the shell does it: from a device that has sent and received everything.
  func deleteAccount(by device: SimulatedDevice) throws {
    guard device.isUp, !device.isLocked, device.core.waiting == 0, !device.core.isReplacing,
      cutOff[device.number] == nil
    else { return }
    let failed: (ServiceFailure) throws -> Void = { [self] in try fail($0, of: device) }
    later(device, losing: failed) { [self] in
      try attempt(failed) {
        let core = device.core
        guard let keyring = core.keyring, !core.isEnded, core.serverFrontier == core.frontier
        else { return }
        let ending = try keyring.ending(
          of: core.membership, slot: family.slot, login: family.login)
        let request = MembershipRequest(
          expectedHead: core.membership.head, record: Blob(ending.bytes))
        try append(request, by: caller(device))
        record("\(device.number) deleted the account")
        count(.deletion)
        try settleClaims()
        // The answer may be lost; then the device hears of it as the others do.
        later(device, losing: failed) { [self] in
          try take(.endingShown(Blob(ending.bytes)), by: device)
        }
      }
    }
  }

  /// The server does not know the device any more; it is shown the record that says why.
  func askWhetherDeleted(_ device: SimulatedDevice, after failure: ServiceFailure) {
    later(device, losing: { [self] in try take(.failed($0), by: device) }) { [self] in
      do throws(Problem) {
        let answer = try server.ledger.ending(of: family.account, in: server.store)
        try? take(.endingShown(answer.record), by: device)
      } catch {
        try take(.failed(failure), by: device)
      }
    }
  }

  /// A start on a copy of a deleted account: a server that was set back is shown its end again.
  func giveEndingBack(by device: SimulatedDevice) {
    guard let ending = device.core.membership.ending, bug != .keepEndingToOneself else { return }
    later(device, losing: { _ in }) { [self] in
      try attempt({ _ in }) {
        guard server.store.ending(of: family.account) == nil else { return }
        let request = MembershipRequest(
          expectedHead: ending.previous, record: Blob(ending.bytes),
          isRestored: bug != .compareEndings)
        try append(request, by: caller(device))
        record("\(device.number) gave the end back")
        count(.endingRestored)
        try settleClaims()
      }
    }
  }

  /// Lets go of the servers.
  func leave(_ device: SimulatedDevice) {
    record("\(device.number) left")
    device.pending = nil
    hangUp(device)
  }

  // MARK: checks

  /// S9: a copy of a deleted account is not changed any more, and asks for nothing.
  func checkNothingFollowsTheEnd(
    _ transaction: Transaction, of device: SimulatedDevice
  ) throws {
    guard device.disk.current.state.ending != nil else { return }
    guard transaction.commits.isEmpty, transaction.settled == nil else {
      throw Violation(.s9, "device \(device.number) changed a copy of a deleted account")
    }
  }

  /// At rest: if anybody knows of the end everybody does, the server has nothing, and what devices
  /// held is there to be read, unsent edits included.
  ///
  /// - Returns: whether the account was deleted.
  func checkEnd() throws -> Bool {
    let living = devices.filter { !$0.isGone }
    let isKnown = server.store.ending(of: family.account) != nil
    guard isKnown || living.contains(where: \.core.isEnded) else { return false }
    guard isKnown, server.frontier(of: family.account) == Frontier(),
      server.commits(of: family.account).isEmpty
    else { throw Violation(.s3, "the server keeps an account that was deleted") }
    var held: Set<VersionID> = []
    for device in living {
      guard device.core.isEnded else {
        throw Violation(.s3, "device \(device.number) has not heard that the account was deleted")
      }
      held.formUnion(shadow.versions(behind: device.core.frontier))
      held.formUnion(try device.settledVersions().map(\.id))
      for promise in device.promised { try checkHistory(of: device, holds: promise) }
      try checkDrafts(of: device)
    }
    guard mustHold.isSubset(of: held) else {
      throw Violation(.s1, "\(mustHold.subtracting(held).count) versions went with the account")
    }
    if !mayAlarm, let alarm = living.flatMap(\.core.alarms).first {
      throw Violation(.s11, "a false alarm: \(alarm.text)")
    }
    return true
  }
}

import Vault
public import Wire

/// Going over to the server's list of devices, where it and the one held here part.
///
/// A server that was set back may be given a record by somebody who knows none of those it forgot.
/// Both lists are genuine then. Whoever holds the forgotten records goes over to the server's list,
/// and says anew there what they said: ``/Vault/Membership/debt(of:at:)``. Commits that stand on
/// them become saved edits again, and are committed under a new identity. As long as an epoch is
/// owed, nothing is sealed here: whom it left out could read that.
extension SyncCore {
  static let parted = "membership"
  static let goingOver = """
    The server forgot a part of the list of devices, as if an old copy of it was restored, and has \
    another one in its place. This device goes over to it and says again what is missing there.
    """
  private static let standsOnList = """
    Changes stand on the list of devices that the server forgot. This device takes a new identity \
    and sends them again.
    """
  private static let wentOver = """
    The server forgot a part of the list of devices, as if an old copy of it was restored, and had \
    another one in its place. Both are one again.
    """
  private static let needsPassphrase = """
    The server forgot a part of the list of devices, as if an old copy of it was restored, and had \
    another one in its place. Both are one again, but for the account's passphrase: it was changed \
    in what was forgotten. Change it once more with `higgins passphrase`.
    """
  private static let needsKeys = """
    The server forgot that the account's keys were changed, and who was taken out with that. \
    Nothing is sent from here before it is done again: revoke the device once more, on another one.
    """

  /// The server's list, shown whole, where it parts from the one held; nil for any other answer.
  func parting(shownBy records: [Blob]) -> Membership? {
    guard let first = records.first, let record = try? MembershipRecord(bytes: first.bytes),
      record.number == 0, membership.count > 0
    else { return nil }
    var other = Membership(account: account)
    do {
      for blob in records { try other.append(MembershipRecord(bytes: blob.bytes)) }
    } catch {
      return nil
    }
    guard !membership.contains(other.head), !other.contains(membership.head),
      membership.shared(with: other) > 0
    else { return nil }
    return other
  }

  /// Whether an epoch that began in a list that gave way did not begin in this one.
  var owesKeys: Bool {
    !forgotten.isEmpty && membership.debt(of: forgotten, at: frontier).isOfKeys
  }

  /// Whether it can only begin again when a person takes out once more who was taken out.
  public var needsRevocation: Bool {
    owesKeys && alarms.contains { $0.code == Self.parted && $0.text == Self.needsKeys }
  }

  /// Begins to go over, or names what speaks against it.
  mutating func meet(
    _ other: Membership, serverFrontier: Frontier, at now: Moment, _ step: inout Step
  ) {
    guard membership.mayGiveWay(to: other, recalling: forgotten), other.devices[device] != nil
    else { return raise(.parted(other), at: now, &step) }
    say(Self.goingOver, at: now, &step)
    // Said now, as what stands on the list is not missed there any more once it was taken back.
    let lost = serverFrontier.lacked(of: self.serverFrontier)
    if lost > 0 {
      noteRollback(lost, at: now, &step)
      self.serverFrontier = serverFrontier
      step.transaction.serverFrontier = serverFrontier
    }
    if other.revoked[device] != nil {
      yield(to: other, &step)
      step.effects.append(.wipe)
      return
    }
    // What stands on the records is to be read first, and new keys come from the old ones.
    guard keyring != nil, replacement == nil || replacement == .pulling else { return }
    learned = Array(other.records[membership.shared(with: other)...])
    step.transaction.learned = learned
    if replacement == nil {
      note(
        Notice(code: Replacement.code, text: Self.goingOver, at: now.wall, isAlarm: false), &step)
    }
    replacement = .detected
    step.effects.append(.readBranches(wholeLog))
  }

  /// The list that ``learned`` is the end of, if it parts from the one held.
  var learnedParting: Membership? {
    guard let first = learned.first, first.number < UInt64(membership.count) else { return nil }
    var other = Membership(account: account)
    do {
      for record in membership.records.prefix(Int(first.number)) + learned {
        try other.append(record)
      }
    } catch {
      return nil
    }
    return membership.mayGiveWay(to: other, recalling: forgotten) ? other : nil
  }

  /// Asks for everything in the log: what of it is good in another list is for that to say.
  var wholeLog: [Claim] {
    frontier.sorted.map { Claim(device: $0.device, published: nil) }
  }

  /// What is left of a branch beyond the commits that are good in `other`, and beyond those that
  /// are not in the log any more; nil where that is nothing.
  func bounded(_ branch: Branch, by other: Membership?) -> Branch? {
    guard let other else { return branch }
    var proven = floor[branch.device]
    for (place, envelope) in branch.commits.enumerated() {
      guard envelope.header.sequence > proven?.sequence ?? 0 else { continue }
      do {
        try other.verify(envelope)
      } catch {
        return Branch(
          device: branch.device, proven: proven, commits: Array(branch.commits[place...]))
      }
      proven = Head(sequence: envelope.header.sequence, hash: envelope.hash)
    }
    return nil
  }

  /// Puts the other list in the place of the one held, and keeps what that said.
  mutating func yield(to other: Membership, _ step: inout Step) {
    let shared = membership.shared(with: other)
    forgotten += membership.records[shared...]
    membership = other
    learned = []
    step.transaction.learned = []
    step.transaction.forgotten = forgotten
    step.transaction.recordsKept = shared
    step.transaction.records = Array(other.records[shared...])
  }

  /// A device whose own chain is good in the other list, too, stays who it is. Where an epoch that
  /// began there cuts off more of that chain than is held here, a twin wrote the rest, and nothing
  /// can be written in its place.
  mutating func decideIdentity(isWhole: Bool, at now: Moment, _ step: inout Step) {
    step.transaction.clearedNotices.append(Replacement.code)
    let held = frontier.sequence(of: device)
    let hasTwin = membership.rotations.contains { $0.cut.sequence(of: device) > held }
    if isWhole, !hasTwin, mayKeepIdentity {
      replacement = nil
      return
    }
    mayKeepIdentity = false
    note(
      Notice(code: Replacement.code, text: Self.standsOnList, at: now.wall, isAlarm: false), &step)
  }

  /// Has the next of the forgotten records said anew, once the server's list and commits are here.
  ///
  /// - Returns: whether there is one: a new identity comes after them, since what was sealed for
  ///   the old one opens with its keys alone.
  mutating func restateNext(_ response: SyncResponse, _ step: inout Step) -> Bool {
    guard !forgotten.isEmpty, response.memberHead == membership.head, !response.more,
      frontier.reaches(response.serverFrontier)
    else { return false }
    let debt = membership.debt(of: forgotten, at: response.serverFrontier)
    if let next = debt.next {
      guard keyring != nil else { return true }
      // A record that cuts must not cut off what is on its way to the server.
      if next.kind != .rotateEpoch || response.serverFrontier.reaches(frontier) {
        step.effects.append(.restate(next))
      }
      return true
    }
    guard !debt.isOfKeys else {
      say(Self.needsKeys, &step)
      return false
    }
    // What the record of another passphrase stands on may be on its way.
    guard !debt.isOfPassphrase || response.serverFrontier.reaches(frontier) else { return true }
    forgotten = []
    step.transaction.forgotten = []
    say(debt.isOfPassphrase ? Self.needsPassphrase : Self.wentOver, &step)
    return false
  }

  /// Whether a record is the next to be said anew: another device may have done it since that was
  /// asked for.
  public func isOwed(_ record: MembershipRecord) -> Bool {
    membership.debt(of: forgotten, at: serverFrontier).next == record
  }

  private mutating func say(_ text: String, at now: Moment, _ step: inout Step) {
    guard !alarms.contains(where: { $0.code == Self.parted && $0.text == text }) else { return }
    replaceAlarm(Notice(code: Self.parted, text: text, at: now.wall, isAlarm: true), &step)
  }

  /// The same as of an alarm that stands: one that a person has cleared is said only if it is about
  /// something that is left to do.
  private mutating func say(_ text: String, _ step: inout Step) {
    let standing = alarms.first { $0.code == Self.parted }
    guard standing?.text != text, standing != nil || text != Self.wentOver else { return }
    replaceAlarm(
      Notice(code: Self.parted, text: text, at: standing?.at ?? 0, isAlarm: true), &step)
  }
}

import Vault
import Wire

/// A device whose disk was restored or cloned takes a new identity: the server has commits in its
/// name that it does not know.
///
/// Whatever it wrote that is not proven to be on the server by hash is taken back into saved edits,
/// with the versions it had, and committed under the new id; should a twin have published it too,
/// the versions are the same and merge.
extension SyncCore {
  enum Replacement: Hashable, Sendable {
    /// The state while the own chain has not been read, for instance because the device is locked.
    case detected
    /// The state while the server's history of the old id is being fetched.
    case pulling
    /// The state while the shell makes new keys and asks the server to take them.
    case asking

    /// The notice that stands on disk from the detection to the end.
    static let code = "replacing"
  }

  /// Begins once; what came of the answer is dropped, and the own chain is read.
  mutating func beginReplacement(at now: Moment, _ step: inout Step) {
    guard replacement == nil else { return }
    replacement = .detected
    let text = """
      Another copy of this device has been at work, or an old copy was restored. \
      It takes a new identity and keeps its unpublished edits.
      """
    note(Notice(code: Replacement.code, text: text, at: now.wall, isAlarm: false), &step)
    mayKeepIdentity = false
    if keyring != nil { step.effects.append(.readBranches(unpublishedClaims)) }
  }

  /// The server once said that it holds what now turns out to contradict it: an old copy of it was
  /// restored as well, or it lied. Nothing of the own chain counts as proven then.
  /// What it holds of others' is looked at anew as well.
  mutating func takeBackEverything(
    against server: Frontier, at now: Moment, _ step: inout Step
  ) {
    replacement = .detected
    let lost = server.lacked(of: serverFrontier)
    if lost > 0 { noteRollback(lost, at: now, &step) }
    serverFrontier = server
    serverFrontier[device] = nil
    step.transaction.serverFrontier = serverFrontier
    if keyring != nil { step.effects.append(.readBranches(unpublishedClaims)) }
  }

  /// Whether everything of the old id is here, so that the new one can begin.
  mutating func goOnReplacing(_ response: SyncResponse, _ step: inout Step) {
    // New keys come from the old ones.
    guard replacement == .pulling, keyring != nil, !response.more,
      // A server that was set back gets the records it forgot first: the new one comes after them.
      response.memberHead == membership.head, frontier.reaches(response.serverFrontier)
    else { return }
    replacement = .asking
    step.effects.append(.replaceDevice)
  }

  mutating func replaced(
    by successor: Keyring, _ record: MembershipRecord, at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) throws {
    // Locked meanwhile, or on the way back again: the record is found when it is asked for anew.
    guard replacement == .asking || replacement == .pulling, keyring != nil else { return }
    if !membership.contains(record.hash) {
      // Made for a list that gave way to the server's since; it is asked for anew.
      guard record.previous == membership.head else { return }
      try membership.append(record)
      step.transaction.records.append(record)
    }
    let old = device
    device = successor.device
    keyring = try successor.extended(by: membership)
    replica.own = successor.device
    replacement = nil
    mayKeepIdentity = true
    if wantsMerge { clearAlarms(Self.forked, &step) }
    wantsMerge = false
    merging = nil
    refusal = nil
    step.transaction.device = device
    step.transaction.clearedNotices.append(Replacement.code)
    try resealRows(with: successor, &step, &entropy)
    let text = """
      This device was device \(String(old.description.prefix(8))) and has a new identity: another \
      copy of it was at work, or an old copy was restored. Nothing was lost.
      """
    note(Notice(code: "replaced", text: text, at: now.wall, isAlarm: false), &step)
    for context in settling.keys { settling[context]?.due = now.uptime }
    try commitDue(at: now, &step, &entropy)
    run(.wanted, at: now, &step, &entropy)
  }
}

import Vault
import Wire

/// New keys: a device was taken out, or the passphrase was seen by somebody else.
///
/// The record that begins an epoch cuts every chain: what lies beyond its cut must be of the new
/// epoch. A device that holds more than the cut, its own unpublished commits most of all, goes back
/// to it, keeps what it goes back on as saved edits with the versions they had, and commits them
/// under a new identity: nobody ever signs two commits of one place.
extension SyncCore {
  static let keysChanged = """
    The account's keys were changed while changes were not sent yet. This device takes a new \
    identity and sends them again.
    """

  /// Takes the keys of the epochs after `epoch`, unless this device is to have none of them.
  mutating func beginEpochs(after epoch: UInt32, _ step: inout Step) throws {
    guard !isRevoked else {
      step.effects.append(.wipe)
      return
    }
    for rotation in membership.rotations.dropFirst(Int(epoch)) {
      let late = frontier.heads.filter { $0.value.sequence > rotation.cut.sequence(of: $0.key) }
      // Its own chain first: it is the one that must not go on.
      if let author = late.keys.min(by: { ($0 == device ? 0 : 1, $0) < ($1 == device ? 0 : 1, $1) })
      {
        throw Distrust.cutOff(rotation.cut, author, step.transaction.records)
      }
    }
    do {
      keyring = try keyring?.extended(by: membership)
    } catch {
      throw Distrust.membership
    }
    // Whoever began the epoch writes the snapshot that those who left cannot read.
    if membership.records.last(where: { $0.kind == .rotateEpoch })?.signer == .device(device) {
      logCommits = max(logCommits, Limits.snapshotInterval)
    }
  }

  /// Takes the records whose cut this device went back to.
  ///
  /// The answer that brought them was dropped as a whole. A server that is set back before the next
  /// one would not show them again, and take the record of this device's new identity in their
  /// place: those who hold them could never go on from there.
  mutating func takeLearned(_ step: inout Step) {
    guard !learned.isEmpty else { return }
    let records = learned.filter { $0.number >= UInt64(membership.count) }
    learned = []
    step.transaction.learned = []
    var next = self
    var trial = step
    do {
      for record in records {
        try next.membership.append(record)
        trial.transaction.records.append(record)
      }
      try next.beginEpochs(after: membership.epoch, &trial)
    } catch {
      // They do not continue what is held by now: what does comes with the next answer.
      return
    }
    self = next
    step = trial
  }

  /// Takes records that came by themselves: this device's own, or those that say it is revoked.
  /// That the server refuses this device as revoked is worth nothing, the signed record is.
  mutating func believe(
    _ records: [Blob], isRefused: Bool, at now: Moment, _ step: inout Step,
    _ entropy: inout some Entropy
  ) {
    var next = self
    var trial = step
    do {
      try next.extendMembership(by: records, at: now, &trial)
      self = next
      step = trial
    } catch {
      meet(error as? Distrust ?? .membership, serverFrontier: serverFrontier, at: now, &step)
      if isRefused { run(.failed, at: now, &step, &entropy) }
      return
    }
    // The others hear of it by a commit: there are no other signals.
    if !isRefused { beatSoon(&step) }
    guard isRefused, !isRevoked else { return }
    let problem = Problem(.authenticationRevoked, detail: "No record of that was shown.")
    fail(.refused(problem), at: now, &step, &entropy)
  }

  /// The account was deleted, if its key has signed that: a server that only says so is named, and
  /// nothing changes. What is here stays, also what nobody else has.
  mutating func believe(
    ending blob: Blob, at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) {
    guard !isEnded else { return }
    do {
      let record = try MembershipRecord(bytes: blob.bytes)
      try membership.end(by: record)
      step.transaction.ending = record
    } catch {
      raise(.forgedEnding, at: now, &step)
      run(.failed, at: now, &step, &entropy)
      return
    }
    failure = nil
    offlineSince = nil
    step.effects.append(.leave)
  }
}

import Sync
import Vault
import Wire

/// A device's disk: a log of transactions with a tail that a crash may take.
///
/// A write goes to the tail; a sync makes it last. What a crash leaves of the tail is a prefix of
/// its transactions: one that was torn fails its checksum and is dropped when the disk is opened.
struct Disk {
  /// What a store answers from.
  struct Contents {
    var state: StoredState
    /// Who the device is.
    var device: DeviceID
    var log: [Envelope] = []
    var checkpoint: SealedSnapshot?
    /// The digest of each commit that is or was in the log.
    var places: [DeviceID: [UInt64: Digest32]] = [:]

    mutating func apply(_ transaction: Transaction) {
      for rewind in transaction.rewinds { forget(rewind) }
      for envelope in transaction.commits { append(envelope) }
      if let kept = transaction.recordsKept, kept < state.records.count {
        state.records.removeSubrange(kept...)
      }
      // One that is there already is passed over, as a write that seemed to fail may have lasted.
      for record in transaction.records where record.number == state.records.count {
        state.records.append(record)
      }
      if let ending = transaction.ending { state.ending = ending }
      if let snapshot = transaction.snapshot { check(in: snapshot) }
      if let since = transaction.snapshotHeldSince { state.checkpoint?.heldSince = since }
      if let frontier = transaction.prune { prune(frontier) }
      if let frontier = transaction.serverFrontier { state.serverFrontier = frontier }
      if let generation = transaction.generation { state.generation = generation }
      if let settled = transaction.settled { state.settled = settled }
      if let drafts = transaction.drafts { state.drafts = drafts }
      state.notices.removeAll { transaction.clearedNotices.contains($0.code) }
      state.notices += transaction.notices
      if let device = transaction.device { self.device = device }
      if let isUncertain = transaction.isUncertain { state.isUncertain = isUncertain }
      if let unanswered = transaction.unanswered { state.unanswered = unanswered }
      if let learned = transaction.learned { state.learned = learned }
      if let forgotten = transaction.forgotten { state.forgotten = forgotten }
    }

    private mutating func append(_ envelope: Envelope) {
      let (header, hash) = (envelope.header, envelope.hash)
      guard header.sequence > state.frontier.sequence(of: header.device) else { return }
      log.append(envelope)
      places[header.device, default: [:]][header.sequence] = hash
      state.frontier[header.device] = Head(sequence: header.sequence, hash: hash)
    }

    private mutating func forget(_ rewind: Transaction.Rewind) {
      let (device, last) = (rewind.device, rewind.head?.sequence ?? 0)
      log.removeAll { $0.header.device == device && $0.header.sequence > last }
      places[device] = places[device]?.filter { $0.key <= last }
      state.frontier[device] = rewind.head
      if state.floor.sequence(of: device) > last { state.floor[device] = rewind.head }
      if let covered = state.checkpoint?.frontier.sequence(of: device), covered > last {
        state.checkpoint?.frontier[device] = rewind.head
      }
    }

    private mutating func check(in snapshot: SealedSnapshot) {
      checkpoint = snapshot
      state.checkpoint = StoredState.Checkpoint(
        id: snapshot.id, frontier: snapshot.frontier, epoch: snapshot.manifest.header.epoch)
      for (device, head) in snapshot.frontier.heads
      where head.sequence > state.frontier.sequence(of: device) {
        state.frontier[device] = head
        state.floor[device] = head
        places[device, default: [:]][head.sequence] = head.hash
      }
    }

    /// Only what is proven by hash goes.
    private mutating func prune(_ frontier: Frontier) {
      for (device, head) in frontier.heads where places[device]?[head.sequence] == head.hash {
        log.removeAll { $0.header.device == device && $0.header.sequence <= head.sequence }
        if head.sequence > state.floor.sequence(of: device) { state.floor[device] = head }
      }
    }

    /// The commits that come after the checkpoint.
    var beyondCheckpoint: [Envelope] {
      let covered = state.checkpoint?.frontier ?? Frontier()
      return log.filter { $0.header.sequence > covered.sequence(of: $0.header.device) }
    }
  }

  enum Fault: Error { case full, syncFailed }

  /// What a crash cannot take.
  private(set) var lasting: Contents
  /// What the running process reads: ``lasting`` with the tail.
  private(set) var current: Contents
  private var tail: [Transaction] = []
  /// A transaction whose sync failed: rolled back here, yet it may be there after a crash.
  private var doubtful: Contents?
  /// The faults of the next write, one of each at the most.
  var nextFault: Fault?

  init(state: StoredState, device: DeviceID) {
    lasting = Contents(state: state, device: device)
    current = lasting
  }

  mutating func write(_ transaction: Transaction) throws(Fault) {
    if nextFault == .full {
      nextFault = nil
      throw .full
    }
    current.apply(transaction)
    tail.append(transaction)
  }

  /// - Throws: ``Fault/syncFailed``; the process goes on with what it had before the write.
  mutating func sync() throws(Fault) {
    if nextFault == .syncFailed {
      nextFault = nil
      doubtful = current
      current = lasting
      tail = []
      throw .syncFailed
    }
    doubtful = nil
    lasting = current
    tail = []
  }

  /// The power goes: what is left is the lasting part and, as it happens, some of the tail.
  mutating func crash(_ entropy: inout SeededEntropy) {
    if let left = doubtful, entropy.chance(50) { lasting = left }
    doubtful = nil
    let count = tail.isEmpty ? 0 : entropy.pick(0...tail.count)
    for transaction in tail.prefix(count) { lasting.apply(transaction) }
    current = lasting
    tail = []
    nextFault = nil
  }

  /// Puts an earlier state in the place of everything.
  mutating func restore(_ contents: Contents) {
    (lasting, current, tail, doubtful) = (contents, contents, [], nil)
  }

  func commits(beyond frontier: Frontier, count: Int) -> [Envelope] {
    Array(
      current.log.lazy.filter { $0.header.sequence > frontier.sequence(of: $0.header.device) }
        .prefix(count))
  }

  func digests(at places: Set<CommitPlace>) -> [CommitPlace: Digest32] {
    places.reduce(into: [:]) { digests, place in
      digests[place] = current.places[place.device]?[place.sequence]
    }
  }

  /// What a process finds; `bias` commits more than there are, so that snapshots come soon.
  func state(bias: Int) -> StoredState {
    var state = current.state
    let beyond = current.beyondCheckpoint
    state.logCommits = beyond.count + bias
    state.logBytes = beyond.reduce(0) { $0 + $1.bytes.count }
    return state
  }
}

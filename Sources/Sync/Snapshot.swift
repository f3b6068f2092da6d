import HashTreeCollections
import Vault
public import Wire

/// A replica in pieces, ready to be sealed.
public struct ReplicaSnapshot: Hashable, Sendable {
  /// Independent of each other: merging is a union of versions, in any order.
  public let pieces: [[UInt8]]
  public let root: Digest32
  public let versions: Int
}

extension Replica {
  /// A year: how long superseded values are kept at the least.
  static let historyMilliseconds: Int64 = 365 * 86_400_000
  /// How many superseded values of a register are kept at the least.
  static let historyVersions = 20

  /// Everything committed, to be sealed as a snapshot.
  ///
  /// Two things are left out but for their ids, which keep hiding what they hid:
  /// - superseded values that are both superseded for longer than a year and not among the newest
  ///   twenty of their register;
  /// - what was in contexts that have left the trash, once every active device holds the deletion.
  ///   The deletion itself stays, so that a device that comes back from an old backup learns of it.
  ///
  /// `coveredByAll` is what every active device is known to hold; nil keeps all contexts.
  public func snapshot(now: Int64, coveredByAll: Frontier?) throws -> ReplicaSnapshot {
    var writer = SnapshotWriter()
    for id in states.keys.sorted() {
      guard var state = states[id]?.committed else { continue }
      if let coveredByAll, state.isRetired(at: now, by: coveredByAll) { state = state.buried }
      for (place, register) in state.registers(of: id) {
        let register = register.pruned(
          keeping: Self.historyVersions, since: now - Self.historyMilliseconds)
        for version in register.history.reversed() { try writer.write(version, at: place) }
        writer.write(forgotten: register.forgotten, at: place)
      }
    }
    return ReplicaSnapshot(
      pieces: writer.finished(), root: root, versions: writer.versionCount)
  }

  /// Adds a piece's versions to what is here and says what became different. Nothing is replaced:
  /// what only this replica has stays. All of the piece is taken or, when it does not read,
  /// nothing.
  @discardableResult
  public mutating func merge(piece: [UInt8], now: Int64) throws(SnapshotError) -> [Change] {
    absorb(try SnapshotReader.entries(of: piece), now: now)
  }

  /// The state root: equal for replicas that hold the same commits, whatever history they keep and
  /// whatever edits wait to be committed.
  ///
  /// SHA-256 over each context's id and the SHA-256 of its heads, contexts in the order of their
  /// ids. A head is written as its place (attribute or sixteen zeros, register's name and a zero),
  /// id, milliseconds (64 bits), counter (16), author and sequence (64); heads in the order of
  /// attribute, register and id. Deleted contexts do not count: one replica may have given up more
  /// of them than another. O(n).
  public var root: Digest32 {
    var writer = ByteWriter()
    for id in states.keys.sorted() {
      guard let state = states[id]?.committed, !state.isDeleted else { continue }
      let heads = state.headBytes
      guard !heads.isEmpty else { continue }
      writer.write(id.bytes)
      writer.write(Digest32.sha256(heads).bytes)
    }
    return .sha256(writer.bytes)
  }
}

extension Replica.Context {
  /// Without what waits to be committed.
  fileprivate var committed: Replica.Context {
    let isCommitted = registers(of: .zero).allSatisfy { $0.register.isCommitted }
    return isCommitted ? self : mapped { _, register in register.filtered(\.isCommitted) }
  }

  fileprivate var headBytes: [UInt8] {
    var writer = ByteWriter()
    for (place, register) in registers(of: .zero) {
      for head in register.heads.sorted(by: { $0.id < $1.id }) {
        writer.write((place.attribute ?? .zero).bytes)
        writer.write(place.register.rawValue.utf8)
        writer.write(0 as UInt8)
        writer.write(head.id.bytes)
        writer.write(UInt64(bitPattern: head.time.milliseconds))
        writer.write(head.time.counter)
        writer.write(head.device.bytes)
        writer.write(head.sequence)
      }
    }
    return writer.bytes
  }

  /// Whether its content may be given up: nobody can restore it any more, and nobody can have
  /// written to it without knowing of the deletion.
  fileprivate func isRetired(at now: Int64, by covered: Frontier) -> Bool {
    guard isDeleted, let deletion, now >= Replica.expiry(of: deletion) else { return false }
    return existence.heads.allSatisfy { $0.sequence <= covered.sequence(of: $0.device) }
  }

  /// Its deletion, and of everything else the ids.
  fileprivate var buried: Replica.Context {
    mapped { place, register in
      place.register == .existence
        ? register : register.forgetting(Set(register.versions.map(\.id)))
    }
  }
}

extension Register {
  fileprivate var isCommitted: Bool { versions.allSatisfy(\.isCommitted) }

  /// Without superseded versions older than both `count` others and `time`, but for their ids.
  ///
  /// What supersedes a version that is kept is kept too: a union with another replica's so never
  /// shows a version whose successor both gave up.
  func pruned(keeping count: Int, since time: Int64) -> Register {
    let heads = Set(headIDs)
    let superseded = history.reversed().filter { !heads.contains($0.id) }
    guard superseded.count > count else { return self }
    var successors: [VersionID: [Version]] = [:]
    for version in versions {
      for id in version.supersedes { successors[id, default: []].append(version) }
    }
    var kept = heads
    var open = superseded.enumerated().filter { rank, version in
      let end = successors[version.id, default: []].map(\.time.milliseconds).max()
      return rank < count || max(end ?? .max, version.time.milliseconds) >= time
    }.map(\.element)
    while let version = open.popLast() {
      guard kept.insert(version.id).inserted else { continue }
      open += successors[version.id, default: []]
    }
    let given = Set(superseded.map(\.id)).subtracting(kept)
    return given.isEmpty ? self : forgetting(given)
  }
}

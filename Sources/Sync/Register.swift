import Wire

/// One written version and who wrote it.
struct Version: Hashable, Sendable {
  let id: VersionID
  let time: HybridTime
  let device: DeviceID
  /// The author's commit it came in; ``uncommitted`` until there is one.
  var sequence: UInt64
  let content: Operation.Content?
  let seen: [VersionID]

  static let uncommitted = UInt64.max

  /// Which of two concurrent versions is shown: the later one, the greater device id in a tie.
  static func isShownBefore(_ left: Version, _ right: Version) -> Bool {
    left.time != right.time ? left.time > right.time : left.device > right.device
  }
}

/// A multi-version register: every version ever written, and which of them nobody has superseded.
///
/// Adding versions commutes and is idempotent: the same set in any order gives the same heads.
/// A version that names one which has not arrived hides it when it does.
struct Register: Hashable, Sendable {
  private(set) var versions: [Version] = []
  private var superseded: Set<VersionID> = []
  /// Versions nobody superseded, the one to show first.
  private(set) var heads: [Version] = []

  /// Adds a version; false when it was there already.
  mutating func add(_ version: Version, superseding: [VersionID]) -> Bool {
    guard !versions.contains(where: { $0.id == version.id }) else { return false }
    versions.append(version)
    superseded.formUnion(superseding)
    heads = versions.filter { !superseded.contains($0.id) }.sorted(by: Version.isShownBefore)
    return true
  }

  /// Tells the register which commit holds one of its versions.
  mutating func place(_ id: VersionID, in sequence: UInt64) {
    for position in versions.indices where versions[position].id == id {
      versions[position].sequence = sequence
    }
    for position in heads.indices where heads[position].id == id {
      heads[position].sequence = sequence
    }
  }

  /// The head to show: the first that is not a deletion.
  var shown: Version? { heads.first { $0.content != nil } }
  var headIDs: [VersionID] { heads.map(\.id) }

  /// Oldest first, deletions included.
  var history: [Version] {
    versions.sorted { $0.time != $1.time ? $0.time < $1.time : $0.device < $1.device }
  }
}

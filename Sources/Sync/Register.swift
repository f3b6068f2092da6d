import Wire

/// One written version and who wrote it.
///
/// An object, so that a register of one version is a single pointer, and a small one, 104 bytes: a
/// replica has a million.
final class Version: Sendable {
  let id: VersionID
  let time: HybridTime
  /// Whose attribution counts: the author of the first of its ``placements``.
  let device: DeviceID
  /// The author's commit it came in; ``uncommitted`` until there is one.
  let sequence: UInt64
  private let wording: Wording
  private let rare: Rare?

  /// What it says. Of a million versions half are one text, and the other half describe attributes
  /// in the same few ways.
  private enum Wording: Hashable {
    case deletion
    case text(String)
    case other(ContentBook.Page)
  }

  /// What few versions have, apart from them: all that most need of it is its absence.
  private final class Rare: Hashable, Sendable {
    let supersedes: [VersionID]
    let seen: [VersionID]
    let undoes: ChangeSet.ID?
    let copies: VersionID?
    let others: [String: JSONValue]
    /// The other commits it came in, in order.
    let alsoIn: [Placement]

    /// Nil where there would be nothing in it.
    init?(
      supersedes: [VersionID] = [], seen: [VersionID] = [], undoes: ChangeSet.ID? = nil,
      copies: VersionID? = nil, others: [String: JSONValue] = [:], alsoIn: [Placement] = []
    ) {
      guard
        !supersedes.isEmpty || !seen.isEmpty || undoes != nil || copies != nil || !others.isEmpty
          || !alsoIn.isEmpty
      else { return nil }
      self.supersedes = supersedes
      self.seen = seen
      self.undoes = undoes
      self.copies = copies
      self.others = others
      self.alsoIn = alsoIn
    }

    static func == (left: Rare, right: Rare) -> Bool {
      left === right
        || left.supersedes == right.supersedes && left.seen == right.seen
          && left.undoes == right.undoes && left.copies == right.copies
          && left.others == right.others && left.alsoIn == right.alsoIn
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(supersedes)
      hasher.combine(copies)
    }
  }

  static let uncommitted = UInt64.max

  /// `book` holds contents that many versions have, once.
  init(
    id: VersionID, time: HybridTime, device: DeviceID, sequence: UInt64,
    content: Operation.Content?, supersedes: [VersionID], seen: [VersionID] = [],
    undoes: ChangeSet.ID? = nil, copies: VersionID? = nil, others: [String: JSONValue] = [:],
    in book: inout ContentBook
  ) {
    self.id = id
    self.time = time
    self.device = device
    self.sequence = sequence
    wording =
      content.map { content in
        content.onlyText.map(Wording.text) ?? .other(book.page(of: content))
      } ?? .deletion
    // One that names itself would depend on the order of arrival.
    let supersedes = supersedes.contains(id) ? supersedes.filter { $0 != id } : supersedes
    rare = Rare(
      supersedes: supersedes, seen: seen, undoes: undoes, copies: copies, others: others)
  }

  /// The same version in other commits.
  private init(
    _ version: Version, device: DeviceID, sequence: UInt64, alsoIn: [Placement] = []
  ) {
    id = version.id
    time = version.time
    self.device = device
    self.sequence = sequence
    wording = version.wording
    rare =
      version.alsoIn == alsoIn
      ? version.rare
      : Rare(
        supersedes: version.supersedes, seen: version.seen, undoes: version.undoes,
        copies: version.copies, others: version.others, alsoIn: alsoIn)
  }

  convenience init(
    _ operation: Operation, device: DeviceID, sequence: UInt64, in book: inout ContentBook
  ) {
    self.init(
      id: operation.version, time: operation.time, device: device, sequence: sequence,
      content: operation.content, supersedes: operation.supersedes, seen: operation.seen ?? [],
      undoes: operation.undoes, copies: operation.copies, others: operation.others, in: &book)
  }

  /// What is written; nil for a deletion.
  var content: Operation.Content? {
    switch wording {
    case .deletion: nil
    case .text(let text): Operation.Content(text: text)
    case .other(let page): page.content
    }
  }

  /// The versions its author saw.
  var supersedes: [VersionID] { rare?.supersedes ?? [] }
  /// Every head of the context its author saw, for a deletion of the context.
  var seen: [VersionID] { rare?.seen ?? [] }
  /// The change set it takes back.
  var undoes: ChangeSet.ID? { rare?.undoes }
  /// The version whose content it writes again.
  var copies: VersionID? { rare?.copies }
  /// Keys of later programs.
  var others: [String: JSONValue] { rare?.others ?? [:] }

  private var alsoIn: [Placement] { rare?.alsoIn ?? [] }

  var isCommitted: Bool { sequence != Self.uncommitted }
  /// The commits that hold it, in order: none before it is committed, more than one where a device
  /// that was restored wrote its edits anew.
  var placements: [Placement] {
    isCommitted ? [Placement(device: device, sequence: sequence)] + alsoIn : []
  }
  /// The edit it was part of: all operations of one have one time and one author.
  var changeSet: ChangeSet.ID { ChangeSet.ID(time: time, device: device) }

  /// The same version before any commit held it.
  func uncommitted(by device: DeviceID) -> Version {
    Version(self, device: device, sequence: Self.uncommitted)
  }

  /// The same version in these commits alone, which are in order; nil if there are none.
  func placed(in placements: [Placement]) -> Version? {
    guard let first = placements.first else { return nil }
    return Version(
      self, device: first.device, sequence: first.sequence,
      alsoIn: Array(placements.dropFirst()))
  }

  /// One version as two were told of it: in the commits of both, with the words of the one whose
  /// attribution counts.
  static func united(_ left: Version, _ right: Version) -> Version {
    // Nearly always: a page that came again, or a snapshot of what is here.
    if left.device == right.device, left.sequence == right.sequence, left.alsoIn == right.alsoIn {
      return left
    }
    let worded = isAttributedBefore(right, left) ? right : left
    let placements = Set(left.placements).union(right.placements).sorted()
    return placements == worded.placements ? worded : worded.placed(in: placements) ?? worded
  }

  /// Which of two concurrent versions is shown: the later one, the greater device id in a tie; of
  /// two that one edit wrote, the greater id.
  static func isShownBefore(_ left: Version, _ right: Version) -> Bool {
    if left.time != right.time { return left.time > right.time }
    return left.device != right.device ? left.device > right.device : left.id > right.id
  }

  /// Whose attribution counts when one version came in two commits, as it does when a restored
  /// device writes its edits anew: the smaller author and sequence, and any before none.
  static func isAttributedBefore(_ left: Version, _ right: Version) -> Bool {
    guard left.isCommitted, right.isCommitted else { return left.isCommitted && !right.isCommitted }
    return (left.device, left.sequence) < (right.device, right.sequence)
  }
}

extension Version {
  /// A commit that holds a version: the author's, of that number.
  struct Placement: Hashable, Comparable, Sendable {
    let device: DeviceID
    let sequence: UInt64

    static func < (left: Placement, right: Placement) -> Bool {
      (left.device, left.sequence) < (right.device, right.sequence)
    }
  }
}

extension Version: Hashable {
  static func == (left: Version, right: Version) -> Bool {
    left === right
      || left.id == right.id && left.time == right.time && left.device == right.device
        && left.sequence == right.sequence && left.wording == right.wording
        && left.rare == right.rare
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(sequence)
  }
}

/// A multi-version register: every version ever written, and which of them nobody has superseded.
///
/// Adding versions commutes and is idempotent: the same set in any order gives the same register.
/// A version that names one which has not arrived hides it when it does; so does a snapshot that
/// left out superseded versions but their ids.
struct Register: Hashable, Sendable {
  private var storage = Storage.empty

  /// As small as it can be: nearly every register has one version.
  private enum Storage: Hashable, Sendable {
    case empty
    case one(Version)
    case many(Versions)
  }

  private final class Versions: Hashable, Sendable {
    /// Versions nobody superseded, the one to show first.
    let heads: [Version]
    /// The newest first.
    let superseded: [Version]
    /// Superseded versions that are known by id alone, in the order of the ids.
    let forgotten: [VersionID]

    init(heads: [Version], superseded: [Version], forgotten: [VersionID]) {
      self.heads = heads
      self.superseded = superseded
      self.forgotten = forgotten
    }

    static func == (left: Versions, right: Versions) -> Bool {
      left === right
        || left.heads == right.heads && left.superseded == right.superseded
          && left.forgotten == right.forgotten
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(heads)
      hasher.combine(superseded)
    }
  }

  enum Addition: Equatable {
    /// Known, perhaps not from that commit; nothing counts to another author.
    case known
    /// Known from another commit, whose author counted until now.
    case attributed(from: Version)
    case new
  }

  init() {}

  private init(_ versions: [Version], forgotten: [VersionID]) {
    let superseded = Set(versions.flatMap(\.supersedes)).union(forgotten)
    store(
      heads: versions.filter { !superseded.contains($0.id) }.sorted(by: Version.isShownBefore),
      superseded: versions.filter { superseded.contains($0.id) }
        .sorted(by: Version.isShownBefore),
      forgotten: forgotten)
  }

  private mutating func store(heads: [Version], superseded: [Version], forgotten: [VersionID]) {
    if superseded.isEmpty, forgotten.isEmpty, heads.count < 2 {
      storage = heads.first.map(Storage.one) ?? .empty
    } else {
      storage = .many(Versions(heads: heads, superseded: superseded, forgotten: forgotten))
    }
  }

  /// Adds a version. Proportional to the versions of this register.
  mutating func add(_ version: Version) -> Addition {
    if let held = self[version.id] {
      let united = Version.united(held, version)
      guard united !== held else { return .known }
      self = Register(versions.map { $0 === held ? united : $0 }, forgotten: forgotten)
      return Version.isAttributedBefore(united, held) ? .attributed(from: held) : .known
    }
    if case .empty = storage {
      storage = .one(version)
      return .new
    }
    var heads = heads
    var superseded = superseded
    if !version.supersedes.isEmpty {
      let hidden = heads.filter { version.supersedes.contains($0.id) }
      heads.removeAll { version.supersedes.contains($0.id) }
      for version in hidden { Self.insert(version, into: &superseded) }
    }
    let isHidden =
      forgotten.contains(version.id)
      || versions.contains { $0.supersedes.contains(version.id) }
    if isHidden {
      Self.insert(version, into: &superseded)
    } else {
      Self.insert(version, into: &heads)
    }
    store(heads: heads, superseded: superseded, forgotten: forgotten)
    return .new
  }

  private static func insert(_ version: Version, into versions: inout [Version]) {
    let place = versions.firstIndex { Version.isShownBefore(version, $0) } ?? versions.count
    versions.insert(version, at: place)
  }

  /// Takes note of superseded versions that a snapshot left out; true when there was a new one.
  mutating func forget(_ ids: [VersionID]) -> Bool {
    let all = Set(forgotten).union(ids)
    guard all.count > forgotten.count else { return false }
    self = Register(versions, forgotten: all.sorted())
    return true
  }

  /// Versions nobody superseded, the one to show first.
  var heads: [Version] {
    switch storage {
    case .empty: []
    case .one(let version): [version]
    case .many(let versions): versions.heads
    }
  }

  /// The newest first.
  private var superseded: [Version] {
    if case .many(let versions) = storage { versions.superseded } else { [] }
  }

  /// Ids of superseded versions that are not kept, in order.
  var forgotten: [VersionID] {
    if case .many(let versions) = storage { versions.forgotten } else { [] }
  }

  var versions: [Version] {
    switch storage {
    case .empty: []
    case .one(let version): [version]
    case .many(let versions): versions.heads + versions.superseded
    }
  }

  /// The only version, which is nearly always all there is to look at.
  private var only: Version? {
    if case .one(let version) = storage { version } else { nil }
  }

  subscript(id: VersionID) -> Version? {
    switch storage {
    case .empty: nil
    case .one(let version): version.id == id ? version : nil
    case .many(let versions):
      versions.heads.first { $0.id == id } ?? versions.superseded.first { $0.id == id }
    }
  }

  /// The head to show: the first that is not a deletion.
  var shown: Version? {
    if let only { return only.content == nil ? nil : only }
    return heads.first { $0.content != nil }
  }

  var headIDs: [VersionID] { heads.map(\.id) }
  var isEmpty: Bool { storage == .empty }

  /// Oldest first, deletions included.
  var history: [Version] { versions.sorted { Version.isShownBefore($1, $0) } }

  /// The heads as they were before a snapshot gave them up with their context: versions that no
  /// other one names.
  var lastHeads: [Version] {
    forgotten.isEmpty ? heads : Register(versions, forgotten: []).heads
  }

  /// Only what `isIncluded` takes, as if nothing else had ever been written.
  func filtered(_ isIncluded: (Version) -> Bool) -> Register {
    versions.allSatisfy(isIncluded)
      ? self : Register(versions.filter(isIncluded), forgotten: forgotten)
  }

  /// The same with some versions known by id alone; heads among them are given up.
  func forgetting(_ ids: Set<VersionID>) -> Register {
    Register(
      versions.filter { !ids.contains($0.id) }, forgotten: ids.union(forgotten).sorted())
  }

  /// The same versions, some of them in other commits.
  func mapped(_ transform: (Version) -> Version) -> Register {
    Register(versions.map(transform), forgotten: forgotten)
  }

  /// The version that `id` stands for: what it copies, and what that copies.
  func origin(of id: VersionID) -> VersionID {
    var origin = id
    // Bounded, because copies that name each other in a circle can be written.
    for _ in 0..<versions.count {
      guard let copied = self[origin]?.copies else { break }
      origin = copied
    }
    return origin
  }
}

public import Wire

/// What one edit did: the operations of one author and one time. It is what undo takes back.
public struct ChangeSet: Hashable, Sendable, Identifiable {
  /// The time its operations bear, and their author. In JSON `[ms, n, device]`.
  public struct ID: Hashable, Comparable, Sendable {
    public let time: HybridTime
    public let device: DeviceID

    public init(time: HybridTime, device: DeviceID) {
      self.time = time
      self.device = device
    }

    public static func < (left: ID, right: ID) -> Bool {
      left.time != right.time ? left.time < right.time : left.device < right.device
    }
  }

  /// What was done, as a person calls it.
  public enum Kind: String, Hashable, Sendable {
    case created, renamed, deleted, restored
    /// Of attributes.
    case added, set, described, removed, resolved
  }

  public let id: ID
  public let kind: Kind
  public let contexts: [ContextID]
  /// The context's name now, or the last it had.
  public let contextName: String
  /// The attribute, when it is about one alone.
  public let label: String?

  /// Milliseconds since 1970 by the author's clock.
  public var at: Int64 { id.time.milliseconds }
  public var device: DeviceID { id.device }
}

extension ChangeSet.ID: Codable {
  public init(from decoder: any Decoder) throws {
    var box = try decoder.unkeyedContainer()
    time = HybridTime(
      milliseconds: try box.decode(Int64.self), counter: try box.decode(UInt16.self))
    device = try box.decode(DeviceID.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.unkeyedContainer()
    try box.encode(time.milliseconds)
    try box.encode(time.counter)
    try box.encode(device)
  }
}

/// The newest change sets of the account, so that undo need not look at every version.
///
/// A function of the versions alone: whatever order they came in, and across restarts and devices,
/// it holds the same.
struct ChangeSetIndex: Sendable {
  /// More steps back than anyone remembers.
  static let depth = 256

  struct Entry: Sendable {
    let id: ChangeSet.ID
    /// What it takes back; nil for a change that is no undo.
    var undoes: ChangeSet.ID?
    var places: [Place]
  }

  struct Place: Hashable, Sendable {
    let register: RegisterPlace
    let version: VersionID
  }

  /// Oldest first. Up to twice the depth, so that cutting it is seldom.
  private var entries: [Entry] = []

  /// The newest ones, oldest first.
  var newest: ArraySlice<Entry> { entries.suffix(Self.depth) }

  subscript(id: ChangeSet.ID) -> Entry? {
    let position = position(of: id)
    return position < entries.count && entries[position].id == id ? entries[position] : nil
  }

  /// Where an entry stands, or would stand.
  private func position(of id: ChangeSet.ID) -> Int {
    guard let last = entries.last else { return 0 }
    if last.id < id { return entries.count }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func insert(_ version: Version, at place: RegisterPlace) {
    let id = version.changeSet
    let position = position(of: id)
    let new = Place(register: place, version: version.id)
    if position < entries.count, entries[position].id == id {
      if entries[position].undoes == nil { entries[position].undoes = version.undoes }
      entries[position].places.append(new)
      return
    }
    if position == 0, entries.count >= Self.depth { return }
    entries.insert(Entry(id: id, undoes: version.undoes, places: [new]), at: position)
    if entries.count > 2 * Self.depth { entries.removeFirst(Self.depth) }
  }

  /// Takes a version out that counts to another author now.
  mutating func remove(_ version: Version, at place: RegisterPlace) {
    let position = position(of: version.changeSet)
    guard position < entries.count, entries[position].id == version.changeSet else { return }
    entries[position].places.removeAll { $0.version == version.id && $0.register == place }
    if entries[position].places.isEmpty { entries.remove(at: position) }
  }

  /// The newest change that stands and is no undo, and the newest undo that stands, unless a change
  /// followed it. `isOffered` leaves out what there is nothing to undo of; a time after `latest`
  /// comes from a wrong clock and counts as the oldest.
  func candidates(
    latest: Int64, isOffered: (Entry) -> Bool
  ) -> (undo: Entry?, redo: Entry?) {
    let standing = standing
    let order =
      newest.filter { $0.id.time.milliseconds <= latest }.reversed()
      + newest.filter { $0.id.time.milliseconds > latest }.reversed()
    var redo: Entry?
    var isFollowed = false
    for entry in order where standing.contains(entry.id) {
      if entry.undoes == nil {
        guard isOffered(entry) else { continue }
        return (entry, redo)
      }
      if !isFollowed, redo == nil, !isRedo(entry) { redo = entry }
      isFollowed = isFollowed || redo != nil
    }
    return (nil, redo)
  }

  func stands(_ id: ChangeSet.ID) -> Bool { standing.contains(id) }

  /// Whether it takes back an undo.
  func isRedo(_ entry: Entry) -> Bool {
    guard let target = target(of: entry) else { return false }
    return self[target]?.undoes != nil
  }

  /// The change it takes back, as it is called now: a restored device may have written it anew
  /// under its new id.
  private func target(of entry: Entry) -> ChangeSet.ID? {
    guard let undoes = entry.undoes, self[undoes] == nil else { return entry.undoes }
    return entries.first { $0.id.time == undoes.time }?.id ?? undoes
  }

  /// What no standing change takes back.
  private var standing: Set<ChangeSet.ID> {
    var takers: [ChangeSet.ID: [ChangeSet.ID]] = [:]
    for entry in newest {
      if let target = target(of: entry) { takers[target, default: []].append(entry.id) }
    }
    var answers: [ChangeSet.ID: Bool] = [:]
    func stands(_ id: ChangeSet.ID) -> Bool {
      if let answer = answers[id] { return answer }
      // Changes that take back each other can be written; asking again must end.
      answers[id] = true
      let answer = takers[id, default: []].allSatisfy { !stands($0) }
      answers[id] = answer
      return answer
    }
    return Set(newest.map(\.id).filter(stands))
  }
}

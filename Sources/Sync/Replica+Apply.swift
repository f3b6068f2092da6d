import HashTreeCollections
import Wire

extension Replica {
  /// Takes a commit's operations and says what became different. `now` is this device's clock, to
  /// tell a wrong clock elsewhere.
  mutating func apply(
    _ operations: [Operation], device: DeviceID, sequence: UInt64, now: Int64
  ) -> [Change] {
    var book = ContentBook()
    return absorb(
      operations.map {
        ReplicaEntry(
          place: $0.place,
          content: .version(Version($0, device: device, sequence: sequence, in: &book)))
      }, now: now)
  }

  /// Tells the replica which commit holds operations it applied before there was one.
  mutating func place(_ operations: [Operation], in sequence: UInt64) {
    _ = apply(operations, device: own, sequence: sequence, now: clock.milliseconds)
  }

  /// Adds entries, those of one context best after each other.
  mutating func absorb(_ entries: [ReplicaEntry], now: Int64) -> [Change] {
    var gathering = ChangeGathering()
    var position = 0
    while position < entries.count {
      let context = entries[position].place.context
      let isShown = records[context] != nil
      // Taken out and put back: changed where it lies, not on a copy.
      var state = states.removeValue(forKey: context) ?? Context()
      while position < entries.count, entries[position].place.context == context {
        if add(entries[position], to: &state, now: now) {
          gathering.note(entries[position], isShown: isShown)
        }
        position += 1
      }
      states[context] = state
    }
    return refresh(gathering)
  }

  /// - Returns: whether it was new, or came in another commit than was known.
  private mutating func add(_ entry: ReplicaEntry, to state: inout Context, now: Int64) -> Bool {
    let place = entry.place
    let version: Version
    switch entry.content {
    case .forgotten(let ids): return state[place.attribute, place.register].forget(ids)
    case .version(let new): version = new
    }
    clock = clock.hearing(version.time, at: now)
    switch state[place.attribute, place.register].add(version) {
    case .known: return false
    case .attributed(let former): changeSets.remove(former, at: place)
    case .new: break
    }
    changeSets.insert(version, at: place)
    if version.isPending(own: own, confirmed: confirmed), version.isCommitted {
      pending[version.sequence, default: []].insert(place.context)
    }
    return true
  }

  /// Makes the records of what was touched anew, once each, and compares.
  mutating func refresh(_ gathering: ChangeGathering) -> [Change] {
    var before: [ContextID: ContextRecord] = [:]
    for id in gathering.contexts {
      before[id] = records[id]
      refresh(id)
    }
    return gathering.marks.compactMap { mark in
      mark.change(from: before[mark.place.context], to: records[mark.place.context])
    }
  }

  /// The server holds this device's commits up to `sequence`.
  ///
  /// Costs what the confirmed commits touched. A server that lost something makes what was
  /// confirmed wait again: only then all contexts are looked at.
  /// - Returns: the contexts whose records changed.
  @discardableResult
  mutating func confirm(_ sequence: UInt64) -> Set<ContextID> {
    guard sequence != confirmed else { return [] }
    let former = confirmed
    confirmed = sequence
    if sequence < former { return markPending() }
    var due: Set<ContextID> = []
    let isShort = sequence - former < UInt64(pending.count)
    for commit in isShort ? Array(former + 1...sequence) : pending.keys.filter({ $0 <= sequence }) {
      due.formUnion(pending.removeValue(forKey: commit) ?? [])
    }
    return refresh(due)
  }

  /// Forgets that commits of a device beyond `sequence` hold anything: they are given up. What no
  /// other commit holds becomes this device's, until one of its own does.
  ///
  /// Costs as much as there is in the replica.
  /// - Returns: that, in the order of time.
  mutating func unplace(commitsOf author: DeviceID, beyond sequence: UInt64) -> [Operation] {
    let own = own
    func isGivenUp(_ placement: Version.Placement) -> Bool {
      placement.device == author && placement.sequence > sequence
    }
    let replaced = replaceVersions(in: Set(states.keys)) { version in
      let left = version.placements.filter { !isGivenUp($0) }
      guard left.count < version.placements.count else { return nil }
      return version.placed(in: left) ?? version.uncommitted(by: own)
    }
    return replaced.filter { !$0.version.isCommitted }
      .sorted { ($0.version.time, $0.version.id) < ($1.version.time, $1.version.id) }
      .map { Operation($0.version, at: $0.place) }
  }

  /// Makes what no commit of a former identity holds this device's.
  mutating func takeOver(from former: DeviceID) {
    let author = own
    confirmed = 0
    replaceVersions(in: Set(states.keys)) { version in
      guard version.device == former, !version.isCommitted else { return nil }
      return version.uncommitted(by: author)
    }
    _ = markPending()
  }

  /// Puts other versions in place of those `replacement` names.
  ///
  /// - Returns: those others.
  @discardableResult
  private mutating func replaceVersions(
    in contexts: Set<ContextID>, with replacement: (Version) -> Version?
  ) -> [(place: RegisterPlace, version: Version)] {
    var replaced: [(place: RegisterPlace, version: Version)] = []
    for id in contexts {
      guard let state = states[id] else { continue }
      var isReplaced = false
      let changed = state.mapped { place, register in
        guard register.versions.contains(where: { replacement($0) != nil }) else {
          return register
        }
        isReplaced = true
        return register.mapped { version in
          guard let other = replacement(version) else { return version }
          changeSets.remove(version, at: place.of(id))
          changeSets.insert(other, at: place.of(id))
          replaced.append((place.of(id), other))
          return other
        }
      }
      guard isReplaced else { continue }
      states[id] = changed
      refresh(id)
    }
    return replaced
  }

  /// Finds what waits for the server by looking at everything.
  private mutating func markPending() -> Set<ContextID> {
    pending = [:]
    for (id, state) in states {
      for (_, register) in state.registers(of: id) {
        for version in register.versions
        where version.device == own && version.isCommitted && version.sequence > confirmed {
          pending[version.sequence, default: []].insert(id)
        }
      }
    }
    return refresh(Set(states.keys))
  }

  /// - Returns: those whose records became different.
  private mutating func refresh(_ contexts: Set<ContextID>) -> Set<ContextID> {
    contexts.filter { id in
      let before = records[id]
      refresh(id)
      return records[id] != before
    }
  }
}

extension RegisterPlace {
  /// The register of that name in another context.
  func of(_ context: ContextID) -> RegisterPlace {
    RegisterPlace(context: context, attribute: attribute, register: register)
  }
}

/// What a replica is made of: a version, or ids of versions that are known to be superseded.
struct ReplicaEntry: Hashable, Sendable {
  enum Content: Hashable, Sendable {
    case version(Version)
    case forgotten([VersionID])
  }

  let place: RegisterPlace
  let content: Content
}

/// What was added in one go, to tell afterwards what became different.
struct ChangeGathering {
  struct Mark {
    let place: RegisterPlace
    var version: Version
  }

  var contexts: Set<ContextID> = []
  /// One for each context and attribute, in the order they were first written to; the newest
  /// version of each.
  private(set) var marks: [Mark] = []
  private var places: [Key: Int] = [:]

  private struct Key: Hashable {
    let context: ContextID
    let attribute: AttributeID?
  }

  /// Takes what an entry touches. Unless `isShown`, the context was not there before, and there is
  /// nothing to say of single attributes.
  mutating func note(_ entry: ReplicaEntry, isShown: Bool) {
    let context = entry.place.context
    contexts.insert(context)
    guard case .version(let version) = entry.content else { return }
    if entry.place.attribute == nil || places[Key(context: context, attribute: nil)] == nil {
      mark(version, at: RegisterPlace(context: context, attribute: nil, register: .existence))
    }
    if isShown, entry.place.attribute != nil { mark(version, at: entry.place) }
  }

  private mutating func mark(_ version: Version, at place: RegisterPlace) {
    let key = Key(context: place.context, attribute: place.attribute)
    if let position = places[key] {
      if Version.isShownBefore(version, marks[position].version) {
        marks[position].version = version
      }
    } else {
      places[key] = marks.count
      marks.append(Mark(place: place, version: version))
    }
  }
}

extension ChangeGathering.Mark {
  /// What a person is told of it; nil when nothing they see became different, or the line of the
  /// whole context says it.
  fileprivate func change(from before: ContextRecord?, to after: ContextRecord?) -> Change? {
    guard let before, let after else { return contextChange(from: before, to: after) }
    guard let attribute = place.attribute else {
      if after.names.count > before.names.count { return change(.conflict, after, label: "name") }
      if after.deletedOn != nil, before.deletedOn == nil {
        return change(.conflict, after, label: nil)
      }
      return after.name == before.name ? nil : change(.set, after, label: "name")
    }
    let old = before.attributes.first { $0.id == attribute }
    guard let new = after.attributes.first(where: { $0.id == attribute }) else {
      return old.flatMap { change(.removed, after, label: $0.label) }
    }
    if let old, old.shows(new) { return nil }
    let isNewConflict =
      new.hasConflict && old?.hasConflict != true
      || new.hasLabelConflict && old?.hasLabelConflict != true
    return change(isNewConflict ? .conflict : .set, after, label: new.label)
  }

  private func contextChange(from before: ContextRecord?, to after: ContextRecord?) -> Change? {
    guard place.attribute == nil else { return nil }
    if let before { return change(.removed, before, label: nil) }
    guard let after else { return nil }
    return Change(
      kind: after.deletedOn == nil ? .added : .conflict, context: after.id,
      contextName: after.name, device: after.updatedBy, at: after.updatedAt)
  }

  private func change(_ kind: Change.Kind, _ record: ContextRecord, label: String?) -> Change {
    Change(
      kind: kind, context: record.id, contextName: record.name, attribute: place.attribute,
      label: label, device: version.device, at: version.time.milliseconds)
  }
}

extension AttributeRecord {
  /// Whether a person sees the same in both.
  fileprivate func shows(_ other: AttributeRecord) -> Bool {
    label == other.label && kind == other.kind && isConcealed == other.isConcealed
      && text == other.text && heads.map(\.id) == other.heads.map(\.id)
      && labels.map(\.id) == other.labels.map(\.id)
  }
}

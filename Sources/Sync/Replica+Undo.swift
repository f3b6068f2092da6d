import HashTreeCollections
import Vault
import Wire

/// Undo and redo, computed from the versions, so that they work after a restart and on every
/// device.
extension Replica {
  /// The newest change of the account that stands and is no undo itself; nil when there is none
  /// among the newest 256.
  public var undoable: ChangeSet? { candidates.undo.map(describe) }

  /// The newest undo that stands, unless something else was changed after it.
  public var redoable: ChangeSet? { candidates.redo.map(describe) }

  private var candidates: (undo: ChangeSetIndex.Entry?, redo: ChangeSetIndex.Entry?) {
    changeSets.candidates(latest: clock.milliseconds + HybridTime.trustedLead) { entry in
      // In a context that is gone there is nothing to undo but its going.
      entry.places.contains { $0.register.register == .existence }
        || entry.places.allSatisfy { records[$0.register.context] != nil }
    }
  }

  private func version(at place: ChangeSetIndex.Place) -> Version? {
    states[place.register.context]?[place.register.attribute, place.register.register][
      place.version]
  }

  private func describe(_ entry: ChangeSetIndex.Entry) -> ChangeSet {
    let contexts = Set(entry.places.map(\.register.context)).sorted()
    let attributes = Set(entry.places.compactMap(\.register.attribute))
    var label: String?
    if let context = contexts.first, let attribute = attributes.first, attributes.count == 1 {
      label =
        states[context]?.attributes[attribute]?.description.lastHeads
        .lazy.compactMap(\.content?.label).first
    }
    return ChangeSet(
      id: entry.id, kind: kind(of: entry), contexts: contexts,
      contextName: contexts.first.flatMap { states[$0]?.lastContent?.name } ?? "", label: label)
  }

  /// The weightiest of what its operations do.
  private func kind(of entry: ChangeSetIndex.Entry) -> ChangeSet.Kind {
    let order: [ChangeSet.Kind] = [
      .created, .deleted, .restored, .resolved, .added, .renamed, .removed, .set, .described,
    ]
    let kinds = Set(entry.places.map(kind))
    return order.first(where: kinds.contains) ?? .set
  }

  private func kind(of place: ChangeSetIndex.Place) -> ChangeSet.Kind {
    guard let version = version(at: place) else { return .set }
    let isFirst = version.supersedes.isEmpty
    switch (place.register.attribute, place.register.register) {
    case (nil, .existence): return version.content == nil ? .deleted : .restored
    case (nil, _): return isFirst ? .created : .renamed
    case (_, .description): return isFirst ? .added : .described
    case (_, .recipe), (_, .place): return .described
    default:
      if version.content == nil { return .removed }
      return version.supersedes.count > 1 ? .resolved : .set
    }
  }

  /// The operations that take `id` back: what was there before is written again, over exactly what
  /// the change set wrote.
  ///
  /// Throws ``EditError/nothingToUndo`` when it does not stand, ``EditError/changedSince`` when
  /// something it wrote is no longer what is there.
  func undo(
    _ id: ChangeSet.ID, isRedo: Bool, now: Int64, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    guard let entry = changeSets[id], changeSets.stands(id), (entry.undoes != nil) == isRedo,
      !isRedo || !changeSets.isRedo(entry)
    else { throw .nothingToUndo }
    writer.undoes = id
    for context in Set(entry.places.map(\.register.context)).sorted() {
      let places = entry.places.filter { $0.register.context == context }
      writer.context = context
      try undo(places, in: context, now: now, writer: &writer, &entropy)
    }
    guard !writer.operations.isEmpty else { throw .nothingToUndo }
  }

  private func undo(
    _ places: [ChangeSetIndex.Place], in context: ContextID, now: Int64,
    writer: inout OperationWriter, _ entropy: inout some Entropy
  ) throws(EditError) {
    guard let state = states[context] else { throw .nothingToUndo }
    var written: [RegisterPlace: [Version]] = [:]
    for place in places {
      guard let version = version(at: place) else { throw .changedSince }
      written[place.register, default: []].append(version)
    }
    let existence = RegisterPlace(context: context, attribute: nil, register: .existence)
    let isCreation = written.contains { place, versions in
      place.attribute == nil && place.register == .description
        && versions.contains { $0.supersedes.isEmpty && $0.content != nil }
    }
    if let versions = written[existence] {
      try undoExistence(versions, written, in: state, context, now: now, &writer, &entropy)
    } else if records[context] == nil {
      throw .changedSince
    } else if isCreation {
      try state.checkUntouched(by: Set(places.map(\.version)))
      writer.write(
        .existence, nil, over: state.existence.headIDs, seen: state.headIDs, &entropy)
    } else {
      let values = Set(written.keys.filter { $0.register == .value }.compactMap(\.attribute))
      for (place, versions) in written.sorted(by: { RegisterPlace.isBefore($0.key, $1.key) }) {
        let register = state[place.attribute, place.register]
        let replaced = try register.standing(for: versions)
        // An attribute that is taken back keeps its label, like one that is removed.
        let isLabelOfNew =
          place.register == .description && values.contains { $0 == place.attribute }
          && versions.allSatisfy(\.supersedes.isEmpty)
        if isLabelOfNew { continue }
        put(
          try register.before(versions), replacedBy: Set(versions.map(\.id)), of: register,
          at: place, over: replaced, &writer, &entropy)
      }
    }
  }

  /// Takes back a deletion or a return from the trash.
  private func undoExistence(
    _ versions: [Version], _ written: [RegisterPlace: [Version]], in state: Context,
    _ context: ContextID, now: Int64, _ writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    for (place, versions) in written {
      _ = try state[place.attribute, place.register].standing(for: versions)
    }
    let before = try state.existence.before(versions).first?.id
    if versions.contains(where: { $0.content == nil }) {
      try revive(context, now: now, copies: before, writer: &writer, &entropy)
    } else {
      guard records[context] != nil else { throw .changedSince }
      writer.write(
        .existence, nil, over: state.existence.headIDs, seen: state.headIDs, copies: before,
        &entropy)
    }
  }

  /// Writes what was there again, or a deletion where nothing was.
  private func put(
    _ before: [Version], replacedBy written: Set<VersionID>, of register: Register,
    at place: RegisterPlace, over heads: [Version], _ writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) {
    let ids = heads.map(\.id)
    let isSame =
      before.count == heads.count
      && Set(before.map { register.origin(of: $0.id) }) == Set(ids.map(register.origin))
    if isSame, !before.isEmpty { return }
    let others = register.heads.filter { !ids.contains($0.id) }
    // What somebody else has replaced too does not come back: theirs is what remains.
    let kept = before.filter { version in
      others.isEmpty
        || !register.versions.contains {
          $0.supersedes.contains(version.id) && !written.contains($0.id)
        }
    }
    if let other = others.first, !before.isEmpty, kept.isEmpty {
      writer.write(
        place.register, other.content, of: place.attribute, over: ids + [other.id],
        copies: other.id, &entropy)
      return
    }
    writer.writeCopies(of: kept, place.register, of: place.attribute, over: ids, &entropy)
    if before.isEmpty {
      writer.write(place.register, nil, of: place.attribute, over: ids, &entropy)
    }
  }
}

extension Replica.Context {
  /// Throws ``EditError/changedSince`` when a head, but of the existence, was not written by one of
  /// `versions` or a copy. Attributes that were added and taken back since do not count.
  fileprivate func checkUntouched(by versions: Set<VersionID>) throws(EditError) {
    for (place, register) in registers(of: .zero) where place.register != .existence {
      if let id = place.attribute, attributes[id]?.value.shown == nil { continue }
      let origins = Set(versions.map(register.origin))
      for head in register.heads where !origins.contains(register.origin(of: head.id)) {
        throw .changedSince
      }
    }
  }
}

extension Register {
  /// The heads that are `versions` or stand for them; throws when one of them has none.
  fileprivate func standing(for versions: [Version]) throws(EditError) -> [Version] {
    let origins = Set(versions.map { origin(of: $0.id) })
    let standing = heads.filter { origins.contains(origin(of: $0.id)) }
    guard Set(standing.map { origin(of: $0.id) }) == origins else { throw .changedSince }
    return standing
  }

  /// What the authors of `versions` saw and replaced, each value once.
  fileprivate func before(_ versions: [Version]) throws(EditError) -> [Version] {
    var origins: Set<VersionID> = []
    var before: [Version] = []
    for id in versions.flatMap(\.supersedes) where origins.insert(origin(of: id)).inserted {
      // History that was given up cannot be brought back.
      guard let version = self[id] else { throw .changedSince }
      before.append(version)
    }
    return before
  }
}

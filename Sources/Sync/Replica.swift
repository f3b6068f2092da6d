public import Wire

/// All contexts of the account as this device knows them: a fold of the commits.
///
/// Applying commits in any order that respects their dependencies gives the same replica, and
/// applying one twice changes nothing.
public struct Replica: Hashable, Sendable {
  struct Context: Hashable, Sendable {
    var description = Register()
    var existence = Register()
    var attributes: [AttributeID: Attribute] = [:]
  }

  struct Attribute: Hashable, Sendable {
    var description = Register()
    var value = Register()
  }

  public let own: DeviceID
  var states: [ContextID: Context] = [:]
  /// The records of contexts that are there, deleted ones left out.
  private var records: [ContextID: ContextRecord] = [:]
  /// The newest commit of this device that the server holds.
  private(set) var confirmed: UInt64 = 0
  var clock = HybridTime(milliseconds: 0)

  public init(own: DeviceID) {
    self.own = own
  }

  public var count: Int { records.count }
  public subscript(id: ContextID) -> ContextRecord? { records[id] }

  /// Every context by name, without regard to case; ties by id.
  public var contexts: [ContextRecord] {
    records.values
      .map { (key: $0.name.lowercased(), record: $0) }
      .sorted { $0.key != $1.key ? $0.key < $1.key : $0.record.id < $1.record.id }
      .map(\.record)
  }

  public var conflictCount: Int {
    records.values.reduce(0) { $0 + $1.conflictCount }
  }

  /// Contexts that were deleted, with their last name.
  public var deleted: [(id: ContextID, name: String, at: Int64, by: DeviceID)] {
    states.compactMap { id, state in
      guard records[id] == nil, let deletion = state.existence.heads.first,
        let name = state.description.shown?.content?.name
      else { return nil }
      return (id, name, deletion.time.milliseconds, deletion.device)
    }.sorted { $0.at > $1.at }
  }

  /// Every value an attribute ever had, oldest first.
  public func history(of attribute: AttributeID, in context: ContextID) -> [ValueRecord] {
    guard let register = states[context]?.attributes[attribute]?.value else { return [] }
    let heads = Set(register.headIDs)
    return register.history.map { $0.record(isHead: heads.contains($0.id)) }
  }

  /// Takes a commit's operations and says what became different.
  ///
  /// - Parameter now: this device's clock, to tell a wrong clock elsewhere.
  mutating func apply(
    _ operations: [Operation], device: DeviceID, sequence: UInt64, now: Int64
  ) -> [Change] {
    var changes: [Change] = []
    for operation in operations {
      clock = clock.hearing(operation.time, at: now)
      let before = records[operation.context]
      guard add(operation, device: device, sequence: sequence) else { continue }
      refresh(operation.context)
      if let change = change(by: operation, device: device, before: before) {
        changes.append(change)
      }
    }
    return changes.collapsed
  }

  /// Tells the replica which commit holds operations it applied before there was one.
  mutating func place(_ operations: [Operation], in sequence: UInt64) {
    for operation in operations {
      mutateRegister(of: operation) { $0.place(operation.version, in: sequence) }
      refresh(operation.context)
    }
  }

  /// The server holds this device's commits up to `sequence`.
  mutating func confirm(_ sequence: UInt64) {
    guard sequence != confirmed else { return }
    confirmed = sequence
    for id in records.filter(\.value.isPending).map(\.key) { refresh(id) }
  }

  private mutating func add(
    _ operation: Operation, device: DeviceID, sequence: UInt64
  ) -> Bool {
    let version = Version(
      id: operation.version, time: operation.time, device: device, sequence: sequence,
      content: operation.content, seen: operation.seen ?? [])
    return mutateRegister(of: operation) {
      $0.add(version, superseding: operation.supersedes)
    } ?? false
  }

  /// nil for a register of a later program, which the log keeps and this replica does not show.
  @discardableResult
  private mutating func mutateRegister<Result>(
    of operation: Operation, _ body: (inout Register) -> Result
  ) -> Result? {
    switch (operation.attribute, operation.register) {
    case (nil, .description): body(&states[operation.context, default: Context()].description)
    case (nil, .existence): body(&states[operation.context, default: Context()].existence)
    case (let attribute?, .description):
      body(
        &states[operation.context, default: Context()]
          .attributes[attribute, default: Attribute()].description)
    case (let attribute?, .value):
      body(
        &states[operation.context, default: Context()]
          .attributes[attribute, default: Attribute()].value)
    default: nil
    }
  }

  private mutating func refresh(_ id: ContextID) {
    records[id] = states[id]?.record(id: id, own: own, confirmed: confirmed)
  }

  private func change(
    by operation: Operation, device: DeviceID, before: ContextRecord?
  ) -> Change? {
    let after = records[operation.context]
    guard let name = (after ?? before)?.name else { return nil }
    func change(_ kind: Change.Kind, attribute: AttributeID? = nil, label: String? = nil) -> Change
    {
      Change(
        kind: kind, context: operation.context, contextName: name, attribute: attribute,
        label: label, device: device, at: operation.time.milliseconds)
    }
    guard let after else { return before == nil ? nil : change(.removed) }
    guard let before else { return change(.added) }
    guard let attribute = operation.attribute else {
      if after.names.count > before.names.count { return change(.conflict, label: "name") }
      return after.name == before.name ? nil : change(.set, label: "name")
    }
    let old = before.attributes.first { $0.id == attribute }
    guard let new = after.attributes.first(where: { $0.id == attribute }) else {
      return old.map { change(.removed, attribute: attribute, label: $0.label) }
    }
    let isNewConflict = new.hasConflict && old?.hasConflict != true
    return change(isNewConflict ? .conflict : .set, attribute: attribute, label: new.label)
  }
}

extension [Change] {
  /// One line for each context that is new and each attribute that changed, the last kind winning.
  fileprivate var collapsed: [Change] {
    let added = Set(filter { $0.kind == .added }.map(\.context))
    var places: [Key: Int] = [:]
    var result: [Change] = []
    for change in self where change.kind == .added || !added.contains(change.context) {
      let key = Key(context: change.context, attribute: change.attribute)
      if let place = places[key] {
        result[place] = result[place].kind == .conflict ? result[place] : change
      } else {
        places[key] = result.count
        result.append(change)
      }
    }
    return result
  }

  private struct Key: Hashable {
    let context: ContextID
    let attribute: AttributeID?
  }
}

import HashTreeCollections
public import Wire

/// All contexts of the account as this device knows them: a fold of the commits.
///
/// Applying commits in any order that respects their dependencies gives the same replica, applying
/// one twice changes nothing, and merging the pieces of a snapshot is a union of versions. Copying
/// costs nothing, and one change on a copy costs what its context does, however many there are.
public struct Replica: Sendable {
  struct Context: Hashable, Sendable {
    var description = Register()
    var existence = Register()
    var attributes: [AttributeID: Attribute] = [:]
    /// Registers of later programs.
    var others: [Operation.Register: Register] = [:]
  }

  struct Attribute: Hashable, Sendable {
    var description = Register()
    var value = Register()
    /// Registers of later programs.
    var others: [Operation.Register: Register] = [:]
  }

  /// This device. When it goes on under another identity, what no commit holds becomes the new
  /// one's to commit; that looks at everything.
  public internal(set) var own: DeviceID {
    didSet { if own != oldValue { takeOver(from: oldValue) } }
  }
  var states: TreeDictionary<ContextID, Context> = [:]
  /// The records of contexts that are there, deleted ones left out.
  var records: TreeDictionary<ContextID, ContextRecord> = [:]
  /// The contexts of ``records`` by their names.
  private var byName: TreeDictionary<String, [ContextID]> = [:]
  /// Contexts that were deleted.
  var dead: TreeSet<ContextID> = []
  /// Contexts this device's unconfirmed commits touch, by the commit.
  var pending: TreeDictionary<UInt64, Set<ContextID>> = [:]
  /// Contexts whose records changed since ``takeTouched()``.
  var touched: Set<ContextID> = []
  var changeSets = ChangeSetIndex()
  /// How many choices a person has to make.
  public internal(set) var conflictCount = 0
  /// The newest commit of this device that the server holds.
  var confirmed: UInt64
  var clock = HybridTime(milliseconds: 0)

  /// An empty replica. With `confirmed`, the newest commit of this device that the server holds, a
  /// fold of the log need not mark everything as waiting first.
  public init(own: DeviceID, confirmed: UInt64 = 0) {
    self.own = own
    self.confirmed = confirmed
  }

  public var count: Int { records.count }
  public subscript(id: ContextID) -> ContextRecord? { records[id] }

  /// Every context by name, without regard to case; ties by id. O(n log n): for one change take
  /// the record by its id, and its place by ``ContextRecord/isListedBefore(_:_:)``.
  public var contexts: [ContextRecord] {
    let all = Array(records.values)
    // Places are sorted, not records: those are large.
    return all.indices.sorted { ContextRecord.isListedBefore(all[$0], all[$1]) }.map { all[$0] }
  }

  /// The contexts of exactly this name, in the order of their ids. O(1) in how many there are.
  public func contexts(named name: String) -> [ContextRecord] {
    byName[name, default: []].sorted().compactMap { records[$0] }
  }

  /// The contexts whose records were added, changed or removed since the last call.
  mutating func takeTouched() -> Set<ContextID> {
    defer { touched = [] }
    return touched
  }

  /// Makes the record of a context anew from its state, and everything counted from records.
  mutating func refresh(_ id: ContextID) {
    let state = states[id]
    let before = records[id]
    let after = state?.record(id: id, own: own, confirmed: confirmed)
    if after == nil, state?.isDeleted == true { dead.insert(id) } else { dead.remove(id) }
    guard before != after else { return }
    records[id] = after
    if before?.name != after?.name { index(id, from: before?.name, to: after?.name) }
    touched.insert(id)
    conflictCount += (after?.conflictCount ?? 0) - (before?.conflictCount ?? 0)
  }

  private mutating func index(_ id: ContextID, from before: String?, to after: String?) {
    if let before {
      let rest = byName[before, default: []].filter { $0 != id }
      byName[before] = rest.isEmpty ? nil : rest
    }
    if let after { byName[after, default: []].append(id) }
  }
}

extension Replica: Hashable {
  /// Whether both hold the same versions and show them alike; what is only kept for speed, and
  /// which contexts a screen has still to be told of, is left out.
  public static func == (left: Replica, right: Replica) -> Bool {
    left.own == right.own && left.confirmed == right.confirmed && left.clock == right.clock
      && left.states == right.states
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(own)
    hasher.combine(states)
  }
}

/// Names a register: what an operation writes to, or a version in a snapshot belongs to.
struct RegisterPlace: Hashable, Sendable {
  let context: ContextID
  /// nil for a register of the context itself.
  let attribute: AttributeID?
  let register: Operation.Register

  /// The order snapshots and the state root are written in.
  static func isBefore(_ left: RegisterPlace, _ right: RegisterPlace) -> Bool {
    if left.context != right.context { return left.context < right.context }
    if left.attribute != right.attribute {
      guard let other = right.attribute else { return false }
      return left.attribute.map { $0 < other } ?? true
    }
    return left.register.rawValue < right.register.rawValue
  }
}

extension Operation {
  var place: RegisterPlace {
    RegisterPlace(context: context, attribute: attribute, register: register)
  }
}

extension Replica.Context {
  subscript(attribute: AttributeID?, register: Operation.Register) -> Register {
    get {
      guard let attribute else {
        switch register {
        case .description: return description
        case .existence: return existence
        default: return others[register] ?? Register()
        }
      }
      let registers = attributes[attribute]
      switch register {
      case .description: return registers?.description ?? Register()
      case .value: return registers?.value ?? Register()
      default: return registers?.others[register] ?? Register()
      }
    }
    _modify {
      guard let attribute else {
        switch register {
        case .description: yield &description
        case .existence: yield &existence
        default: yield &others[register, default: Register()]
        }
        return
      }
      switch register {
      case .description: yield &attributes[attribute, default: .init()].description
      case .value: yield &attributes[attribute, default: .init()].value
      default: yield &attributes[attribute, default: .init()].others[register, default: Register()]
      }
    }
  }

  /// Every register with its place, in the order of ``RegisterPlace/isBefore(_:_:)``.
  func registers(of context: ContextID) -> [(place: RegisterPlace, register: Register)] {
    var all: [(place: RegisterPlace, register: Register)] = []
    func collect(_ register: Register, _ attribute: AttributeID?, _ name: Operation.Register) {
      guard !register.isEmpty else { return }
      all.append(
        (RegisterPlace(context: context, attribute: attribute, register: name), register))
    }
    func collect(_ others: [Operation.Register: Register], _ attribute: AttributeID?) {
      for (name, register) in others { collect(register, attribute, name) }
    }
    collect(description, nil, .description)
    collect(existence, nil, .existence)
    collect(others, nil)
    for (id, attribute) in attributes {
      collect(attribute.description, id, .description)
      collect(attribute.value, id, .value)
      collect(attribute.others, id)
    }
    return all.sorted { RegisterPlace.isBefore($0.place, $1.place) }
  }

  /// The same with every register changed; registers and attributes that become empty go.
  func mapped(_ transform: (RegisterPlace, Register) -> Register) -> Replica.Context {
    var result = Replica.Context()
    for (place, register) in registers(of: .zero) {
      let register = transform(place, register)
      if !register.isEmpty { result[place.attribute, place.register] = register }
    }
    return result
  }
}

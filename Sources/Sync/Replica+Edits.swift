import HashTreeCollections
import Vault
public import Wire

extension Replica {
  /// The operations that make `edit` true here, over what its author saw. Nothing is applied yet.
  func operations(
    for edit: Edit, now: Int64, entropy: inout some Entropy
  ) throws(EditError) -> [Operation] {
    var writer = OperationWriter(
      time: clock.next(at: now), context: edit.context ?? entropy.identifier())
    switch edit {
    case .createContext(let name, let kind, let attributes):
      try create(name, kind, attributes, writer: &writer, entropy: &entropy)
    case .renameContext(let id, let name, let base):
      let state = try state(of: id)
      var content = state.description.shown?.content ?? Operation.Content()
      content.name = try Self.checked(name: name)
      writer.write(.description, content, over: state.description.headIDs(seen: base), &entropy)
    case .deleteContext(let id):
      let state = try state(of: id)
      writer.write(
        .existence, nil, over: state.existence.headIDs, seen: state.headIDs, &entropy)
    case .restoreContext(let id):
      try revive(id, now: now, writer: &writer, &entropy)
    case .addAttribute(let id, let attribute):
      try append([attribute], to: try state(of: id), writer: &writer, &entropy)
    case .setValue(let id, let attribute, let text, let base, let recipe):
      let state = try self.attribute(attribute, of: id)
      let register = state.value
      try remember(recipe, of: attribute, in: state, writer: &writer, &entropy)
      writer.write(
        .value, Operation.Content(text: try Self.checked(text: text)), of: attribute,
        over: register.headIDs(seen: base), &entropy)
    case .describeAttribute(let id, let attribute, let label, let kind, let isConcealed, let base):
      let register = try self.attribute(attribute, of: id).description
      var content = register.shown?.content ?? Operation.Content()
      content.kind = kind.rawValue
      content.label = try Self.checked(name: label)
      content.concealed = isConcealed
      writer.write(
        .description, content, of: attribute, over: register.headIDs(seen: base), &entropy)
    case .placeAttribute(let id, let attribute, let next):
      try place(attribute, of: id, before: next, writer: &writer, &entropy)
    case .removeAttribute(let id, let attribute, let base):
      let register = try self.attribute(attribute, of: id).value
      writer.write(.value, nil, of: attribute, over: register.headIDs(seen: base), &entropy)
    case .resolve(let id, let attribute, let keep):
      let register = try self.attribute(attribute, of: id).value
      guard let kept = register.heads.first(where: { $0.id == keep }) else {
        throw .unknownVersion(keep)
      }
      writer.write(.value, kept.content, of: attribute, over: register.headIDs, &entropy)
    case .keepBoth(let id, let attribute):
      try keepAll(of: attribute, in: id, writer: &writer, &entropy)
    case .undo(let id):
      try undo(id, isRedo: false, now: now, writer: &writer, &entropy)
    case .redo(let id):
      try undo(id, isRedo: true, now: now, writer: &writer, &entropy)
    case .resolveName(let id, let keep):
      let register = try state(of: id).description
      guard let kept = register.heads.first(where: { $0.id == keep }) else {
        throw .unknownVersion(keep)
      }
      writer.write(.description, kept.content, over: register.headIDs, &entropy)
    case .resolveLabel(let id, let attribute, let keep):
      let state = try self.attribute(attribute, of: id)
      guard let kept = state.description.heads.first(where: { $0.id == keep }) else {
        throw .unknownVersion(keep)
      }
      var content = kept.content
      content?.concealed = state.isConcealed
      writer.write(
        .description, content, of: attribute, over: state.description.headIDs, &entropy)
    }
    return writer.operations
  }

  private func create(
    _ name: String, _ kind: ContextRecord.Kind, _ attributes: [Edit.NewAttribute],
    writer: inout OperationWriter, entropy: inout some Entropy
  ) throws(EditError) {
    guard count < Limits.contexts else {
      throw .overLimit(limit: "contexts", allowed: Limits.contexts)
    }
    writer.write(
      .description, Operation.Content(name: try Self.checked(name: name), kind: kind.rawValue),
      over: [], &entropy)
    try append(attributes, to: Context(), writer: &writer, &entropy)
  }

  private func append(
    _ attributes: [Edit.NewAttribute], to state: Context, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    guard state.attributes.count + attributes.count <= Limits.attributesPerContext else {
      throw .overLimit(limit: "attributes of a context", allowed: Limits.attributesPerContext)
    }
    var order = state.attributes.values.map(\.order).max() ?? ""
    for attribute in attributes {
      order = AttributeOrder.key(after: order)
      let id: AttributeID = entropy.identifier()
      writer.write(
        .description,
        Operation.Content(
          kind: attribute.kind.rawValue, label: try Self.checked(name: attribute.label),
          concealed: attribute.isConcealed, order: order),
        of: id, over: [], &entropy)
      var base: [VersionID] = []
      for earlier in attribute.history {
        base = [
          writer.write(
            .value, Operation.Content(text: try Self.checked(text: earlier.text)), of: id,
            over: base, at: HybridTime(milliseconds: earlier.at), &entropy)
        ]
      }
      writer.write(
        .value, Operation.Content(text: try Self.checked(text: attribute.text)), of: id,
        over: base, &entropy)
      try remember(attribute.recipe, of: id, in: Attribute(), writer: &writer, &entropy)
    }
  }

  /// Writes down how a value was generated, unless it was generated so before.
  private func remember(
    _ recipe: String?, of id: AttributeID, in state: Attribute, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    let register = state.others[.recipe] ?? Register()
    guard let recipe, register.shown?.content?.text != recipe else { return }
    writer.write(
      .recipe, Operation.Content(text: try Self.checked(text: recipe)), of: id,
      over: register.headIDs, &entropy)
  }

  /// Takes back the deletion of a context.
  ///
  /// What was in it is written again, each value over itself: another device may keep only the ids
  /// of it (``snapshot(now:coveredByAll:)``), and gets it back so.
  func revive(
    _ id: ContextID, now: Int64, copies: VersionID? = nil, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    guard let state = states[id] else { throw .unknownContext(id) }
    writer.write(
      .existence, Operation.Content(), over: state.existence.headIDs, copies: copies, &entropy)
    guard records[id] == nil else { return }
    guard count < Limits.contexts else {
      throw .overLimit(limit: "contexts", allowed: Limits.contexts)
    }
    guard let deletion = state.deletion, state.lastContent != nil else {
      throw .unknownContext(id)
    }
    guard now < Self.expiry(of: deletion) else { throw .expired }
    for (place, register) in state.registers(of: id) where place.register != .existence {
      writer.writeCopies(
        of: register.lastHeads, place.register, of: place.attribute, &entropy)
    }
  }

  /// Writes the place between two neighbours; where there is no room left between them, the place
  /// of every attribute.
  private func place(
    _ id: AttributeID, of context: ContextID, before next: AttributeID?,
    writer: inout OperationWriter, _ entropy: inout some Entropy
  ) throws(EditError) {
    _ = try attribute(id, of: context)
    let state = try state(of: context)
    let others = (self[context]?.attributes ?? []).map(\.id).filter { $0 != id }
    var end = others.count
    if let next {
      guard let found = others.firstIndex(of: next) else { throw .unknownAttribute(next) }
      end = found
    }
    func order(_ place: Int) -> String? {
      others.indices.contains(place) ? state.attributes[others[place]]?.order : nil
    }
    if let key = AttributeOrder.key(between: order(end - 1) ?? "", and: order(end)) {
      write(key, as: id, in: state, writer: &writer, &entropy)
      return
    }
    var key = ""
    for other in others[..<end] + [id] + others[end...] {
      key = AttributeOrder.key(after: key)
      write(key, as: other, in: state, writer: &writer, &entropy)
    }
  }

  private func write(
    _ order: String, as id: AttributeID, in state: Context, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) {
    let register = state.attributes[id]?.others[.place] ?? Register()
    writer.write(
      .place, Operation.Content(order: order), of: id, over: register.headIDs, &entropy)
  }

  /// The head that is shown stays; each other text becomes an attribute beside it.
  private func keepAll(
    of id: AttributeID, in context: ContextID, writer: inout OperationWriter,
    _ entropy: inout some Entropy
  ) throws(EditError) {
    let attribute = try attribute(id, of: context)
    let described = attribute.description.shown?.content
    let kind = AttributeRecord.Kind(rawValue: described?.kind ?? "text")
    let label = described?.label ?? kind.rawValue
    let shown = attribute.value.shown?.content
    var texts: [String] = []
    for text in attribute.value.heads.compactMap(\.content?.text)
    where text != shown?.text && !texts.contains(text) {
      texts.append(text)
    }
    writer.write(.value, shown, of: id, over: attribute.value.headIDs, &entropy)
    let others = texts.enumerated().map { position, text in
      Edit.NewAttribute(
        label: "\(label) \(position + 2)", kind: kind, isConcealed: described?.concealed,
        text: text)
    }
    try append(others, to: try state(of: context), writer: &writer, &entropy)
  }

  private func state(of id: ContextID) throws(EditError) -> Context {
    guard let state = states[id], self[id] != nil else { throw .unknownContext(id) }
    return state
  }

  private func attribute(
    _ id: AttributeID, of context: ContextID
  ) throws(EditError) -> Attribute {
    guard let attribute = try state(of: context).attributes[id] else {
      throw .unknownAttribute(id)
    }
    return attribute
  }

  /// 16 bytes a character: most have one to four, but one can be composed of any number.
  private static let nameBytes = 16 * Limits.nameCharacters

  private static func checked(name: String) throws(EditError) -> String {
    guard !name.allSatisfy(\.isWhitespace) else { throw .emptyName }
    guard name.count <= Limits.nameCharacters else {
      throw .overLimit(limit: "characters of a name", allowed: Limits.nameCharacters)
    }
    guard name.utf8.count <= nameBytes else {
      throw .overLimit(limit: "bytes of a name", allowed: nameBytes)
    }
    return name
  }

  private static func checked(text: String) throws(EditError) -> String {
    guard text.utf8.count <= Limits.valueBytes else {
      throw .overLimit(limit: "bytes of a value", allowed: Limits.valueBytes)
    }
    return text
  }
}

extension Register {
  /// What a description written by somebody who saw `base` stands in for: every head where the base
  /// is not known, else the base and what says the same.
  fileprivate func headIDs(seen base: VersionID?) -> [VersionID] {
    guard let base, self[base] != nil else { return headIDs }
    return headIDs(seen: [base])
  }

  /// What is written by somebody who saw `base` stands in for: that, and the heads that say the
  /// same, as a return from the trash writes them. Every head for who looked at none.
  fileprivate func headIDs(seen base: [VersionID]?) -> [VersionID] {
    guard let base else { return headIDs }
    let seen = base.compactMap { self[$0] }.map(\.content)
    return (base + heads.filter { seen.contains($0.content) }.map(\.id)).uniqued
  }
}

extension [VersionID] {
  fileprivate var uniqued: [VersionID] { Set(self).sorted() }
}

extension Edit {
  /// The context it changes; nil when it makes one.
  public var context: ContextID? {
    switch self {
    case .createContext, .undo, .redo: nil
    case .renameContext(let id, _, _), .deleteContext(let id), .restoreContext(let id),
      .addAttribute(let id, _), .setValue(let id, _, _, _, _),
      .describeAttribute(let id, _, _, _, _, _), .placeAttribute(let id, _, _),
      .removeAttribute(let id, _, _),
      .resolve(let id, _, _), .keepBoth(let id, _), .resolveName(let id, _),
      .resolveLabel(let id, _, _):
      id
    }
  }
}

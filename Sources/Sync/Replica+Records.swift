import Wire

extension Replica.Context {
  /// What a person sees of the context; nil when it is deleted or its name has not arrived.
  func record(id: ContextID, own: DeviceID, confirmed: UInt64) -> ContextRecord? {
    guard let shown = description.shown, let name = shown.content?.name else { return nil }
    let deletion = standingDeletion
    guard deletion == nil || isRevived else { return nil }
    let newest = newestVersion ?? shown
    let kind = ContextRecord.Kind(rawValue: shown.content?.kind ?? "account")
    guard isPending(own: own, confirmed: confirmed) else {
      return ContextRecord(
        id: id, name: name, kind: kind, description: shown.id, state: attributes,
        updatedAt: newest.time.milliseconds, updatedBy: newest.device, names: distinctNames,
        deletedOn: deletion?.device)
    }
    return ContextRecord(
      id: id, name: name, kind: kind, description: shown.id,
      attributes: attributes.records { $0.isPending(own: own, confirmed: confirmed) },
      updatedAt: newest.time.milliseconds, updatedBy: newest.device, names: distinctNames,
      deletedOn: deletion?.device, isPending: true)
  }

  /// The deletion nobody took back.
  var standingDeletion: Version? {
    existence.heads.first { $0.content == nil }
  }

  /// Whether it is deleted, and nothing brought it back.
  var isDeleted: Bool { standingDeletion != nil && !isRevived }

  /// Whether something was written in it that no deletion's author had seen: an edit on another
  /// device brings the context back. A removal does not, nor does a label without a value.
  private var isRevived: Bool {
    if existence.shown != nil { return true }
    let seen = Set(existence.heads.flatMap(\.seen))
    func isUnseen(_ version: Version) -> Bool {
      version.content != nil && !seen.contains(version.id)
    }
    return description.heads.contains(where: isUnseen)
      || attributes.values.contains { attribute in
        attribute.value.shown != nil
          && (attribute.value.heads + attribute.description.heads).contains(where: isUnseen)
      }
  }

  private var distinctNames: [ValueRecord] { description.distinct(\.name) }

  private var allHeads: [Version] {
    description.heads + existence.heads
      + attributes.values.flatMap { $0.description.heads + $0.value.heads }
  }

  /// Every version a deletion of the context has to name.
  var headIDs: [VersionID] {
    registers(of: .zero).flatMap(\.register.headIDs).sorted()
  }

  private var newestVersion: Version? { allHeads.min(by: Version.isShownBefore) }

  private func isPending(own: DeviceID, confirmed: UInt64) -> Bool {
    let others =
      others.values.flatMap(\.heads)
      + attributes.values.flatMap { $0.others.values.flatMap(\.heads) }
    return (allHeads + others).contains { $0.isPending(own: own, confirmed: confirmed) }
  }
}

extension [AttributeID: Replica.Attribute] {
  /// What a person sees of them, in their order.
  func records(isPending: (Version) -> Bool) -> [AttributeRecord] {
    compactMap { id, attribute in
      attribute.record(id: id, isPending: isPending).map { (order: attribute.order, record: $0) }
    }
    .sorted { $0.order != $1.order ? $0.order < $1.order : $0.record.id < $1.record.id }
    .map(\.record)
  }
}

extension Replica.Attribute {
  /// Where it stands among the others: where a person put it, else where it was made.
  var order: String {
    others[.place]?.shown?.content?.order ?? description.shown?.content?.order ?? ""
  }

  /// Whether any device conceals it, of those that described it at once.
  var isConcealed: Bool {
    description.heads.lazy.compactMap(\.content).contains { content in
      content.concealed
        ?? AttributeRecord.Kind(rawValue: content.kind ?? "text")
        .isConcealedByDefault
    }
  }

  /// What a person sees of the attribute; nil when it is removed or half of it has not arrived.
  func record(id: AttributeID, isPending: (Version) -> Bool) -> AttributeRecord? {
    guard let shown = value.shown, let text = shown.content?.text,
      let description = description.shown, let described = description.content
    else { return nil }
    let kind = AttributeRecord.Kind(rawValue: described.kind ?? "text")
    let heads = value.heads + self.description.heads + others.values.flatMap(\.heads)
    return AttributeRecord(
      id: id, label: described.label ?? kind.rawValue, kind: kind, isConcealed: isConcealed,
      description: description.id, text: text,
      heads: value.heads.map { $0.record(isHead: true) },
      labels: self.description.distinct(\.label),
      recipe: others[.recipe]?.shown?.content?.text,
      updatedAt: shown.time.milliseconds, updatedBy: shown.device,
      isPending: heads.contains(where: isPending))
  }
}

extension Register {
  /// The heads, where they differ in what `text` says of them; none where they agree.
  fileprivate func distinct(_ text: (Operation.Content) -> String?) -> [ValueRecord] {
    guard heads.count > 1 else { return [] }
    let records = heads.map { version in
      ValueRecord(
        id: version.id, device: version.device, at: version.time.milliseconds,
        text: version.content.flatMap(text), isHead: true)
    }
    return Set(records.map(\.text)).count > 1 ? records : []
  }
}

extension Version {
  /// Whether the server does not hold it yet, as far as this device's own go.
  func isPending(own: DeviceID, confirmed: UInt64) -> Bool {
    !isCommitted || device == own && sequence > confirmed
  }

  func record(isHead: Bool) -> ValueRecord {
    ValueRecord(
      id: id, device: device, at: time.milliseconds, text: content?.text, isHead: isHead)
  }
}

import Wire

/// The context that one item of a file becomes: its attributes so far, and what is worth a warning.
struct ImportedItem {
  /// Counted from 1.
  let position: Int
  private(set) var attributes: [Edit.NewAttribute] = []
  private(set) var warnings: [String] = []

  init(position: Int) {
    self.position = position
  }

  /// Adds a field that has a value or once had one.
  mutating func add(
    _ label: String, _ kind: AttributeRecord.Kind, _ text: String?, isConcealed: Bool? = nil,
    history: [Edit.NewAttribute.Earlier] = []
  ) throws(ImportError) {
    let text = text ?? ""
    guard !text.isEmpty || !history.isEmpty else { return }
    try append(label, kind, text, isConcealed: isConcealed, history: history)
  }

  mutating func append(
    _ label: String, _ kind: AttributeRecord.Kind, _ text: String, isConcealed: Bool?,
    history: [Edit.NewAttribute.Earlier] = []
  ) throws(ImportError) {
    guard ([text] + history.map(\.text)).allSatisfy({ $0.utf8.count <= Limits.valueBytes }) else {
      throw .overLimit(item: position, limit: "bytes of a value", allowed: Limits.valueBytes)
    }
    attributes.append(
      Edit.NewAttribute(
        label: label, kind: kind, isConcealed: isConcealed, text: text, history: history))
  }

  /// Adds a field with a name its owner gave it.
  mutating func addCustom(
    _ name: String, _ text: String, isConcealed: Bool
  ) throws(ImportError) {
    let label = name.allSatisfy(\.isWhitespace) ? BitwardenLayout.unnamedLabel : name
    try check(label: label, as: "characters of a custom field's name")
    try add(label, .text, text, isConcealed: isConcealed)
  }

  /// Adds a one-time code's secret; one that makes no codes is kept as a concealed text.
  mutating func addCode(_ text: String) throws(ImportError) {
    let kind = AttributeRecord.Kind.totp
    if !kind.isUsable(text) {
      warn("its one-time code's secret does not read; it is kept as text.")
    }
    try add("one-time code", kind.isUsable(text) ? kind : .text, text, isConcealed: true)
  }

  /// The edit that makes the context.
  mutating func edit(
    name: String, kind: ContextRecord.Kind
  ) throws(ImportError) -> Edit {
    guard attributes.count <= Limits.attributesPerContext else {
      throw .overLimit(
        item: position, limit: "fields of an item", allowed: Limits.attributesPerContext)
    }
    return .createContext(name: try contextName(name), kind: kind, attributes: attributes)
  }

  private mutating func contextName(_ name: String) throws(ImportError) -> String {
    guard !name.allSatisfy(\.isWhitespace) else {
      warn("it has no name, and is called \"unnamed \(position)\".")
      return "unnamed \(position)"
    }
    try check(label: name, as: "characters of a name")
    return name
  }

  func check(label: String, as limit: String) throws(ImportError) {
    guard label.count <= Limits.nameCharacters else {
      throw .overLimit(item: position, limit: limit, allowed: Limits.nameCharacters)
    }
  }

  mutating func warn(_ what: String) {
    warnings.append("Item \(position): \(what)")
  }

  /// What it is, where the file does not say: without anything to sign in with it is a note.
  var likelyKind: ContextRecord.Kind {
    let ofAccounts: Set<AttributeRecord.Kind> = [.username, .password, .url, .totp, .email]
    return attributes.contains { ofAccounts.contains($0.kind) } ? .account : .note
  }
}

extension Imported {
  /// Counts an item that has become an edit; `kind` is nil where this program knows none for it.
  mutating func add(_ item: ImportedItem, as kind: ContextRecord.Kind?) {
    switch kind {
    case .account: counts.logins += 1
    case .note: counts.notes += 1
    case .card: counts.cards += 1
    case .personal: counts.identities += 1
    case .key: counts.keys += 1
    default: counts.unknown += 1
    }
    counts.attributes += item.attributes.count
    counts.earlierValues += item.attributes.reduce(0) { $0 + $1.history.count }
    warnings += item.warnings
  }
}

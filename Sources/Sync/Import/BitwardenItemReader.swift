import Wire

/// Turns one item into an edit, collecting what is worth a warning.
struct BitwardenItemReader {
  /// Counted from 1.
  let position: Int
  let item: BitwardenItem
  let names: FolderNames
  private(set) var attributes: [Edit.NewAttribute] = []
  private(set) var warnings: [String] = []

  init(position: Int, item: BitwardenItem, names: FolderNames) {
    self.position = position
    self.item = item
    self.names = names
  }

  /// The edit that makes the context. `unread` is the whole item when its type is not known.
  mutating func edit(unread: JSONValue?) throws(ImportError) -> Edit {
    let type = BitwardenLayout.ItemType(rawValue: item.type)
    var history = earlierPasswords()
    if let type, let section = item.section(of: type) {
      try addFields(of: section, type: type, history: &history)
    }
    try add(BitwardenLayout.notesLabel, .note, item.notes)
    try addPlaces()
    for field in item.fields ?? [] { try add(field, type: type ?? .note) }
    if let unread, type == nil { try addUnread(unread) }
    try addEarlierValues(history)
    if item.deletedDate != nil {
      warn("it was in the bin, and is imported like the others.")
    }
    guard attributes.count <= Limits.attributesPerContext else {
      throw .overLimit(
        item: position, limit: "fields of an item", allowed: Limits.attributesPerContext)
    }
    return .createContext(
      name: try contextName(), kind: type.map(BitwardenLayout.kind) ?? .note,
      attributes: attributes)
  }

  private mutating func contextName() throws(ImportError) -> String {
    let name = item.name ?? ""
    guard !name.allSatisfy(\.isWhitespace) else {
      warn("it has no name, and is called \"unnamed \(position)\".")
      return "unnamed \(position)"
    }
    try check(label: name, as: "characters of a name")
    return name
  }

  // MARK: Standard fields

  private mutating func addFields(
    of section: BitwardenSection, type: BitwardenLayout.ItemType,
    history: inout [Edit.NewAttribute.Earlier]
  ) throws(ImportError) {
    for field in BitwardenLayout.fields(of: type) {
      let takesHistory = type == .login && field.kind == .password
      try add(
        field.label, field.kind, section.values[field.key], isConcealed: field.isConcealed,
        history: takesHistory ? history : [])
      if takesHistory { history = [] }
    }
    let uris = section.uris.compactMap { entry in entry.uri.map { ($0, entry.match) } }
      .filter { !$0.0.isEmpty }
    for (index, (uri, match)) in uris.enumerated() {
      let label = BitwardenLayout.uriLabel(index)
      try add(label, .url, uri)
      guard let match else { continue }
      let names = BitwardenLayout.matchNames
      try add(
        BitwardenLayout.matchLabel(of: label), .text,
        names.indices.contains(match) ? names[match] : String(match))
    }
    for passkey in section.passkeys {
      try add(BitwardenLayout.passkeyLabel, .text, try text(of: passkey), isConcealed: true)
      warn("its passkey is kept as text; no page can be signed in to with it from here.")
    }
  }

  /// Folder, collections and star.
  private mutating func addPlaces() throws(ImportError) {
    try add(BitwardenLayout.folderLabel, .text, names.folder(of: item))
    if item.favorite == true { try add(BitwardenLayout.favouriteLabel, .boolean, "true") }
    for collection in names.collections(of: item) {
      try add(BitwardenLayout.collectionLabel, .text, collection)
    }
  }

  // MARK: Custom fields

  private mutating func add(
    _ field: BitwardenItem.Field, type: BitwardenLayout.ItemType
  ) throws(ImportError) {
    let name = field.name ?? ""
    let label = name.allSatisfy(\.isWhitespace) ? BitwardenLayout.unnamedLabel : name
    try check(label: label, as: "characters of a custom field's name")
    let value = field.value ?? ""
    switch field.type.map(BitwardenLayout.FieldType.init) ?? .text {
    case .hidden: try append(label, .text, value, isConcealed: true)
    case .boolean: try append(label, .boolean, value.isEmpty ? "false" : value, isConcealed: false)
    case .linked:
      let link = field.linkedId.map { BitwardenLayout.linkText($0, in: type) }
      try append(label, .linked, link ?? "", isConcealed: false)
    case .text: try append(label, .text, value, isConcealed: false)
    case nil:
      warn("a custom field of a type not known here is kept concealed.")
      try append(label, .text, value, isConcealed: true)
    }
  }

  // MARK: What has no place

  private mutating func addUnread(_ unread: JSONValue) throws(ImportError) {
    guard case .object(var object) = unread else { return }
    for key in ["id", "name", "notes", "fields", "folderId", "collectionIds", "favorite"] {
      object[key] = nil
    }
    warn("its type \(item.type) is not known here; it is kept as a note with all its content.")
    try add("content", .text, try text(of: .object(object)), isConcealed: true)
  }

  private mutating func addEarlierValues(
    _ history: [Edit.NewAttribute.Earlier]
  ) throws(ImportError) {
    let lines = history.map { "\(Timestamp.text($0.at)) \($0.text)" }
    try add("earlier values", .text, lines.joined(separator: "\n"), isConcealed: true)
  }

  /// Oldest first. Bitwarden writes the newest first, which decides between equal dates.
  private mutating func earlierPasswords() -> [Edit.NewAttribute.Earlier] {
    var earlier: [Edit.NewAttribute.Earlier] = []
    for entry in (item.passwordHistory ?? []).reversed() {
      guard let password = entry.password, !password.isEmpty else { continue }
      let date = entry.lastUsedDate.flatMap(Timestamp.milliseconds)
      if date == nil { warn("the date of an earlier password does not read; 1970 stands for it.") }
      earlier.append(Edit.NewAttribute.Earlier(text: password, at: date ?? 0))
    }
    return earlier.enumerated()
      .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }

  // MARK: Limits

  /// Adds a field that has a value or once had one.
  private mutating func add(
    _ label: String, _ kind: AttributeRecord.Kind, _ text: String?, isConcealed: Bool? = nil,
    history: [Edit.NewAttribute.Earlier] = []
  ) throws(ImportError) {
    let text = text ?? ""
    guard !text.isEmpty || !history.isEmpty else { return }
    try append(label, kind, text, isConcealed: isConcealed, history: history)
  }

  private mutating func append(
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

  private func check(label: String, as limit: String) throws(ImportError) {
    guard label.count <= Limits.nameCharacters else {
      throw .overLimit(item: position, limit: limit, allowed: Limits.nameCharacters)
    }
  }

  private func text(of value: JSONValue) throws(ImportError) -> String {
    do {
      return try value.encoded()
    } catch {
      throw .malformed(item: position, field: "item")
    }
  }

  private mutating func warn(_ what: String) {
    warnings.append("Item \(position): \(what)")
  }
}

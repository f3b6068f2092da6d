import Wire

/// Turns one item into an edit, collecting what is worth a warning.
struct BitwardenItemReader {
  let item: BitwardenItem
  let names: FolderNames
  private(set) var made: ImportedItem

  /// `position` is counted from 1.
  init(position: Int, item: BitwardenItem, names: FolderNames) {
    self.item = item
    self.names = names
    made = ImportedItem(position: position)
  }

  /// The edit that makes the context. `unread` is the whole item when its type is not known.
  mutating func edit(unread: JSONValue?) throws(ImportError) -> Edit {
    let type = BitwardenLayout.ItemType(rawValue: item.type)
    var history = earlierPasswords()
    if let type, let section = item.section(of: type) {
      try addFields(of: section, type: type, history: &history)
    }
    try made.add(BitwardenLayout.notesLabel, .note, item.notes)
    try addPlaces()
    for field in item.fields ?? [] { try add(field, type: type ?? .note) }
    if let unread, type == nil { try addUnread(unread) }
    try addEarlierValues(history)
    if item.deletedDate != nil {
      made.warn("it was in the bin, and is imported like the others.")
    }
    return try made.edit(name: item.name ?? "", kind: type.map(BitwardenLayout.kind) ?? .note)
  }

  // MARK: Standard fields

  private mutating func addFields(
    of section: BitwardenSection, type: BitwardenLayout.ItemType,
    history: inout [Edit.NewAttribute.Earlier]
  ) throws(ImportError) {
    for field in BitwardenLayout.fields(of: type) {
      let takesHistory = type == .login && field.kind == .password
      try made.add(
        field.label, field.kind, section.values[field.key], isConcealed: field.isConcealed,
        history: takesHistory ? history : [])
      if takesHistory { history = [] }
    }
    let uris = section.uris.compactMap { entry in entry.uri.map { ($0, entry.match) } }
      .filter { !$0.0.isEmpty }
    for (index, (uri, match)) in uris.enumerated() {
      let label = BitwardenLayout.uriLabel(index)
      try made.add(label, .url, uri)
      guard let match else { continue }
      let names = BitwardenLayout.matchNames
      try made.add(
        BitwardenLayout.matchLabel(of: label), .text,
        names.indices.contains(match) ? names[match] : String(match))
    }
    for passkey in section.passkeys {
      try made.add(BitwardenLayout.passkeyLabel, .text, try text(of: passkey), isConcealed: true)
      made.warn("its passkey is kept as text; no page can be signed in to with it from here.")
    }
  }

  /// Folder, collections and star.
  private mutating func addPlaces() throws(ImportError) {
    try made.add(BitwardenLayout.folderLabel, .text, names.folder(of: item))
    if item.favorite == true { try made.add(BitwardenLayout.favouriteLabel, .boolean, "true") }
    for collection in names.collections(of: item) {
      try made.add(BitwardenLayout.collectionLabel, .text, collection)
    }
  }

  // MARK: Custom fields

  private mutating func add(
    _ field: BitwardenItem.Field, type: BitwardenLayout.ItemType
  ) throws(ImportError) {
    let name = field.name ?? ""
    let label = name.allSatisfy(\.isWhitespace) ? BitwardenLayout.unnamedLabel : name
    try made.check(label: label, as: "characters of a custom field's name")
    let value = field.value ?? ""
    switch field.type.map(BitwardenLayout.FieldType.init) ?? .text {
    case .hidden: try made.append(label, .text, value, isConcealed: true)
    case .boolean:
      try made.append(label, .boolean, value.isEmpty ? "false" : value, isConcealed: false)
    case .linked:
      let link = field.linkedId.map { BitwardenLayout.linkText($0, in: type) }
      try made.append(label, .linked, link ?? "", isConcealed: false)
    case .text: try made.append(label, .text, value, isConcealed: false)
    case nil:
      made.warn("a custom field of a type not known here is kept concealed.")
      try made.append(label, .text, value, isConcealed: true)
    }
  }

  // MARK: What has no place

  private mutating func addUnread(_ unread: JSONValue) throws(ImportError) {
    guard case .object(var object) = unread else { return }
    for key in ["id", "name", "notes", "fields", "folderId", "collectionIds", "favorite"] {
      object[key] = nil
    }
    made.warn("its type \(item.type) is not known here; it is kept as a note with all its content.")
    try made.add("content", .text, try text(of: .object(object)), isConcealed: true)
  }

  private mutating func addEarlierValues(
    _ history: [Edit.NewAttribute.Earlier]
  ) throws(ImportError) {
    let lines = history.map { "\(Timestamp.text($0.at)) \($0.text)" }
    try made.add("earlier values", .text, lines.joined(separator: "\n"), isConcealed: true)
  }

  /// Oldest first. Bitwarden writes the newest first, which decides between equal dates.
  private mutating func earlierPasswords() -> [Edit.NewAttribute.Earlier] {
    var earlier: [Edit.NewAttribute.Earlier] = []
    for entry in (item.passwordHistory ?? []).reversed() {
      guard let password = entry.password, !password.isEmpty else { continue }
      let date = entry.lastUsedDate.flatMap(Timestamp.milliseconds)
      if date == nil {
        made.warn("the date of an earlier password does not read; 1970 stands for it.")
      }
      earlier.append(Edit.NewAttribute.Earlier(text: password, at: date ?? 0))
    }
    return earlier.enumerated()
      .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }

  private func text(of value: JSONValue) throws(ImportError) -> String {
    do {
      return try value.encoded()
    } catch {
      throw .malformed(item: made.position, field: "item")
    }
  }
}

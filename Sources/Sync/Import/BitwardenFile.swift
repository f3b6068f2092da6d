/// Bitwarden's unencrypted JSON export, as far as it is understood.
struct BitwardenFile: Codable {
  struct Folder: Codable {
    var id: String?
    var name: String?
  }

  var encrypted: Bool
  var folders: [Folder]
  /// Instead of folders in an organisation's export.
  var collections: [Folder]
  var items: [BitwardenItem]

  init(folders: [Folder], items: [BitwardenItem]) {
    encrypted = false
    self.folders = folders
    collections = []
    self.items = items
  }

  private enum CodingKeys: String, CodingKey {
    case encrypted, passwordProtected, folders, collections, items
  }

  /// Throws ``ImportError`` for what is no export or an encrypted one, before any item is read.
  init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    encrypted = try box.decodeIfPresent(Bool.self, forKey: .encrypted) ?? false
    guard !encrypted else {
      throw ImportError.encrypted(
        passwordProtected: try box.decodeIfPresent(Bool.self, forKey: .passwordProtected) ?? false)
    }
    guard box.contains(.items) else { throw ImportError.notBitwarden }
    folders = try box.decodeIfPresent([Folder].self, forKey: .folders) ?? []
    collections = try box.decodeIfPresent([Folder].self, forKey: .collections) ?? []
    items = try box.decode([BitwardenItem].self, forKey: .items)
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(encrypted, forKey: .encrypted)
    try box.encode(folders, forKey: .folders)
    try box.encode(items, forKey: .items)
  }
}

/// One item: what its type has in common with the others, and one section of its own.
struct BitwardenItem: Codable {
  /// A custom field.
  struct Field: Codable {
    var name: String?
    var value: String?
    var type: Int?
    var linkedId: Int?

    init(name: String, value: String?, type: BitwardenLayout.FieldType, linkedId: Int? = nil) {
      self.name = name
      self.value = value
      self.type = type.rawValue
      self.linkedId = linkedId
    }

    init(from decoder: any Decoder) throws {
      let box = try decoder.container(keyedBy: CodingKeys.self)
      name = try box.text(.name)
      value = try box.text(.value)
      type = try box.decodeIfPresent(Int.self, forKey: .type)
      linkedId = try box.decodeIfPresent(Int.self, forKey: .linkedId)
    }
  }

  struct Earlier: Codable {
    var lastUsedDate: String?
    var password: String?
  }

  var id: String?
  var folderId: String?
  var collectionIds: [String]?
  var type: Int
  var name: String?
  var notes: String?
  var favorite: Bool?
  /// 1: Bitwarden asks for the master password again before it shows the item.
  var reprompt: Int?
  var creationDate: String?
  var revisionDate: String?
  var deletedDate: String?
  var login: BitwardenSection?
  var card: BitwardenSection?
  var identity: BitwardenSection?
  var sshKey: BitwardenSection?
  var secureNote: BitwardenSection?
  var fields: [Field]?
  var passwordHistory: [Earlier]?

  init(type: BitwardenLayout.ItemType) {
    self.type = type.rawValue
  }

  func section(of type: BitwardenLayout.ItemType) -> BitwardenSection? {
    switch type {
    case .login: login
    case .note: secureNote
    case .card: card
    case .identity: identity
    case .key: sshKey
    }
  }

  mutating func set(_ section: BitwardenSection, of type: BitwardenLayout.ItemType) {
    switch type {
    case .login: login = section
    case .note: secureNote = section
    case .card: card = section
    case .identity: identity = section
    case .key: sshKey = section
    }
  }
}

/// The part of an item that only its type has: texts by key, and a login's lists.
struct BitwardenSection: Codable {
  struct URI: Codable {
    var uri: String?
    var match: Int?
  }

  /// A key of any name: which ones matter is the layout's affair.
  struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
      self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }

    static let uris = Key(stringValue: "uris")
    static let passkeys = Key(stringValue: "fido2Credentials")
    /// The type of a secure note, of which there is one: 0.
    static let noteType = Key(stringValue: "type")
  }

  var values: [String: String] = [:]
  var uris: [URI] = []
  var passkeys: [JSONValue] = []
  var isNote = false

  init() {}

  init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: Key.self)
    for key in box.allKeys
    where ![Key.uris.stringValue, Key.passkeys.stringValue].contains(key.stringValue) {
      values[key.stringValue] = try box.text(key)
    }
    uris = try box.decodeIfPresent([URI].self, forKey: .uris) ?? []
    passkeys = try box.decodeIfPresent([JSONValue].self, forKey: .passkeys) ?? []
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    for (key, value) in values { try box.encode(value, forKey: Key(stringValue: key)) }
    if !uris.isEmpty { try box.encode(uris, forKey: .uris) }
    if !passkeys.isEmpty { try box.encode(passkeys, forKey: .passkeys) }
    if isNote { try box.encode(0, forKey: .noteType) }
  }
}

extension KeyedDecodingContainer {
  /// A text, or a number or truth value as text: programs that write this format do not agree on
  /// the type of a card's month.
  func text(_ key: Key) throws -> String? {
    guard contains(key) else { return nil }
    do {
      return try decodeIfPresent(String.self, forKey: key)
    } catch DecodingError.typeMismatch {
      return try decode(JSONValue.self, forKey: key).scalarText
    }
  }
}

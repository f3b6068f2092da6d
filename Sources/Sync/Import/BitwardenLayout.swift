/// Which field of a Bitwarden item is which attribute, both ways.
enum BitwardenLayout {
  /// Bitwarden's numbers of item types.
  enum ItemType: Int, Codable {
    case login = 1
    case note = 2
    case card = 3
    case identity = 4
    case key = 5
  }

  /// Bitwarden's numbers of custom field types.
  enum FieldType: Int, Codable {
    case text = 0
    case hidden = 1
    case boolean = 2
    /// Shows another field of its item again.
    case linked = 3
  }

  /// A field that every item of its type has.
  struct Standard {
    let key: String
    let label: String
    let kind: AttributeRecord.Kind
    let isConcealed: Bool
    /// What a linked custom field calls it.
    let linkID: Int?

    init(
      _ key: String, _ label: String, _ kind: AttributeRecord.Kind = .text,
      isConcealed: Bool? = nil, link: Int? = nil
    ) {
      self.key = key
      self.label = label
      self.kind = kind
      self.isConcealed = isConcealed ?? kind.isConcealedByDefault
      linkID = link
    }
  }

  static let notesLabel = "notes"
  static let folderLabel = "folder"
  static let favouriteLabel = AttributeRecord.pinLabel
  static let passkeyLabel = "passkey"
  static let collectionLabel = "collection"
  /// A custom field without a name.
  static let unnamedLabel = "field"

  /// Standard fields of a type, in the order in which they become attributes.
  static func fields(of type: ItemType) -> [Standard] {
    switch type {
    case .login: login
    case .card: card
    case .identity: identity
    case .key: key
    case .note: []
    }
  }

  private static let login = [
    Standard("username", "username", .username, link: 100),
    Standard("password", "password", .password, link: 101),
    Standard("totp", "one-time code", .totp),
  ]

  private static let card = [
    Standard("cardholderName", "cardholder", link: 300),
    Standard("brand", "brand", link: 304),
    Standard("number", "number", .card, link: 305),
    Standard("expMonth", "expiry month", link: 301),
    Standard("expYear", "expiry year", link: 302),
    Standard("code", "security code", isConcealed: true, link: 303),
  ]

  private static let identity = [
    Standard("title", "title", link: 400),
    Standard("firstName", "first name", link: 416),
    Standard("middleName", "middle name", link: 401),
    Standard("lastName", "last name", link: 417),
    Standard("username", "username", .username, link: 413),
    Standard("company", "company", link: 409),
    Standard("email", "email", .email, link: 410),
    Standard("phone", "phone", .phone, link: 411),
    Standard("address1", "address 1", .address, link: 402),
    Standard("address2", "address 2", .address, link: 403),
    Standard("address3", "address 3", .address, link: 404),
    Standard("city", "city", link: 405),
    Standard("state", "state", link: 406),
    Standard("postalCode", "postal code", link: 407),
    Standard("country", "country", link: 408),
    Standard("ssn", "social security number", isConcealed: true, link: 412),
    Standard("passportNumber", "passport number", isConcealed: true, link: 414),
    Standard("licenseNumber", "licence number", isConcealed: true, link: 415),
  ]

  private static let key = [
    Standard("privateKey", "private key", .note, isConcealed: true),
    Standard("publicKey", "public key"),
    Standard("keyFingerprint", "fingerprint"),
  ]

  /// How a URI is compared with a page's, by Bitwarden's numbers.
  static let matchNames = ["domain", "host", "starts with", "exact", "regular expression", "never"]

  /// The label of the URI at `position`, counted from 0.
  static func uriLabel(_ position: Int) -> String {
    position == 0 ? "url" : "url \(position + 1)"
  }

  static func matchLabel(of uriLabel: String) -> String { "\(uriLabel) match" }

  /// Whether a label is one that ``uriLabel(_:)`` makes.
  static func isURILabel(_ label: String) -> Bool {
    if label == "url" { return true }
    guard label.hasPrefix("url "), let number = Int(label.dropFirst(4)) else { return false }
    return number > 1 && label == "url \(number)"
  }

  /// What a linked field points at: a label, or the number of a field this program does not know.
  static func linkText(_ id: Int, in type: ItemType) -> String {
    fields(of: type).first { $0.linkID == id }?.label ?? String(id)
  }

  static func linkID(_ text: String, in type: ItemType) -> Int? {
    fields(of: type).first { $0.label == text && $0.linkID != nil }?.linkID ?? Int(text)
  }

  static func kind(of type: ItemType) -> ContextRecord.Kind {
    switch type {
    case .login: .account
    case .note: .note
    case .card: .card
    case .identity: .personal
    case .key: .key
    }
  }

  /// The type a context is exported as. One of a kind Bitwarden has no type for is a login if it
  /// has a field of a login, else a note.
  static func type(of context: ContextRecord) -> ItemType {
    switch context.kind {
    case .account: .login
    case .note: .note
    case .card: .card
    case .personal: .identity
    case .key: .key
    default:
      context.attributes.contains { [.username, .password, .totp].contains($0.kind) }
        ? .login : .note
    }
  }
}

extension ContextRecord.Kind {
  /// A key pair, such as of SSH.
  public static let key = Self(rawValue: "key")
}

extension AttributeRecord.Kind {
  /// `true` or `false`.
  /// The label of another attribute of the same context, whose value is meant.
  static let linked = Self(rawValue: "linked")
}

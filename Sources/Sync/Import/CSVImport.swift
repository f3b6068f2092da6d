import Foundation
import Wire

/// Reads a table of logins: the columns that Chrome, Firefox, Safari, 1Password, LastPass,
/// Bitwarden, KeePassXC, Proton Pass and Dashlane name in the first row, whatever their order.
///
/// A row becomes a context. A column with another name becomes an attribute of that name, concealed
/// because nothing says whether it is a secret. Columns that only the other program needs (numbers
/// and times of its own) are left out, and named in a warning.
enum CSVImport {
  /// What a column is.
  enum Column: Hashable {
    case name, kind, favourite, tags, folder, code
    case field(String, AttributeRecord.Kind)
    /// Of no use here.
    case other
    case custom(String)
  }

  static func read(_ bytes: [UInt8]) throws(ImportError) -> Imported {
    let rows = try CSVReader.read(bytes, rowLimit: Limits.contexts + 1)
    guard let heading = rows.first else { throw .unknownColumns }
    let columns = heading.fields.map(column)
    guard isHeading(columns) else { throw .unknownColumns }
    var imported = Imported()
    for row in rows.dropFirst() {
      guard row.fields.count <= columns.count else { throw .notCSV(line: row.line) }
      var reader = CSVRowReader(position: imported.edits.count + 1)
      let (edit, kind) = try reader.edit(Array(zip(columns, row.fields)))
      imported.edits.append(edit)
      imported.add(reader.item, as: kind)
    }
    let others = zip(columns, heading.fields).filter { $0.0 == .other }.map(\.1)
    if !others.isEmpty {
      imported.warnings.append("Not kept: the columns \(others.joined(separator: ", ")).")
    }
    return imported
  }

  /// A row of values is none: importing it as names of columns would lose it.
  private static func isHeading(_ columns: [Column]) -> Bool {
    let password = Column.field("password", .password)
    let others: [Column] = [.name, .field("url", .url), .field("username", .username)]
    return columns.contains(password) && columns.contains(where: others.contains)
  }

  private static func column(_ heading: String) -> Column {
    let name = heading.trimmingCharacters(in: .whitespaces)
    return columns[name.lowercased().filter { $0.isLetter || $0.isNumber }] ?? .custom(name)
  }

  /// By their names in lower case without anything but letters and digits.
  private static let columns: [String: Column] = {
    let named: [(Column, String)] = [
      (.name, "name title account accountname"),
      (.kind, "type"),
      (.favourite, "favorite favourite fav"),
      (.tags, "tags"),
      (.folder, "folder group grouping collection collections vault category"),
      (.code, "totp otpauth otp otpsecret loginotp logintotp onetimepassword authenticator"),
      (.field("username", .username), "username loginusername login user loginname"),
      (.field("password", .password), "password loginpassword"),
      (.field("url", .url), "url urls loginuri website web site loginurl hostname"),
      (.field("email", .email), "email emailaddress"),
      (.field("notes", .note), "note notes extra comment comments"),
      (
        .other,
        "httprealm formactionorigin guid timecreated timelastused timepasswordchanged icon"
          + " lastmodified created createtime modifytime reprompt archived"
      ),
    ]
    var table: [String: Column] = [:]
    for (column, names) in named {
      for name in names.split(separator: " ") { table[String(name)] = column }
    }
    return table
  }()
}

/// Turns one row into an edit.
private struct CSVRowReader {
  private(set) var item: ImportedItem
  private var name = ""
  private var kind: ContextRecord.Kind?
  /// Notes come last, as everywhere.
  private var notes: [String] = []
  private var urls = 0

  init(position: Int) {
    item = ImportedItem(position: position)
  }

  mutating func edit(
    _ cells: [(CSVImport.Column, String)]
  ) throws(ImportError) -> (Edit, ContextRecord.Kind) {
    for (column, text) in cells where !text.isEmpty { try take(text, column) }
    for note in notes { try item.add("notes", .note, note) }
    let kind = kind ?? item.likelyKind
    return (try item.edit(name: name.isEmpty ? site : name, kind: kind), kind)
  }

  private mutating func take(
    _ text: String, _ column: CSVImport.Column
  ) throws(ImportError) {
    switch column {
    case .name: name = name.isEmpty ? text : name
    case .kind: kind = Self.kinds[text.lowercased()]
    case .favourite:
      if ["1", "true", "yes"].contains(text.lowercased()) {
        try item.add(AttributeRecord.pinLabel, .boolean, "true")
      }
    case .tags:
      let tags = text.split { ";,".contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
      try item.add("tags", .tags, tags.joined(separator: ", "))
    case .folder: try item.add("folder", .text, text)
    case .code: try item.addCode(text)
    case .field("notes", _): notes.append(text)
    case .field("url", let kind): try addURLs(text, kind)
    case .field(let label, let kind): try item.add(label, kind, text)
    case .other: break
    case .custom(let label): try item.addCustom(label, text, isConcealed: true)
    }
  }

  /// Some programs put several into one field, with commas or lines between them.
  private mutating func addURLs(
    _ text: String, _ kind: AttributeRecord.Kind
  ) throws(ImportError) {
    let parts = text.split(separator: "\n").flatMap { $0.split(separator: ",") }
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    let areSites = parts.allSatisfy { $0.contains("://") }
    for url in areSites ? parts : [text] {
      try item.add(BitwardenLayout.uriLabel(urls), kind, url)
      urls += 1
    }
  }

  /// What stands between the scheme and the path of the first site: what a login without a name is
  /// called.
  private var site: String {
    let url = item.attributes.first { $0.kind == .url }?.text ?? ""
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    return String(rest.prefix { !"/?#:".contains($0) })
  }

  private static let kinds: [String: ContextRecord.Kind] = [
    "login": .account, "password": .account, "note": .note, "securenote": .note,
    "secure note": .note, "card": .card, "creditcard": .card, "credit card": .card,
    "identity": .personal,
  ]
}

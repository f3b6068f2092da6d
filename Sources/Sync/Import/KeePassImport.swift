import Foundation
import Wire

/// Reads KeePass XML 2.x, which KeePass and KeePassXC export.
///
/// An entry becomes a context: its strings become attributes, concealed where KeePass protects
/// them, its groups the attribute "folder", its tags "tags", its day of expiry "expires". Passwords
/// of its earlier states become the history of "password". Secrets for one-time codes are found
/// under the names that KeePass, KeePassXC and the plug-ins KeeOtp and KeeTrayTOTP give them.
///
/// Not kept, because an attribute has no place for it: attachments, icons, and when an entry was
/// made and last changed.
enum KeePassImport {
  static func read(_ bytes: [UInt8]) throws(ImportError) -> Imported {
    let file = try XMLReader.read(bytes)
    guard file.name == "KeePassFile", let root = file["Root"] else { throw .notKeePass }
    var walk = KeePassWalk(bin: file["Meta"]?["RecycleBinUUID"]?.text)
    for group in root.all("Group") { try walk.take(group, path: nil, isBin: false) }
    return walk.finished
  }
}

/// One walk over all groups.
private struct KeePassWalk {
  /// The group of what was deleted.
  let bin: String?
  private var imported = Imported()
  private var attachments = 0

  init(bin: String?) { self.bin = bin }

  var finished: Imported {
    var imported = imported
    if attachments > 0 {
      imported.warnings.append("\(attachments) attachments are not kept: save them as files.")
    }
    return imported
  }

  /// `path` is nil for the outermost group, whose name is that of the database.
  mutating func take(_ group: XMLElement, path: [String]?, isBin: Bool) throws(ImportError) {
    let isBin = isBin || bin.map { !$0.isEmpty && group["UUID"]?.text == $0 } ?? false
    let path = path.map { $0 + [group["Name"]?.text ?? ""] }
    for child in group.children {
      switch child.name {
      case "Entry": try take(entry: child, path: path ?? [], isBin: isBin)
      case "Group": try take(child, path: path ?? [], isBin: isBin)
      default: break
      }
    }
  }

  private mutating func take(
    entry: XMLElement, path: [String], isBin: Bool
  ) throws(ImportError) {
    guard imported.edits.count < Limits.contexts else {
      throw .overLimit(item: nil, limit: "items", allowed: Limits.contexts)
    }
    var reader = KeePassEntryReader(position: imported.edits.count + 1, entry: entry)
    imported.edits.append(try reader.edit(folder: path.joined(separator: "/"), isBin: isBin))
    imported.add(reader.item, as: reader.item.likelyKind)
    attachments += entry.all("Binary").count
  }
}

/// Turns one entry into an edit.
private struct KeePassEntryReader {
  private(set) var item: ImportedItem
  private let entry: XMLElement
  private var strings: [(key: String, text: String, isProtected: Bool)] = []

  init(position: Int, entry: XMLElement) {
    item = ImportedItem(position: position)
    self.entry = entry
  }

  mutating func edit(folder: String, isBin: Bool) throws(ImportError) -> Edit {
    strings = try Self.strings(of: entry)
    let title = take("Title") ?? ""
    try item.add("username", .username, take("UserName"))
    try addPassword()
    try addCode()
    try item.add("url", .url, take("URL"))
    let notes = take("Notes")
    for string in strings where !string.text.isEmpty {
      try item.addCustom(string.key, string.text, isConcealed: string.isProtected)
    }
    try item.add("notes", .note, notes)
    try item.add("folder", .text, folder)
    try addTags()
    try addExpiry()
    if isBin { item.warn("it was in the bin, and is imported like the others.") }
    return try item.edit(name: title, kind: item.likelyKind)
  }

  private static func strings(
    of entry: XMLElement
  ) throws(ImportError) -> [(key: String, text: String, isProtected: Bool)] {
    var found: [(key: String, text: String, isProtected: Bool)] = []
    for string in entry.all("String") {
      let value = string["Value"]
      // Inside a database values are encrypted once more; an export has them in plain text.
      guard value?.attributes["Protected"]?.lowercased() != "true" else { throw .keePassProtected }
      found.append(
        (
          string["Key"]?.text ?? "", value?.text ?? "",
          value?.attributes["ProtectInMemory"]?.lowercased() == "true"
        ))
    }
    return found
  }

  /// The value under `key`, which is then no custom field.
  private mutating func take(_ key: String) -> String? {
    strings.firstIndex { $0.key == key }.map { strings.remove(at: $0).text }
  }

  // MARK: Passwords

  private mutating func addPassword() throws(ImportError) {
    let password = take("Password") ?? ""
    try item.add("password", .password, password, history: try earlierPasswords(than: password))
  }

  /// Oldest first, as KeePass writes them. Each entry of the history is the whole entry as it was,
  /// so most do not change the password.
  private func earlierPasswords(
    than current: String
  ) throws(ImportError) -> [Edit.NewAttribute.Earlier] {
    var earlier: [Edit.NewAttribute.Earlier] = []
    for old in entry["History"]?.all("Entry") ?? [] {
      let text = try Self.strings(of: old).first { $0.key == "Password" }?.text ?? ""
      guard !text.isEmpty, text != earlier.last?.text else { continue }
      let time = old["Times"]?["LastModificationTime"].flatMap { Self.time($0.text) }
      earlier.append(Edit.NewAttribute.Earlier(text: text, at: time ?? 0))
    }
    if earlier.last?.text == current { earlier.removeLast() }
    return earlier
  }

  // MARK: One-time codes

  private mutating func addCode() throws(ImportError) {
    if let text = take("otp") { try item.addCode(Self.uri(ofKeeOtp: text) ?? text) }
    if let secret = take("TimeOtp-Secret-Base32") {
      let algorithm = take("TimeOtp-Algorithm")?
        .replacing("HMAC-", with: "").replacing("-", with: "")
      try item.addCode(
        Self.uri(
          secret: secret, period: take("TimeOtp-Period"), digits: take("TimeOtp-Length"),
          algorithm: algorithm))
    }
    if let secret = take("TOTP Seed") {
      let settings = (take("TOTP Settings") ?? "").split(separator: ";").map(String.init)
      try item.addCode(
        Self.uri(
          secret: secret, period: settings.first, digits: settings.dropFirst().first,
          algorithm: nil))
    }
  }

  /// KeeOtp writes `key=SECRET&step=30&size=6`.
  private static func uri(ofKeeOtp text: String) -> String? {
    let pairs = text.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
    guard pairs.allSatisfy({ $0.count == 2 }), pairs.first?[0] == "key" else { return nil }
    let values = Dictionary(
      pairs.map { (String($0[0]), String($0[1])) }, uniquingKeysWith: { first, _ in first })
    return uri(
      secret: values["key"] ?? "", period: values["step"], digits: values["size"],
      algorithm: values["otpHashMode"])
  }

  /// The bare secret where everything is as usual.
  private static func uri(
    secret: String, period: String?, digits: String?, algorithm: String?
  ) -> String {
    let secret = secret.filter { !$0.isWhitespace && $0 != "-" && $0 != "=" }
    let usual = ["period": "30", "digits": "6", "algorithm": "SHA1"]
    let values = ["period": period, "digits": digits, "algorithm": algorithm?.uppercased()]
    let unusual = values.compactMap { key, value in
      value.flatMap { $0.isEmpty || $0 == usual[key] ? nil : "&\(key)=\($0)" }
    }
    return unusual.isEmpty
      ? secret : "otpauth://totp/?secret=\(secret)" + unusual.sorted().joined()
  }

  // MARK: Tags and expiry

  private mutating func addTags() throws(ImportError) {
    let tags = (entry["Tags"]?.text ?? "").split { ";,".contains($0) }
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    try item.add("tags", .tags, tags.joined(separator: ", "))
  }

  private mutating func addExpiry() throws(ImportError) {
    guard let times = entry["Times"], times["Expires"]?.text.lowercased() == "true",
      let time = times["ExpiryTime"].flatMap({ Self.time($0.text) })
    else { return }
    try item.add("expires", .date, String(Timestamp.text(time).prefix(10)))
  }

  /// Milliseconds since 1970: ISO 8601, or since KDBX 4 the seconds since the year 1 in base 64,
  /// least significant byte first.
  private static func time(_ text: String) -> Int64? {
    if let time = Timestamp.milliseconds(text) { return time }
    guard let bytes = Data(base64Encoded: text), bytes.count == 8 else { return nil }
    let seconds = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let yearOne: Int64 = 62_135_596_800
    // To the end of the year 9999.
    guard seconds <= 315_537_897_599 else { return nil }
    return (Int64(seconds) - yearOne) * 1000
  }
}

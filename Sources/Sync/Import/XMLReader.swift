/// An element of an XML file with all that is in it.
struct XMLElement: Hashable, Sendable {
  let name: String
  var attributes: [String: String] = [:]
  /// The text directly in it, its pieces joined.
  var text = ""
  var children: [XMLElement] = []

  /// The first child of that name.
  subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Reads XML 1.0 in UTF-8 (W3C, fifth edition) as far as exports need it.
///
/// A document type declaration is refused: only with one could a file name other files, or grow
/// beyond its bytes. Namespaces are part of names. Comments and processing instructions are passed
/// over.
struct XMLReader {
  /// 64: folders in folders; deeper ones are a mistake, or meant to break a reader.
  static let depthLimit = 64

  private let bytes: [UInt8]
  private var place = 0

  /// The file's one element.
  static func read(_ bytes: [UInt8]) throws(ImportError) -> XMLElement {
    var reader = XMLReader(bytes)
    return try reader.document()
  }

  private init(_ bytes: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
  }

  private mutating func document() throws(ImportError) -> XMLElement {
    try skipBetween()
    guard take("<") else { throw failure }
    let root = try element(depth: 1)
    try skipBetween()
    guard place == bytes.count else { throw failure }
    return root
  }

  /// The element whose `<` was taken.
  private mutating func element(depth: Int) throws(ImportError) -> XMLElement {
    guard depth <= Self.depthLimit else { throw failure }
    var element = XMLElement(name: try name())
    element.attributes = try attributes()
    if take("/>") { return element }
    guard take(">") else { throw failure }
    var text: [UInt8] = []
    while true {
      text += try characters(until: UInt8(ascii: "<"))
      if take("<![CDATA[") {
        text += try skip(to: "]]>")
      } else if take("<!--") {
        _ = try skip(to: "-->")
      } else if take("<?") {
        _ = try skip(to: "?>")
      } else if take("</") {
        guard try name() == element.name else { throw failure }
        skipSpace()
        guard take(">") else { throw failure }
        element.text = try string(text)
        return element
      } else if take("<") {
        element.children.append(try self.element(depth: depth + 1))
      } else {
        throw failure
      }
    }
  }

  private mutating func attributes() throws(ImportError) -> [String: String] {
    var found: [String: String] = [:]
    while true {
      let hadSpace = skipSpace()
      guard place < bytes.count, ![UInt8(ascii: ">"), UInt8(ascii: "/")].contains(bytes[place])
      else { return found }
      guard hadSpace else { throw failure }
      let key = try name()
      skipSpace()
      guard take("=") else { throw failure }
      skipSpace()
      guard let quote = bytes[place...].first, [0x22, 0x27].contains(quote) else { throw failure }
      place += 1
      let value = try string(try characters(until: quote))
      guard take(String(UnicodeScalar(quote))), found.updateValue(value, forKey: key) == nil else {
        throw failure
      }
    }
  }

  private mutating func name() throws(ImportError) -> String {
    let run = bytes[place...].prefix { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x80...: true
      default:
        [UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: ".")]
          .contains(byte)
      }
    }
    guard !run.isEmpty else { throw failure }
    place += run.count
    return try string(Array(run))
  }

  /// Text up to `end`, which stays; references are what they stand for.
  private mutating func characters(until end: UInt8) throws(ImportError) -> [UInt8] {
    var text: [UInt8] = []
    while true {
      let run = bytes[place...].prefix { $0 != end && $0 != UInt8(ascii: "&") && $0 != 0x3c }
      text += run
      place += run.count
      guard place < bytes.count else { throw failure }
      if bytes[place] == end { return text }
      guard take("&") else { throw failure }
      text += try reference()
    }
  }

  private mutating func reference() throws(ImportError) -> [UInt8] {
    let run = bytes[place...].prefix(10).prefix { $0 != UInt8(ascii: ";") }
    let name = String(decoding: run, as: UTF8.self)
    place += run.count
    guard take(";") else { throw failure }
    if let known = Self.entities[name] { return [known] }
    guard name.first == "#" else { throw failure }
    let digits = name.dropFirst()
    let number =
      digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    guard let number, number > 0, let scalar = Unicode.Scalar(number) else { throw failure }
    return Array(String(scalar).utf8)
  }

  private static let entities: [String: UInt8] = [
    "amp": 0x26, "lt": 0x3c, "gt": 0x3e, "quot": 0x22, "apos": 0x27,
  ]

  /// Space, comments and instructions around the one element.
  private mutating func skipBetween() throws(ImportError) {
    while true {
      skipSpace()
      if take("<!--") {
        _ = try skip(to: "-->")
      } else if take("<?") {
        _ = try skip(to: "?>")
      } else {
        return
      }
    }
  }

  /// What stands before `end`, which is passed over, too.
  private mutating func skip(to end: String) throws(ImportError) -> ArraySlice<UInt8> {
    let end = Array(end.utf8)
    guard let found = bytes[place...].firstRange(of: end) else { throw failure }
    defer { place = found.upperBound }
    return bytes[place..<found.lowerBound]
  }

  @discardableResult
  private mutating func skipSpace() -> Bool {
    let run = bytes[place...].prefix { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
    place += run.count
    return !run.isEmpty
  }

  private mutating func take(_ text: String) -> Bool {
    guard bytes[place...].starts(with: text.utf8) else { return false }
    place += text.utf8.count
    return true
  }

  private func string(_ bytes: [UInt8]) throws(ImportError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw failure }
    // A line ends with a line feed, whatever the file has (XML 1.0, section 2.11).
    return text.utf8.contains(0x0d) ? text.replacing("\r\n", with: "\n") : text
  }

  /// Names the line that was reached.
  private var failure: ImportError {
    .notXML(line: 1 + bytes[..<min(place, bytes.count)].count { $0 == 0x0a })
  }
}

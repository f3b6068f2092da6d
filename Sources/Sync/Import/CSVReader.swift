/// Reads comma-separated values: RFC 4180, with line feeds alone allowed, and semicolons or tabs
/// where the first row has them and no comma.
struct CSVReader {
  /// 256: more columns than any export has.
  static let columnLimit = 256

  struct Row: Hashable, Sendable {
    /// The line it begins on, counted from 1.
    let line: Int
    var fields: [String]
  }

  private let bytes: [UInt8]
  private let separator: UInt8
  private var place = 0
  private var line = 1

  /// All rows but empty ones.
  static func read(_ bytes: [UInt8], rowLimit: Int) throws(ImportError) -> [Row] {
    var reader = CSVReader(bytes)
    var rows: [Row] = []
    while let row = try reader.row() {
      if row.fields == [""] { continue }
      guard rows.count < rowLimit else {
        throw .overLimit(item: nil, limit: "items", allowed: rowLimit - 1)
      }
      rows.append(row)
    }
    return rows
  }

  private init(_ bytes: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    let first = self.bytes.prefix { $0 != 0x0a }
    let others = [UInt8(ascii: ";"), 0x09].filter(first.contains)
    separator = first.contains(UInt8(ascii: ",")) ? UInt8(ascii: ",") : others.first ?? 0x2c
  }

  private mutating func row() throws(ImportError) -> Row? {
    guard place < bytes.count else { return nil }
    var row = Row(line: line, fields: [])
    repeat {
      guard row.fields.count < Self.columnLimit else { throw .notCSV(line: row.line) }
      row.fields.append(try field(of: row))
    } while take(separator)
    if take(0x0d) {
      _ = take(0x0a)
    } else if !take(0x0a), place < bytes.count {
      throw .notCSV(line: line)
    }
    line += 1
    return row
  }

  private mutating func field(of row: Row) throws(ImportError) -> String {
    guard take(UInt8(ascii: "\"")) else {
      let run = bytes[place...].prefix { $0 != separator && $0 != 0x0a && $0 != 0x0d }
      place += run.count
      return try string(Array(run), of: row)
    }
    var text: [UInt8] = []
    while true {
      let run = bytes[place...].prefix { $0 != UInt8(ascii: "\"") }
      text += run
      line += run.count { $0 == 0x0a }
      place += run.count
      guard take(UInt8(ascii: "\"")) else { throw .notCSV(line: row.line) }
      guard take(UInt8(ascii: "\"")) else { return try string(text, of: row) }
      text.append(UInt8(ascii: "\""))
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private func string(_ bytes: [UInt8], of row: Row) throws(ImportError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notCSV(line: row.line)
    }
    return text.contains("\r\n") ? text.replacing("\r\n", with: "\n") : text
  }
}

/// One request to the device listener: its head, and its body when that has come.
struct Request: Hashable, Sendable {
  let method: String
  /// Without the query, which nothing here uses: a token never stands in an address.
  let path: String
  /// Names in lower case, in the order they came.
  let headers: [Header]
  let isKeptAlive: Bool
  var body: [UInt8] = []

  struct Header: Hashable, Sendable {
    let name: String
    let value: String
  }

  func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }

  /// The value of a header that may stand once.
  func value(_ name: String) -> String? {
    guard let place = headers.firstIndex(where: { $0.name == name }),
      !headers[(place + 1)...].contains(where: { $0.name == name })
    else { return nil }
    return headers[place].value
  }

  /// Whether a header of comma-separated words has this one.
  func lists(_ word: String, in name: String) -> Bool { Self.lists(word, in: name, headers) }

  static func lists(_ word: String, in name: String, _ headers: [Header]) -> Bool {
    headers.contains { header in
      header.name == name
        && header.value.split(separator: ",").contains {
          String($0).trimmed.lowercased() == word
        }
    }
  }
}

/// Reads HTTP/1.1 requests of devices from bytes as they come.
///
/// A parser of its own because a connection that waits for hours must cost little: nothing of it is
/// left when the request is read. It takes less than HTTP allows: no folded lines, no chunked
/// bodies, ``headBytes`` at the most.
struct RequestReader: Sendable {
  enum Outcome: Hashable, Sendable {
    case more
    case request(Request)
    /// The status to answer with before the connection ends.
    case refused(Int)
  }

  /// 8 KiB: request line and headers; a token takes up to half of it.
  static let headBytes = 8 * 1024
  private static let headers = 64

  private let limitBytes: Int
  private var bytes: [UInt8] = []
  private var head: (request: Request, length: Int)?
  /// How far the end of the head was looked for.
  private var searched = 0

  /// - Parameter limitBytes: What a body may have.
  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// What has come after the request that was read, which belongs to the next one.
  mutating func takeRest() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  mutating func read(_ new: some Sequence<UInt8>) -> Outcome {
    bytes += new
    do throws(Refused) {
      if head == nil { try readHead() }
      guard case (var request, let length)? = head else { return .more }
      guard bytes.count >= length else { return .more }
      request.body = Array(bytes.prefix(length))
      bytes.removeFirst(length)
      head = nil
      return .request(request)
    } catch {
      return .refused(error.status)
    }
  }

  private struct Refused: Error {
    let status: Int
  }

  private mutating func readHead() throws(Refused) {
    guard let end = endOfHead() else {
      guard bytes.count <= Self.headBytes else { throw Refused(status: 431) }
      return
    }
    guard end <= Self.headBytes else { throw Refused(status: 431) }
    let lines = try lines(upTo: end - 4)
    var headers: [Request.Header] = []
    headers.reserveCapacity(lines.count - 1)
    for line in lines.dropFirst() { headers.append(try header(line)) }
    let request = try request(line: lines[0], headers)
    head = (request, try bodyLength(request))
    bytes.removeFirst(end)
    searched = 0
  }

  /// Behind the empty line.
  private mutating func endOfHead() -> Int? {
    let from = max(0, searched - 3)
    searched = bytes.count
    guard from <= bytes.count - 4 else { return nil }
    return bytes.withUnsafeBufferPointer { bytes in
      for start in from...(bytes.count - 4)
      where bytes[start] == 13 && bytes[start + 1] == 10 && bytes[start + 2] == 13
        && bytes[start + 3] == 10
      {
        return start + 4
      }
      return nil
    }
  }

  /// Where the lines are, without their ends.
  private func lines(upTo end: Int) throws(Refused) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    var place = 0
    while place < end {
      switch bytes[place] {
      // Names and values are ASCII; a control byte in them is an attack or an accident.
      case 0x20...0x7e, 0x09: place += 1
      case 13 where bytes[place + 1] == 10:
        lines.append(start..<place)
        place += 2
        start = place
      default: throw Refused(status: 400)
      }
    }
    lines.append(start..<end)
    guard lines.count <= Self.headers + 1 else { throw Refused(status: 400) }
    return lines
  }

  private mutating func header(_ line: Range<Int>) throws(Refused) -> Request.Header {
    guard let colon = bytes[line].firstIndex(of: 0x3a), colon > line.lowerBound else {
      throw Refused(status: 400)
    }
    // A space before the colon, or a folded line, is how requests are smuggled.
    for place in line.lowerBound..<colon {
      guard Self.isToken(bytes[place]) else { throw Refused(status: 400) }
      if (0x41...0x5a).contains(bytes[place]) { bytes[place] |= 0x20 }
    }
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    var value = bytes[(colon + 1)..<line.upperBound].drop(while: isBlank)
    while let last = value.last, isBlank(last) { value.removeLast() }
    return Request.Header(
      name: String(decoding: bytes[line.lowerBound..<colon], as: UTF8.self),
      value: String(decoding: value, as: UTF8.self))
  }

  /// RFC 9110, section 5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private func request(
    line: Range<Int>, _ headers: [Request.Header]
  ) throws(Refused) -> Request {
    let parts = bytes[line].split(separator: 0x20, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(Self.isToken),
      parts[1].first == 0x2f
    else { throw Refused(status: 400) }
    let isNewer = parts[2].elementsEqual("HTTP/1.1".utf8)
    guard isNewer || parts[2].elementsEqual("HTTP/1.0".utf8) else { throw Refused(status: 505) }
    guard !isNewer || headers.count(where: { $0.name == "host" }) == 1 else {
      throw Refused(status: 400)
    }
    return Request(
      method: String(decoding: parts[0], as: UTF8.self),
      path: String(decoding: parts[1].prefix { $0 != 0x3f }, as: UTF8.self),
      headers: headers, isKeptAlive: isNewer && !Request.lists("close", in: "connection", headers))
  }

  private func bodyLength(_ request: Request) throws(Refused) -> Int {
    guard request.values("transfer-encoding").isEmpty else { throw Refused(status: 411) }
    let lengths = request.values("content-length")
    guard let first = lengths.first else { return 0 }
    guard lengths.count == 1, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let length = Int(first)
    else { throw Refused(status: 400) }
    guard length <= limitBytes else { throw Refused(status: 413) }
    return length
  }
}

extension String {
  /// Without spaces and tabs around it.
  var trimmed: String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    var rest = self[...].drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return String(rest)
  }
}

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
    let values = values(name)
    return values.count == 1 ? values[0] : nil
  }

  /// Whether a header of comma-separated words has this one.
  func lists(_ word: String, in name: String) -> Bool {
    values(name).contains { value in
      value.split(separator: ",").contains {
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
    let text = bytes[..<(end - 4)]
    // Names and values are ASCII; a control byte in them is an attack or an accident.
    guard text.allSatisfy({ (0x20...0x7e).contains($0) || [0x0d, 0x0a, 0x09].contains($0) }) else {
      throw Refused(status: 400)
    }
    var lines = String(decoding: text, as: UTF8.self)
      .split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)[...]
    guard let first = lines.popFirst(), lines.count <= Self.headers else {
      throw Refused(status: 400)
    }
    var headers: [Request.Header] = []
    for line in lines { headers.append(try header(line)) }
    let request = try request(line: first, headers)
    head = (request, try bodyLength(request))
    bytes.removeFirst(end)
    searched = 0
  }

  private mutating func endOfHead() -> Int? {
    let from = max(0, searched - 3)
    searched = bytes.count
    guard bytes.count >= 4, from <= bytes.count - 4 else { return nil }
    for start in from...(bytes.count - 4)
    where bytes[start] == 13 && bytes[start + 1] == 10 && bytes[start + 2] == 13
      && bytes[start + 3] == 10
    {
      return start + 4
    }
    return nil
  }

  private func header(_ line: String) throws(Refused) -> Request.Header {
    guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
      !line.contains("\r"), !line.contains("\n")
    else { throw Refused(status: 400) }
    let name = line[..<colon].lowercased()
    // A space before the colon, or a folded line, is how requests are smuggled.
    guard name.utf8.allSatisfy(Self.isToken) else { throw Refused(status: 400) }
    return Request.Header(name: name, value: String(line[line.index(after: colon)...]).trimmed)
  }

  /// RFC 9110, section 5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private func request(line: String, _ headers: [Request.Header]) throws(Refused) -> Request {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].utf8.allSatisfy(Self.isToken),
      parts[1].hasPrefix("/")
    else { throw Refused(status: 400) }
    guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else { throw Refused(status: 505) }
    let path = String(parts[1].prefix { $0 != "?" })
    var request = Request(
      method: String(parts[0]), path: path, headers: headers,
      isKeptAlive: parts[2] == "HTTP/1.1")
    guard parts[2] == "HTTP/1.0" || request.values("host").count == 1 else {
      throw Refused(status: 400)
    }
    if request.lists("close", in: "connection") {
      request = Request(
        method: request.method, path: path, headers: headers, isKeptAlive: false)
    }
    return request
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

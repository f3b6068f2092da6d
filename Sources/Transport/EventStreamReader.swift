/// Takes a stream of Server-Sent Events apart (HTML standard, section 9.2.6): lines end with CR LF,
/// LF or CR, and an empty line ends an event.
struct EventStreamReader {
  static let mediaType = "text/event-stream"

  enum Item: Equatable {
    /// `message` is the name of an event without one.
    case event(String, [UInt8])
    /// Keeps the connection open, and says nothing.
    case comment
  }

  /// Of a line, and of the data of an event.
  let limitBytes: Int
  private var line: [UInt8] = []
  private var name = ""
  private var data: [UInt8]?
  private var endedWithReturn = false

  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  mutating func read(_ bytes: some Sequence<UInt8>) throws(TransportError) -> [Item] {
    var items: [Item] = []
    for byte in bytes {
      defer { endedWithReturn = byte == 0x0d }
      switch byte {
      case 0x0a where endedWithReturn: continue
      case 0x0a, 0x0d:
        if let item = take(line) { items.append(item) }
        line.removeAll(keepingCapacity: true)
      default:
        guard line.count + (data?.count ?? 0) < limitBytes else {
          throw .protocolViolation(reason: "the server sent a frame that is too long")
        }
        line.append(byte)
      }
    }
    return items
  }

  private mutating func take(_ line: [UInt8]) -> Item? {
    guard !line.isEmpty else {
      defer { (name, data) = ("", nil) }
      return data.map { .event(name.isEmpty ? "message" : name, $0) }
    }
    guard line[0] != UInt8(ascii: ":") else { return .comment }
    let parts = line.split(
      separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    var value = parts.count > 1 ? parts[1] : []
    if value.first == 0x20 { value = value.dropFirst() }
    switch String(decoding: parts[0], as: UTF8.self) {
    case "event": name = String(decoding: value, as: UTF8.self)
    case "data": data = data.map { $0 + [0x0a] + value } ?? Array(value)
    default: break
    }
    return nil
  }
}

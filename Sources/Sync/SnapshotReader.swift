import Foundation
import Wire

/// Reads a piece of a snapshot (``SnapshotCodec``); any bytes either read or are refused.
struct SnapshotReader {
  private let bytes: [UInt8]
  private var position = 0
  private var devices: [DeviceID] = []
  private var context: ContextID?
  private var attribute: AttributeID?
  private var book = ContentBook()

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  static func entries(of piece: [UInt8]) throws(SnapshotError) -> [ReplicaEntry] {
    guard piece.count <= Limits.snapshotChunkBytes else { throw .malformed(field: "length") }
    guard piece.starts(with: SnapshotCodec.magic) else { throw .malformed(field: "magic") }
    var reader = SnapshotReader(piece)
    reader.position = SnapshotCodec.magic.count
    reader.devices = try reader.ids()
    var entries: [ReplicaEntry] = []
    while reader.position < piece.count { entries.append(try reader.entry()) }
    return entries
  }

  private mutating func entry() throws(SnapshotError) -> ReplicaEntry {
    let flags = try byte()
    if flags & SnapshotCodec.Flag.context != 0 { context = try id() }
    guard let context else { throw .malformed(field: "context") }
    let register = Int(flags >> SnapshotCodec.Flag.registerShift & 3)
    let place = RegisterPlace(
      context: context, attribute: try attribute(flags),
      register: SnapshotCodec.registers.indices.contains(register)
        ? SnapshotCodec.registers[register] : Operation.Register(rawValue: try text()))
    guard flags & SnapshotCodec.Flag.forgotten == 0 else {
      guard flags & (SnapshotCodec.Flag.content | SnapshotCodec.Flag.rare) == 0 else {
        throw .malformed(field: "flags")
      }
      return ReplicaEntry(place: place, content: .forgotten(try ids()))
    }
    return ReplicaEntry(place: place, content: .version(try version(flags)))
  }

  private mutating func attribute(_ flags: UInt8) throws(SnapshotError) -> AttributeID? {
    let isSame = flags & SnapshotCodec.Flag.sameAttribute != 0
    if flags & SnapshotCodec.Flag.attribute != 0 {
      guard !isSame else { throw .malformed(field: "flags") }
      attribute = try id()
    } else if !isSame {
      attribute = nil
    } else if attribute == nil || flags & SnapshotCodec.Flag.context != 0 {
      throw .malformed(field: "attribute")
    }
    return attribute
  }

  private mutating func version(_ flags: UInt8) throws(SnapshotError) -> Version {
    let id: VersionID = try id()
    let time = try time()
    let author = try number()
    guard author < UInt64(devices.count) else { throw .malformed(field: "author") }
    let sequence = try number()
    guard sequence > 0, sequence != Version.uncommitted else {
      throw .malformed(field: "sequence")
    }
    let supersedes: [VersionID] = try ids()
    let content = flags & SnapshotCodec.Flag.content == 0 ? nil : try content()
    let rare = flags & SnapshotCodec.Flag.rare == 0 ? 0 : try byte()
    guard rare & ~SnapshotCodec.Rare.all == 0 else { throw .malformed(field: "fields") }
    return Version(
      id: id, time: time, device: devices[Int(author)], sequence: sequence, content: content,
      supersedes: supersedes,
      seen: rare & SnapshotCodec.Rare.seen == 0 ? [] : try ids(),
      undoes: rare & SnapshotCodec.Rare.undoes == 0
        ? nil : ChangeSet.ID(time: try self.time(), device: try self.id()),
      copies: rare & SnapshotCodec.Rare.copies == 0 ? nil : try self.id(),
      others: rare & SnapshotCodec.Rare.others == 0 ? [:] : try object(), in: &book)
  }

  private mutating func content() throws(SnapshotError) -> Operation.Content {
    let fields = try byte()
    var content = Operation.Content()
    if fields & SnapshotCodec.Field.name != 0 { content.name = try text() }
    if fields & SnapshotCodec.Field.kind != 0 { content.kind = try text() }
    if fields & SnapshotCodec.Field.label != 0 { content.label = try text() }
    if fields & SnapshotCodec.Field.order != 0 { content.order = try text() }
    if fields & SnapshotCodec.Field.text != 0 { content.text = try text() }
    if fields & SnapshotCodec.Field.others != 0 { content.others = try object() }
    if fields & SnapshotCodec.Field.isConcealedKnown != 0 {
      content.concealed = fields & SnapshotCodec.Field.isConcealed != 0
    }
    return content
  }

  private mutating func byte() throws(SnapshotError) -> UInt8 {
    guard position < bytes.count else { throw .malformed(field: "length") }
    defer { position += 1 }
    return bytes[position]
  }

  /// Ten bytes at the most, and no bits beyond 64.
  private mutating func number() throws(SnapshotError) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
      let byte = try byte()
      let bits = UInt64(byte & 127)
      guard shift < 63 || bits <= 1 else { break }
      number |= bits << shift
      if byte < 128 { return number }
    }
    throw .malformed(field: "number")
  }

  /// A count of things of `size` bytes each; nothing is allocated before they were found there.
  private mutating func count(of size: Int) throws(SnapshotError) -> Int {
    let count = try number()
    guard count <= UInt64((bytes.count - position) / size) else {
      throw .malformed(field: "length")
    }
    return Int(count)
  }

  private mutating func id<Kind>() throws(SnapshotError) -> Identifier<Kind> {
    let end = position + Identifier<Kind>.byteCount
    guard end <= bytes.count, let id = Identifier<Kind>(bytes: bytes[position..<end]) else {
      throw .malformed(field: "length")
    }
    position = end
    return id
  }

  private mutating func ids<Kind>() throws(SnapshotError) -> [Identifier<Kind>] {
    let count = try count(of: Identifier<Kind>.byteCount)
    guard count > 0 else { return [] }
    var ids: [Identifier<Kind>] = []
    ids.reserveCapacity(count)
    for _ in 0..<count { ids.append(try id()) }
    return ids
  }

  private mutating func text() throws(SnapshotError) -> String {
    let count = try count(of: 1)
    let end = position + count
    guard let text = String(validating: bytes[position..<end], as: UTF8.self) else {
      throw .malformed(field: "text")
    }
    position = end
    return text
  }

  private mutating func object() throws(SnapshotError) -> [String: JSONValue] {
    let text = try text()
    do {
      let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
      if case .object(let keys) = value { return keys }
    } catch {
      throw .malformed(field: "keys")
    }
    throw .malformed(field: "keys")
  }

  private mutating func time() throws(SnapshotError) -> HybridTime {
    let milliseconds = Int64(bitPattern: try number())
    let counter = try number()
    guard counter <= UInt64(UInt16.max) else { throw .malformed(field: "counter") }
    return HybridTime(milliseconds: milliseconds, counter: UInt16(counter))
  }
}

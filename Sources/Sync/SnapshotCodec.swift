import Wire

/// Why a snapshot is not believed.
public enum SnapshotError: Error, Hashable, Sendable {
  /// A piece does not read; `field` says where.
  case malformed(field: String)
  /// The replica made of it has another state root than its author wrote.
  case wrongRoot
}

/// A piece of a snapshot in bytes: versions with their places. Every piece reads alone.
///
/// Integers are LEB128 (seven bits a byte, the lowest first), ids 16 bytes, texts a length and
/// UTF-8:
/// ```
/// "HRP1" | n, n × device | entry*
/// entry   = flags u8 | [context] | [attribute] | [register's name] | version or forgotten
/// flags     1 context follows, else as before; 2 attribute follows; 4 attribute as before;
///           8 and 16 register: 0 description, 1 value, 2 existence, 3 its name follows;
///           32 forgotten; 64 content; 128 rare
/// version = id | milliseconds | counter | author (its place in the list of devices) | sequence
///           | n, n × superseded id | [content] | [rare]
/// content = fields u8: 1 name, 2 kind, 4 label, 8 order, 16 text, 32 concealed is known,
///           64 concealed, 128 other keys as a JSON object; then each text
/// rare    = fields u8: 1 seen, 2 undoes, 4 copies, 8 other keys; then n, n × id | milliseconds,
///           counter, device | id | text
/// forgotten = n, n × id
/// ```
/// A version that several commits hold comes once for each.
enum SnapshotCodec {
  static let magic = Array("HRP1".utf8)
  /// 48 KiB: what a piece grows to, so that it fits a chunk of 64 KiB with room to spare. Only a
  /// version that is larger alone makes a larger one.
  static let pieceBytes = 48 * 1024
  /// Devices one piece names; more begin the next.
  static let devices = 200
  /// Ids in one entry of forgotten versions: 16 KiB.
  static let forgottenIDs = 1024

  enum Flag {
    static let context: UInt8 = 1
    static let attribute: UInt8 = 2
    static let sameAttribute: UInt8 = 4
    static let registerShift: UInt8 = 3
    static let forgotten: UInt8 = 32
    static let content: UInt8 = 64
    static let rare: UInt8 = 128
  }

  enum Field {
    static let name: UInt8 = 1
    static let kind: UInt8 = 2
    static let label: UInt8 = 4
    static let order: UInt8 = 8
    static let text: UInt8 = 16
    static let isConcealedKnown: UInt8 = 32
    static let isConcealed: UInt8 = 64
    static let others: UInt8 = 128
  }

  enum Rare {
    static let seen: UInt8 = 1
    static let undoes: UInt8 = 2
    static let copies: UInt8 = 4
    static let others: UInt8 = 8
    static let all: UInt8 = 15
  }

  static let registers: [Operation.Register] = [.description, .value, .existence]
}

/// Writes entries into as many pieces as they need.
struct SnapshotWriter {
  private var pieces: [[UInt8]] = []
  private var body: [UInt8] = []
  private var devices: [DeviceID] = []
  /// The place of the entry before, within this piece.
  private var last: RegisterPlace?
  private(set) var versionCount = 0

  /// Writes it once for each commit that holds it: a union has them all again.
  mutating func write(_ version: Version, at place: RegisterPlace) throws {
    for placement in version.placements { try write(version, in: placement, at: place) }
  }

  private mutating func write(
    _ version: Version, in commit: Version.Placement, at place: RegisterPlace
  ) throws {
    let others = try version.others.isEmpty ? nil : JSONValue.object(version.others).encoded()
    let contentOthers: String? =
      if let keys = version.content?.others, !keys.isEmpty {
        try JSONValue.object(keys).encoded()
      } else { nil }
    write(at: place) { writer in
      var flags: UInt8 = version.content == nil ? 0 : SnapshotCodec.Flag.content
      if version.hasRare { flags |= SnapshotCodec.Flag.rare }
      writer.writeFront(flags, at: place)
      writer.body.append(id: version.id)
      writer.body.append(version.time)
      writer.body.append(number: UInt64(writer.index(of: commit.device)))
      writer.body.append(number: commit.sequence)
      writer.body.append(ids: version.supersedes)
      if let content = version.content { writer.body.append(content, others: contentOthers) }
      if version.hasRare { writer.body.append(rareOf: version, others: others) }
    }
    versionCount += 1
  }

  mutating func write(forgotten ids: [VersionID], at place: RegisterPlace) {
    var rest = ids[...]
    while !rest.isEmpty {
      let some = rest.prefix(SnapshotCodec.forgottenIDs)
      rest = rest.dropFirst(some.count)
      write(at: place) { writer in
        writer.writeFront(SnapshotCodec.Flag.forgotten, at: place)
        writer.body.append(ids: Array(some))
      }
    }
  }

  mutating func finished() -> [[UInt8]] {
    flush()
    return pieces
  }

  /// Writes one entry here or, where it does not fit, in the next piece.
  private mutating func write(at place: RegisterPlace, _ entry: (inout SnapshotWriter) -> Void) {
    let before = (count: body.count, devices: devices.count, last: last)
    entry(&self)
    last = place
    let isTooLarge =
      bytesSoFar > SnapshotCodec.pieceBytes || devices.count > SnapshotCodec.devices
    guard isTooLarge, before.count > 0 else { return }
    body.removeLast(body.count - before.count)
    devices.removeLast(devices.count - before.devices)
    flush()
    entry(&self)
    last = place
  }

  private var bytesSoFar: Int {
    SnapshotCodec.magic.count + 2 + devices.count * DeviceID.byteCount + body.count
  }

  private mutating func flush() {
    guard !body.isEmpty else { return }
    var piece = SnapshotCodec.magic
    piece.reserveCapacity(bytesSoFar)
    piece.append(ids: devices)
    piece += body
    pieces.append(piece)
    (body, devices, last) = ([], [], nil)
  }

  private mutating func writeFront(_ flags: UInt8, at place: RegisterPlace) {
    let known = SnapshotCodec.registers.firstIndex(of: place.register)
    var flags = flags | UInt8(known ?? 3) << SnapshotCodec.Flag.registerShift
    let isSameContext = last?.context == place.context
    if !isSameContext { flags |= SnapshotCodec.Flag.context }
    let isSameAttribute = isSameContext && last?.attribute == place.attribute
    if place.attribute != nil {
      flags |=
        isSameAttribute ? SnapshotCodec.Flag.sameAttribute : SnapshotCodec.Flag.attribute
    }
    body.append(flags)
    if !isSameContext { body.append(id: place.context) }
    if let attribute = place.attribute, !isSameAttribute { body.append(id: attribute) }
    if known == nil { body.append(text: place.register.rawValue) }
  }

  private mutating func index(of device: DeviceID) -> Int {
    if let index = devices.firstIndex(of: device) { return index }
    devices.append(device)
    return devices.count - 1
  }
}

extension Version {
  fileprivate var hasRare: Bool {
    !seen.isEmpty || undoes != nil || copies != nil || !others.isEmpty
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: UInt64) {
    var rest = number
    while rest >= 128 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  fileprivate mutating func append<Kind>(id: Identifier<Kind>) {
    append(contentsOf: id.bytes)
  }

  fileprivate mutating func append<Kind>(ids: [Identifier<Kind>]) {
    append(number: UInt64(ids.count))
    for id in ids { append(id: id) }
  }

  fileprivate mutating func append(text: String) {
    append(number: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }

  fileprivate mutating func append(_ time: HybridTime) {
    append(number: UInt64(bitPattern: time.milliseconds))
    append(number: UInt64(time.counter))
  }

  fileprivate mutating func append(_ content: Operation.Content, others: String?) {
    let fields: [(UInt8, String?)] = [
      (SnapshotCodec.Field.name, content.name), (SnapshotCodec.Field.kind, content.kind),
      (SnapshotCodec.Field.label, content.label), (SnapshotCodec.Field.order, content.order),
      (SnapshotCodec.Field.text, content.text), (SnapshotCodec.Field.others, others),
    ]
    var mask = fields.reduce(0 as UInt8) { $1.1 == nil ? $0 : $0 | $1.0 }
    if let isConcealed = content.concealed {
      mask |= SnapshotCodec.Field.isConcealedKnown
      if isConcealed { mask |= SnapshotCodec.Field.isConcealed }
    }
    append(mask)
    for case (_, let text?) in fields { append(text: text) }
  }

  fileprivate mutating func append(rareOf version: Version, others: String?) {
    var mask: UInt8 = version.seen.isEmpty ? 0 : SnapshotCodec.Rare.seen
    if version.undoes != nil { mask |= SnapshotCodec.Rare.undoes }
    if version.copies != nil { mask |= SnapshotCodec.Rare.copies }
    if others != nil { mask |= SnapshotCodec.Rare.others }
    append(mask)
    if !version.seen.isEmpty { append(ids: version.seen) }
    if let undoes = version.undoes {
      append(undoes.time)
      append(id: undoes.device)
    }
    if let copies = version.copies { append(id: copies) }
    if let others { append(text: others) }
  }
}

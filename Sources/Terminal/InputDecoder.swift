import Selector

/// Turns what a terminal sends into keys and pastes. A value without a clock: whoever reads waits
/// `waitMilliseconds` for more and then calls `flush`.
struct InputDecoder: Sendable {
  /// 1 MiB: sixteen times the longest value an attribute can have.
  static let pasteLimitBytes = 1 << 20

  /// 25 ms: how long ESC may be alone before it is the Escape key; a terminal sends its sequences
  /// in one piece, a person is slower.
  static let escapeWait = 25
  /// 500 ms: how long the rest of what can only be a sequence or a character may take.
  static let restWait = 500

  private static let escape: UInt8 = 0x1B
  private static let pasteEnd: [UInt8] = [0x1B] + Array("[201~".utf8)

  private let table: KeyTable
  private let erase: UInt8
  private let pasteLimit: Int
  private var bytes: [UInt8] = []
  /// The paste being read, and how long it is including what is over the limit.
  private var paste: [UInt8]?
  private var pasteCount = 0
  private var typed = ""
  private var events: [TerminalEvent] = []

  /// - Parameters:
  ///   - table: sequences of the terminal's description; xterm's own are always understood.
  ///   - erase: the byte Backspace sends, as the line is set; 0x7F always is Backspace too.
  ///   - pasteLimit: bytes a paste may have.
  init(
    table: KeyTable = KeyTable(), erase: UInt8 = 0x7F, pasteLimit: Int = Self.pasteLimitBytes
  ) {
    self.table = table
    self.erase = erase
    self.pasteLimit = pasteLimit
  }

  /// How long to wait for the rest of what has begun; nil when nothing has, or a paste has, which
  /// takes as long as it takes.
  var waitMilliseconds: Int? {
    guard paste == nil, !bytes.isEmpty else { return nil }
    return isAmbiguous ? Self.escapeWait : Self.restWait
  }

  /// ESC, ESC ESC, ESC [ and ESC O are keys of their own if nothing follows.
  private var isAmbiguous: Bool {
    bytes[0] == Self.escape && bytes.count <= 2
  }

  /// What is complete after these bytes, in order.
  mutating func feed(_ new: some Sequence<UInt8>) -> [TerminalEvent] {
    bytes += new
    readAll()
    return takeEvents()
  }

  /// Nothing more came in time: what an ambiguous beginning means by itself. An unfinished sequence
  /// or character is dropped.
  mutating func flush() -> [TerminalEvent] {
    guard paste == nil, !bytes.isEmpty else { return [] }
    if isAmbiguous {
      let rest = bytes.count == 2 ? bytes[1] : nil
      switch rest {
      case nil: emit(.named(.escape))
      case Self.escape:
        emit(.named(.escape))
        emit(.named(.escape))
      case let letter?:
        if letter < 0x80 { emit(.alt(Character(Unicode.Scalar(letter)))) }
      }
    }
    bytes = []
    return takeEvents()
  }

  private mutating func takeEvents() -> [TerminalEvent] {
    flushTyped()
    defer { events = [] }
    return events
  }

  /// What stands at a place of `bytes`.
  private enum Piece {
    case incomplete
    case text(Unicode.Scalar, length: Int)
    /// A key; nil for something that is none and is passed over.
    case key(Key?, length: Int)
    case pasteStart(length: Int)
    case mouse(Mouse, length: Int)
  }

  private mutating func readAll() {
    var place = 0
    while place < bytes.count {
      if paste != nil {
        guard readPaste(&place) else { break }
        continue
      }
      switch piece(at: place) {
      case .incomplete:
        bytes.removeFirst(place)
        return
      case .text(let scalar, let length):
        typed.unicodeScalars.append(scalar)
        place += length
      case .key(let key, let length):
        if let key { emit(key) }
        place += length
      case .mouse(let mouse, let length):
        flushTyped()
        events.append(.mouse(mouse))
        place += length
      case .pasteStart(let length):
        flushTyped()
        paste = []
        pasteCount = 0
        place += length
      }
    }
    bytes.removeFirst(place)
  }

  private func piece(at place: Int) -> Piece {
    let rest = bytes[place...]
    let first = bytes[place]
    if first == erase || first == 0x7F { return .key(.named(.backspace), length: 1) }
    switch table.match(rest) {
    case .key(let key, let length): return .key(key, length: length)
    case .beginning where first != Self.escape: return .incomplete
    default: break
    }
    if first == Self.escape { return escaped(rest) }
    if first < 0x20 { return .key(Self.control(first), length: 1) }
    return Self.character(rest)
  }

  /// What begins with ESC.
  private func escaped(_ rest: ArraySlice<UInt8>) -> Piece {
    guard rest.count > 1 else { return .incomplete }
    let second = rest[rest.startIndex + 1]
    switch second {
    case UInt8(ascii: "["): return sequence(rest)
    case UInt8(ascii: "O"):
      guard rest.count > 2 else { return .incomplete }
      return .key(EscapeSequence.singleShift(rest[rest.startIndex + 2]), length: 3)
    case Self.escape: return doubleEscape(rest)
    default:
      switch piece(at: rest.startIndex + 1) {
      case .incomplete: return .incomplete
      case .text(let scalar, let length):
        return .key(.alt(Character(scalar)), length: length + 1)
      case .key(let key, let length): return .key(key.map(Self.withAlt), length: length + 1)
      case .pasteStart(let length): return .pasteStart(length: length + 1)
      case .mouse(let mouse, let length): return .mouse(mouse, length: length + 1)
      }
    }
  }

  /// Escape twice, or Alt with a key that itself sends a sequence, as rxvt does.
  private func doubleEscape(_ rest: ArraySlice<UInt8>) -> Piece {
    guard rest.count > 2 else { return .incomplete }
    let third = rest[rest.startIndex + 2]
    if third == UInt8(ascii: "[") || third == UInt8(ascii: "O") {
      switch escaped(rest.dropFirst()) {
      case .key(let key?, let length): return .key(Self.withAlt(key), length: length + 1)
      case .incomplete: return .incomplete
      default: break
      }
    }
    return .key(.named(.escape), length: 1)
  }

  private func sequence(_ rest: ArraySlice<UInt8>) -> Piece {
    switch EscapeSequence.read(rest) {
    case .incomplete:
      return .incomplete
    case .malformed(let length):
      return length == 2 ? .key(.alt("["), length: 2) : .key(nil, length: length)
    case .complete(let sequence):
      if sequence.final == UInt8(ascii: "~"), sequence.parameters == [200] {
        return .pasteStart(length: sequence.length)
      }
      // The Linux console's F1 to F5 are ESC [ [ A and so on, known only from its description.
      if sequence.final == UInt8(ascii: "["), table.match(rest) == .beginning {
        return .incomplete
      }
      if let mouse = sequence.mouse { return .mouse(mouse, length: sequence.length) }
      return .key(sequence.key, length: sequence.length)
    }
  }

  private static func withAlt(_ key: Key) -> Key {
    Key(key.symbol, key.modifiers.union(.alt))
  }

  private static func control(_ byte: UInt8) -> Key {
    switch byte {
    case 0: return .control(" ")
    case 0x09: return .named(.tab)
    case 0x0A, 0x0D: return .named(.enter)
    case 1...26: return .control(Character(Unicode.Scalar(byte + 0x60)))
    default: return .control(Character(Unicode.Scalar(byte + 0x40)))
    }
  }

  /// One UTF-8 character, or a byte that begins none.
  private static func character(_ rest: ArraySlice<UInt8>) -> Piece {
    let length: Int
    switch rest[rest.startIndex] {
    case 0x20..<0x7F: length = 1
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF: length = 3
    case 0xF0...0xF4: length = 4
    default: return .key(nil, length: 1)
    }
    let candidate = rest.prefix(length)
    let tail = candidate.dropFirst()
    guard tail.allSatisfy({ $0 & 0xC0 == 0x80 }) else { return .key(nil, length: 1) }
    guard candidate.count == length else { return .incomplete }
    guard let scalar = String(validating: candidate, as: UTF8.self)?.unicodeScalars.first else {
      return .key(nil, length: length)
    }
    return .text(scalar, length: length)
  }

  private mutating func emit(_ key: Key) {
    flushTyped()
    events.append(.key(key))
  }

  /// Scalars that arrived together are split into what a person calls characters.
  private mutating func flushTyped() {
    events += typed.map { .key(.character($0)) }
    typed = ""
  }
}

extension InputDecoder {
  /// Moves what belongs to the paste out of `bytes`. False when its end has not come yet.
  private mutating func readPaste(_ place: inout Int) -> Bool {
    let rest = bytes[place...]
    guard let end = rest.firstRange(of: Self.pasteEnd) else {
      // The end mark may have come in part.
      let kept = Self.unfinishedEnd(rest)
      append(rest.dropLast(kept))
      place = bytes.count - kept
      return false
    }
    append(rest[..<end.lowerBound])
    place = end.upperBound
    finishPaste()
    return true
  }

  private mutating func append(_ part: ArraySlice<UInt8>) {
    pasteCount += part.count
    let room = pasteLimit - (paste?.count ?? 0)
    paste?.append(contentsOf: part.prefix(room))
  }

  private mutating func finishPaste() {
    let pasted = paste ?? []
    paste = nil
    if pasteCount > pasteLimit {
      events.append(.pasteRefused(bytes: pasteCount))
    } else {
      events.append(.paste(Self.withPlainLineEnds(pasted)))
    }
  }

  private static func unfinishedEnd(_ rest: ArraySlice<UInt8>) -> Int {
    let longest = min(rest.count, pasteEnd.count - 1)
    return (0...longest).last { rest.suffix($0).elementsEqual(pasteEnd.prefix($0)) } ?? 0
  }

  /// Terminals send a line's end as CR.
  private static func withPlainLineEnds(_ bytes: [UInt8]) -> String {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var before: UInt8 = 0
    for byte in bytes {
      if byte == 0x0A && before == 0x0D {
        before = byte
        continue
      }
      plain.append(byte == 0x0D ? 0x0A : byte)
      before = byte
    }
    return String(decoding: plain, as: UTF8.self)
  }
}

/// Reads what a WebSocket client sends (RFC 6455, section 5), however the bytes are cut.
///
/// Every rule of the protocol is checked here: masks, reserved bits and opcodes, fragmentation,
/// control frames, close codes, and UTF-8 as it arrives, so that text which cannot become valid is
/// refused before its end. Extensions are never agreed on, so reserved bits are always wrong.
struct WebSocketReader: Sendable {
  enum Item: Hashable, Sendable {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong
    /// A part of a message that is not whole yet.
    case part
    /// The peer closes; nil where it gave no code.
    case close(UInt16?)
    /// A rule was broken: nothing more is read.
    case violation(CloseCode)
  }

  private enum Opcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
  }

  private struct Frame {
    let opcode: Opcode
    let isFinal: Bool
    var remaining: Int
    let mask: (UInt8, UInt8, UInt8, UInt8)
    var position = 0
  }

  /// RFC 6455, section 5.5: what a control frame may carry.
  private static let controlBytes = 125

  private let limitBytes: Int
  /// The head of a frame that has not arrived whole.
  private var head: [UInt8] = []
  private var frame: Frame?
  private var control: [UInt8] = []
  private var message: [UInt8] = []
  /// The kind of the message whose parts are being put together.
  private var kind: Opcode?
  private var utf8 = UTF8Checker()
  private var isOver = false

  /// - Parameter limitBytes: What a whole message may have.
  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// Whether a new reader would read on just as well.
  var isBetweenMessages: Bool { head.isEmpty && frame == nil && kind == nil && !isOver }

  /// Takes the next bytes and answers with what they complete, in order.
  mutating func read(_ bytes: some Sequence<UInt8>) -> [Item] {
    var items: [Item] = []
    var input = Array(bytes)[...]
    while !isOver, !input.isEmpty || frame?.remaining == 0 {
      do throws(MessageViolation) {
        if frame == nil {
          try readHead(&input)
        } else if let item = try readPayload(&input) {
          items.append(item)
          if case .close = item { isOver = true }
        }
      } catch {
        items.append(.violation(error.code))
        isOver = true
      }
    }
    return items
  }

  // MARK: heads

  private mutating func readHead(_ input: inout ArraySlice<UInt8>) throws(MessageViolation) {
    if head.isEmpty, let (frame, size) = try frame(headOf: input) {
      input = input.dropFirst(size)
      self.frame = frame
      return
    }
    while let byte = input.popFirst() {
      head.append(byte)
      guard let (frame, _) = try frame(headOf: head[...]) else { continue }
      self.frame = frame
      head = []
      return
    }
  }

  /// The frame whose head the bytes begin with, and how long that is; nil while it is not whole.
  private func frame(
    headOf bytes: ArraySlice<UInt8>
  ) throws(MessageViolation) -> (Frame, size: Int)? {
    guard bytes.count >= 2 else { return nil }
    let start = bytes.startIndex
    let (opcode, isFinal) = try checkedStart(bytes[start], bytes[start + 1])
    let short = bytes[start + 1] & 0x7f
    let lengthBytes = short < 126 ? 0 : short == 126 ? 2 : 8
    if opcode.isControl, lengthBytes > 0 { throw MessageViolation(code: .protocolError) }
    let mask = start + 2 + lengthBytes
    guard bytes.endIndex >= mask else { return nil }
    let length = try length(
      lengthBytes == 0
        ? UInt64(short) : bytes[(start + 2)..<mask].reduce(0) { $0 << 8 | UInt64($1) },
      isControl: opcode.isControl)
    guard bytes.endIndex >= mask + 4 else { return nil }
    let frame = Frame(
      opcode: opcode, isFinal: isFinal, remaining: length,
      mask: (bytes[mask], bytes[mask + 1], bytes[mask + 2], bytes[mask + 3]))
    return (frame, size: mask + 4 - start)
  }

  private func checkedStart(
    _ first: UInt8, _ second: UInt8
  ) throws(MessageViolation) -> (Opcode, isFinal: Bool) {
    let isFinal = first & 0x80 != 0
    // A client masks every frame (section 5.1).
    guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 0x0f), second & 0x80 != 0
    else { throw MessageViolation(code: .protocolError) }
    switch (opcode, kind) {
    case (.text, nil), (.binary, nil), (.continuation, .some): break
    case (.close, _), (.ping, _), (.pong, _):
      guard isFinal else { throw MessageViolation(code: .protocolError) }
    default: throw MessageViolation(code: .protocolError)
    }
    return (opcode, isFinal)
  }

  private func length(_ length: UInt64, isControl: Bool) throws(MessageViolation) -> Int {
    guard length < 1 << 63 else { throw MessageViolation(code: .protocolError) }
    guard isControl || length <= UInt64(limitBytes - message.count) else {
      throw MessageViolation(code: .tooBig)
    }
    return Int(length)
  }

  // MARK: payloads

  private mutating func readPayload(
    _ input: inout ArraySlice<UInt8>
  ) throws(MessageViolation) -> Item? {
    guard var frame else { return nil }
    let taken = input.prefix(frame.remaining)
    input = input.dropFirst(taken.count)
    let start = frame.opcode.isControl ? control.count : message.count
    if frame.opcode.isControl {
      Self.unmask(taken, frame, into: &control)
    } else {
      if frame.opcode != .continuation { kind = frame.opcode }
      Self.unmask(taken, frame, into: &message)
      if kind == .text { try utf8.check(message[start...]) }
    }
    frame.remaining -= taken.count
    frame.position = (frame.position + taken.count) & 3
    guard frame.remaining == 0 else {
      self.frame = frame
      return nil
    }
    self.frame = nil
    return frame.opcode.isControl ? try endControl(frame.opcode) : try endPart(frame)
  }

  private static func unmask(
    _ bytes: ArraySlice<UInt8>, _ frame: Frame, into target: inout [UInt8]
  ) {
    guard !bytes.isEmpty else { return }
    let mask = [frame.mask.0, frame.mask.1, frame.mask.2, frame.mask.3]
    var position = frame.position
    target.reserveCapacity(target.count + bytes.count)
    for byte in bytes {
      target.append(byte ^ mask[position & 3])
      position += 1
    }
  }

  private mutating func endPart(_ frame: Frame) throws(MessageViolation) -> Item {
    guard frame.isFinal else { return .part }
    defer {
      message = []
      kind = nil
      utf8 = UTF8Checker()
    }
    guard kind == .text else { return .binary(message) }
    guard utf8.isComplete else { throw MessageViolation(code: .invalidPayload) }
    return .text(message)
  }

  private mutating func endControl(_ opcode: Opcode) throws(MessageViolation) -> Item {
    defer { control = [] }
    switch opcode {
    case .ping: return .ping(control)
    case .pong: return .pong
    default: return .close(try closeCode())
    }
  }

  private func closeCode() throws(MessageViolation) -> UInt16? {
    guard !control.isEmpty else { return nil }
    guard control.count >= 2 else { throw MessageViolation(code: .protocolError) }
    let code = UInt16(control[0]) << 8 | UInt16(control[1])
    guard Self.isSendable(code) else { throw MessageViolation(code: .protocolError) }
    var reason = UTF8Checker()
    try reason.check(control[2...])
    guard reason.isComplete else { throw MessageViolation(code: .invalidPayload) }
    return code
  }

  /// The codes a peer may send (section 7.4 and the registry of IANA).
  private static func isSendable(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}

/// A peer broke the rules of the WebSocket.
struct MessageViolation: Error {
  let code: CloseCode
}

/// Checks UTF-8 as it arrives (RFC 3629): no surrogates, no overlong forms, nothing beyond the last
/// character.
struct UTF8Checker: Sendable {
  /// Bytes the character still needs, and what the next one must lie in.
  private var needed = 0
  private var range: ClosedRange<UInt8> = 0x80...0xbf

  var isComplete: Bool { needed == 0 }

  mutating func check(_ bytes: some Sequence<UInt8>) throws(MessageViolation) {
    for byte in bytes {
      if needed == 0 {
        guard start(byte) else { throw MessageViolation(code: .invalidPayload) }
      } else {
        guard range.contains(byte) else { throw MessageViolation(code: .invalidPayload) }
        needed -= 1
        range = 0x80...0xbf
      }
    }
  }

  private mutating func start(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x00...0x7f: return true
    case 0xc2...0xdf: needed = 1
    case 0xe0: (needed, range) = (2, 0xa0...0xbf)
    case 0xed: (needed, range) = (2, 0x80...0x9f)
    case 0xe1...0xef: needed = 2
    case 0xf0: (needed, range) = (3, 0x90...0xbf)
    case 0xf1...0xf3: needed = 3
    case 0xf4: (needed, range) = (3, 0x80...0x8f)
    default: return false
    }
    return true
  }
}

import NIOCore

/// Writes frames as a server sends them: whole, and never masked (RFC 6455, section 5.1).
enum WebSocketWriter {
  enum Opcode: UInt8 {
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10
  }

  /// A ping without a payload. All share its memory: it goes out more often than anything else.
  static let ping = frame(.ping, [], allocator: ByteBufferAllocator())

  static func frame(
    _ opcode: Opcode, _ payload: [UInt8], allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var buffer = allocator.buffer(capacity: payload.count + 10)
    buffer.writeInteger(0x80 | opcode.rawValue)
    switch payload.count {
    case 0..<126: buffer.writeInteger(UInt8(payload.count))
    case 126..<65_536: buffer.writeMultipleIntegers(UInt8(126), UInt16(payload.count))
    default: buffer.writeMultipleIntegers(UInt8(127), UInt64(payload.count))
    }
    buffer.writeBytes(payload)
    return buffer
  }

  static func close(_ code: UInt16?, allocator: ByteBufferAllocator) -> ByteBuffer {
    frame(.close, code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? [], allocator: allocator)
  }
}

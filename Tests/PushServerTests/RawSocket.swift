import Foundation
import NIOCore
import NIOPosix
import Testing
import Wire

/// A client that writes whatever bytes it likes, to see what the server makes of them.
final class RawSocket: Sendable {
  struct Frame: Equatable {
    let opcode: UInt8
    let payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }
    var closeCode: Int { payload.count < 2 ? 0 : Int(payload[0]) << 8 | Int(payload[1]) }
  }

  private final class Collector: ChannelInboundHandler, @unchecked Sendable {
    // Unchecked: the handler runs on its channel's loop, and the continuation is thread-safe.
    typealias InboundIn = ByteBuffer
    let yield: AsyncStream<[UInt8]>.Continuation

    init(_ yield: AsyncStream<[UInt8]>.Continuation) {
      self.yield = yield
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      yield.yield(Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
      yield.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }

  private let channel: any Channel
  private let input: Input

  /// What came and was not read yet.
  private actor Input {
    private var iterator: AsyncStream<[UInt8]>.Iterator
    private var bytes: [UInt8] = []

    init(_ stream: AsyncStream<[UInt8]>) {
      iterator = stream.makeAsyncIterator()
    }

    /// nil when the connection ended before.
    func read(_ count: Int) async -> [UInt8]? {
      var iterator = iterator
      while bytes.count < count {
        guard let part = await iterator.next(isolation: self) else { return nil }
        bytes += part
      }
      self.iterator = iterator
      defer { bytes.removeFirst(count) }
      return Array(bytes.prefix(count))
    }
  }

  init(port: Int) async throws {
    let (stream, yield) = AsyncStream.makeStream(of: [UInt8].self)
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { $0.pipeline.addHandler(Collector(yield)) }
      .connect(host: "127.0.0.1", port: port).get()
    input = Input(stream)
  }

  /// A socket that has become a WebSocket.
  static func webSocket(port: Int, path: String = "/push") async throws -> RawSocket {
    let socket = try await RawSocket(port: port)
    let answer = try await socket.request(
      """
      GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """)
    // The answer to the sample nonce of RFC 6455, section 1.3.
    #expect(answer.hasPrefix("HTTP/1.1 101"))
    #expect(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    return socket
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Sends a request and reads the answer's head.
  func request(_ text: String) async throws -> String {
    try await send(Array(text.utf8))
    return await head()
  }

  private func head() async -> String {
    var head: [UInt8] = []
    while let next = await input.read(1) {
      head += next
      if head.suffix(4) == [13, 10, 13, 10] { break }
    }
    return String(decoding: head, as: UTF8.self)
  }

  /// Sends a request with a body and reads the whole answer, whose length it must state.
  func post(
    _ path: String, _ body: String, headers: String = ""
  ) async throws -> (head: String, body: String) {
    try await send(
      Array(
        """
        POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\
        Content-Length: \(body.utf8.count)\r\n\r\n\(body)
        """.utf8))
    return try await answer()
  }

  /// Reads a whole answer, whose length it must state.
  func answer() async throws -> (head: String, body: String) {
    let head = await head()
    let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
    let count = length.flatMap { Int($0.dropFirst(16)) } ?? 0
    let bytes = try #require(await input.read(count))
    return (head, String(decoding: bytes, as: UTF8.self))
  }

  /// Bytes as they come; nil when the connection ended before.
  func bytes(_ count: Int) async -> [UInt8]? { await input.read(count) }

  /// The next line, without its end; nil when the connection has ended.
  func line() async -> String? {
    var bytes: [UInt8] = []
    while let next = await input.read(1) {
      if next == [10] { return String(decoding: bytes, as: UTF8.self) }
      bytes += next
    }
    return nil
  }

  /// A frame as a client writes it: masked, unless told otherwise.
  static func frame(
    _ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, masked: Bool = true, rsv: UInt8 = 0
  ) -> [UInt8] {
    var bytes = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
    let mask: UInt8 = masked ? 0x80 : 0
    if payload.count < 126 {
      bytes.append(mask | UInt8(payload.count))
    } else {
      bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    }
    guard masked else { return bytes + payload }
    let key: [UInt8] = [1, 2, 3, 4]
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }

  func send(_ frame: PushFrame) async throws {
    try await send(Self.frame(1, try frame.encoded()))
  }

  /// The next frame from the server; nil when the connection has ended.
  func receive() async throws -> Frame? {
    guard let head = await input.read(2) else { return nil }
    #expect(head[1] & 0x80 == 0, "a server masks nothing")
    var count = Int(head[1])
    if count == 126 {
      let length = try #require(await input.read(2))
      count = Int(length[0]) << 8 | Int(length[1])
    }
    return Frame(opcode: head[0] & 15, payload: try #require(await input.read(count)))
  }

  func receivePush() async throws -> PushFrame? {
    guard let frame = try await receive() else { return nil }
    return try PushFrame(text: frame.payload, limitBytes: 1 << 20)
  }

  /// Reads up to the close frame: the last text before it, and its code.
  func end() async throws -> (bye: PushFrame?, code: Int) {
    var bye: PushFrame?
    while let frame = try await receive() {
      if frame.opcode == 8 { return (bye, frame.closeCode) }
      bye = try PushFrame(text: frame.payload, limitBytes: 1 << 20)
    }
    return (bye, 0)
  }

  /// Whether the server has not ended the connection.
  var isOpen: Bool { channel.isActive }

  func close() async throws {
    try await channel.close()
  }
}

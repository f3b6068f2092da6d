import Crypto
import Foundation
import NIOCore
import Wire

/// Who talks over a WebSocket: a device, the echo of conformance tests, the chat.
protocol WebSocketGuest: AnyObject {
  func take(_ item: WebSocketReader.Item)
  func becameWritable()
  func ended()
}

/// A WebSocket: control frames and closing are dealt with here, messages are the guest's.
final class WebSocketConversation: Conversation {
  /// How long the peer may take to answer a close.
  private static let closeWait = TimeAmount.seconds(2)

  private let channel: DeviceChannel
  private let limitBytes: Int
  /// Between messages there is none: it would take a hundred bytes of every idle connection.
  private var reading: Reading?
  private var closeSent = false
  var guest: (any WebSocketGuest)?

  private final class Reading {
    var reader: WebSocketReader

    init(limitBytes: Int) {
      reader = WebSocketReader(limitBytes: limitBytes)
    }
  }

  init(channel: DeviceChannel, limitBytes: Int) {
    self.channel = channel
    self.limitBytes = limitBytes
  }

  var isWritable: Bool { channel.isWritable && !closeSent }

  func read(_ bytes: some Sequence<UInt8>) {
    let reading = reading ?? Reading(limitBytes: limitBytes)
    let items = reading.reader.read(bytes)
    self.reading = reading.reader.isBetweenMessages ? nil : reading
    for item in items {
      switch item {
      case .ping(let payload):
        guest?.take(item)
        // Somebody who pings without reading gets no answers piled up.
        if isWritable { write(.pong, payload) }
      case .close(let code): answerClose(code)
      default: if !closeSent { guest?.take(item) }
      }
    }
  }

  func becameWritable() { guest?.becameWritable() }

  func ended() {
    guest?.ended()
    guest = nil
  }

  func write(_ opcode: WebSocketWriter.Opcode, _ payload: [UInt8]) {
    guard !closeSent else { return }
    channel.write(WebSocketWriter.frame(opcode, payload, allocator: channel.allocator))
  }

  /// A frame that is ready, for fan-out.
  func write(frame: ByteBuffer) {
    guard !closeSent else { return }
    channel.write(frame)
  }

  func close(_ code: CloseCode) {
    writeClose(code.rawValue)
    // The peer answers with its own close and ends the connection; one that does not is cut off.
    channel.close(in: Self.closeWait)
  }

  func abandon() { channel.close() }

  private func answerClose(_ code: UInt16?) {
    writeClose(code)
    channel.close()
  }

  private func writeClose(_ code: UInt16?) {
    guard !closeSent else { return }
    closeSent = true
    channel.write(WebSocketWriter.close(code, allocator: channel.allocator))
  }

  // MARK: the handshake

  /// RFC 6455, section 4.2.2.
  private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
  private static let keyBytes = 16

  static func isAsked(for request: Request) -> Bool {
    request.method == "GET" && request.lists("websocket", in: "upgrade")
      && request.lists("upgrade", in: "connection")
  }

  /// The head that accepts; nil when the request breaks a rule of section 4.2.1.
  static func acceptance(of request: Request) -> [UInt8]? {
    guard request.value("sec-websocket-version") == "13",
      let key = request.value("sec-websocket-key"),
      let nonce = Data(base64Encoded: key), nonce.count == keyBytes
    else { return nil }
    let digest = Insecure.SHA1.hash(data: Array((key + guid).utf8))
    let accept = Data(digest).base64EncodedString()
    return Array(
      """
      HTTP/1.1 101 Switching Protocols\r
      upgrade: websocket\r
      connection: Upgrade\r
      sec-websocket-accept: \(accept)\r
      \r\n
      """.utf8)
  }
}

/// A device's session over a WebSocket.
final class WebSocketCarrier: WebSocketGuest, Carrier {
  private let conversation: WebSocketConversation
  private var peer: Peer?

  init(_ conversation: WebSocketConversation, node: PushNode) {
    self.conversation = conversation
    peer = node.join(self)
  }

  func take(_ item: WebSocketReader.Item) {
    switch item {
    case .text(let text): peer?.handle(.text(text))
    case .binary: peer?.handle(.violation(.unacceptableData))
    case .violation(let code): peer?.handle(.violation(code))
    case .ping, .pong, .part, .close: peer?.handle(.heard)
    }
  }

  func becameWritable() { peer?.flush() }

  func ended() {
    peer?.end()
    peer = nil
  }

  var transport: Transport { .webSocket }

  var takesMore: Bool { conversation.isWritable }

  func send(_ frame: OutgoingFrame) {
    if let bytes = frame.webSocket { conversation.write(frame: bytes) }
  }

  func ping() { conversation.write(frame: WebSocketWriter.ping) }

  func close(_ code: CloseCode, after bye: OutgoingFrame) {
    send(bye)
    conversation.close(code)
  }

  func abandon() { conversation.abandon() }
}

/// Sends back what comes, for the conformance suites of WebSockets.
final class EchoGuest: WebSocketGuest {
  /// 32 MiB: the suites send messages of up to 16.
  static let limitBytes = 32 * 1024 * 1024

  private let conversation: WebSocketConversation

  init(_ conversation: WebSocketConversation) {
    self.conversation = conversation
  }

  func take(_ item: WebSocketReader.Item) {
    switch item {
    case .text(let text): conversation.write(.text, text)
    case .binary(let bytes): conversation.write(.binary, bytes)
    case .violation(let code): conversation.close(code)
    case .ping, .pong, .part, .close: break
    }
  }

  func becameWritable() {}
  func ended() {}
}

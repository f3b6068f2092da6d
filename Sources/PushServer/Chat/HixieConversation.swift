import NIOCore
import Wire

/// A participant over the WebSocket of 2010 (draft-hixie-thewebsocketprotocol-75), the one of the
/// proposal: a text is `00`, UTF-8, `ff`. No masks, no pings, no close codes: loopback only.
final class HixieConversation: Conversation, ChatLine {
  private let channel: DeviceChannel
  private let room: ChatRoom
  private var text: [UInt8]?
  private var isOver = false

  init(channel: DeviceChannel, room: ChatRoom) {
    self.channel = channel
    self.room = room
  }

  /// Whether the request is a handshake of that draft: an upgrade without a key.
  static func isAsked(for request: Request) -> Bool {
    request.method == "GET" && request.value("upgrade") == "WebSocket"
      && request.value("connection") == "Upgrade" && request.value("origin") != nil
      && request.headers.allSatisfy { !$0.name.hasPrefix("sec-websocket-key") }
  }

  /// The head that accepts, in the order and the capitals of the draft.
  static func acceptance(of request: Request) -> [UInt8] {
    let host = request.value("host") ?? ""
    let origin = request.value("origin") ?? ""
    return Array(
      """
      HTTP/1.1 101 Web Socket Protocol Handshake\r
      Upgrade: WebSocket\r
      Connection: Upgrade\r
      WebSocket-Origin: \(origin)\r
      WebSocket-Location: ws://\(host)\(request.path)\r
      \r\n
      """.utf8)
  }

  func began() { room.enter(self) }

  func ended() { room.leave(self) }

  func read(_ bytes: some Sequence<UInt8>) {
    for byte in bytes where !isOver {
      switch (byte, text) {
      case (0x00, nil): text = []
      case (0xff, .some(let whole)):
        text = nil
        guard String(validating: whole, as: UTF8.self) != nil else { return close(.invalidPayload) }
        room.say(whole, by: self)
      case (_, .some(let whole)) where whole.count < Limits.pushFrameBytes:
        text?.append(byte)
      default: close(.protocolError)
      }
    }
  }

  var takesMore: Bool { channel.isWritable && !isOver }

  func tell(_ text: [UInt8]) { channel.write([0x00] + text + [0xff]) }

  func close(_ code: CloseCode) {
    isOver = true
    room.leave(self)
    channel.close()
  }
}

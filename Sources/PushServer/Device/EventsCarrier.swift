import NIOCore
import Wire

/// A device's session over Server-Sent Events: the hello is the body of the request, frames for the
/// device come as events, and its own frames by further requests that name the session.
final class EventsCarrier: Conversation, Carrier {
  private let channel: DeviceChannel
  private let node: PushNode
  private let hello: [UInt8]
  private var peer: Peer?
  private var name = ""

  /// Nothing on the way may keep the stream back or keep it at all.
  static let head = Array(
    """
    HTTP/1.1 200 OK\r
    content-type: text/event-stream\r
    cache-control: no-store\r
    x-accel-buffering: no\r
    connection: close\r
    \r\n
    """.utf8)

  init(channel: DeviceChannel, hello: [UInt8]) {
    self.channel = channel
    self.hello = hello
    node = channel.node
  }

  func began() {
    let peer = node.join(self)
    self.peer = peer
    name = node.name(peer)
    channel.write(Array("event: session\ndata: {\"session\":\"\(name)\"}\n\n".utf8))
    peer.handle(.text(hello))
  }

  /// The client has said all it may say here.
  func read(_ bytes: some Sequence<UInt8>) {}

  func becameWritable() { peer?.flush() }

  func ended() {
    node.forget(name: name)
    peer?.end()
    peer = nil
  }

  var transport: Transport { .events }

  var takesMore: Bool { channel.isWritable }

  func send(_ frame: OutgoingFrame) {
    guard let bytes = frame.json else { return }
    channel.write(Array("data: ".utf8) + bytes + Array("\n\n".utf8))
  }

  func ping() { channel.write(Array(": ping\n\n".utf8)) }

  func close(_ code: CloseCode, after bye: OutgoingFrame) {
    guard let bytes = bye.json else { return channel.close() }
    channel.write(Array("data: ".utf8) + bytes + Array("\n\n".utf8), close: true)
  }

  func abandon() { channel.close() }
}

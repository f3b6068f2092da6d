import NIOCore
import Wire

/// A device's session over long polling. Each request brings the device's frames and is answered as
/// soon as there is something for it; between two requests everything waits, the newest of a kind.
final class PollCarrier: Carrier {
  private let node: PushNode
  private(set) var name = ""
  private(set) var peer: Peer?
  /// The request that waits for its answer.
  private weak var waiting: DeviceChannel?
  private var frames: [[UInt8]] = []
  private var isAnswerDue = false
  private var isOver = false
  /// How long a goodbye waits for the next request: a client asks again at once, or after a pause
  /// of its network.
  private static let farewell = Limits.pingInterval

  init(node: PushNode) {
    self.node = node
    let peer = node.join(self)
    self.peer = peer
    name = node.name(peer)
    node.name(self)
  }

  /// Takes a request with the device's frames. One that waited already is answered empty.
  func poll(_ texts: [[UInt8]], by channel: DeviceChannel) {
    answer()
    waiting = channel
    guard !isOver else {
      answer()
      return node.forget(name: name)
    }
    peer?.handle(.heard)
    for text in texts { peer?.handle(.text(text)) }
    peer?.flush()
  }

  var transport: Transport { .polling }

  var takesMore: Bool { waiting != nil && !isOver }

  /// Frames of one turn of the loop go out together.
  func send(_ frame: OutgoingFrame) {
    guard let bytes = frame.json else { return }
    frames.append(bytes)
    guard !isAnswerDue else { return }
    isAnswerDue = true
    node.loop.assumeIsolated().execute { [weak self] in self?.answer() }
  }

  /// Nothing happened for so long that a proxy might give up: the device asks again.
  func ping() { answer() }

  func close(_ code: CloseCode, after bye: OutgoingFrame) {
    send(bye)
    let isHeard = waiting != nil
    answer()
    guard !isHeard else { return end() }
    // Nobody asks just now: the next request is told, not that there is no such session.
    isOver = true
    peer?.end()
    peer = nil
    node.loop.assumeIsolated().scheduleTask(in: .seconds(Self.farewell.components.seconds)) {
      [node, name] in node.forget(name: name)
    }
  }

  func abandon() { end() }

  private func answer() {
    isAnswerDue = false
    guard let channel = waiting else { return }
    waiting = nil
    let list = frames.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    frames = []
    channel.answer(HTTPReply(json: Array(#"{"frames":[\#(list)],"session":"\#(name)"}"#.utf8)))
  }

  private func end() {
    guard !isOver else { return }
    isOver = true
    node.forget(name: name)
    peer?.end()
    peer = nil
  }
}

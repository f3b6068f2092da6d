import NIOCore
import Wire

/// How answers get back to a Bayeux client: the request they belong to, or a WebSocket.
protocol BayeuxWay: AnyObject {
  /// Whether an answer would go out now.
  var isOpen: Bool { get }
  /// Whether nobody will ever read an answer.
  var isGone: Bool { get }

  /// Sends a list of messages in JSON. A request can be answered once.
  func answer(_ json: [UInt8])
  /// What came is no list of messages.
  func refuse()
}

/// The request of a client that polls.
final class BayeuxRequest: BayeuxWay {
  private weak var channel: DeviceChannel?

  init(_ channel: DeviceChannel) {
    self.channel = channel
  }

  var isOpen: Bool { channel?.isWritable ?? false }
  var isGone: Bool { channel?.isGone ?? true }

  func answer(_ json: [UInt8]) {
    channel?.answer(HTTPReply(json: json))
    channel = nil
  }

  func refuse() {
    let detail = "The body is no list of Bayeux messages."
    channel?.answer(HTTPReply(Problem(.malformed, detail: detail)))
    channel = nil
  }
}

/// The WebSocket of a client. Its sessions outlive it: a client may come back with its id.
final class BayeuxSocket: WebSocketGuest, BayeuxWay {
  /// A client connects again at least every 25 s; three times that and it is gone.
  private static let silence = TimeAmount.seconds(75)
  /// From the upgrade to the first message.
  private static let greeting = TimeAmount.seconds(10)

  private let conversation: WebSocketConversation
  private let desk: BayeuxDesk
  private var isOver = false
  private var timer: Scheduled<Void>?

  init(_ conversation: WebSocketConversation, node: PushNode) {
    self.conversation = conversation
    desk = BayeuxDesk(node: node)
    wait(Self.greeting)
  }

  var isOpen: Bool { !isOver && conversation.isWritable }
  var isGone: Bool { isOver }

  func take(_ item: WebSocketReader.Item) {
    wait(Self.silence)
    switch item {
    case .text(let text): desk.take(text, by: self)
    case .binary: conversation.close(.unacceptableData)
    case .violation(let code): conversation.close(code)
    case .ping, .pong, .part, .close: break
    }
  }

  func answer(_ json: [UInt8]) {
    if !isOver { conversation.write(.text, json) }
  }

  func refuse() { conversation.close(.policyViolation) }

  func becameWritable() {}

  func ended() {
    isOver = true
    timer?.cancel()
  }

  private func wait(_ time: TimeAmount) {
    timer?.cancel()
    timer = desk.node.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in
      self?.conversation.close(.policyViolation)
    }
  }
}

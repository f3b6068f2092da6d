import NIOCore
import Wire

/// A device's session over Bayeux 1.0. The client always has one `/meta/connect` with the server,
/// whose answer brings what came meanwhile; between two of them everything waits, the newest of a
/// kind. It is the same over a WebSocket and by requests, so a client may change between them and
/// keep its id.
///
/// What came before the client subscribed, or was lost on the way as far as CometD's acknowledged
/// messages tell, is made up for by one "you are behind".
final class BayeuxCarrier: Carrier {
  /// Names that take in ``/Wire/Route/bayeuxSignals``.
  private static let patterns: Set = [
    Route.bayeuxSignals, "/account/*", "/account/**", "/**",
  ]

  private struct Waiting {
    let message: BayeuxMessage
    let way: any BayeuxWay
  }

  private let node: PushNode
  private(set) var name = ""
  private var peer: Peer?
  private var handshake: Waiting?
  private var connect: Waiting?
  private var subscriptions: Set<String> = []
  private var events: [PushFrame] = []
  /// Something was missed, or may have been; told at the next chance. True after the handshake: a
  /// service that has just started knows the account's frontier in part only.
  private var isBehind = true
  /// The first connect after a handshake is answered at once, so that the client knows it is in.
  private var isFresh = true
  private var isAnswerDue = false
  private var isOver = false
  private var wantsAcknowledging = false
  private var batch = 0
  /// The newest batch that brought a signal.
  private var signalBatch = 0

  init(node: PushNode) {
    self.node = node
    let peer = node.join(self)
    self.peer = peer
    name = node.name(peer)
    node.name(self)
  }

  // MARK: what the client says

  func shakeHands(_ message: BayeuxMessage, by way: any BayeuxWay) {
    handshake = Waiting(message: message, way: way)
    if case .wanted(true)? = message.ext?.acknowledged { wantsAcknowledging = true }
    greet(message)
  }

  /// Holds the connect until there is something to tell, unless it is the first or wants no wait.
  func connect(_ message: BayeuxMessage, by way: any BayeuxWay) {
    answer()
    connect = Waiting(message: message, way: way)
    heard(message)
    peer?.flush()
    if isBehind || isFresh || message.advice?.timeout == 0 { answer() }
    isFresh = false
  }

  /// Answers a message that comes with others, or is none of handshake and connect.
  func reply(to message: BayeuxMessage) -> BayeuxReply {
    switch message.channel {
    case "/meta/connect":
      // Held, it would keep back the answers to the others.
      heard(message)
      isFresh = false
      return accepted(message, advice: Self.retry)
    case "/meta/subscribe": return subscribe(message)
    case "/meta/unsubscribe":
      peer?.handle(.request)
      subscriptions.subtract(message.subscription?.channels ?? [])
      return BayeuxReply(accepting: message)
    case "/meta/disconnect":
      answer()
      end()
      return BayeuxReply(accepting: message)
    case Route.bayeuxAcknowledgements: return acknowledge(message)
    default:
      peer?.handle(.request)
      let channel = BayeuxDesk.argument(message.channel)
      return BayeuxReply(refusing: message, "403:\(channel):nobody may publish here")
    }
  }

  private func subscribe(_ message: BayeuxMessage) -> BayeuxReply {
    peer?.handle(.request)
    let wanted = message.subscription?.channels ?? []
    guard !wanted.isEmpty, Self.patterns.isSuperset(of: wanted) else {
      let names = wanted.map(BayeuxDesk.argument).joined(separator: ",")
      return BayeuxReply(refusing: message, "403:\(names):no such channel")
    }
    subscriptions.formUnion(wanted)
    if isBehind { answerSoon() }
    return BayeuxReply(accepting: message)
  }

  private func acknowledge(_ message: BayeuxMessage) -> BayeuxReply {
    guard let receipt = message.data else {
      peer?.handle(.request)
      return BayeuxReply(refusing: message, "400::device and sequence must stand in data")
    }
    say(.acknowledgement(device: receipt.device, sequence: receipt.sequence, by: nil))
    return BayeuxReply(accepting: message)
  }

  /// Notes a connect: life, a new token, and which batch came last.
  private func heard(_ message: BayeuxMessage) {
    peer?.handle(.request)
    if case .batch(let arrived)? = message.ext?.acknowledged, arrived < signalBatch {
      isBehind = true
    }
    if message.ext?.higgins != nil { greet(message) }
  }

  private func greet(_ message: BayeuxMessage) {
    guard let hello = message.ext?.higgins else { return }
    say(.hello(token: hello.token, frontier: hello.frontier))
  }

  private func say(_ frame: PushFrame) {
    do {
      peer?.handle(.text(try frame.encoded()))
    } catch {
      peer?.handle(.violation(.policyViolation))
    }
  }

  // MARK: what the session does

  var transport: Transport { .bayeux }

  /// A welcome answers the handshake; everything else goes with a connect.
  var takesMore: Bool {
    guard !isOver else { return false }
    return handshake != nil || (connect?.way.isOpen ?? false)
  }

  func send(_ frame: OutgoingFrame) {
    switch frame.frame {
    case .welcome(let behind, _, _): welcome(behind: behind)
    case .signal where subscriptions.isEmpty: isBehind = true
    case .signal:
      events.append(frame.frame)
      answerSoon()
    // A client of Bayeux is told of signals alone.
    default: break
    }
  }

  private func welcome(behind: Bool) {
    if behind { isBehind = true }
    guard let handshake else {
      if isBehind { answerSoon() }
      return
    }
    self.handshake = nil
    var reply = BayeuxReply(accepting: handshake.message)
    reply.clientId = name
    reply.version = "1.0"
    reply.supportedConnectionTypes = BayeuxDesk.connectionTypes
    reply.advice = Self.retry
    if wantsAcknowledging { reply.ext = BayeuxReply.Extension(acknowledged: .offered) }
    node.answer([reply], by: handshake.way)
  }

  func ping() { answer() }

  func close(_ code: CloseCode, after bye: OutgoingFrame) {
    if let refused = handshake ?? connect {
      let reply = BayeuxReply(
        refusing: refused.message, Self.error(bye.frame), advice: Self.advice(bye.frame))
      (handshake, connect) = (nil, nil)
      node.answer([reply], by: refused.way)
    }
    end()
  }

  func abandon() { end() }

  // MARK: answers

  private static let retry = BayeuxReply.Advice(
    reconnect: .retry, timeout: Int(Limits.pingInterval.components.seconds) * 1000)

  /// Signals of one turn of the loop go out together.
  private func answerSoon() {
    guard !isAnswerDue else { return }
    isAnswerDue = true
    node.loop.assumeIsolated().execute { [weak self] in self?.answer() }
  }

  private func answer() {
    isAnswerDue = false
    guard let waiting = connect else { return }
    connect = nil
    guard !waiting.way.isGone else {
      // What nobody will read is made up for at the next connect.
      isBehind = isBehind || !events.isEmpty
      events = []
      return
    }
    if isBehind, !subscriptions.isEmpty {
      isBehind = false
      events = [.signal(nil)]
    }
    var replies = events.map { frame in
      var reply = BayeuxReply(channel: Route.bayeuxSignals)
      reply.data = frame
      return reply
    }
    let bringsSignal = !events.isEmpty
    events = []
    replies.append(accepted(waiting.message, advice: Self.retry, bringsSignal: bringsSignal))
    node.answer(replies, by: waiting.way)
  }

  private func accepted(
    _ message: BayeuxMessage, advice: BayeuxReply.Advice, bringsSignal: Bool = false
  ) -> BayeuxReply {
    var reply = BayeuxReply(accepting: message)
    reply.advice = advice
    guard wantsAcknowledging else { return reply }
    batch += 1
    if bringsSignal { signalBatch = batch }
    reply.ext = BayeuxReply.Extension(acknowledged: .batch(batch))
    return reply
  }

  private static func error(_ bye: PushFrame) -> String {
    guard case .bye(let reason, _) = bye else { return "500::the session ended" }
    return switch reason {
    case .unauthenticated: "401::the token is not accepted"
    case .expired: "401::the token expired"
    case .revoked: "403::the device was revoked"
    case .replaced: "409::the device has a newer connection"
    case .draining, .busy, .slow: "503::\(reason.rawValue)"
    case .malformed: "400::a message out of turn"
    }
  }

  private static func advice(_ bye: PushFrame) -> BayeuxReply.Advice {
    guard case .bye(let reason, let wait) = bye else { return .init(reconnect: .none) }
    return switch reason {
    case .draining, .busy, .slow, .expired: .init(reconnect: .handshake, interval: wait)
    case .unauthenticated, .revoked, .replaced, .malformed: .init(reconnect: .none)
    }
  }

  private func end() {
    guard !isOver else { return }
    isOver = true
    (handshake, connect) = (nil, nil)
    node.forget(name: name)
    peer?.end()
    peer = nil
  }
}

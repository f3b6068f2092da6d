import Foundation
import NIOHTTP1
import Wire

/// What the device listener answers: which request becomes what.
struct DeviceRoutes {
  let channel: DeviceChannel

  var node: PushNode { channel.node }

  func serve(_ request: Request) {
    if let room = node.room, request.path.hasPrefix(Route.chatPage) {
      return ChatRoutes(routes: self, room: room).serve(request)
    }
    guard isWelcome(request) else {
      return channel.answer(HTTPReply(.forbidden, text: "This origin is not let in.\n"))
    }
    switch request.path {
    case Route.health: channel.answer(HTTPReply(.ok, text: "ok\n"))
    case Route.push:
      webSocket(request, limitBytes: Limits.pushFrameBytes) { [node] in
        WebSocketCarrier($0, node: node)
      }
    case Route.pushEcho where node.configuration.echoes:
      webSocket(request, limitBytes: EchoGuest.limitBytes) { EchoGuest($0) }
    case let path where path == Route.bayeux || path.hasPrefix(Route.bayeux + "/"):
      bayeux(request)
    case Route.pushEvents: post(request) { events(request) }
    case Route.pushPoll: post(request) { firstPoll(request) }
    case let path where path.hasPrefix(Route.channels):
      guard let gateways = node.gateways else {
        return channel.answer(HTTPReply(Problem(.notFound)))
      }
      ChannelRoutes(channel: channel, gateways: gateways).serve(request)
    case let path where path.hasPrefix(Route.pushEvents + "/"):
      post(request) { frame(request, session: path.dropFirst(Route.pushEvents.count + 1)) }
    case let path where path.hasPrefix(Route.pushPoll + "/"):
      post(request) { poll(request, session: path.dropFirst(Route.pushPoll.count + 1)) }
    default: channel.answer(HTTPReply(Problem(.notFound)))
    }
  }

  /// A page in a browser names its origin and must be on the list; a program names none.
  func isWelcome(_ request: Request) -> Bool {
    request.values("origin").allSatisfy(node.configuration.allowedOrigins.contains)
  }

  private func post(_ request: Request, _ body: () -> Void) {
    guard request.method == "POST" else {
      return channel.answer(HTTPReply(Problem(.methodNotAllowed)))
    }
    guard node.hasRoom else { return channel.answer(HTTPReply(Problem(.draining))) }
    body()
  }

  // MARK: WebSocket

  func webSocket(
    _ request: Request, limitBytes: Int,
    guest: (WebSocketConversation) -> any WebSocketGuest
  ) {
    guard WebSocketConversation.isAsked(for: request) else {
      var reply = HTTPReply(.upgradeRequired, text: "Connect with a WebSocket.\n")
      reply.headers.append(("upgrade", "websocket"))
      return channel.answer(reply)
    }
    guard let head = WebSocketConversation.acceptance(of: request) else {
      var reply = HTTPReply(.badRequest, text: "That is no handshake of RFC 6455.\n")
      reply.headers.append(("sec-websocket-version", "13"))
      return channel.answer(reply)
    }
    let conversation = WebSocketConversation(channel: channel, limitBytes: limitBytes)
    conversation.guest = guest(conversation)
    channel.begin(head, conversation)
  }

  // MARK: Bayeux

  private func bayeux(_ request: Request) {
    guard !WebSocketConversation.isAsked(for: request) else {
      return webSocket(request, limitBytes: Limits.pushFrameBytes) { [node] in
        BayeuxSocket($0, node: node)
      }
    }
    post(request) { BayeuxDesk(node: node).take(request.body, by: BayeuxRequest(channel)) }
  }

  // MARK: events and polls

  private func events(_ request: Request) {
    channel.begin(EventsCarrier.head, EventsCarrier(channel: channel, hello: request.body))
  }

  private func frame(_ request: Request, session: Substring) {
    guard let peer = node.peer(named: String(session)) else {
      return channel.answer(HTTPReply(Problem(.notFound)))
    }
    peer.handle(.text(request.body))
    channel.answer(HTTPReply(status: 204))
  }

  private func firstPoll(_ request: Request) {
    PollCarrier(node: node).poll([request.body], by: channel)
  }

  private func poll(_ request: Request, session: Substring) {
    guard let carrier = node.poll(named: String(session)) else {
      return channel.answer(HTTPReply(Problem(.notFound)))
    }
    do {
      let frames = try JSONDecoder().decode([PushFrame].self, from: Data(request.body))
      carrier.poll(try frames.map { try $0.encoded() }, by: channel)
    } catch {
      channel.answer(
        HTTPReply(Problem(.malformed, detail: "The body is no list of frames.")))
    }
  }
}

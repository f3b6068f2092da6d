import NIOHTTP1
import Wire

/// What is answered under `/push_server/`.
struct ChatRoutes {
  let routes: DeviceRoutes
  let room: ChatRoom

  private var channel: DeviceChannel { routes.channel }

  func serve(_ request: Request) {
    switch request.path {
    case Route.chat: chat(request)
    case _ where request.method != "GET": channel.answer(HTTPReply(Problem(.methodNotAllowed)))
    case Route.chatPage: answer(ChatPage.html, "text/html; charset=utf-8")
    case Route.chatPage + "chat.css": answer(ChatPage.style, "text/css; charset=utf-8")
    case Route.chatPage + "chat.js": answer(ChatPage.script, "text/javascript; charset=utf-8")
    default: channel.answer(HTTPReply(Problem(.notFound)))
    }
  }

  private func answer(_ text: String, _ mediaType: String) {
    var reply = HTTPReply(mediaType: mediaType, text: text)
    reply.headers = [
      ("content-security-policy", ChatPage.policy), ("x-content-type-options", "nosniff"),
      ("referrer-policy", "no-referrer"), ("cache-control", "no-cache"),
    ]
    channel.answer(reply)
  }

  private func chat(_ request: Request) {
    guard isOwnPage(request) || routes.isWelcome(request) else {
      return channel.answer(HTTPReply(.forbidden, text: "This origin is not let in.\n"))
    }
    guard !room.isFull else { return channel.answer(HTTPReply(status: 503)) }
    if routes.node.configuration.chat?.speaksHixie75 == true,
      HixieConversation.isAsked(for: request)
    {
      channel.begin(
        HixieConversation.acceptance(of: request), HixieConversation(channel: channel, room: room))
      return
    }
    routes.webSocket(request, limitBytes: Limits.pushFrameBytes) { ChatGuest($0, room: room) }
  }

  /// The page that this listener served.
  private func isOwnPage(_ request: Request) -> Bool {
    guard let origin = request.value("origin"), let host = request.value("host") else {
      return false
    }
    return origin == "http://\(host)" || origin == "https://\(host)"
  }
}

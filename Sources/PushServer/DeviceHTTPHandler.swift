import NIOCore
import NIOHTTP1
import Wire

/// Answers requests on the device listener that do not become a WebSocket, and cuts off those that
/// never finish asking.
final class DeviceHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart

  static let name = "higginsd.device-http"
  /// From the connection to the end of the upgrade.
  private static let headWait = TimeAmount.seconds(10)

  private var head: HTTPRequestHead?
  private var timer: Scheduled<Void>?

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: Self.headWait) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end: reply(to: context)
    }
  }

  /// A refused upgrade ends here as an error too; its request is answered below.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError { context.close(promise: nil) }
  }

  private func reply(to context: ChannelHandlerContext) {
    guard let head else { return }
    let path = head.uri.prefix { $0 != "?" }
    var reply =
      switch path {
      case Route.health: HTTPReply(.ok, text: "ok\n")
      case Route.push where head.headers.contains(name: "origin"):
        HTTPReply(.forbidden, text: "This origin is not let in.\n")
      case Route.push: HTTPReply(.upgradeRequired, text: "Connect with a WebSocket.\n")
      default: HTTPReply(Problem(.notFound))
      }
    if reply.status == .upgradeRequired { reply.headers.append(("upgrade", "websocket")) }
    reply.write(to: context, keepAlive: false)
  }
}

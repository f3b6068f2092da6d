import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Wire

/// The web-service API, for whoever bears the service key: `POST /v1/signals` with one
/// ``/Wire/Signal`` or an array of them, answered once they are with the hub; `POST
/// /v1/revocations` with one ``/Wire/Revocation`` or an array, answered once those devices are sent
/// away and their channels forgotten.
final class SignalHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let node: PushNode
  /// The digest of the key: digests have one length, so comparing takes the same time always.
  private let keyDigest: [UInt8]
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var tooLarge = false
  /// Comes when what was just read is done in the file of sleeping devices.
  private var queued: EventLoopFuture<Void>?

  init(node: PushNode) {
    self.node = node
    keyDigest = Self.digest(node.configuration.serviceKey)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.clear()
      tooLarge = false
    case .body(var part):
      guard body.readableBytes + part.readableBytes <= Limits.signalBodyBytes else {
        tooLarge = true
        return
      }
      body.writeBuffer(&part)
    case .end:
      guard let head else { return }
      queued = nil
      let reply = reply(to: head)
      let keepAlive = head.isKeepAlive && !tooLarge
      guard let queued else { return reply.write(to: context, keepAlive: keepAlive) }
      // The pipeline holds back the next request until this one is answered.
      queued.assumeIsolated().whenComplete { result in
        guard context.channel.isActive else { return }
        if case .success = result { return reply.write(to: context, keepAlive: keepAlive) }
        HTTPReply(Problem(.internalFailure)).write(to: context, keepAlive: keepAlive)
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func reply(to head: HTTPRequestHead) -> HTTPReply {
    let path = head.uri.prefix { $0 != "?" }
    switch (path, head.method) {
    case (Route.health[...], .GET): return HTTPReply(.ok, text: "ok\n")
    case (Route.metrics[...], .GET):
      return HTTPReply(
        mediaType: "text/plain; version=0.0.4; charset=utf-8",
        text: node.configuration.metrics.text())
    case (Route.signals[...], .POST): return reply(to: head, publish)
    case (Route.revocations[...], .POST): return reply(to: head, revoke)
    case (Route.signals[...], _), (Route.revocations[...], _), (Route.health[...], _),
      (Route.metrics[...], _):
      return HTTPReply(Problem(.methodNotAllowed))
    default: return HTTPReply(Problem(.notFound))
    }
  }

  private func reply(
    to head: HTTPRequestHead, _ body: () throws(Problem) -> HTTPReply
  ) -> HTTPReply {
    do throws(Problem) {
      try checkKey(head.headers.first(name: "authorization"))
      return try body()
    } catch {
      return HTTPReply(error)
    }
  }

  private func publish() throws(Problem) -> HTTPReply {
    let signals = try readList(of: Signal.self, called: "signal")
    guard signals.allSatisfy({ ($0.trace?.count ?? 0) <= Limits.traceCharacters }) else {
      throw Problem(
        .tooLarge, detail: "A trace has at most \(Limits.traceCharacters) characters.")
    }
    node.publish(signals)
    queued = node.offer(signals)
    return HTTPReply(json: Array(#"{"queued":\#(signals.count)}"#.utf8))
  }

  private func revoke() throws(Problem) -> HTTPReply {
    let revocations = try readList(of: Revocation.self, called: "revocation")
    // Whatever follows: a channel that is not forgotten would go on waking the device.
    queued = node.forget(revocations)
    guard node.revoke(revocations) else {
      throw Problem(.rateLimited, detail: "Too many revocations are remembered already.")
    }
    return HTTPReply(json: Array(#"{"revoked":\#(revocations.count)}"#.utf8))
  }

  private func checkKey(_ authorization: String?) throws(Problem) {
    let prefix = "Bearer "
    guard let authorization, authorization.hasPrefix(prefix) else {
      throw Problem(.authenticationFailed)
    }
    let given = Self.digest(String(authorization.dropFirst(prefix.count)))
    let difference = zip(given, keyDigest).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
    guard difference == 0 else { throw Problem(.authenticationFailed) }
  }

  /// The body's one element, or its list of them.
  private func readList<Element: Decodable>(
    of kind: Element.Type, called name: String
  ) throws(Problem) -> [Element] {
    guard !tooLarge else {
      throw Problem(.tooLarge, detail: "A body has at most \(Limits.signalBodyBytes) bytes.")
    }
    let bytes = Data(body.readableBytesView)
    let isList = bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == 0x5b
    let list: [Element]
    do {
      let decoder = JSONDecoder()
      list =
        isList
        ? try decoder.decode([Element].self, from: bytes)
        : [try decoder.decode(Element.self, from: bytes)]
    } catch {
      throw Problem(.malformed, detail: "The body is no \(name) and no list of \(name)s.")
    }
    guard list.count <= Limits.signalsPerPost else {
      throw Problem(.tooMany, detail: "A body has at most \(Limits.signalsPerPost) \(name)s.")
    }
    return list
  }

  private static func digest(_ text: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(text.utf8)))
  }
}

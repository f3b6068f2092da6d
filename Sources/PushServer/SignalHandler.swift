import Foundation
import NIOCore
import NIOHTTP1
import Wire

/// The web-service API, for whoever bears the service key: `POST /v1/signals` with one
/// ``/Wire/Signal`` or an array of them, answered once they are with the hub; `POST
/// /v1/revocations` with ``/Wire/SignedRevocations``, answered once those devices are sent away and
/// their channels forgotten.
///
/// Reads its requests itself, as every microsecond here is one that a device learns later.
final class SignalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Requests that come before the last one is answered wait; more than these bytes of them end the
  /// connection.
  private static let waitingBytes = RequestReader.headBytes + Limits.signalBodyBytes
  /// Two minutes: twice what the sender keeps an idle connection for.
  private static let idleWait = TimeAmount.minutes(2)

  private enum State {
    case reading
    /// The state while a request waits for its answer; what comes meanwhile waits too.
    case answering(rest: [UInt8])
    case over
  }

  private let node: PushNode
  private let key: [UInt8]
  private var state = State.reading
  private var reader = RequestReader(limitBytes: Limits.signalBodyBytes)
  /// Whether anything came since the clock was looked at.
  private var isInUse = true
  private var timer: Scheduled<Void>?
  /// Comes when what was just read is done in the file of sleeping devices.
  private var queued: EventLoopFuture<Void>?

  init(node: PushNode) {
    self.node = node
    key = Array(node.configuration.serviceKey.utf8)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    watch(context.channel)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
  }

  /// Looks at the clock seldom and not with every request.
  private func watch(_ channel: any Channel) {
    timer = node.loop.assumeIsolated().scheduleTask(in: Self.idleWait) { [weak self] in
      guard let self, isInUse else { return channel.close(promise: nil) }
      isInUse = false
      watch(channel)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isInUse = true
    let bytes = unwrapInboundIn(data).readableBytesView
    switch state {
    case .reading: take(bytes, context)
    case .answering(let rest):
      guard rest.count + bytes.count <= Self.waitingBytes else {
        return context.close(promise: nil)
      }
      state = .answering(rest: rest + bytes)
    case .over: break
    }
  }

  private func take(_ bytes: some Sequence<UInt8>, _ context: ChannelHandlerContext) {
    var outcome = reader.read(bytes)
    while case .reading = state {
      switch outcome {
      case .more: return
      case .refused(let status):
        let problem = Problem(
          .tooLarge, detail: "A body has at most \(Limits.signalBodyBytes) bytes.")
        write(
          status == problem.status ? HTTPReply(problem) : HTTPReply(status: status),
          keepAlive: false, to: context)
      case .request(let request):
        serve(request, context)
        outcome = reader.read([])
      }
    }
  }

  private func serve(_ request: Request, _ context: ChannelHandlerContext) {
    queued = nil
    let reply = reply(to: request)
    guard let queued else { return write(reply, keepAlive: request.isKeptAlive, to: context) }
    state = .answering(rest: [])
    queued.assumeIsolated().whenComplete { [weak self] result in
      guard let self, case .answering(let rest) = state, context.channel.isActive else { return }
      state = .reading
      let outcome =
        switch result {
        case .success: reply
        case .failure(let error): HTTPReply(error as? Problem ?? Problem(.internalFailure))
        }
      write(outcome, keepAlive: request.isKeptAlive, to: context)
      take(rest, context)
    }
  }

  private func write(_ reply: HTTPReply, keepAlive: Bool, to context: ChannelHandlerContext) {
    let buffer = wrapOutboundOut(ByteBuffer(bytes: reply.bytes(keepAlive: keepAlive)))
    guard !keepAlive else { return context.writeAndFlush(buffer, promise: nil) }
    state = .over
    let channel = context.channel
    context.writeAndFlush(buffer).whenComplete { _ in channel.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func reply(to request: Request) -> HTTPReply {
    switch (request.path, request.method) {
    case (Route.signals, "POST"): return reply(to: request, publish)
    case (Route.revocations, "POST"): return reply(to: request, revoke)
    case (Route.health, "GET"): return HTTPReply(.ok, text: "ok\n")
    case (Route.metrics, "GET"):
      ProcessFigures(node.configuration.metrics).update()
      return HTTPReply(
        mediaType: "text/plain; version=0.0.4; charset=utf-8",
        text: node.configuration.metrics.text())
    case (Route.signals, _), (Route.revocations, _), (Route.health, _), (Route.metrics, _):
      return HTTPReply(Problem(.methodNotAllowed))
    default: return HTTPReply(Problem(.notFound))
    }
  }

  private func reply(
    to request: Request, _ body: ([UInt8]) throws(Problem) -> HTTPReply
  ) -> HTTPReply {
    do throws(Problem) {
      try checkKey(request.value("authorization"))
      return try body(request.body)
    } catch {
      return HTTPReply(error)
    }
  }

  private func publish(_ body: [UInt8]) throws(Problem) -> HTTPReply {
    let signals: [Signal]
    if let plain = SignalScanner.signals(in: body) {
      signals = plain
    } else {
      signals = try list(of: Signal.self, in: body, "signal")
    }
    guard signals.count <= Limits.signalsPerPost else { throw Self.tooMany("signal") }
    guard signals.allSatisfy({ ($0.trace?.count ?? 0) <= Limits.traceCharacters }) else {
      throw Problem(
        .tooLarge, detail: "A trace has at most \(Limits.traceCharacters) characters.")
    }
    node.publish(signals)
    queued = node.offer(signals)
    return HTTPReply(json: Array(#"{"queued":\#(signals.count)}"#.utf8))
  }

  private func revoke(_ body: [UInt8]) throws(Problem) -> HTTPReply {
    let signed: SignedRevocations
    do {
      signed = try JSONDecoder().decode(SignedRevocations.self, from: Data(body))
    } catch {
      throw Problem(.malformed, detail: "The body is no signed page of revocations.")
    }
    queued = node.take(signed)
    return HTTPReply(json: Array(#"{"taken":true}"#.utf8))
  }

  /// Takes the same time for every key of one length, whatever it has in common with the right one.
  private func checkKey(_ authorization: String?) throws(Problem) {
    let prefix = "Bearer "
    guard let authorization, authorization.hasPrefix(prefix) else {
      throw Problem(.authenticationFailed)
    }
    let given = Array(authorization.utf8.dropFirst(prefix.utf8.count))
    var difference = given.count == key.count ? 0 as UInt8 : 1
    for place in key.indices {
      difference |= key[place] ^ (place < given.count ? given[place] : 0)
    }
    guard difference == 0 else { throw Problem(.authenticationFailed) }
  }

  /// The body's one element, or its list of them.
  private func list<Element: Decodable>(
    of kind: Element.Type, in body: [UInt8], _ name: String
  ) throws(Problem) -> [Element] {
    let isList = body.first { $0 > 0x20 } == 0x5b
    do {
      let decoder = JSONDecoder()
      return isList
        ? try decoder.decode([Element].self, from: Data(body))
        : [try decoder.decode(Element.self, from: Data(body))]
    } catch {
      throw Problem(.malformed, detail: "The body is no \(name) and no list of \(name)s.")
    }
  }

  private static func tooMany(_ name: String) -> Problem {
    Problem(.tooMany, detail: "A body has at most \(Limits.signalsPerPost) \(name)s.")
  }
}

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Wire

/// An open WebSocket to the Push Service. It tells text, signs of life, and its end.
struct PushSocket: PushCarrier {
  typealias Event = PushCarrierEvent

  /// 64 KiB: a welcome names at most 64 devices with about 150 bytes each.
  static let frameLimitBytes = 64 * 1024
  private static let connectWait = TimeAmount.seconds(5)
  /// 10 s for TLS and the upgrade.
  private static let upgradeWait = TimeAmount.seconds(10)

  private let channel: any Channel

  /// Connects and upgrades. `events` are called on an event loop, in order, and start when the
  /// socket is open; they may come before this returns.
  static func open(
    _ address: PushAddress, trust: ServerTrust?, key: ServerKey?,
    events: @escaping @Sendable (Event) -> Void
  ) async throws -> PushSocket {
    var failure: any Error = TransportError.noSuchHost(address.server.host)
    for target in try await LoopbackNames.addresses(of: address.server) {
      do {
        return try await open(address, at: target, trust: trust, key: key, events: events)
      } catch  where FailureReason.isBeforeConnection(error) {
        failure = error
      }
    }
    throw failure
  }

  private static func open(
    _ address: PushAddress, at target: ServerAddress, trust: ServerTrust?, key: ServerKey?,
    events: @escaping @Sendable (Event) -> Void
  ) async throws -> PushSocket {
    let tls = try trust.map {
      try NIOSSLContext(configuration: $0.tlsConfiguration(pinned: .noHostnameVerification))
    }
    let upgrade = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(connectWait)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .connect(host: target.host, port: target.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try addTLS(tls, host: address.server, key: key, to: channel) }
          let giveUp = channel.eventLoop.scheduleTask(in: upgradeWait) {
            channel.close(promise: nil)
          }
          let status = UpgradeStatus()
          let upgraded = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: configuration(address, status: status, events: events))
          let upgrader = try channel.pipeline.syncOperations.handler(
            type: NIOTypedHTTPClientUpgradeHandler<any Channel>.self)
          try channel.pipeline.syncOperations.addHandler(
            UpgradeWitness(status), position: .before(upgrader))
          upgraded.whenComplete { _ in giveUp.cancel() }
          return upgraded
        }
      }
    return PushSocket(channel: try await upgrade.get())
  }

  private static func addTLS(
    _ context: NIOSSLContext, host: ServerAddress, key: ServerKey?, to channel: any Channel
  ) throws {
    let name = host.literal == nil ? host.host : nil
    let handler: NIOSSLClientHandler
    if let key {
      handler = try NIOSSLClientHandler(
        context: context, serverHostname: name,
        customVerificationCallback: { certificates, promise in
          promise.completeWith(
            Result {
              guard let leaf = certificates.first else { throw TransportError.wrongServerKey }
              try key.check(leaf)
              return .certificateVerified
            })
        })
    } else {
      handler = try NIOSSLClientHandler(context: context, serverHostname: name)
    }
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  private static func configuration(
    _ address: PushAddress, status: UpgradeStatus,
    events: @escaping @Sendable (Event) -> Void
  ) -> NIOUpgradableHTTPClientPipelineConfiguration<any Channel> {
    let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(
      maxFrameSize: frameLimitBytes, enableAutomaticErrorHandling: false
    ) { channel, _ in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(PushSocketHandler(events: events))
        return channel
      }
    }
    var headers = HTTPHeaders()
    headers.add(name: "host", value: address.server.authority)
    let head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: address.path, headers: headers)
    var configuration = NIOUpgradableHTTPClientPipelineConfiguration<any Channel>(
      upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
        upgradeRequestHead: head, upgraders: [upgrader],
        notUpgradingCompletionHandler: { channel in
          channel.close(promise: nil)
          return channel.eventLoop.makeFailedFuture(
            TransportError.upgradeRefused(status: status.code))
        }))
    // A server may speak in the packet that ends the upgrade.
    configuration.leftOverBytesStrategy = .forwardBytes
    return configuration
  }

  func send(_ text: [UInt8]) {
    write(.text, text)
  }

  func ping() {
    write(.ping, [])
  }

  func close() {
    var code = ByteBuffer()
    code.write(webSocketErrorCode: .normalClosure)
    let frame = WebSocketFrame(
      fin: true, opcode: .connectionClose, maskKey: .random(), data: code)
    let channel = channel
    // The other side may take nothing any more.
    channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    channel.writeAndFlush(frame).whenComplete { _ in channel.close(promise: nil) }
  }

  private func write(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) {
    // A failed write closes the channel, which is told as a loss.
    channel.writeAndFlush(
      WebSocketFrame(
        fin: true, opcode: opcode, maskKey: .random(), data: ByteBuffer(bytes: bytes)),
      promise: nil)
  }
}

/// Puts messages together, answers pings, and ends the connection when a rule of RFC 6455 is
/// broken.
private final class PushSocketHandler: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private let events: @Sendable (PushSocket.Event) -> Void
  /// The parts of a message whose end has not come.
  private var partial: ByteBuffer?
  private var isLost = false

  init(events: @escaping @Sendable (PushSocket.Event) -> Void) {
    self.events = events
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isLost else { return }
    let frame = unwrapInboundIn(data)
    guard !frame.rsv1, !frame.rsv2, !frame.rsv3, frame.maskKey == nil else {
      return end(context, "the server broke the WebSocket's rules", code: .protocolError)
    }
    switch frame.opcode {
    case .text, .continuation:
      collect(frame, context)
    case .ping:
      events(.heard)
      let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.data)
      context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
    case .pong:
      events(.heard)
    case .connectionClose:
      end(context, "the server closed the connection", code: .normalClosure)
    default:
      end(context, "the server sent what is not text", code: .unacceptableData)
    }
  }

  private func collect(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
    guard (frame.opcode == .continuation) == (partial != nil) else {
      return end(context, "the server broke the WebSocket's rules", code: .protocolError)
    }
    var message = partial ?? ByteBuffer()
    message.writeImmutableBuffer(frame.data)
    guard message.readableBytes <= PushSocket.frameLimitBytes else {
      return end(context, Self.tooLong, code: .messageTooLarge)
    }
    partial = frame.fin ? nil : message
    if frame.fin { events(.text(Array(message.readableBytesView))) }
  }

  private static let tooLong = "the server sent a frame that is too long"

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength:
      end(context, Self.tooLong, code: .messageTooLarge)
    case is NIOWebSocketError:
      end(context, "the server broke the WebSocket's rules", code: .protocolError)
    default:
      lose(FailureReason.text(error))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    lose("the server closed the connection")
    context.fireChannelInactive()
  }

  private func end(_ context: ChannelHandlerContext, _ reason: String, code: WebSocketErrorCode) {
    lose(reason)
    var data = ByteBuffer()
    data.write(webSocketErrorCode: code)
    let close = WebSocketFrame(
      fin: true, opcode: .connectionClose, maskKey: .random(), data: data)
    context.writeAndFlush(wrapOutboundOut(close), promise: nil)
    context.close(promise: nil)
  }

  private func lose(_ reason: String) {
    guard !isLost else { return }
    isLost = true
    partial = nil
    events(.lost(reason: reason))
  }
}

/// What was answered to the upgrade.
///
/// Unchecked: touched on the channel's event loop only.
private final class UpgradeStatus: @unchecked Sendable {
  var code: UInt?
}

/// Notes the answer to the upgrade on its way to the handler that judges it, and steps aside.
private final class UpgradeWitness: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPClientResponsePart

  private let status: UpgradeStatus
  private var hasSeen = false

  init(_ status: UpgradeStatus) {
    self.status = status
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasSeen else { return context.fireChannelRead(data) }
    hasSeen = true
    if case .head(let head) = unwrapInboundIn(data) { status.code = head.status.code }
    context.fireChannelRead(data)
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}

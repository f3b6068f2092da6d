import Crypto
import Foundation
import NIOCore
import Wire

/// One connection to the device listener, from its first byte on: an HTTP request, then whatever
/// that asked for. The only handler of its channel, so that ten thousand idle ones stay small.
final class DeviceChannel: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Mode {
    /// The state while a request is read; apart, as it is large and soon over.
    indirect case request(RequestReader)
    /// The state while a request waits for its answer; what comes meanwhile waits too.
    case answering(rest: [UInt8])
    case conversation(any Conversation)
    case over
  }

  let node: PushNode
  private var mode = Mode.request(RequestReader(limitBytes: Limits.pushFrameBytes))
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?
  private var isKeptAlive = false
  private var origin: Crowd.Origin?
  private var outlet: SocketOutlet

  /// `isPlain` says whether what is written goes to the socket as it is, without TLS.
  init(node: PushNode, isPlain: Bool) {
    self.node = node
    outlet = SocketOutlet(isWanted: isPlain)
  }

  var loop: any EventLoop { node.loop }
  /// Whether the connection has ended.
  var isGone: Bool { context == nil }
  var isWritable: Bool { context?.channel.isWritable ?? false }
  var allocator: ByteBufferAllocator { context?.channel.allocator ?? ByteBufferAllocator() }

  // MARK: the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    origin = Crowd.Origin(context.remoteAddress)
    outlet.open(context)
    guard node.opened(from: origin) else { return close() }
    waitForRequest()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    outlet.close()
    timer?.cancel()
    node.ended(from: origin)
    if case .conversation(let conversation) = mode { conversation.ended() }
    mode = .over
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data).readableBytesView
    switch mode {
    case .request(var reader):
      // Nobody else holds it now, so its bytes are not copied.
      mode = .over
      let outcome = reader.read(bytes)
      mode = .request(reader)
      took(outcome)
    case .answering(let rest):
      // A client that does not wait for its answer is not given a buffer without end.
      guard rest.count + bytes.count <= RequestReader.headBytes else { return close() }
      mode = .answering(rest: rest + bytes)
    case .conversation(let conversation): conversation.read(bytes)
    case .over: break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    // From here on the number may be another connection's.
    outlet.close()
    context.fireChannelInactive()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if case .conversation(let conversation) = mode { conversation.becameWritable() }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  // MARK: requests

  private func waitForRequest() {
    timer?.cancel()
    timer = loop.assumeIsolated().scheduleTask(in: TimeAmount(node.configuration.requestWait)) {
      [weak self] in
      self?.close()
    }
  }

  private func took(_ outcome: RequestReader.Outcome) {
    switch outcome {
    case .more: break
    case .refused(let status):
      isKeptAlive = false
      answer(HTTPReply(status: status))
    case .request(let request):
      guard case .request(var reader) = mode else { return }
      timer?.cancel()
      timer = nil
      isKeptAlive = request.isKeptAlive
      mode = .answering(rest: reader.takeRest())
      DeviceRoutes(channel: self).serve(request)
    }
  }

  /// Answers the request. Another may follow on the same connection.
  func answer(_ reply: HTTPReply) {
    guard case .answering(let rest) = mode else {
      if case .request = mode { write(reply.bytes(keepAlive: false), close: true) }
      return
    }
    write(reply.bytes(keepAlive: isKeptAlive), close: !isKeptAlive)
    guard isKeptAlive else { return }
    var reader = RequestReader(limitBytes: Limits.pushFrameBytes)
    let outcome = reader.read(rest)
    mode = .request(reader)
    waitForRequest()
    took(outcome)
  }

  /// Sends a head and goes over to a conversation, which gets the bytes that came already.
  func begin(_ head: [UInt8], _ conversation: any Conversation) {
    guard case .answering(let rest) = mode else { return }
    write(head)
    mode = .conversation(conversation)
    conversation.began()
    if !rest.isEmpty { conversation.read(rest[...]) }
  }

  // MARK: writing

  func write(_ bytes: [UInt8], close: Bool = false) {
    write(ByteBuffer(bytes: bytes), close: close)
  }

  func write(_ buffer: ByteBuffer, close: Bool = false) {
    guard let context else { return }
    let channel = context.channel
    guard close else {
      guard let rest = outlet.write(buffer) else { return }
      outlet.waiting += 1
      context.writeAndFlush(wrapOutboundOut(rest)).assumeIsolated().whenComplete { _ in
        self.outlet.waiting -= 1
      }
      return
    }
    mode = .over
    context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in
      channel.close(promise: nil)
    }
  }

  func close() {
    context?.close(promise: nil)
  }

  /// Closes after a while, for a peer that should do it first.
  func close(in wait: TimeAmount) {
    guard let channel = context?.channel else { return }
    loop.scheduleTask(in: wait) { channel.close(promise: nil) }
  }
}

/// What a connection becomes after its request.
protocol Conversation: AnyObject {
  func began()
  func read(_ bytes: some Sequence<UInt8>)
  func becameWritable()
  /// The connection is gone.
  func ended()
}

extension Conversation {
  func began() {}
  func becameWritable() {}
  func ended() {}
}

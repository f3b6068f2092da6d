import NIOCore
import NIOWebSocket
import Wire

/// A device's WebSocket: gives what comes in to its ``Session`` and does what that says.
///
/// Lives on its channel's event loop. Nothing queues here but the newest of each kind, so a device
/// that reads slowly holds nobody up.
final class DeviceConnection: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  /// After this long without taking anything a device is sent away; it will sync when it is back.
  private static let stallLimit = Duration.seconds(30)
  /// How long the peer may take to answer a close.
  private static let closeWait = TimeAmount.seconds(2)

  private let node: PushNode
  private var session: Session
  private var pending = PendingFrames()
  private var assembler = MessageAssembler(limitBytes: Limits.pushFrameBytes)
  private var context: ChannelHandlerContext?
  private var id: Hub.ConnectionID = 0
  private var stalledSince: Duration?
  private var closeSent = false

  init(node: PushNode) {
    self.node = node
    session = Session(uptime: node.configuration.uptime())
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    id = node.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    node.remove(id)
  }

  func channelInactive(context: ChannelHandlerContext) {
    node.remove(id)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    // A client masks every frame (RFC 6455, section 5.1); no extension was agreed on.
    guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
      return handle(.violation(.protocolError))
    }
    switch frame.opcode {
    case .text: read(frame, as: .text)
    case .binary: read(frame, as: .binary)
    case .continuation: read(frame, as: .continuation)
    case .ping: answerPing(frame)
    case .pong: handle(.heard)
    case .connectionClose: answerClose(frame)
    default: handle(.violation(.protocolError))
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    flushPending()
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error as? NIOWebSocketError {
    case .invalidFrameLength: handle(.violation(.tooBig))
    case .fragmentedControlFrame, .multiByteControlFrameLength:
      handle(.violation(.protocolError))
    case nil: context.close(promise: nil)
    }
  }

  // MARK: Session

  func handle(_ event: Session.Event) {
    var event = event
    let uptime = node.configuration.uptime()
    if case .tick = event, let stalledSince, uptime - stalledSince >= Self.stallLimit {
      event = .dismiss(.slow)
    }
    for effect in session.handle(event, uptime: uptime, now: node.configuration.now()) {
      perform(effect)
    }
  }

  private func perform(_ effect: Session.Effect) {
    switch effect {
    case .check(let token): node.check(token, for: id)
    case .join(let account, let device, let frontier):
      node.join(id, account: account, device: device, frontier: frontier)
    case .rejoin(let frontier): node.rejoin(id, frontier: frontier)
    case .acknowledge(let device, let sequence):
      node.acknowledge(id, device: device, sequence: sequence)
    case .send(let frame): deliver(frame)
    case .ping: write(.ping, ByteBuffer())
    case .close(let code, let bye): close(code, after: bye)
    case .abandon: abandon()
    }
  }

  /// Writes the frame, or keeps the newest of its kind while the connection takes no more.
  func deliver(_ frame: PushFrame) {
    guard !session.isClosed else { return }
    pending.add(frame)
    flushPending()
  }

  func abandon() {
    context?.close(promise: nil)
  }

  private func flushPending() {
    guard let context, !session.isClosed else { return }
    while context.channel.isWritable, let frame = pending.next() { write(frame) }
    stalledSince =
      pending.isEmpty ? nil : stalledSince ?? node.configuration.uptime()
  }

  // MARK: Frames

  private func read(_ frame: WebSocketFrame, as part: MessageAssembler.Part) {
    do throws(MessageViolation) {
      let bytes = Array(frame.unmaskedData.readableBytesView)
      let text = try assembler.add(part, bytes: bytes, isLast: frame.fin)
      handle(text.map { .text($0) } ?? .heard)
    } catch {
      handle(.violation(error.code))
    }
  }

  private func answerPing(_ frame: WebSocketFrame) {
    handle(.heard)
    // Somebody who pings without reading gets no answers piled up.
    if context?.channel.isWritable == true { write(.pong, frame.unmaskedData) }
  }

  private func answerClose(_ frame: WebSocketFrame) {
    if !closeSent {
      var data = frame.unmaskedData
      let code = data.readInteger(as: UInt16.self) ?? CloseCode.normal.rawValue
      writeClose(code)
    }
    context?.close(promise: nil)
  }

  private func close(_ code: CloseCode, after bye: PushFrame) {
    node.leave(id)
    write(bye)
    writeClose(code.rawValue)
    guard let channel = context?.channel else { return }
    // The peer answers with its own close and ends the connection; one that does not is cut off.
    node.loop.scheduleTask(in: Self.closeWait) { channel.close(promise: nil) }
  }

  private func writeClose(_ code: UInt16) {
    closeSent = true
    var data = ByteBuffer()
    data.writeInteger(code)
    write(.connectionClose, data)
  }

  private func write(_ frame: PushFrame) {
    guard let bytes = node.bytes(of: frame) else { return }
    write(.text, ByteBuffer(bytes: bytes))
  }

  private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
    guard let context else { return }
    let frame = WebSocketFrame(fin: true, opcode: opcode, data: data)
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }
}

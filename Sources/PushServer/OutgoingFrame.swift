import Logging
import NIOCore
import Wire

/// A frame on its way to one device or to many: written once, whoever gets it and however it is
/// carried.
final class OutgoingFrame {
  let frame: PushFrame
  private let logger: Logger

  init(_ frame: PushFrame, logger: Logger) {
    self.frame = frame
    self.logger = logger
  }

  /// The frame as JSON; nil for one that cannot be written.
  private(set) lazy var json: [UInt8]? = {
    if case .signal(let update?) = frame, let text = SignalWriter.text(of: update) { return text }
    do {
      return try frame.encoded()
    } catch {
      logger.error("A push frame could not be written")
      return nil
    }
  }()

  /// The frame as a WebSocket carries it; receivers share its memory.
  private(set) lazy var webSocket: ByteBuffer? = json.map {
    WebSocketWriter.frame(.text, $0, allocator: ByteBufferAllocator())
  }
}

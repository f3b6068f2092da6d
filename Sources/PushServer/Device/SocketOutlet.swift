import Glibc
import NIOCore

/// A way to the socket past its channel, for as long as nothing waits in that: the channel's own
/// way costs more time than all else a delivery takes besides the kernel's.
struct SocketOutlet {
  private let isWanted: Bool
  private var socket: NIOBSDSocket.Handle?
  /// What the channel was given and has not written yet: later bytes must not overtake that.
  var waiting = 0

  /// - Parameter isWanted: False where the channel changes what is written, as TLS does.
  init(isWanted: Bool) {
    self.isWanted = isWanted
  }

  mutating func open(_ context: ChannelHandlerContext) {
    guard isWanted else { return }
    do {
      socket = try context.pipeline.syncOperations.withUnsafeTransportIfAvailable { $0 }
    } catch {
      // A channel that has ended already has no socket.
      socket = nil
    }
  }

  /// The socket is the channel's no more.
  mutating func close() {
    socket = nil
  }

  /// Hands the bytes to the kernel; what is left for the channel to write, nil for nothing. All of
  /// them when the connection is broken: it is the channel that finds that out.
  func write(_ buffer: ByteBuffer) -> ByteBuffer? {
    guard waiting == 0, let socket else { return buffer }
    let count = buffer.withUnsafeReadableBytes { bytes in
      send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
    guard count > 0 else { return buffer }
    var rest = buffer
    rest.moveReaderIndex(forwardBy: count)
    return rest.readableBytes > 0 ? rest : nil
  }
}

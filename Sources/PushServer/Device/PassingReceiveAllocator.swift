import NIOCore

/// Buffers to read into that are gone when they were read.
///
/// A channel keeps the first one it gets, so that is as small as one can be; the others are made as
/// they are needed, which takes far less time than reading does. A buffer kept by each of ten
/// thousand idle connections would be a third of what they take. Wants `maxMessagesPerRead` to be
/// 1: a channel that reads more often at once keeps more.
struct PassingReceiveAllocator: RecvByteBufferAllocator {
  /// As much as the smallest piece of memory holds.
  private static let firstBytes = 16
  /// 2 KiB: a request with its token.
  private static let bytes = 2048

  private var isFirst = true

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    allocator.buffer(capacity: isFirst ? Self.firstBytes : Self.bytes)
  }

  /// True: the next one may be larger, so the one that is kept will not do.
  mutating func record(actualReadBytes: Int) -> Bool {
    isFirst = false
    return true
  }
}

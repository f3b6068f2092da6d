import Foundation

/// Reads and writes on file descriptors, whole, whatever interrupts them.
enum Descriptor {
  /// How much is read at once.
  static let chunkBytes = 64 * 1024
  /// How often a cancelled task is noticed while there is nothing to read.
  private static let pollMilliseconds: Int32 = 100

  /// Up to `count` bytes; empty at the end.
  static func read(_ descriptor: Int32, upTo count: Int) throws(Errno) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: count)
    while true {
      let got = Foundation.read(descriptor, &chunk, chunk.count)
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw Errno(code: errno) }
      return Array(chunk.prefix(got))
    }
  }

  /// Returns when there is something to read, or the end.
  static func waitForInput(_ descriptor: Int32, isCancelled: () -> Bool) throws {
    while true {
      if isCancelled() { throw CancellationError() }
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // Whatever else poll says, reading says it better.
      if poll(&wanted, 1, pollMilliseconds) != 0 { return }
    }
  }

  /// Writes all of `bytes`, and waits for ever where nothing is taken.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Errno) {
    try write(bytes) { rest throws(Errno) in
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EAGAIN {
        // Another program made the terminal non-blocking.
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, -1)
        return 0
      }
      return count
    }
  }

  /// Writes all of `bytes` to a socket, for as long as its own limit allows. A reader that is gone
  /// is an error, never a signal.
  static func send(_ bytes: [UInt8], to socket: Int32) throws(Errno) {
    try write(bytes) { rest throws(Errno) in
      rest.withUnsafeBytes {
        Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
    }
  }

  /// Calls `body` with what is left until nothing is; it returns how much it took.
  private static func write(
    _ bytes: [UInt8], _ body: (ArraySlice<UInt8>) throws(Errno) -> Int
  ) throws(Errno) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try body(rest)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Errno(code: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// The number of a failed system call.
  struct Errno: Error, Hashable {
    let code: Int32
  }
}

import CNcurses
import Glibc
import Selector

/// The terminal's line: an own open file on it, so that not waiting for writes is nobody else's
/// matter (the flag would be shared with the shell otherwise).
struct Line {
  let descriptor: Int32
  /// Whether a write that cannot go on returns instead of waiting.
  let isNonblocking: Bool

  enum ReadResult {
    case bytes([UInt8])
    case none
    case lost
  }

  enum WriteResult: Equatable {
    case count(Int)
    /// The terminal takes no more for now.
    case full
    case lost
  }

  /// Most of what is read at once; more is read in the next step of the same turn.
  private static let readBytes = 4096

  init(reopening original: Int32) throws {
    let flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC
    var name = [CChar](repeating: 0, count: 256)
    let found = ttyname_r(original, &name, name.count) == 0
    var opened = found ? Glibc.open(name, flags) : -1
    if opened < 0 { opened = Glibc.open("/proc/self/fd/\(original)", flags) }
    isNonblocking = opened >= 0
    if opened < 0 { opened = fcntl(original, F_DUPFD_CLOEXEC, 3) }
    guard opened >= 0 else { throw TerminalError.system(code: errno) }
    descriptor = opened
  }

  func close() {
    Glibc.close(descriptor)
  }

  /// A terminal that does not know its size counts as 80 by 24.
  var size: Size {
    var rows: Int32 = 0
    var columns: Int32 = 0
    guard line_size(descriptor, &rows, &columns), rows > 0, columns > 0 else {
      return Size(columns: 80, rows: 24)
    }
    return Size(columns: Int(columns), rows: Int(rows))
  }

  func read() -> ReadResult {
    var buffer = [UInt8](repeating: 0, count: Self.readBytes)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    if count > 0 { return .bytes(Array(buffer.prefix(count))) }
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return .none }
    return .lost
  }

  func write(_ bytes: ArraySlice<UInt8>) -> WriteResult {
    while true {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 { return .count(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .full
      default: return .lost
      }
    }
  }
}

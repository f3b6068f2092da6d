import Glibc
import Selector
import Testing

@testable import Terminal

/// The other end of a terminal, as an emulator holds it.
final class PseudoTerminal {
  let emulator: Int32
  let program: Int32
  private var isUp = true

  /// TIOCSPTLCK and TIOCGPTN of Linux's asm-generic/ioctls.h.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  init(columns: Int, rows: Int) throws {
    emulator = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    try #require(emulator >= 0)
    var unlocked: Int32 = 0
    try #require(ioctl(emulator, Self.setLock, &unlocked) == 0)
    var number: UInt32 = 0
    try #require(ioctl(emulator, Self.getNumber, &number) == 0)
    program = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(program >= 0)
    resize(columns: columns, rows: rows)
  }

  deinit {
    close(program)
    hangUp()
  }

  func resize(columns: Int, rows: Int) {
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(emulator, UInt(TIOCSWINSZ), &size)
  }

  func hangUp() {
    if isUp { close(emulator) }
    isUp = false
  }

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(emulator, bytes, bytes.count)
  }

  /// Writes until the terminal takes no more, as one whose emulator has stopped reading.
  func fill() {
    let flags = fcntl(program, F_GETFL)
    _ = fcntl(program, F_SETFL, flags | O_NONBLOCK)
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
    while write(program, bytes, bytes.count) > 0 {}
    _ = fcntl(program, F_SETFL, flags)
  }

  /// What the program has written, as soon as it holds `text`.
  func output(until text: String) throws -> String {
    var bytes: [UInt8] = []
    while true {
      var watched = pollfd(fd: emulator, events: Int16(POLLIN), revents: 0)
      try #require(poll(&watched, 1, 5000) > 0, "no \(text) in \(bytes.count) bytes")
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = read(emulator, &buffer, buffer.count)
      try #require(count > 0)
      bytes += buffer.prefix(count)
      let whole = String(decoding: bytes, as: UTF8.self)
      if whole.contains(text) { return whole }
    }
  }

  /// Whether the line echoes what is typed, as it did when it was opened.
  var echoes: Bool {
    var line = termios()
    tcgetattr(program, &line)
    return line.c_lflag & tcflag_t(ECHO) != 0
  }
}

import Foundation
import Vault

/// Reads one line from the terminal a person sits at, whatever standard input is.
///
/// Without echo the keys are taken one by one, so that Ctrl-C can put the terminal right before the
/// program ends. The line never passes through a text buffer of the C library.
struct TerminalLine {
  /// 64 KiB: the longest value.
  static let limitBytes = 64 * 1024

  let descriptor: Int32
  let isCancelled: @Sendable () -> Bool

  /// Opens the controlling terminal; nil when the process has none.
  static func openTerminal() -> Int32? {
    let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Shows `prompt` and reads up to Enter without showing what is typed.
  func secret(_ prompt: String) throws -> [UInt8] {
    var saved = termios()
    guard tcgetattr(descriptor, &saved) == 0 else { throw ConsoleError.noTerminal("a secret") }
    var quiet = saved
    quiet.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
    quiet.c_iflag &= ~tcflag_t(IXON)
    tcsetattr(descriptor, TCSAFLUSH, &quiet)
    defer {
      tcsetattr(descriptor, TCSAFLUSH, &saved)
      try? Descriptor.write([0x0a], to: descriptor)
    }
    try write(prompt)
    var line = SecretLine()
    while true {
      switch line.take(try nextByte()) {
      case .more: continue
      case .done: return line.bytes
      case .interrupted:
        line.erase()
        throw CancellationError()
      }
    }
  }

  /// Shows `question` and reads up to Enter; the terminal shows and edits the line itself.
  func shown(_ question: String) throws -> String {
    try write(question)
    var line: [UInt8] = []
    while true {
      guard let byte = try nextByte(), byte != 0x0a else { break }
      guard line.count < Self.limitBytes else {
        throw ConsoleError.tooLong("The line", limit: Self.limitBytes)
      }
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self)
  }

  private func write(_ text: String) throws {
    do {
      try Descriptor.write(Array(text.utf8), to: descriptor)
    } catch {
      throw ConsoleError.closed
    }
  }

  /// nil at the end of input.
  private func nextByte() throws -> UInt8? {
    try Descriptor.waitForInput(descriptor, isCancelled: isCancelled)
    do {
      return try Descriptor.read(descriptor, upTo: 1).first
    } catch {
      throw ConsoleError.noTerminal("an answer")
    }
  }
}

/// The keys of a line that is not shown.
struct SecretLine {
  enum Step: Hashable {
    case more, done, interrupted
  }

  var bytes: [UInt8] = []

  /// `byte` is nil at the end of input, which ends the line, too.
  mutating func take(_ byte: UInt8?) -> Step {
    switch byte {
    case nil, 0x0a, 0x0d, 0x04: return .done
    case 0x03: return .interrupted
    case 0x15: erase()
    case 0x08, 0x7f: removeCharacter()
    case let byte? where bytes.count < TerminalLine.limitBytes: bytes.append(byte)
    default: break
    }
    return .more
  }

  /// Ctrl-U, and an interruption: nothing typed stays in memory.
  mutating func erase() {
    bytes.wipe()
    bytes.removeAll()
  }

  /// One character is up to four bytes, of which all but the first begin with the bits 10.
  private mutating func removeCharacter() {
    while let last = bytes.popLast(), last & 0xc0 == 0x80 {}
  }
}

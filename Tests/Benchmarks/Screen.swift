import Foundation
import Glibc

/// A program in a terminal of its own, seen from the emulator's side: what it writes is counted,
/// and searched for texts.
///
/// A screen is painted by differences, so a text is found only if each of its cells was something
/// else before; ``Values`` makes such texts.
final class Screen: Watcher {
  /// TIOCSPTLCK and TIOCGPTN of Linux's asm-generic/ioctls.h.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  struct Size {
    var columns: UInt16 = 80
    var rows: UInt16 = 24
  }

  let child: Child
  private(set) var lastOutput: ContinuousClock.Instant?
  /// How many bytes the program has written.
  private(set) var written = 0
  /// How many frames it has shown: those it marks as synchronised (DEC mode 2026).
  private(set) var frames = 0
  private let emulator: Int32
  private let loop: Loop
  private var isOpen = true
  private var tail: [UInt8] = []
  private var sought: [String: [UInt8]] = [:]
  private var sightings: [String: ContinuousClock.Instant] = [:]

  init(_ program: Program, size: Size = Size(), loop: Loop) throws {
    emulator = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard emulator >= 0 else { throw BenchError.failed("there is no pseudo-terminal") }
    do {
      child = try Child(program, .terminal(path: try Self.prepare(emulator, size)))
    } catch {
      Glibc.close(emulator)
      throw error
    }
    self.loop = loop
    loop.add(self)
  }

  private static func prepare(_ emulator: Int32, _ size: Size) throws -> String {
    var unlocked: Int32 = 0
    var number: UInt32 = 0
    var size = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
    guard ioctl(emulator, setLock, &unlocked) == 0, ioctl(emulator, getNumber, &number) == 0,
      ioctl(emulator, UInt(TIOCSWINSZ), &size) == 0
    else { throw BenchError.failed("the pseudo-terminal does not answer") }
    return "/dev/pts/\(number)"
  }

  var descriptors: [Int32] { isOpen ? [emulator] : [] }

  func readable(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(emulator, &buffer, buffer.count)
    let now = ContinuousClock.now
    guard count > 0 else {
      // EIO: no program holds the other side any more.
      if count == 0 || (errno != EAGAIN && errno != EINTR) { hangUp() }
      return
    }
    lastOutput = now
    written += count
    countFrames(in: buffer.prefix(count))
    tail += buffer.prefix(count)
    for (text, bytes) in sought where tail.firstRange(of: bytes) != nil {
      sightings[text] = now
      sought[text] = nil
    }
    tail.removeFirst(max(0, tail.count - 4096))
  }

  private static let frameStart = Array("\u{1b}[?2026h".utf8)

  /// A mark that two reads cut in half counts with the second.
  private func countFrames(in bytes: ArraySlice<UInt8>) {
    let text = Array(tail.suffix(Self.frameStart.count - 1)) + bytes
    var rest = text[...]
    while let found = rest.firstRange(of: Self.frameStart) {
      frames += 1
      rest = rest[found.upperBound...]
    }
  }

  /// Looks for `text` in what is written from now on.
  func seek(_ text: String) {
    tail = []
    sightings[text] = nil
    sought[text] = Array(text.utf8)
  }

  /// When the last byte of a sought text came; nil while it has not.
  func sighting(of text: String) -> ContinuousClock.Instant? { sightings[text] }

  /// Serves until `text`, sought before, has come.
  @discardableResult
  func wait(for text: String, seconds: Double = 20) throws -> ContinuousClock.Instant {
    do {
      try loop.wait("\"\(text)\" on a screen", seconds: seconds) {
        guard sightings[text] != nil || isOpen else {
          throw BenchError.failed("\(child.name) ended before \"\(text)\" came: \(words)")
        }
        return sightings[text] != nil
      }
    } catch BenchError.timedOut(let what, let seconds) {
      throw BenchError.timedOut("\(what); last written: \(words)", seconds: seconds)
    }
    guard let found = sightings[text] else {
      throw BenchError.failed("\"\(text)\" never came")
    }
    return found
  }

  /// What can be read of the last bytes.
  private var words: String {
    let readable = tail.suffix(600).map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }
    return String(decoding: readable, as: UTF8.self)
      .split(separator: " ").suffix(24).joined(separator: " ")
  }

  func type(_ keys: String) throws {
    let bytes = Array(keys.utf8)
    guard write(emulator, bytes, bytes.count) == bytes.count else {
      throw BenchError.failed("\(child.name) takes no keys")
    }
  }

  /// Types, and serves until the answer has been painted: something came, then 60 ms nothing.
  func typeAndSettle(_ keys: String) throws {
    let start = ContinuousClock.now
    try type(keys)
    try loop.wait("an answer to keys", seconds: 5, tick: 5) {
      guard let lastOutput, lastOutput > start else { return false }
      return ContinuousClock.now - lastOutput > .milliseconds(60)
    }
  }

  /// Types, and serves until nothing has come for `quiet` after an answer.
  ///
  /// - Returns: from the keys to the last byte of the answer, and how many bytes it was.
  func answer(to keys: String, quiet: Duration) throws -> (milliseconds: Double, bytes: Int) {
    let (start, before) = (ContinuousClock.now, written)
    try type(keys)
    try loop.wait("an answer of \(child.name) to a key", seconds: 10, tick: 1) {
      guard let lastOutput, lastOutput > start else { return false }
      return ContinuousClock.now - lastOutput > quiet
    }
    return (((lastOutput ?? start) - start).milliseconds, written - before)
  }

  /// Takes the terminal away, as a connection that breaks does; how long the program lives on.
  func lose() throws -> Double {
    let start = ContinuousClock.now
    hangUp()
    try loop.wait("the end of \(child.name)", seconds: 10, tick: 1) { child.status != nil }
    return (ContinuousClock.now - start).milliseconds
  }

  func end() {
    child.send(SIGTERM)
    // A program that restores its screen must find a reader.
    let deadline = ContinuousClock.now + .seconds(3)
    while child.status == nil, isOpen, .now < deadline { loop.turn(atMost: 2) }
    hangUp()
    child.end(within: 1)
  }

  private func hangUp() {
    guard isOpen else { return }
    isOpen = false
    loop.remove(self)
    Glibc.close(emulator)
  }
}

/// Values of which each character differs from that of the value before at the same place.
struct Values {
  private static let alphabets = [Array("abcdefghijklm"), Array("nopqrstuvwxyz")]
  private let length: Int
  private var count = 0

  init(length: Int = 14) { self.length = length }

  mutating func next() -> String {
    let letters = Self.alphabets[count % 2]
    count += 1
    var text: [Character] = []
    while text.count < length {
      // No letter twice in a row: terminals can be told to repeat one.
      if let letter = letters.randomElement(), letter != text.last { text.append(letter) }
    }
    return String(text)
  }
}

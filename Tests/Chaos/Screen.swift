import Foundation
import Glibc

/// A selector in a terminal of its own, 80x24: keys go in, and what it paints is searched.
final class Screen {
  /// TIOCSPTLCK and TIOCGPTN of Linux's asm-generic/ioctls.h.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  let child: Child
  private let emulator: Int32
  private var painted: [UInt8] = []

  init(_ stage: Stage, _ device: String) throws {
    emulator = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    var unlocked: Int32 = 0
    var number: UInt32 = 0
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    guard emulator >= 0, ioctl(emulator, Self.setLock, &unlocked) == 0,
      ioctl(emulator, Self.getNumber, &number) == 0,
      ioctl(emulator, UInt(TIOCSWINSZ), &size) == 0
    else { throw ChaosError.failed("there is no pseudo-terminal: errno \(errno)") }
    child = try stage.start(device, [], input: .terminal(path: "/dev/pts/\(number)"))
  }

  deinit { close(emulator) }

  /// Reads what was painted, for that long or until `text` came; whether it came.
  ///
  /// A screen is painted by differences: a text is found where something else stood before.
  @discardableResult
  func see(_ text: String?, within seconds: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    let bytes = text.map { Array($0.utf8) }
    while true {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = read(emulator, &buffer, buffer.count)
      if count > 0 { painted += buffer.prefix(count) }
      if let bytes, painted.firstRange(of: bytes) != nil { return true }
      guard .now < end, count > 0 || child.status == nil else { return false }
      if count <= 0 { usleep(500) }
    }
  }

  /// Types, and forgets what was painted before.
  func type(_ keys: String) {
    painted = []
    let bytes = Array(keys.utf8)
    _ = write(emulator, bytes, bytes.count)
  }

  /// Types and lets the answer be painted.
  func typeAndSettle(_ keys: String) {
    type(keys)
    see(nil, within: 0.15)
  }
}

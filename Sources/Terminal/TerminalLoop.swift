import CNcurses
import Glibc
import Selector

/// The terminal's thread: waits, reads, reports, paints.
///
/// `@unchecked Sendable`: made by the thread that opens the terminal, then handed to the terminal's
/// own thread, which alone touches it from `run` on; `size`, `mailbox` and `outlet` guard
/// themselves.
final class TerminalLoop: @unchecked Sendable {
  let depth: ColourDepth
  let features: Features
  let size: SharedSize

  private let line: Line
  private let mailbox: Mailbox
  private let outlet: Outlet
  private let signals: Int32
  private var decoder: InputDecoder
  private var painter: Painter
  private var batch: [TerminalEvent] = []
  private var isLost = false
  /// Something was posted while a write waited for room, and its wake-up is spent.
  private var isServeDue = false
  private var closing: [Mailbox.Request] = []

  /// 64 KiB: what one turn reads at the most, so that a flood of input cannot keep it from
  /// painting.
  private static let turnBytes = 65_536
  /// 100 ms: what a terminal that takes nothing is given before it is left as it is.
  private static let leaveWait: Int32 = 100
  /// 100 ms: SIGCONT has long arrived by then if the stop took place at all.
  private static let continueWait: Int32 = 100

  init(
    line: Line, environment: [String: String], mailbox: Mailbox, outlet: Outlet
  ) throws {
    let size = line.size
    try Self.openScreen(term: environment["TERM"] ?? "", size: size)
    features = Features(term: environment["TERM"] ?? "", environment: environment)
    depth = ColourDepth.detect(
      environment: environment, colours: Int(screen_colours()), isDirect: screen_flag("RGB"))
    decoder = InputDecoder(
      table: Features.keyTable(), erase: line_erase_character(line.descriptor))
    painter = Painter(size: size, depth: depth, features: features)
    signals = signals_open()
    guard signals >= 0, line_raw(line.descriptor) else {
      let code = errno
      if signals >= 0 { signals_close(false) }
      screen_close()
      throw TerminalError.system(code: code)
    }
    guard_open(line.descriptor, features.leave, features.leave.count)
    self.line = line
    self.mailbox = mailbox
    self.outlet = outlet
    self.size = SharedSize(size)
  }

  private static func openScreen(term: String, size: Size) throws {
    if term.isEmpty { throw TerminalError.dumb(term: term) }
    let code = screen_open(term, Int32(clamping: size.rows), Int32(clamping: size.columns))
    switch code {
    case 0: return
    case Int32(SCREEN_UNKNOWN_TERMINAL): throw TerminalError.unknownTerminal(term: term)
    case Int32(SCREEN_DUMB_TERMINAL): throw TerminalError.dumb(term: term)
    default: throw TerminalError.system(code: errno)
    }
  }

  /// Runs until the terminal is closed or lost, and puts it back.
  func run() {
    signals_receive()
    while !isLost && closing.isEmpty {
      turn()
    }
    if !isLost { writeLeave() }
    line_restore(line.descriptor)
    guard_close()
    signals_close(isLost)
    screen_close()
    line.close()
  }

  /// Lets go whoever waits for the end.
  func finish() {
    mailbox.close()
    outlet.finish()
    for request in closing {
      request.finish()
    }
  }

  private func turn() {
    let ready = wait()
    if ready.signal { readSignals() }
    if ready.input {
      readInput()
    } else if ready.isTimeout {
      batch += decoder.flush()
    }
    if ready.hangup { lose() }
    report()
    isServeDue = false
    if !isLost { serve(mailbox.take()) }
  }

  private struct Ready {
    var input = false
    var signal = false
    var hangup = false
    var isTimeout = false
  }

  private func wait() -> Ready {
    var watched = [
      pollfd(fd: line.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
      pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    let timeout = isServeDue ? 0 : decoder.waitMilliseconds.map(Int32.init) ?? -1
    let count = poll(&watched, nfds_t(watched.count), timeout)
    guard count > 0 else { return Ready(isTimeout: count == 0 && timeout > 0) }
    let gone = Int16(POLLHUP | POLLERR | POLLNVAL)
    return Ready(
      input: watched[0].revents & Int16(POLLIN) != 0,
      signal: watched[1].revents != 0,
      hangup: watched[0].revents & gone != 0)
  }

  private func readInput() {
    var total = 0
    while total < Self.turnBytes {
      switch line.read() {
      case .bytes(let bytes):
        total += bytes.count
        batch += decoder.feed(bytes)
        // A blocking line must not be asked again: it would wait.
        if !line.isNonblocking { return }
      case .none: return
      case .lost:
        lose()
        return
      }
    }
  }

  private func lose() {
    guard !isLost else { return }
    isLost = true
    batch.append(.lost)
  }

  private func report() {
    guard !batch.isEmpty else { return }
    outlet.put(batch)
    batch = []
  }
}

// Signals.
extension TerminalLoop {
  private func takeSignals() -> [Int32] {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(signals, &bytes, bytes.count)
    return count > 0 ? bytes.prefix(count).map(Int32.init) : []
  }

  private func readSignals() {
    let arrived = takeSignals()
    note(arrived)
    if arrived.contains(SIGCONT) {
      // Stopped from outside without notice (SIGSTOP): what was entered is still to be left.
      write(features.leave)
      enterAgain()
    }
    if arrived.contains(SIGWINCH) { readSize() }
  }

  private func note(_ arrived: [Int32]) {
    for signal in arrived {
      switch signal {
      case SIGTSTP: batch.append(.suspendRequested)
      case SIGHUP: batch.append(.hangup)
      case SIGTERM, SIGINT: batch.append(.terminate(signal: signal))
      default: break
      }
    }
  }

  private func readSize() {
    let new = line.size
    guard new != size.value else { return }
    size.value = new
    painter.resize(new)
    batch.append(.resize(new))
  }

  /// The program was stopped and goes on; the shell has had the terminal meanwhile.
  private func enterAgain() {
    _ = line_raw(line.descriptor)
    painter.leave()
    batch.append(.continued)
    readSize()
  }

  private func suspend() {
    write(features.leave)
    line_restore(line.descriptor)
    painter.leave()
    signals_stop()
    var watched = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
    if poll(&watched, 1, Self.continueWait) > 0 {
      note(takeSignals().filter { $0 != SIGCONT && $0 != SIGWINCH })
    }
    enterAgain()
    report()
  }
}

// Output.
extension TerminalLoop {
  private func serve(_ contents: Mailbox.Contents) {
    for request in contents.requests {
      switch request {
      case .clipboard(let sequence): write(sequence)
      case .redraw: painter.forget()
      case .mouse(let isOn): write(painter.setMouse(isOn))
      case .links(let isOn): painter.setLinks(isOn)
      case .suspend: break
      case .close: closing.append(request)
      }
    }
    if closing.isEmpty, !isLost, let (frame, theme) = contents.frame {
      write(painter.bytes(for: frame, theme: theme))
    }
    // After the frame: it is the one without secrets.
    for case .suspend(let waiting) in contents.requests {
      if closing.isEmpty && !isLost { suspend() }
      waiting.resume()
    }
  }

  /// Sends bytes to the terminal, in one call unless it takes them only in part. While it takes
  /// none, signals are still reported, and a request to close gives up the rest.
  private func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty && !isLost {
      switch line.write(rest) {
      case .count(let count): rest = rest.dropFirst(count)
      case .lost: lose()
      case .full:
        waitForRoom()
        if mailbox.wantsClose {
          painter.forget()
          return
        }
      }
    }
    report()
  }

  private func waitForRoom() {
    var watched = [
      pollfd(fd: line.descriptor, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
      pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&watched, nfds_t(watched.count), -1) > 0 else { return }
    if watched[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { lose() }
    if watched[1].revents != 0 { readSignals() }
    if watched[2].revents != 0 {
      mailbox.spendWake()
      isServeDue = true
    }
    report()
  }

  private func writeLeave() {
    if case .full = line.write(features.leave[...]) {
      var watched = pollfd(fd: line.descriptor, events: Int16(POLLOUT), revents: 0)
      if poll(&watched, 1, Self.leaveWait) > 0 { _ = line.write(features.leave[...]) }
    }
  }
}

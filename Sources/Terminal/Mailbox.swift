import CNcurses
import Glibc
import Selector
import Synchronization

/// What other threads want of the terminal's thread. Posting wakes it.
final class Mailbox: Sendable {
  enum Request {
    case clipboard([UInt8])
    case redraw
    case mouse(Bool)
    case links(Bool)
    case suspend(CheckedContinuation<Void, Never>)
    case close(CheckedContinuation<Void, Never>)
  }

  struct Contents {
    var frame: (frame: Frame, theme: Theme)?
    var requests: [Request] = []
  }

  private struct State {
    var contents = Contents()
    var isClosed = false
  }

  /// An eventfd, readable when something was posted.
  let descriptor: Int32
  private let state = Mutex(State())

  init() throws {
    descriptor = wake_open()
    if descriptor < 0 { throw TerminalError.system(code: errno) }
  }

  deinit {
    Glibc.close(descriptor)
  }

  /// Replaces a frame that was not yet taken; its bell still rings.
  func post(_ frame: Frame, theme: Theme) {
    let isNew = state.withLock { state in
      guard !state.isClosed else { return false }
      var frame = frame
      let waiting = state.contents.frame
      frame.bell = frame.bell || (waiting?.frame.bell ?? false)
      state.contents.frame = (frame, theme)
      return waiting == nil
    }
    if isNew { wake() }
  }

  /// Whoever waits in a request posted after the end is let go at once.
  func post(_ request: Request) {
    let isAccepted = state.withLock { state in
      if !state.isClosed { state.contents.requests.append(request) }
      return !state.isClosed
    }
    if isAccepted {
      wake()
    } else {
      request.finish()
    }
  }

  /// Makes `descriptor` unreadable until the next post.
  func spendWake() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
  }

  func take() -> Contents {
    spendWake()
    return state.withLock { state in
      defer { state.contents = Contents() }
      return state.contents
    }
  }

  /// Whether somebody waits for the terminal to be given back.
  var wantsClose: Bool {
    state.withLock { state in
      state.contents.requests.contains { if case .close = $0 { true } else { false } }
    }
  }

  /// Nothing is accepted any more; lets go whoever still waits.
  func close() {
    let left = state.withLock { state in
      state.isClosed = true
      defer { state.contents = Contents() }
      return state.contents.requests
    }
    for request in left {
      request.finish()
    }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }
}

extension Mailbox.Request {
  /// Lets whoever waits for this go on.
  func finish() {
    switch self {
    case .suspend(let waiting), .close(let waiting): waiting.resume()
    case .clipboard, .redraw, .mouse, .links: break
    }
  }
}

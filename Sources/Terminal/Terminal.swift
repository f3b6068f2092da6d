import CNcurses
import Foundation
import Glibc
public import Selector
import Synchronization

/// The person's terminal: keys in, frames out.
///
/// One thread owns ncurses and the terminal's line. It sleeps in `poll` until a key, a signal or a
/// request from here arrives; an idle screen wakes nobody. Opening takes raw mode and the alternate
/// screen; `close`, a crash and `exit` give back what was found.
public final class Terminal: Display {
  /// The terminal's colours, `mono` with NO_COLOR.
  public let depth: ColourDepth

  private let mailbox: Mailbox
  private let outlet: Outlet
  private let features: Features
  private let currentSize: SharedSize

  /// One screen in a process.
  private static let isOpen = Mutex(false)

  /// Opens the terminal on standard input and output.
  /// - Parameter environment: TERM, NO_COLOR, TMUX.
  /// - Throws: `TerminalError`; the terminal is as it was.
  public static func open(environment: [String: String]) throws -> Terminal {
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw TerminalError.notATerminal
    }
    return try open(environment: environment, descriptor: STDIN_FILENO)
  }

  /// Opens the terminal behind `descriptor`, which stays the caller's.
  static func open(environment: [String: String], descriptor: Int32) throws -> Terminal {
    let isFree = isOpen.withLock { isOpen in
      defer { isOpen = true }
      return !isOpen
    }
    guard isFree else { throw TerminalError.alreadyOpen }
    do {
      return try Terminal(environment: environment, descriptor: descriptor)
    } catch {
      isOpen.withLock { $0 = false }
      throw error
    }
  }

  private init(environment: [String: String], descriptor: Int32) throws {
    let mailbox = try Mailbox()
    let outlet = Outlet()
    let line = try Line(reopening: descriptor)
    let loop: TerminalLoop
    do {
      loop = try TerminalLoop(
        line: line, environment: environment, mailbox: mailbox, outlet: outlet)
    } catch {
      line.close()
      throw error
    }
    self.mailbox = mailbox
    self.outlet = outlet
    depth = loop.depth
    features = loop.features
    currentSize = loop.size
    let thread = Thread {
      // Only a thread that runs takes a name.
      Thread.current.name = "terminal"
      loop.run()
      Self.isOpen.withLock { $0 = false }
      loop.finish()
    }
    thread.start()
  }

  /// Hands over what happened, in order, on the terminal's thread, which `sink` must not hold up.
  /// One batch is everything one turn of the thread found, so that a burst of keys can be applied
  /// as a whole and painted once. Nil is the end, after `close` or `lost`. To be called once; what
  /// happened before is handed over first.
  public func deliver(to sink: @escaping @Sendable ([TerminalEvent]?) -> Void) {
    outlet.open(sink)
  }

  /// How large the terminal is now. A change also arrives as an event.
  public var size: Size {
    currentSize.value
  }

  /// Shows `frame` soon. Returns at once: see `Display.show`.
  public func show(_ frame: Frame, theme: Theme) {
    mailbox.post(frame, theme: theme)
  }

  /// Paints everything again when the next frame is shown, for a screen that something wrote over.
  public func redraw() {
    mailbox.post(.redraw)
  }

  /// Asks the terminal to report clicks and the wheel, which then no longer select its text.
  public func setMouse(_ isOn: Bool) {
    mailbox.post(.mouse(isOn))
  }

  /// Marks what a frame says can be opened, so that the terminal opens it (OSC 8). One that knows
  /// no such thing passes over it.
  public func setLinks(_ isOn: Bool) {
    mailbox.post(.links(isOn))
  }

  /// Gives the terminal back and stops the process group, as Control-Z would. Returns when the
  /// program goes on; the screen is then empty and an event `continued` has been sent.
  public func suspend() async {
    await withCheckedContinuation { mailbox.post(.suspend($0)) }
  }

  /// Puts the terminal back as it was found. Returns when that is done.
  public func close() async {
    await withCheckedContinuation { mailbox.post(.close($0)) }
  }

  /// See `Display.sendToClipboard`; tmux takes it only when its `set-clipboard` is on.
  public func sendToClipboard(_ bytes: [UInt8]) -> Bool {
    guard let sequence = features.clipboard(bytes) else { return false }
    mailbox.post(.clipboard(sequence))
    return true
  }
}

/// A size that one thread writes and others read.
final class SharedSize: Sendable {
  private let size: Mutex<Size>

  init(_ size: Size) {
    self.size = Mutex(size)
  }

  var value: Size {
    get { size.withLock { $0 } }
    set { size.withLock { $0 = newValue } }
  }
}

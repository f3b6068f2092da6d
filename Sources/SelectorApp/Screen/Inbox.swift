import Selector
import Synchronization

/// What is on the screen.
struct Shown: Sendable {
  let frame: Frame
  let theme: Theme
}

/// Something for the driver: an event of the session, or of the process.
enum Arrival: Sendable {
  case event(Event)
  /// Another program asks this one to stop.
  case suspend
  /// This device was revoked and has erased itself.
  case wiped(String)
  /// The device was unlocked, by a command if not here.
  case unlocked
  /// A command asks to lock, and waits until that is done.
  case lock(CheckedContinuation<Void, Never>)
  /// The person, the terminal or the system ends it.
  case quit
  /// The person pressed a key themselves: a script that plays ends.
  case touched
  /// Somebody wants to see the screen after all that came before.
  case look(CheckedContinuation<Shown?, Never>)
}

/// Events on their way to the one place that takes them, from any thread. A burst is taken as a
/// whole, so that it is painted once.
final class Inbox: Sendable {
  private struct State {
    var waiting: [Arrival] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let wake: AsyncStream<Void>.Continuation
  /// One element whenever something waits.
  let arrivals: AsyncStream<Void>

  init() {
    (arrivals, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func post(_ new: [Arrival]) {
    let refused = state.withLock { state in
      guard !state.isClosed else { return new }
      state.waiting += new
      return []
    }
    Self.turnAway(refused[...])
    wake.yield()
  }

  /// The screen after everything posted so far; nil when there is no selector any more.
  func look() async -> Shown? {
    await withCheckedContinuation { post([.look($0)]) }
  }

  /// Takes nothing more, and lets go whoever waits to see the screen.
  func close() {
    let left = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [] }
      return state.waiting
    }
    Self.turnAway(left[...])
  }

  /// Lets go whoever waits for something to come of these: nothing will.
  static func turnAway(_ arrivals: ArraySlice<Arrival>) {
    for arrival in arrivals {
      switch arrival {
      case .look(let waiting): waiting.resume(returning: nil)
      case .lock(let waiting): waiting.resume()
      default: break
      }
    }
  }

  func post(_ event: Event) { post([.event(event)]) }

  func takeAll() -> [Arrival] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
  }
}

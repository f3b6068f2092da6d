import Selector
import Synchronization

/// Something for the driver: an event of the session, or of the process.
enum Arrival: Sendable {
  case event(Event)
  /// Another program asks this one to stop.
  case suspend
  /// The person, the terminal or the system ends it.
  case quit
}

/// Events on their way to the one place that takes them, from any thread. A burst is taken as a
/// whole, so that it is painted once.
final class Inbox: Sendable {
  private let events = Mutex<[Arrival]>([])
  private let wake: AsyncStream<Void>.Continuation
  /// One element whenever something waits.
  let arrivals: AsyncStream<Void>

  init() {
    (arrivals, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func post(_ new: [Arrival]) {
    events.withLock { $0 += new }
    wake.yield()
  }

  func post(_ event: Event) { post([.event(event)]) }

  func takeAll() -> [Arrival] {
    events.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}

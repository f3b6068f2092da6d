import CProcess
import Foundation
import Synchronization

/// What is to happen later: one thread that sleeps until the earliest of it.
///
/// A deadline counts the time in which the machine sleeps, so that what was to be locked after five
/// minutes is locked when a lid is opened after an hour.
final class Timetable: Sendable {
  private struct Entry {
    let time: UInt64
    let action: @Sendable () -> Void
  }

  private struct State {
    /// The earliest is the last.
    var entries: [Entry] = []
    /// Nil until there was something to wait for.
    var timer: Int32?

    /// Where an entry of this time goes: before those of the same time, which came earlier.
    func place(of time: UInt64) -> Int {
      var (low, high) = (0, entries.count)
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].time > time { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private let state = Mutex(State())

  /// Runs `action`, which must not block, after `delay`; never before.
  func add(after delay: Duration, _ action: @escaping @Sendable () -> Void) {
    let entry = Entry(time: process_timer_now() + Self.nanoseconds(delay), action: action)
    let isFirst = state.withLock { state in
      let place = state.place(of: entry.time)
      state.entries.insert(entry, at: place)
      let isFirst = state.timer == nil
      if isFirst { state.timer = Self.open() }
      if place == state.entries.count - 1 { Self.set(state.timer, to: entry.time) }
      return isFirst
    }
    if isFirst { Thread.detachNewThread { self.run() } }
  }

  private func run() {
    Thread.current.name = "timetable"
    guard let timer = state.withLock(\.timer) else { return }
    while true {
      var count: UInt64 = 0
      let size = read(timer, &count, MemoryLayout.size(ofValue: count))
      precondition(size > 0 || errno == EINTR, "A timer cannot be read.")
      for entry in takeDue() { entry.action() }
    }
  }

  private func takeDue() -> [Entry] {
    state.withLock { state in
      let now = process_timer_now()
      var due: [Entry] = []
      while let last = state.entries.last, last.time <= now {
        due.append(state.entries.removeLast())
      }
      if let next = state.entries.last { Self.set(state.timer, to: next.time) }
      return due
    }
  }

  private static func open() -> Int32 {
    let timer = process_timer()
    precondition(timer >= 0, "There are no descriptors left.")
    return timer
  }

  private static func set(_ timer: Int32?, to time: UInt64) {
    guard let timer else { return }
    precondition(process_timer_set(timer, max(1, time)) == 0, "A timer cannot be set.")
  }

  /// At most 100 years, at least 0.
  private static func nanoseconds(_ delay: Duration) -> UInt64 {
    let (seconds, attoseconds) = min(max(delay, .zero), .seconds(3_155_760_000)).components
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }
}

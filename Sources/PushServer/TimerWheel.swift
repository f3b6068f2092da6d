/// When connections want to be looked at: one timer for all of a loop, and the same small cost for
/// each however many there are.
///
/// A ring of slots, each a list of the connections that are due in it (Varghese and Lauck, *Hashed
/// and Hierarchical Timing Wheels*, 1987). Times are spans by a clock that never goes back; what
/// is due comes up to one slot late.
struct TimerWheel: Sendable {
  /// 50 ms: of ten thousand connections that ping every 25 s twenty are due in a slot, which keeps
  /// nobody waiting.
  static let slotLength = Duration.milliseconds(50)
  private static let attosecondsPerSlot = Int(slotLength.components.attoseconds)
  private static let slotsPerSecond = 1_000_000_000_000_000_000 / attosecondsPerSlot
  /// 51 s in all, which is longer than any wait of a session.
  private static let slotCount = 1024

  private var slots = [[Hub.ConnectionID]](repeating: [], count: slotCount)
  /// The slot that was taken last, counted from the beginning of time.
  private var last = 0

  /// Puts the connection where it is due. A time beyond the ring is taken for its end: whoever is
  /// looked at too early is put in again.
  mutating func add(_ id: Hub.ConnectionID, at time: Duration) {
    let wanted = Self.slot(of: time + Self.slotLength - .nanoseconds(1))
    let slot = min(max(wanted, last + 1), last + Self.slotCount - 1)
    slots[slot % Self.slotCount].append(id)
  }

  /// Takes out those that are due by now.
  mutating func take(until now: Duration) -> [Hub.ConnectionID] {
    let current = Self.slot(of: now)
    guard current > last else { return [] }
    var due: [Hub.ConnectionID] = []
    for slot in max(last + 1, current - Self.slotCount + 1)...current {
      let place = slot % Self.slotCount
      guard !slots[place].isEmpty else { continue }
      due += slots[place]
      slots[place] = []
    }
    last = current
    return due
  }

  /// The slot that has begun last.
  private static func slot(of time: Duration) -> Int {
    let (seconds, attoseconds) = time.components
    return Int(seconds) * slotsPerSecond + Int(attoseconds) / attosecondsPerSlot
  }
}

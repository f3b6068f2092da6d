/// Decides *when* to synchronise: rules (a) and (b), retries, and the timed sync that is left when
/// push is down. One run at a time; what happens during a run asks for one more.
///
/// A value without a clock: every call is told the time, and ``nextAttempt`` says when to call
/// again.
public struct SyncMachine: Hashable, Sendable {
  /// How long it waits for what.
  public struct Waits: Hashable, Sendable {
    /// First retry after a failure; doubles up to ``retryCeiling``, each with full jitter.
    public var retryFloor = Duration.milliseconds(200)
    public var retryCeiling = Duration.seconds(30)
    /// 30 s: the old way, now the safety net while no push connection stands.
    public var pollWithoutPush = Duration.seconds(30)
    /// 15 min: against a push service that lies.
    public var pollWithPush = Duration.seconds(900)

    public init() {}
  }

  private enum State: Hashable {
    /// The state while nothing runs.
    case idle
    /// The state while a request is on its way.
    case running(again: Bool)
  }

  public enum Trigger: Hashable, Sendable {
    /// Something asks for a run: a commit, a signal, a person, the start, the end of a suspension.
    case wanted
    /// The time of ``nextAttempt`` may have come.
    case timer
    /// A run ended well; `more` asks for the next page at once.
    case succeeded(more: Bool)
    case failed
    /// A run ended well, but what it asked for is still on its way: failures before it count on.
    case unfinished
    /// A run ended well, moved nothing, and yet something is missing on a side: asking again at
    /// once would go in a circle.
    case stalled
    case push(isUp: Bool)
  }

  public let waits: Waits
  private var state = State.idle
  private var failures = 0
  private var isPushUp = false
  private var lastEnd: Duration?
  /// When to try without being asked; nil while a run is on its way or nothing ever ran.
  public private(set) var nextAttempt: Duration?

  public init(waits: Waits = Waits()) {
    self.waits = waits
  }

  public var isRunning: Bool { state != .idle }

  /// Takes a trigger; true when a run shall start now.
  ///
  /// `now` is the time since some fixed moment, not affected by the wall clock; `jitter`, at least
  /// 0 and less than 1, spreads the retries of many devices.
  public mutating func handle(_ trigger: Trigger, at now: Duration, jitter: Double) -> Bool {
    switch trigger {
    case .wanted:
      return want()
    case .timer:
      guard state == .idle, let nextAttempt, now >= nextAttempt else { return false }
      return start()
    case .succeeded(let more):
      failures = 0
      return succeed(more: more, at: now)
    case .unfinished:
      return succeed(more: false, at: now)
    case .failed:
      return fail(at: now, jitter: jitter)
    case .stalled:
      return state == .running(again: true) ? start() : fail(at: now, jitter: jitter)
    case .push(let isUp):
      return push(isUp: isUp, at: now)
    }
  }

  private mutating func want() -> Bool {
    guard state == .idle else {
      state = .running(again: true)
      return false
    }
    return start()
  }

  private mutating func start() -> Bool {
    state = .running(again: false)
    nextAttempt = nil
    return true
  }

  private mutating func succeed(more: Bool, at now: Duration) -> Bool {
    let again = state == .running(again: true)
    state = .idle
    lastEnd = now
    if again || more { return start() }
    nextAttempt = now + poll
    return false
  }

  private mutating func fail(at now: Duration, jitter: Double) -> Bool {
    state = .idle
    failures += 1
    lastEnd = now
    var ceiling = waits.retryFloor
    for _ in 1..<max(1, failures) where ceiling < waits.retryCeiling { ceiling *= 2 }
    ceiling = min(ceiling, waits.retryCeiling)
    // Never zero: full jitter must not become a storm.
    nextAttempt = now + max(ceiling * jitter, waits.retryFloor / 4)
    return false
  }

  private mutating func push(isUp: Bool, at now: Duration) -> Bool {
    guard isUp != isPushUp else { return false }
    isPushUp = isUp
    // Signals may have been missed while it was down: coming up asks for a run.
    if isUp { return want() }
    if state == .idle, failures == 0, let lastEnd { nextAttempt = lastEnd + poll }
    return false
  }

  private var poll: Duration { isPushUp ? waits.pollWithPush : waits.pollWithoutPush }
}

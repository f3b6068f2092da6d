import Wire

/// The push connection as a machine without socket or clock: when to connect, greet, ping, renew,
/// give up, and try again; and by which transport.
///
/// Transports are tried from the best to the plainest. One is passed over when the way was blocked
/// though somebody answered: an upgrade refused, a stream that a proxy keeps back. A server that
/// cannot be reached at all is no reason to try another. The transport that worked is used for the
/// next connection, too, and the best is looked for every ``bestInterval``.
///
/// Times are spans since some moment in the past, by a clock that does not stop while the machine
/// sleeps. Each attempt has a number; what comes late from an earlier attempt is passed over.
struct PushMachine: Sendable {
  struct Credentials: Hashable, Sendable {
    let token: String
    let expiresAt: Duration
    /// The digest of what this device holds.
    let frontier: Digest32
  }

  enum Event: Sendable {
    case start
    /// Hello can be said: the WebSocket is open, or the request that carries it can be made.
    case opened(Int, Credentials)
    case frame(Int, PushFrame)
    /// A ping or pong: the other side is alive.
    case heard(Int)
    /// The socket failed, was closed, or brought what is not a frame.
    case lost(Int, reason: String)
    /// Somebody answered, but this transport does not come through.
    case blocked(Int, reason: String)
    /// What became of ``Effect/tryBest(_:)``; nil: it comes through now.
    case triedBest(Int, refusal: String?)
    case renewed(Int, Credentials)
    case renewalFailed(Int)
    case acknowledge(DeviceID, UInt64)
    case reconnectNow
    /// ``deadline`` has come.
    case tick
    case close
  }

  enum Effect: Hashable, Sendable {
    /// Fetch a token and open the transport.
    case connect(Int, PushTransport, renewsToken: Bool)
    /// Find out, beside the connection, whether a WebSocket comes through.
    case tryBest(Int)
    case send(PushFrame)
    case ping
    /// Close what is open, and stop opening it.
    case drop
    /// Fetch a new token for the open connection.
    case renew(Int)
    case connecting
    case connected([PushFrame.Presence], behind: Bool)
    case tell(PushFrame)
    case down(reason: String, retryIn: Duration)
  }

  private enum State: Sendable {
    /// The state before the start.
    case idle
    /// The state while token and socket are fetched.
    case connecting(until: Duration)
    /// The state while hello is not answered.
    case greeting(until: Duration, Credentials)
    case up(Up)
    case waiting(until: Duration)
    /// The state after the end: nothing happens any more.
    case closed
  }

  private struct Up: Sendable {
    let since: Duration
    let pingInterval: Duration
    var nextPing: Duration
    /// Whether anything was heard since the last ping.
    var isHeard = true
    /// Pings in a row that nothing was heard after.
    var misses = 0
    /// When an answer must have come to the ping after a wake.
    var probe: Duration?
    /// When to fetch the next token; nil while it is being fetched.
    var renewAt: Duration?
    /// When to look for the best transport; nil while it is looked for, and while it is in use.
    var bestAt: Duration?
  }

  /// 15 s: 5 s to connect, and a token takes two requests.
  static let connectWait = Duration.seconds(15)
  /// 5 s: a connection that lived through a sleep answers within one round trip.
  static let probeWait = Duration.seconds(5)
  /// 60 s: what clocks may differ by; as long as a token is kept.
  static let renewalLead = AccessTokens.margin
  /// 10 s: six attempts before the old token ends.
  static let renewalRetry = Duration.seconds(10)
  /// 60 s: a connection that held that long was a good one.
  static let settled = Duration.seconds(60)
  /// 5 min: a network is seldom left sooner, and one request in that time costs nothing.
  static let bestInterval = Duration.seconds(300)
  /// What a server may ask for; a wrong number must not stop pings or flood it.
  static let pingIntervals = Duration.seconds(5)...Duration.seconds(120)
  /// 10 min: a server may not send a device away for longer.
  static let longestRetry = Duration.seconds(600)

  private var state = State.idle
  private var attempt = 0
  /// The transport of the attempt under way, or else of the next one.
  private(set) var transport = PushTransport.webSocket
  /// Why better transports are not in use.
  private(set) var refusals: [PushTransport: String] = [:]
  private var backoff = Backoff()
  /// Whether the last token was refused.
  private var renewsToken = false
  /// The newest commit of each device to acknowledge, while there is nobody to tell.
  private var acknowledgements: [DeviceID: UInt64] = [:]
  private let random: @Sendable () -> Double
  private let timing: Timing

  /// How long this machine waits; ``connectWait`` and ``bestInterval`` outside tests.
  struct Timing: Sendable {
    var connect = PushMachine.connectWait
    var best = PushMachine.bestInterval
  }

  /// - Parameters:
  ///   - random: from 0 to 1, without 1.
  ///   - timing: shorter in tests against real sockets.
  init(random: @escaping @Sendable () -> Double, timing: Timing = .init()) {
    self.random = random
    self.timing = timing
  }

  /// When ``Event/tick`` should come; nil while nothing is to be done without an event.
  var deadline: Duration? {
    switch state {
    case .idle, .closed: nil
    case .connecting(let until), .greeting(let until, _), .waiting(let until): until
    case .up(let up): [up.nextPing, up.probe, up.renewAt, up.bestAt].compactMap { $0 }.min()
    }
  }

  mutating func handle(_ event: Event, now: Duration) -> [Effect] {
    switch (state, event) {
    case (.closed, _):
      return []
    case (_, .close):
      state = .closed
      return [.drop]
    case (.idle, .start):
      return connect(now: now)
    case (_, .acknowledge(let device, let sequence)):
      return acknowledge(device, sequence)
    case (.waiting, .reconnectNow):
      // Perhaps another network, with other rules.
      startFromTheBest()
      return connect(now: now)
    case (.up(var up), .reconnectNow):
      up.probe = up.probe ?? now + Self.probeWait
      let looks = up.bestAt != nil
      up.bestAt = nil
      state = .up(up)
      return looks ? [.ping, .tryBest(attempt)] : [.ping]
    case (_, .tick):
      return tick(now: now)
    default:
      return handle(current: event, now: now)
    }
  }

  /// Events of an attempt, if it is the one under way.
  private mutating func handle(current event: Event, now: Duration) -> [Effect] {
    switch (state, event) {
    case (.connecting(let until), .opened(attempt, let credentials)):
      state = .greeting(until: until, credentials)
      return [.send(.hello(token: credentials.token, frontier: credentials.frontier))]
    case (.connecting, .blocked(attempt, let reason)), (.greeting, .blocked(attempt, let reason)):
      return block(reason, now: now)
    case (.greeting, .lost(attempt, let reason)) where transport == .webSocket:
      // Some proxies let the upgrade through and nothing after it.
      return block(reason, now: now)
    case (.up(var up), .triedBest(attempt, let refusal)):
      guard let refusal else {
        startFromTheBest()
        return [.drop] + connect(now: now)
      }
      refusals[.webSocket] = refusal
      up.bestAt = now + timing.best
      state = .up(up)
      return []
    case (.connecting, .lost(attempt, let reason)), (.greeting, .lost(attempt, let reason)),
      (.up, .lost(attempt, let reason)):
      return lose(reason, now: now)
    case (.connecting, .frame(attempt, .bye(let reason, let milliseconds))):
      // A busy server need not wait for hello.
      return dismissed(reason, milliseconds, now: now)
    case (.greeting(_, let credentials), .frame(attempt, let frame)):
      return greeted(frame, credentials, now: now)
    case (.up(let up), .frame(attempt, let frame)):
      return hear(frame, up, now: now)
    case (.up(let up), .heard(attempt)):
      state = .up(heard(up))
      return []
    case (.up(var up), .renewed(attempt, let credentials)):
      up.renewAt = max(now + Self.renewalRetry, credentials.expiresAt - Self.renewalLead)
      state = .up(up)
      return [.send(.hello(token: credentials.token, frontier: credentials.frontier))]
    case (.up(var up), .renewalFailed(attempt)):
      up.renewAt = now + Self.renewalRetry
      state = .up(up)
      return []
    default:
      return []
    }
  }

  private mutating func connect(now: Duration) -> [Effect] {
    attempt += 1
    state = .connecting(until: now + timing.connect)
    defer { renewsToken = false }
    return [.connecting, .connect(attempt, transport, renewsToken: renewsToken)]
  }

  private mutating func startFromTheBest() {
    transport = .webSocket
    refusals = [:]
  }

  /// Tries the next transport at once; after the last, waits and starts again from the best.
  private mutating func block(_ reason: String, now: Duration) -> [Effect] {
    refusals[transport] = reason
    if let next = transport.next {
      transport = next
      return [.drop] + connect(now: now)
    }
    let effects = lose("no transport comes through: \(reason)", now: now)
    transport = .webSocket
    return effects
  }

  private mutating func greeted(
    _ frame: PushFrame, _ credentials: Credentials, now: Duration
  ) -> [Effect] {
    switch frame {
    case .welcome(let behind, let presence, let pingSeconds):
      let interval = Self.interval(pingSeconds)
      state = .up(
        Up(
          since: now, pingInterval: interval, nextPing: now + interval,
          renewAt: max(now + Self.renewalRetry, credentials.expiresAt - Self.renewalLead),
          bestAt: transport == .webSocket ? nil : now + timing.best))
      refusals[transport] = nil
      let waiting = acknowledgements.sorted { $0.key < $1.key }
      acknowledgements = [:]
      return [.connected(presence, behind: behind)]
        + waiting.map { .send(.acknowledgement(device: $0.key, sequence: $0.value, by: nil)) }
    case .bye(let reason, let milliseconds):
      return dismissed(reason, milliseconds, now: now)
    case .signal, .presence, .acknowledgement:
      // The server subscribes before it welcomes, so that nothing falls between.
      return [.tell(frame)]
    case .ping:
      return [.send(.pong)]
    case .pong:
      return []
    case .hello:
      return lose("the server sent a frame that only devices send", now: now)
    }
  }

  private mutating func hear(_ frame: PushFrame, _ up: Up, now: Duration) -> [Effect] {
    state = .up(heard(up))
    switch frame {
    case .signal, .presence, .acknowledgement:
      return [.tell(frame)]
    case .welcome(let behind, let presence, _):
      // The answer to a renewal.
      return presence.map { .tell(.presence($0)) } + (behind ? [.tell(.signal(nil))] : [])
    case .bye(let reason, let milliseconds):
      return dismissed(reason, milliseconds, now: now)
    case .ping:
      return [.send(.pong)]
    case .pong:
      return []
    case .hello:
      return lose("the server sent a frame that only devices send", now: now)
    }
  }

  private func heard(_ up: Up) -> Up {
    var up = up
    up.isHeard = true
    up.misses = 0
    up.probe = nil
    return up
  }

  private static func interval(_ seconds: Int) -> Duration {
    // Compared before the conversion, so that no number of the server's can overflow it.
    guard seconds > 0 else { return Limits.pingInterval }
    let bounded = Duration.seconds(min(seconds, 3600))
    return min(max(bounded, pingIntervals.lowerBound), pingIntervals.upperBound)
  }

  private mutating func acknowledge(_ device: DeviceID, _ sequence: UInt64) -> [Effect] {
    if case .up = state {
      return [.send(.acknowledgement(device: device, sequence: sequence, by: nil))]
    }
    // An account has no more devices, so more would be nobody's.
    guard acknowledgements[device] != nil || acknowledgements.count < Limits.devices else {
      return []
    }
    acknowledgements[device] = max(sequence, acknowledgements[device] ?? 0)
    return []
  }

  private mutating func tick(now: Duration) -> [Effect] {
    switch state {
    case .idle, .closed:
      return []
    case .waiting(let until):
      return now < until ? [] : connect(now: now)
    case .connecting(let until):
      return now < until ? [] : lose("timed out", now: now)
    case .greeting(let until, _):
      // A proxy that keeps the stream back, or a socket nobody reads.
      return now < until ? [] : block("no answer to hello", now: now)
    case .up(let up):
      return tick(up, now: now)
    }
  }

  private mutating func tick(_ up: Up, now: Duration) -> [Effect] {
    var up = up
    var effects: [Effect] = []
    if let probe = up.probe, now >= probe { return lose("no answer after a pause", now: now) }
    if now >= up.nextPing {
      if !up.isHeard { up.misses += 1 }
      guard up.misses < 2 else { return lose("no answer to two pings", now: now) }
      up.isHeard = false
      up.nextPing = now + up.pingInterval
      effects.append(.ping)
    }
    if let renewAt = up.renewAt, now >= renewAt {
      up.renewAt = nil
      effects.append(.renew(attempt))
    }
    if let bestAt = up.bestAt, now >= bestAt {
      up.bestAt = nil
      effects.append(.tryBest(attempt))
    }
    state = .up(up)
    return effects
  }

  private mutating func dismissed(
    _ reason: PushFrame.Reason, _ milliseconds: Int, now: Duration
  ) -> [Effect] {
    renewsToken = [.expired, .unauthenticated, .revoked].contains(reason)
    let asked = Duration.milliseconds(min(max(milliseconds, 0), 86_400_000))
    return lose(Self.text(reason), now: now, retryIn: min(asked, Self.longestRetry))
  }

  private static func text(_ reason: PushFrame.Reason) -> String {
    switch reason {
    case .draining: "the server is stopping"
    case .revoked: PushEvent.revoked
    case .replaced: PushEvent.replaced
    case .slow: "the server found this device too slow"
    case .expired: "the access token expired"
    case .malformed: "the server could not read a frame"
    case .unauthenticated: "the server did not accept the access token"
    case .busy: "the server is busy"
    }
  }

  private mutating func lose(
    _ reason: String, now: Duration, retryIn asked: Duration = .zero
  ) -> [Effect] {
    if case .up(let up) = state, now - up.since >= Self.settled { backoff.reset() }
    let wait = max(asked, backoff.next(random: random()))
    state = .waiting(until: now + wait)
    return [.drop, .down(reason: reason, retryIn: wait)]
  }
}

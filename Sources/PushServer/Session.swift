public import Access
public import Wire

/// How a WebSocket is closed (RFC 6455, section 7.4; 4000 and up are ours).
public enum CloseCode: UInt16, Hashable, Sendable {
  case normal = 1000
  case goingAway = 1001
  case protocolError = 1002
  /// A binary message: frames are text here.
  case unacceptableData = 1003
  /// Text that is not UTF-8.
  case invalidPayload = 1007
  /// A frame that does not read, or came out of turn.
  case policyViolation = 1008
  case tooBig = 1009
  case tryAgainLater = 1013
  /// The token is bad or has expired.
  case unauthenticated = 4401
  /// The device has a newer connection.
  case replaced = 4409
}

/// One device's connection as a machine without socket or clock: what comes in is an ``Event``,
/// what is to be done an ``Effect``.
///
/// First `hello`, within ``/Wire/Limits/helloWait``; its token is checked, then the device is
/// joined to its account. `hello` again brings a new token before the old one expires. Both ends
/// ping; whoever has not been heard for two pings is gone.
public struct Session: Sendable {
  public enum Event: Sendable {
    /// A whole text message, at most ``/Wire/Limits/pushFrameBytes``.
    case text([UInt8])
    /// Anything else that shows life: a pong, a ping, a part of a message.
    case heard
    /// A request that is no frame; counted as one.
    case request
    /// What became of the token that ``Effect/check(token:)`` named.
    case checked(Result<AccessClaims, AccessError>)
    /// Time passed: ``deadline`` has come.
    case tick
    /// The WebSocket's rules were broken.
    case violation(CloseCode)
    /// The server is stopping.
    case drain(retryAfterMilliseconds: Int)
    /// The hub sends this connection away.
    case dismiss(PushFrame.Reason)
  }

  public enum Effect: Hashable, Sendable {
    case check(token: String)
    /// Join the account: answer with `welcome`, and tell the others.
    case join(account: AccountID, device: DeviceID, frontier: Digest32)
    /// The same device said hello again: answer with `welcome` only.
    case rejoin(frontier: Digest32)
    case acknowledge(device: DeviceID, sequence: UInt64)
    case send(PushFrame)
    /// Send a WebSocket ping.
    case ping
    /// Send `bye`, then close. Nothing follows.
    case close(CloseCode, PushFrame)
    /// Close without a word: nobody is there to read it.
    case abandon
  }

  private enum State: Sendable {
    /// The state while no hello has come.
    case greeting(until: Duration)
    /// The state while the first token is being checked.
    case checking(frontier: Digest32, until: Duration)
    case joined(Joined)
    /// The state after ``Effect/close(_:_:)``: nothing is answered any more.
    case closed
  }

  private struct Joined: Sendable {
    let account: AccountID
    let device: DeviceID
    /// Seconds since 1970.
    var expiresAt: Int64
    /// When that is, unless somebody sets the clock.
    var endsAt: Duration
    /// The digest of a hello whose token is being checked.
    var renewing: Digest32?
  }

  /// Text messages of one device in a second: an acknowledgement for each signal of a full account,
  /// several times over.
  static let textsPerSecond: UInt16 = 200
  /// In seconds.
  private static let leeway = Limits.tokenLeeway.components.seconds
  /// Two misses and the connection is dead.
  static let missesAllowed: UInt8 = 2

  private var state: State
  private var nextPing: Duration
  private var misses: UInt8 = 0
  /// Text messages in the second that ends then.
  private var texts: UInt16 = 0
  private var secondEnds = Duration.zero

  /// - Parameters:
  ///   - uptime: A clock that never goes back.
  ///   - lead: From 0 to 1: how much of the interval the first ping comes early. Devices that came
  ///     at once, after a restart, are not all pinged at once then.
  public init(uptime: Duration, lead: Double = 0) {
    state = .greeting(until: uptime + Limits.helloWait)
    nextPing = uptime + Limits.pingInterval * (1 - lead)
  }

  /// When ``Event/tick`` should come; nil once it need not.
  public var deadline: Duration? {
    switch state {
    case .greeting(let until), .checking(_, let until): until
    case .joined(let joined): min(nextPing, joined.endsAt)
    case .closed: nil
    }
  }

  /// Whether the connection was sent away or given up.
  public var isClosed: Bool {
    if case .closed = state { true } else { false }
  }

  /// What is to be done about the event. `uptime` is a clock that never goes back and measures
  /// waits; `now`, in milliseconds since 1970, is measured against the token.
  public mutating func handle(_ event: Event, uptime: Duration, now: Int64) -> [Effect] {
    if isClosed { return [] }
    switch event {
    case .heard:
      misses = 0
      return []
    case .request: return count(uptime: uptime) ?? []
    case .text(let text): return count(uptime: uptime) ?? read(text, uptime: uptime)
    case .checked(let result): return checked(result, uptime: uptime, now: now)
    case .tick: return tick(uptime: uptime, now: now)
    case .violation(let code): return close(code, .malformed)
    case .drain(let milliseconds): return close(.goingAway, .draining, after: milliseconds)
    case .dismiss(let reason): return dismiss(reason)
    }
  }

  /// Notes a message; closes when they are too many.
  private mutating func count(uptime: Duration) -> [Effect]? {
    misses = 0
    if uptime >= secondEnds { (texts, secondEnds) = (0, uptime + .seconds(1)) }
    texts += 1
    return texts <= Self.textsPerSecond ? nil : close(.tryAgainLater, .busy, after: 1000)
  }

  private mutating func read(_ text: [UInt8], uptime: Duration) -> [Effect] {
    let frame: PushFrame
    do {
      frame = try PushFrame(text: text)
    } catch .overLimit {
      return close(.tooBig, .malformed)
    } catch {
      return close(.policyViolation, .malformed)
    }
    switch (frame, state) {
    case (.hello(let token, let frontier), .greeting):
      state = .checking(frontier: frontier, until: uptime + Limits.helloWait)
      return [.check(token: token)]
    case (.hello(let token, let frontier), .joined(var joined)):
      guard joined.renewing == nil else { return close(.policyViolation, .malformed) }
      joined.renewing = frontier
      state = .joined(joined)
      return [.check(token: token)]
    case (.acknowledgement(let device, let sequence, _), .joined):
      return [.acknowledge(device: device, sequence: sequence)]
    case (.ping, .joined): return [.send(.pong)]
    case (.pong, .joined): return []
    default: return close(.policyViolation, .malformed)
    }
  }

  private mutating func checked(
    _ result: Result<AccessClaims, AccessError>, uptime: Duration, now: Int64
  ) -> [Effect] {
    guard case .success(let claims) = result, claims.scope == .sync else {
      let expired = if case .failure(.expired) = result { true } else { false }
      return close(.unauthenticated, expired ? .expired : .unauthenticated)
    }
    let endsAt = Self.end(of: claims.expiresAt, uptime: uptime, now: now)
    switch state {
    case .checking(let frontier, _):
      state = .joined(
        Joined(
          account: claims.account, device: claims.device, expiresAt: claims.expiresAt,
          endsAt: endsAt))
      return [.join(account: claims.account, device: claims.device, frontier: frontier)]
    case .joined(var joined):
      guard let frontier = joined.renewing else { return [] }
      // A connection never changes hands.
      guard claims.account == joined.account, claims.device == joined.device else {
        return close(.unauthenticated, .unauthenticated)
      }
      joined.expiresAt = claims.expiresAt
      joined.endsAt = endsAt
      joined.renewing = nil
      state = .joined(joined)
      return [.rejoin(frontier: frontier)]
    case .greeting, .closed: return []
    }
  }

  /// The second after the last one that the leeway covers.
  private static func end(of expiresAt: Int64, uptime: Duration, now: Int64) -> Duration {
    uptime + .seconds(expiresAt + Self.leeway + 1 - now / 1000)
  }

  private mutating func tick(uptime: Duration, now: Int64) -> [Effect] {
    switch state {
    case .greeting(let until) where uptime >= until:
      return close(.policyViolation, .unauthenticated)
    case .checking(_, let until) where uptime >= until:
      return close(.tryAgainLater, .busy, after: 1000)
    case .joined(let joined)
    where now / 1000 > joined.expiresAt + Self.leeway:
      return close(.unauthenticated, .expired)
    case .joined(var joined) where uptime >= joined.endsAt:
      // Somebody set the clock back.
      joined.endsAt = Self.end(of: joined.expiresAt, uptime: uptime, now: now)
      state = .joined(joined)
    case .greeting, .checking, .joined: break
    case .closed: return []
    }
    guard uptime >= nextPing else { return [] }
    nextPing = uptime + Limits.pingInterval
    guard misses < Self.missesAllowed else {
      state = .closed
      return [.abandon]
    }
    misses += 1
    return [.ping]
  }

  private mutating func dismiss(_ reason: PushFrame.Reason) -> [Effect] {
    switch reason {
    case .replaced: close(.replaced, reason)
    case .busy, .slow: close(.tryAgainLater, reason, after: 1000)
    case .draining: close(.goingAway, reason)
    case .malformed: close(.policyViolation, reason)
    case .revoked, .expired, .unauthenticated: close(.unauthenticated, reason)
    }
  }

  private mutating func close(
    _ code: CloseCode, _ reason: PushFrame.Reason, after milliseconds: Int = 0
  ) -> [Effect] {
    state = .closed
    return [.close(code, .bye(reason: reason, retryAfterMilliseconds: milliseconds))]
  }
}

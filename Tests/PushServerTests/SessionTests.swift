import Access
import PushServer
import Testing
import Wire

private let account: AccountID = id(1)
private let device: DeviceID = id(2)
private let digest = Digest32(bytes: [UInt8](repeating: 5, count: 32)) ?? .zero

func id<Kind: IdentifierKind>(_ byte: UInt8) -> Identifier<Kind> {
  Identifier(bytes: [UInt8](repeating: byte, count: 16)) ?? .zero
}

private func claims(
  _ device: DeviceID = device, scope: Scope = .sync, expiresAt: Int64 = 600
) -> AccessClaims {
  AccessClaims(
    instance: .zero, audience: .push, account: account, device: device, scope: scope, issuedAt: 0,
    expiresAt: expiresAt, id: "x")
}

private func bye(_ reason: PushFrame.Reason, after milliseconds: Int = 0) -> PushFrame {
  .bye(reason: reason, retryAfterMilliseconds: milliseconds)
}

/// A session with a clock of its own.
private struct Bench {
  var session = Session(uptime: .zero)
  var uptime = Duration.zero

  var now: Int64 { Int64(uptime / .milliseconds(1)) }

  mutating func handle(_ event: Session.Event) -> [Session.Effect] {
    session.handle(event, uptime: uptime, now: now)
  }

  mutating func frame(_ frame: PushFrame) throws -> [Session.Effect] {
    handle(.text(try frame.encoded()))
  }

  /// Time passes in seconds, with a tick at each.
  mutating func wait(seconds: Int) -> [Session.Effect] {
    (0..<seconds).flatMap { _ in
      uptime += .seconds(1)
      return handle(.tick)
    }
  }

  static func joined(expiresAt: Int64 = 600) throws -> Bench {
    var bench = Bench()
    _ = try bench.frame(.hello(token: "t", frontier: digest))
    _ = bench.handle(.checked(.success(claims(expiresAt: expiresAt))))
    return bench
  }
}

@Test func helloIsCheckedThenTheDeviceJoins() throws {
  var bench = Bench()
  #expect(try bench.frame(.hello(token: "t", frontier: digest)) == [.check(token: "t")])
  #expect(
    bench.handle(.checked(.success(claims()))) == [
      .join(account: account, device: device, frontier: digest)
    ])
}

@Test func whoSaysNothingForFiveSecondsIsSentAway() {
  var bench = Bench()
  #expect(bench.wait(seconds: 4) == [])
  #expect(bench.wait(seconds: 1) == [.close(.policyViolation, bye(.unauthenticated))])
  #expect(bench.wait(seconds: 60) == [])
}

@Test func aCheckThatTakesTooLongEndsWithARetry() throws {
  var bench = Bench()
  _ = try bench.frame(.hello(token: "t", frontier: digest))
  #expect(bench.wait(seconds: 5) == [.close(.tryAgainLater, bye(.busy, after: 1000))])
  #expect(bench.handle(.checked(.success(claims()))) == [])
}

private let refusals: [(error: AccessError, reason: PushFrame.Reason)] = [
  (.badSignature, .unauthenticated), (.wrongAudience, .unauthenticated), (.expired, .expired),
]

@Test(arguments: refusals)
func aBadTokenIsSentAway(error: AccessError, reason: PushFrame.Reason) throws {
  var bench = Bench()
  _ = try bench.frame(.hello(token: "t", frontier: digest))
  #expect(bench.handle(.checked(.failure(error))) == [.close(.unauthenticated, bye(reason))])
}

@Test func aTokenForEnrollingIsNotLetIn() throws {
  var bench = Bench()
  _ = try bench.frame(.hello(token: "t", frontier: digest))
  #expect(
    bench.handle(.checked(.success(claims(scope: .enrol)))) == [
      .close(.unauthenticated, bye(.unauthenticated))
    ])
}

/// What a device may send, and when: everything else ends the connection.
private let frames: [(frame: PushFrame, beforeHello: Bool, afterwards: Bool)] = [
  (.hello(token: "t", frontier: digest), true, true),
  (.acknowledgement(device: device, sequence: 1, by: nil), false, true),
  (.ping, false, true), (.pong, false, true),
  (.signal(nil), false, false),
  (.welcome(behind: false, presence: [], pingSeconds: 1), false, false),
  (.presence(PushFrame.Presence(device: device, online: true, at: 0)), false, false),
  (bye(.draining), false, false),
]

@Test(arguments: frames)
func framesOutOfTurnEndTheConnection(
  frame: PushFrame, beforeHello: Bool, afterwards: Bool
) throws {
  let end = [Session.Effect.close(.policyViolation, bye(.malformed))]
  var early = Bench()
  #expect((try early.frame(frame) != end) == beforeHello)
  var late = try Bench.joined()
  #expect((try late.frame(frame) != end) == afterwards)
}

@Test(arguments: ["", "{", "{}", "[]", #"{"type":"dance"}"#, #"{"type":"hello","token":1}"#])
func textThatIsNoFrameEndsTheConnection(text: String) {
  var bench = Bench()
  #expect(
    bench.handle(.text(Array(text.utf8))) == [.close(.policyViolation, bye(.malformed))])
}

@Test func acknowledgementsAndPingsAreAnswered() throws {
  var bench = try Bench.joined()
  #expect(
    try bench.frame(.acknowledgement(device: id(9), sequence: 7, by: id(8))) == [
      .acknowledge(device: id(9), sequence: 7)
    ])
  #expect(try bench.frame(.ping) == [.send(.pong)])
  #expect(try bench.frame(.pong) == [])
}

@Test func twoMissedPingsAndTheConnectionIsDead() throws {
  var bench = try Bench.joined()
  #expect(bench.wait(seconds: 24) == [])
  #expect(bench.wait(seconds: 1) == [.ping])
  #expect(bench.wait(seconds: 25) == [.ping])
  #expect(bench.wait(seconds: 25) == [.abandon])
  #expect(bench.wait(seconds: 100) == [])
}

@Test func whoeverIsHeardLives() throws {
  var bench = try Bench.joined(expiresAt: 10_000)
  for _ in 0..<20 {
    #expect(bench.wait(seconds: 25) == [.ping])
    #expect(bench.handle(.heard) == [])
  }
}

@Test func aConnectionEndsWithItsToken() throws {
  var bench = try Bench.joined(expiresAt: 10)
  // A minute of leeway; pings go on meanwhile.
  let effects = bench.wait(seconds: 70).filter { $0 != .ping }
  #expect(effects == [])
  #expect(bench.wait(seconds: 1) == [.close(.unauthenticated, bye(.expired))])
}

@Test func aSecondHelloRenewsTheToken() throws {
  var bench = try Bench.joined(expiresAt: 10)
  #expect(try bench.frame(.hello(token: "u", frontier: digest)) == [.check(token: "u")])
  #expect(bench.handle(.checked(.success(claims(expiresAt: 600)))) == [.rejoin(frontier: digest)])
  _ = bench.handle(.heard)
  let effects = bench.wait(seconds: 74).filter { $0 != .ping }
  #expect(effects == [])
}

@Test func aConnectionNeverChangesHands() throws {
  var bench = try Bench.joined()
  _ = try bench.frame(.hello(token: "u", frontier: digest))
  #expect(
    bench.handle(.checked(.success(claims(id(3))))) == [
      .close(.unauthenticated, bye(.unauthenticated))
    ])
}

@Test func aThirdHelloBeforeTheSecondWasCheckedIsOutOfTurn() throws {
  var bench = try Bench.joined()
  _ = try bench.frame(.hello(token: "u", frontier: digest))
  #expect(
    try bench.frame(.hello(token: "v", frontier: digest)) == [
      .close(.policyViolation, bye(.malformed))
    ])
}

@Test func aFloodOfFramesEndsTheConnection() throws {
  var bench = try Bench.joined()
  _ = bench.wait(seconds: 1)
  for _ in 0..<200 { #expect(try bench.frame(.ping) == [.send(.pong)]) }
  #expect(try bench.frame(.ping) == [.close(.tryAgainLater, bye(.busy, after: 1000))])
}

@Test func drainingNamesTheWait() throws {
  var bench = try Bench.joined()
  #expect(
    bench.handle(.drain(retryAfterMilliseconds: 321)) == [
      .close(.goingAway, bye(.draining, after: 321))
    ])
  #expect(bench.session.isClosed)
}

private let dismissals: [(reason: PushFrame.Reason, code: CloseCode, wait: Int)] = [
  (.replaced, .replaced, 0), (.slow, .tryAgainLater, 1000), (.revoked, .unauthenticated, 0),
]

@Test(arguments: dismissals)
func dismissalHasItsCode(reason: PushFrame.Reason, code: CloseCode, wait: Int) throws {
  var bench = try Bench.joined()
  #expect(bench.handle(.dismiss(reason)) == [.close(code, bye(reason, after: wait))])
}

import Testing
import Wire

@testable import Transport

@Suite struct PushMachineTests {
  typealias Effect = PushMachine.Effect

  private let credentials = PushMachine.Credentials(
    token: "t", expiresAt: .seconds(600), frontier: .zero)
  private let hello = PushFrame.hello(token: "t", frontier: .zero)
  private let welcome = PushFrame.welcome(behind: false, presence: [], pingSeconds: 25)
  private let signal = PushFrame.signal(.init(device: id(3), sequence: 4, at: 5))

  private func seconds(_ number: Double) -> Duration { .seconds(number) }

  /// A machine that was welcomed at second 0, with half of each span as its wait.
  private func connected(welcome: PushFrame? = nil) -> PushMachine {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.opened(1, credentials), now: .zero)
    _ = machine.handle(.frame(1, welcome ?? self.welcome), now: .zero)
    return machine
  }

  @Test func helloIsTheFirstFrame() {
    var machine = PushMachine(random: { 0 })
    #expect(machine.deadline == nil)
    #expect(
      machine.handle(.start, now: .zero) == [
        .connecting, .connect(1, .webSocket, renewsToken: false),
      ])
    #expect(machine.handle(.start, now: .zero) == [])
    #expect(machine.handle(.opened(1, credentials), now: seconds(1)) == [.send(hello)])
    let presence = PushFrame.Presence(device: id(3), online: true, at: 9)
    let frame = PushFrame.welcome(behind: true, presence: [presence], pingSeconds: 25)
    #expect(
      machine.handle(.frame(1, frame), now: seconds(2)) == [.connected([presence], behind: true)])
    #expect(machine.deadline == seconds(27))
  }

  @Test func framesAreToldAndPingsAnswered() {
    var machine = connected()
    let presence = PushFrame.presence(.init(device: id(3), online: false, at: 9))
    let acknowledgement = PushFrame.acknowledgement(device: id(2), sequence: 1, by: id(3))
    for frame in [signal, .signal(nil), presence, acknowledgement] {
      #expect(machine.handle(.frame(1, frame), now: seconds(1)) == [.tell(frame)])
    }
    #expect(machine.handle(.frame(1, .ping), now: seconds(1)) == [.send(.pong)])
    #expect(machine.handle(.frame(1, .pong), now: seconds(1)) == [])
  }

  @Test func aSignalBeforeTheWelcomeIsNotLost() {
    var machine = PushMachine(random: { 0 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.opened(1, credentials), now: .zero)
    #expect(machine.handle(.frame(1, signal), now: .zero) == [.tell(signal)])
    #expect(
      machine.handle(.frame(1, welcome), now: .zero) == [.connected([], behind: false)])
  }

  @Test func aHalfOpenConnectionIsDeadAfterTwoMisses() {
    var machine = connected()
    #expect(machine.handle(.tick, now: seconds(24)) == [])
    #expect(machine.handle(.tick, now: seconds(25)) == [.ping])
    #expect(machine.handle(.tick, now: seconds(50)) == [.ping])
    #expect(
      machine.handle(.tick, now: seconds(75))
        == [.drop, .down(reason: "no answer to two pings", retryIn: seconds(0.25))])
  }

  @Test(arguments: [0, 1])
  func anythingHeardCountsAsAnAnswer(_ kind: Int) {
    var machine = connected()
    for round in 1...10 {
      let now = seconds(Double(25 * round))
      #expect(machine.handle(.tick, now: now) == [.ping])
      let event: PushMachine.Event = kind == 0 ? .heard(1) : .frame(1, .pong)
      #expect(machine.handle(event, now: now + seconds(24)) == [])
    }
  }

  @Test(arguments: [(0, 25), (-5, 25), (1, 5), (60, 60), (Int.max, 120)])
  func theServerChoosesHowOftenToPingWithinReason(_ asked: Int, _ interval: Int) {
    let machine = connected(welcome: .welcome(behind: false, presence: [], pingSeconds: asked))
    #expect(machine.deadline == .seconds(interval))
  }

  @Test func aConnectionThatDidNotSurviveASleepIsFoundIn5Seconds() {
    var machine = connected()
    #expect(machine.handle(.reconnectNow, now: seconds(10)) == [.ping])
    #expect(machine.handle(.reconnectNow, now: seconds(14)) == [.ping])
    #expect(machine.deadline == seconds(15))
    #expect(
      machine.handle(.tick, now: seconds(15))
        == [.drop, .down(reason: "no answer after a pause", retryIn: seconds(0.25))])
  }

  @Test func aConnectionThatSurvivedASleepStays() {
    var machine = connected()
    _ = machine.handle(.reconnectNow, now: seconds(10))
    _ = machine.handle(.heard(1), now: seconds(11))
    #expect(machine.handle(.tick, now: seconds(15)) == [])
  }

  @Test func attemptsComeLaterAndLaterUntilAConnectionHolds() {
    var machine = PushMachine(random: { 0.5 })
    var effects = machine.handle(.start, now: .zero)
    var now = Duration.zero
    for (attempt, wait) in zip(1..., [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]) {
      #expect(effects == [.connecting, .connect(attempt, .webSocket, renewsToken: false)])
      effects = machine.handle(.lost(attempt, reason: "x"), now: now)
      #expect(effects == [.drop, .down(reason: "x", retryIn: seconds(wait))])
      now += seconds(wait)
      #expect(machine.deadline == now)
      effects = machine.handle(.tick, now: now)
    }
    // Welcomed for less than a minute: the wait stays long.
    _ = machine.handle(.opened(10, credentials), now: now)
    _ = machine.handle(.frame(10, welcome), now: now)
    effects = machine.handle(.lost(10, reason: "x"), now: now + seconds(59))
    #expect(effects.last == .down(reason: "x", retryIn: seconds(30)))
    _ = machine.handle(.reconnectNow, now: now)
    _ = machine.handle(.opened(11, credentials), now: now)
    _ = machine.handle(.frame(11, welcome), now: now)
    effects = machine.handle(.lost(11, reason: "x"), now: now + seconds(60))
    #expect(effects.last == .down(reason: "x", retryIn: seconds(0.25)))
  }

  @Test func aWaitEndsAtOnceWhenThereIsHope() {
    var machine = connected()
    _ = machine.handle(.lost(1, reason: "x"), now: .zero)
    #expect(
      machine.handle(.reconnectNow, now: .zero) == [
        .connecting, .connect(2, .webSocket, renewsToken: false),
      ])
    // An attempt under way is not disturbed.
    #expect(machine.handle(.reconnectNow, now: .zero) == [])
  }

  @Test func anAttemptEndsAfter15Seconds() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    #expect(machine.deadline == seconds(15))
    #expect(
      machine.handle(.tick, now: seconds(15))
        == [.drop, .down(reason: "timed out", retryIn: seconds(0.25))])
  }

  @Test func whatComesLateFromAnEarlierAttemptIsPassedOver() {
    var machine = connected()
    _ = machine.handle(.lost(1, reason: "x"), now: .zero)
    _ = machine.handle(.reconnectNow, now: .zero)
    for event: PushMachine.Event in [
      .opened(1, credentials), .frame(1, signal), .heard(1), .lost(1, reason: "y"),
      .renewed(1, credentials), .renewalFailed(1),
    ] {
      #expect(machine.handle(event, now: .zero) == [])
    }
    #expect(machine.handle(.opened(2, credentials), now: .zero) == [.send(hello)])
  }

  @Test(arguments: [(0, 0.25), (-7, 0.25), (3000, 3), (Int.max, 600)] as [(Int, Double)])
  func theServerSaysWhenToComeBack(_ milliseconds: Int, _ wait: Double) {
    var machine = connected()
    let bye = PushFrame.bye(reason: .draining, retryAfterMilliseconds: milliseconds)
    #expect(
      machine.handle(.frame(1, bye), now: .zero)
        == [.drop, .down(reason: "the server is stopping", retryIn: seconds(wait))])
  }

  @Test func aRefusedTokenIsNotUsedAgain() {
    var machine = PushMachine(random: { 0 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.opened(1, credentials), now: .zero)
    let bye = PushFrame.bye(reason: .unauthenticated, retryAfterMilliseconds: 0)
    _ = machine.handle(.frame(1, bye), now: .zero)
    #expect(
      machine.handle(.tick, now: .zero) == [
        .connecting, .connect(2, .webSocket, renewsToken: true),
      ])
    _ = machine.handle(.lost(2, reason: "x"), now: .zero)
    #expect(
      machine.handle(.tick, now: .zero) == [
        .connecting, .connect(3, .webSocket, renewsToken: false),
      ])
  }

  @Test func aByeMayComeBeforeHello() {
    var machine = PushMachine(random: { 0 })
    _ = machine.handle(.start, now: .zero)
    let bye = PushFrame.bye(reason: .busy, retryAfterMilliseconds: 1000)
    #expect(
      machine.handle(.frame(1, bye), now: .zero)
        == [.drop, .down(reason: "the server is busy", retryIn: seconds(1))])
  }

  @Test func theTokenIsRenewedOnTheSameConnection() {
    var machine = connected()
    var now = Duration.zero
    while now < seconds(525) {
      now += seconds(25)
      #expect(machine.handle(.tick, now: now) == [.ping])
      _ = machine.handle(.heard(1), now: now)
    }
    #expect(machine.deadline == seconds(540))
    #expect(machine.handle(.tick, now: seconds(540)) == [.renew(1)])
    #expect(machine.handle(.renewalFailed(1), now: seconds(541)) == [])
    _ = machine.handle(.tick, now: seconds(550))
    _ = machine.handle(.heard(1), now: seconds(550))
    #expect(machine.handle(.tick, now: seconds(551)) == [.renew(1)])
    let next = PushMachine.Credentials(token: "u", expiresAt: seconds(1150), frontier: .zero)
    #expect(
      machine.handle(.renewed(1, next), now: seconds(552))
        == [.send(.hello(token: "u", frontier: .zero))])
    // The answer tells what was missed, without a new connection.
    let presence = PushFrame.Presence(device: id(3), online: true, at: 9)
    let answer = PushFrame.welcome(behind: true, presence: [presence], pingSeconds: 25)
    #expect(
      machine.handle(.frame(1, answer), now: seconds(553))
        == [.tell(.presence(presence)), .tell(.signal(nil))])
  }

  @Test func aTokenThatLivesTooShortIsNotRenewedAllTheTime() {
    var machine = PushMachine(random: { 0 })
    _ = machine.handle(.start, now: .zero)
    let short = PushMachine.Credentials(token: "t", expiresAt: seconds(5), frontier: .zero)
    _ = machine.handle(.opened(1, short), now: .zero)
    _ = machine.handle(.frame(1, welcome), now: .zero)
    #expect(machine.deadline == seconds(10))
    #expect(machine.handle(.tick, now: seconds(10)) == [.renew(1)])
    _ = machine.handle(.renewed(1, short), now: seconds(10))
    #expect(machine.deadline == seconds(20))
  }

  @Test func acknowledgementsWaitForAConnectionNewestOnly() {
    var machine = PushMachine(random: { 0 })
    _ = machine.handle(.acknowledge(id(3), 7), now: .zero)
    _ = machine.handle(.acknowledge(id(3), 5), now: .zero)
    _ = machine.handle(.acknowledge(id(4), 1), now: .zero)
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.opened(1, credentials), now: .zero)
    #expect(
      machine.handle(.frame(1, welcome), now: .zero) == [
        .connected([], behind: false),
        .send(.acknowledgement(device: id(3), sequence: 7, by: nil)),
        .send(.acknowledgement(device: id(4), sequence: 1, by: nil)),
      ])
    #expect(
      machine.handle(.acknowledge(id(3), 8), now: .zero)
        == [.send(.acknowledgement(device: id(3), sequence: 8, by: nil))])
  }

  @Test func afterTheEndNothingHappens() {
    var machine = connected()
    #expect(machine.handle(.close, now: .zero) == [.drop])
    #expect(machine.deadline == nil)
    for event: PushMachine.Event in [
      .start, .tick, .reconnectNow, .frame(1, signal), .lost(1, reason: "x"), .close,
      .acknowledge(id(3), 1),
    ] {
      #expect(machine.handle(event, now: .zero) == [])
    }
  }

  @Test func aFrameOnlyDevicesSendEndsTheConnection() {
    var machine = connected()
    #expect(
      machine.handle(.frame(1, hello), now: .zero).last
        == .down(
          reason: "the server sent a frame that only devices send", retryIn: seconds(0.25)))
  }

  @Test func aBlockedTransportIsFollowedByTheNextAtOnce() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    #expect(
      machine.handle(.blocked(1, reason: "400"), now: .zero)
        == [.drop, .connecting, .connect(2, .events, renewsToken: false)])
    _ = machine.handle(.opened(2, credentials), now: .zero)
    // A proxy keeps the stream back.
    #expect(
      machine.handle(.tick, now: seconds(15))
        == [.drop, .connecting, .connect(3, .polling, renewsToken: false)])
    _ = machine.handle(.opened(3, credentials), now: seconds(15))
    _ = machine.handle(.frame(3, welcome), now: seconds(15))
    #expect(machine.transport == .polling)
    #expect(machine.refusals == [.webSocket: "400", .events: "no answer to hello"])
  }

  @Test func afterTheLastTransportItWaitsAndStartsFromTheBest() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    for attempt in 1...2 { _ = machine.handle(.blocked(attempt, reason: "x"), now: .zero) }
    #expect(
      machine.handle(.blocked(3, reason: "x"), now: .zero)
        == [.drop, .down(reason: "no transport comes through: x", retryIn: seconds(0.25))])
    #expect(machine.refusals.count == 3)
    #expect(
      machine.handle(.tick, now: seconds(0.25))
        == [.connecting, .connect(4, .webSocket, renewsToken: false)])
  }

  @Test func aServerThatIsNotThereIsNoReasonForAnotherTransport() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.lost(1, reason: "connection refused"), now: .zero)
    #expect(
      machine.handle(.tick, now: seconds(1)).last == .connect(2, .webSocket, renewsToken: false))
    #expect(machine.refusals.isEmpty)
  }

  @Test func aSocketThatEndsBeforeTheWelcomeIsBlockedAndATokenIsNot() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.opened(1, credentials), now: .zero)
    #expect(
      machine.handle(.lost(1, reason: "closed"), now: .zero).last
        == .connect(2, .events, renewsToken: false))
    _ = machine.handle(.opened(2, credentials), now: .zero)
    let bye = PushFrame.bye(reason: .unauthenticated, retryAfterMilliseconds: 0)
    _ = machine.handle(.frame(2, bye), now: .zero)
    #expect(
      machine.handle(.tick, now: seconds(1)).last == .connect(3, .events, renewsToken: true))
  }

  @Test func theBestIsLookedForBesideAPlainerOneAndTakenWhenItComesThrough() {
    var machine = PushMachine(random: { 0.5 })
    _ = machine.handle(.start, now: .zero)
    _ = machine.handle(.blocked(1, reason: "400"), now: .zero)
    _ = machine.handle(.opened(2, credentials), now: .zero)
    _ = machine.handle(.frame(2, welcome), now: .zero)
    var now = Duration.zero
    while now < seconds(300) {
      now += seconds(25)
      _ = machine.handle(.heard(2), now: now)
      let effects = machine.handle(.tick, now: now)
      #expect(effects.contains(.tryBest(2)) == (now == seconds(300)))
    }
    #expect(machine.handle(.triedBest(2, refusal: "still 400"), now: now) == [])
    #expect(machine.refusals == [.webSocket: "still 400"])
    // Perhaps another network: no need to wait.
    #expect(machine.handle(.reconnectNow, now: now).contains(.tryBest(2)))
    #expect(
      machine.handle(.triedBest(2, refusal: nil), now: now)
        == [.drop, .connecting, .connect(3, .webSocket, renewsToken: false)])
    #expect(machine.refusals.isEmpty)
  }
}

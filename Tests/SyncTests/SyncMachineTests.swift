import Sync
import Testing

/// Rules (a) and (b) and the retries, as a table of triggers.
@Suite struct SyncMachineTests {
  private var machine = SyncMachine()

  private mutating func handle(
    _ trigger: SyncMachine.Trigger, at seconds: Double, jitter: Double = 0.5
  ) -> Bool {
    machine.handle(trigger, at: .seconds(seconds), jitter: jitter)
  }

  @Test mutating func aWishStartsARunAtOnce() {
    #expect(handle(.wanted, at: 0))
    #expect(machine.isRunning)
  }

  @Test mutating func wishesDuringARunMakeOneMore() {
    _ = handle(.wanted, at: 0)
    #expect(!handle(.wanted, at: 0.01))
    #expect(!handle(.wanted, at: 0.02))
    #expect(handle(.succeeded(more: false), at: 0.1))
    #expect(!handle(.succeeded(more: false), at: 0.2))
    #expect(!machine.isRunning)
  }

  @Test mutating func aFullPageAsksForTheNext() {
    _ = handle(.wanted, at: 0)
    #expect(handle(.succeeded(more: true), at: 0.1))
  }

  @Test mutating func withoutPushItPollsEveryThirtySeconds() {
    _ = handle(.wanted, at: 0)
    _ = handle(.succeeded(more: false), at: 1)
    #expect(machine.nextAttempt == .seconds(31))
    #expect(!handle(.timer, at: 30.9))
    #expect(handle(.timer, at: 31))
  }

  @Test mutating func withPushItPollsEveryQuarterOfAnHour() {
    _ = handle(.push(isUp: true), at: 0)
    _ = handle(.succeeded(more: false), at: 1)
    #expect(machine.nextAttempt == .seconds(901))
  }

  @Test mutating func losingPushShortensTheWait() {
    _ = handle(.push(isUp: true), at: 0)
    _ = handle(.succeeded(more: false), at: 1)
    #expect(!handle(.push(isUp: false), at: 10))
    #expect(machine.nextAttempt == .seconds(31))
  }

  @Test mutating func pushComingUpAsksForARun() {
    #expect(handle(.push(isUp: true), at: 0))
    #expect(!handle(.push(isUp: true), at: 0.1))
  }

  @Test mutating func failuresCountOnWhileWhatWasAskedForIsOnItsWay() {
    var waits: [Duration] = []
    for second in [0.0, 100, 200] {
      _ = handle(.wanted, at: second)
      _ = handle(.unfinished, at: second)
      #expect(!machine.isRunning)
      _ = handle(.failed, at: second)
      waits.append(machine.nextAttempt! - .seconds(second))
    }
    #expect(waits == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
  }

  @Test mutating func failuresBackOffUpToThirtySeconds() {
    var waits: [Duration] = []
    for attempt in 0..<12 {
      _ = handle(.wanted, at: Double(attempt) * 100)
      _ = handle(.failed, at: Double(attempt) * 100, jitter: 0.999_999)
      waits.append((machine.nextAttempt ?? .zero) - .seconds(attempt * 100))
    }
    #expect(waits[0] > .milliseconds(190) && waits[0] <= .milliseconds(200))
    #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(waits[11] > .seconds(29) && waits[11] <= .seconds(30))
  }

  @Test mutating func fullJitterIsNeverAStorm() {
    _ = handle(.wanted, at: 0)
    _ = handle(.failed, at: 0, jitter: 0)
    #expect(machine.nextAttempt == .milliseconds(50))
  }

  @Test mutating func successForgetsTheFailures() {
    for _ in 0..<6 {
      _ = handle(.wanted, at: 0)
      _ = handle(.failed, at: 0)
    }
    _ = handle(.wanted, at: 1)
    _ = handle(.succeeded(more: false), at: 1)
    _ = handle(.wanted, at: 2)
    _ = handle(.failed, at: 2, jitter: 0.999)
    #expect(machine.nextAttempt ?? .zero < .seconds(2.3))
  }
}

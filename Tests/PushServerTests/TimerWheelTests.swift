@testable import PushServer
import Testing

@Suite struct TimerWheelTests {
  @Test func eachComesWithinASlotOfItsTimeAndOnce() {
    var wheel = TimerWheel()
    let times = (1...400).map { Duration.milliseconds($0 * 73) }
    for (number, time) in times.enumerated() { wheel.add(UInt64(number), at: time) }
    var came: [UInt64: Duration] = [:]
    for step in 1...3_000 {
      let now = Duration.milliseconds(step * 10)
      for id in wheel.take(until: now) {
        #expect(came.updateValue(now, forKey: id) == nil, "\(id) came twice")
      }
    }
    for (number, time) in times.enumerated() {
      let at = came[UInt64(number)] ?? .zero
      #expect(at >= time && at <= time + TimerWheel.slotLength + .milliseconds(10))
    }
  }

  @Test func whatIsFarOffComesEarlyToBePutInAgain() {
    var wheel = TimerWheel()
    wheel.add(1, at: .seconds(3600))
    #expect(wheel.take(until: .seconds(50)) == [])
    #expect(wheel.take(until: .seconds(52)) == [1])
  }

  @Test func aClockThatJumpsLosesNobody() {
    var wheel = TimerWheel()
    for id in 1...1_000 as ClosedRange<UInt64> { wheel.add(id, at: .milliseconds(Int(id) * 40)) }
    #expect(Set(wheel.take(until: .seconds(1_000_000))) == Set(1...1_000))
    wheel.add(7, at: .seconds(1))
    #expect(wheel.take(until: .seconds(1_000_000)) == [])
    #expect(wheel.take(until: .seconds(1_000_001)) == [7], "what is past is due at once")
  }
}

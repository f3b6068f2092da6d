import Testing

@testable import Simulation

/// A server that lies is found out, and nothing is lost by it.
@Suite struct HostilityTests {
  @Test(arguments: Hostility.allCases)
  func aHostileServerRaisesTheAlarmThatSaysWhatItDid(move: Hostility) async throws {
    let outcomes = try await Trials.hostility(move, Array(0..<10))
    #expect(outcomes.compactMap(\.failure).prefix(5) == [])
    // The move found an occasion, and was noticed.
    if !move.alarms.isEmpty { #expect(outcomes.contains { $0.detections > 0 }) }
  }
}

import Testing

/// A server that lies is found out, and nothing is lost by it.
@Suite struct HostilityTests {
  private static func weather(_ move: Hostility) -> Weather {
    Weather(name: "hostile: \(move)", slowness: 10, hostility: move)
  }

  @Test(arguments: Hostility.allCases)
  func aHostileServerRaisesTheAlarmThatSaysWhatItDid(move: Hostility) async throws {
    let seeds = Runs.seed.map { [$0] } ?? Array(0..<(Runs.defaultCount / 30))
    let outcomes = try await Runs.outcomes(over: seeds) { seed, isTracing in
      let world = try World(
        family: try Runs.family.get(), seed: seed, weather: Self.weather(move),
        isTracing: isTracing)
      return world
    } _: {
      try Scenario.safety($0)
    }
    if Runs.seed != nil { print(outcomes[0].trace.joined(separator: "\n")) }
    #expect(outcomes.compactMap(\.failure).prefix(5) == [])
    // The move found an occasion, and was noticed.
    if !move.alarms.isEmpty, Runs.seed == nil {
      #expect(outcomes.contains { $0.detections > 0 })
    }
  }
}

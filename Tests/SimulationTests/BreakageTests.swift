import Testing

/// Every place at which something can break, on a script of two devices: each once.
@Suite struct BreakageTests {
  private static func script(
    isTracing: Bool = false, _ change: (World) -> Void = { _ in }
  ) throws -> World {
    let world = try World(
      family: try Runs.family.get(), seed: 2010, weather: .calm, devices: 2, isTracing: isTracing)
    change(world)
    return world
  }

  /// Numbers to try: all in a release build, every seventh otherwise.
  private static func numbers(upTo count: Int) -> [UInt64] {
    if let seed = Runs.seed { return [seed] }
    return stride(from: 1, through: UInt64(count), by: Runs.stride).map { $0 }
  }

  @Test func theScriptLosesNothingWhereverADeviceCrashes() async throws {
    let dry = try Self.script()
    try Scenario.script(dry)
    #expect(dry.sites > 200)
    let failures = try await Runs.failures(over: Self.numbers(upTo: dry.sites)) { site, isTracing in
      try Self.script(isTracing: isTracing) { $0.crashSite = Int(site) }
    } _: {
      try Scenario.script($0)
    }
    #expect(failures == [])
  }

  @Test func theScriptLosesNothingWhereverTheServerStops() async throws {
    let dry = try Self.script()
    try Scenario.script(dry)
    let failures = try await Runs.failures(over: Self.numbers(upTo: 2 * dry.serves)) {
      number, isTracing in
      try Self.script(isTracing: isTracing) {
        $0.serverStop = Int(number + 1) / 2
        $0.serverStopsBefore = number % 2 == 0
      }
    } _: {
      try Scenario.script($0)
    }
    #expect(failures == [])
  }

  /// A number stands for an act after which the server is restored, and for the state it gets.
  @Test func theScriptLosesNothingWhateverStateTheServerIsRestoredTo() async throws {
    let dry = try Self.script()
    try Scenario.script(dry)
    let states = dry.server.past.count
    let count = Scenario.script.count * states
    let failures = try await Runs.failures(over: Self.numbers(upTo: count)) { number, isTracing in
      try Self.script(isTracing: isTracing) { $0.number = Int(number) - 1 }
    } _: { world in
      for (place, act) in Scenario.script.enumerated() {
        try act(world)
        let state = world.number % states
        if place == world.number / states, state < world.server.past.count {
          try world.restoreServer(state)
        }
      }
      try world.heal()
      try world.checkRest()
    }
    #expect(failures == [])
  }
}

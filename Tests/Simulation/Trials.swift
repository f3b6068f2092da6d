import Sync

/// What is tried: the tests try a part of it, `higgins-simulate` all.
enum Trials {
  /// A life in the weather of each seed, or always in the same, then rest: nothing is lost, and all
  /// agree.
  static func anyWeather(
    _ seeds: [UInt64], always weather: Weather? = nil, limit: Int = 5
  ) async throws -> [Runs.Outcome] {
    try await Runs.outcomes(over: seeds, limit: limit) { seed, isTracing in
      try World(
        family: try Runs.family.get(), seed: seed, weather: weather ?? .of(seed: seed),
        isTracing: isTracing)
    } _: {
      try Scenario.safety($0)
    }
  }

  /// A scenario, in calm weather.
  static func calm(
    _ seeds: UInt64, snapshotBias: Int = 0, _ scenario: @escaping Runs.Play
  ) async throws -> [String] {
    let weather = Weather(name: "calm", snapshotBias: snapshotBias)
    return try await Runs.failures(over: Array(0..<seeds)) { seed, isTracing in
      try World(
        family: try Runs.family.get(), seed: seed, weather: weather, isTracing: isTracing)
    } _: {
      try scenario($0)
    }
  }

  /// Nothing goes wrong and nothing is repaired: signals alone bring everyone up to date.
  static func signalsAlone(
    _ seeds: [UInt64], _ play: @escaping Runs.Play = Scenario.liveness
  ) async throws -> [String] {
    // The timed sync would hide a signal that was lost.
    var waits = SyncMachine.Waits()
    waits.pollWithPush = .seconds(100_000)
    let patience = waits
    return try await Runs.failures(over: seeds) { seed, isTracing in
      try World(
        family: try Runs.family.get(), seed: seed, weather: .calm, isTracing: isTracing,
        waits: patience)
    } _: {
      try play($0)
    }
  }

  /// A server that does one kind of evil throughout.
  static func hostility(_ move: Hostility, _ seeds: [UInt64]) async throws -> [Runs.Outcome] {
    let weather = Weather(
      name: "hostile: \(move)", slowness: 10, locks: 8, hostility: move)
    return try await Runs.outcomes(over: seeds) { seed, isTracing in
      try World(
        family: try Runs.family.get(), seed: seed, weather: weather, isTracing: isTracing)
    } _: {
      try Scenario.safety($0)
    }
  }

  // MARK: every place at which something can break, on a script of two devices

  private static func script(
    isTracing: Bool = false, _ change: (World) -> Void = { _ in }
  ) throws -> World {
    let world = try World(
      family: try Runs.family.get(), seed: 2010, weather: .calm, devices: 2, isTracing: isTracing)
    change(world)
    return world
  }

  private static func dryRun() throws -> World {
    let dry = try script()
    try Scenario.script(dry)
    return dry
  }

  private static func places(upTo count: Int, oneIn stride: Int) -> [UInt64] {
    Swift.stride(from: 1, through: UInt64(count), by: stride).map { $0 }
  }

  /// How many crash sites the script has.
  static func crashSites() throws -> Int { try dryRun().sites }

  /// A device crashes at each site, or at one in so many.
  static func crashes(oneIn stride: Int) async throws -> [String] {
    let sites = places(upTo: try dryRun().sites, oneIn: stride)
    return try await Runs.failures(over: sites) { site, isTracing in
      try script(isTracing: isTracing) { $0.crashSite = Int(site) }
    } _: {
      try Scenario.script($0)
    }
  }

  /// The server stops before and after each request.
  static func serverStops(oneIn stride: Int) async throws -> [String] {
    let stops = places(upTo: 2 * (try dryRun().serves), oneIn: stride)
    return try await Runs.failures(over: stops) { number, isTracing in
      try script(isTracing: isTracing) {
        $0.serverStop = Int(number + 1) / 2
        $0.serverStopsBefore = number % 2 == 0
      }
    } _: {
      try Scenario.script($0)
    }
  }

  /// The server is restored, after each act, to each state it was in.
  static func serverStates(oneIn stride: Int) async throws -> [String] {
    let states = try dryRun().server.past.count
    let count = Scenario.script.count * states
    return try await Runs.failures(over: places(upTo: count, oneIn: stride)) {
      number, isTracing in
      try script(isTracing: isTracing) { $0.number = Int(number) - 1 }
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
  }
}

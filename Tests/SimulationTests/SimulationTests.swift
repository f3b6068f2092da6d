import Foundation
import Sync
import Testing

/// Many devices and both servers in all kinds of weather, in virtual time.
///
/// `SEED=n` replays one run and prints its trace; `SEEDS=n` sets how many runs there are.
@Suite struct SimulationTests {
  private static let inItsWeather: Runs.Make = { seed, isTracing in
    try World(
      family: try Runs.family.get(), seed: seed, weather: .of(seed: seed), isTracing: isTracing)
  }

  @Test func nothingIsLostInAnyWeatherAndAllAgreeAfterIt() async throws {
    let outcomes = try await Runs.outcomes(
      over: Runs.seeds, limit: 5, Self.inItsWeather, Scenario.safety)
    #expect(Runs.report(outcomes) == [])
    guard Runs.seeds.count >= 200 else { return }
    // Weather in which nothing happens would prove nothing.
    let tally = outcomes.reduce(into: [Trouble: Int]()) { $0.merge($1.tally, uniquingKeysWith: +) }
    print("troubles \(tally.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
    let rare: Set<Trouble> = Runs.seeds.count < 5000 ? [.redo, .merge, .recordRestored] : []
    #expect(Trouble.allCases.filter { tally[$0] == nil && !rare.contains($0) } == [])
  }

  @Test func signalsAloneBringEveryoneUpToDate() async throws {
    let seeds = Runs.seed.map { [$0] } ?? Array(0..<(Runs.defaultCount / 10))
    let make: Runs.Make = { seed, isTracing in
      // The timed sync would hide a signal that was lost.
      var waits = SyncMachine.Waits()
      waits.pollWithPush = .seconds(100_000)
      return try World(
        family: try Runs.family.get(), seed: seed, weather: .calm, isTracing: isTracing,
        waits: waits)
    }
    #expect(try await Runs.failures(over: seeds, make, Scenario.liveness) == [])
  }

  @Test func theSameSeedGivesTheSameTrace() async throws {
    let seeds = Array(0..<UInt64(2 * Weather.catalogue.count))
    let first = try await Runs.outcomes(over: seeds, Self.inItsWeather, Scenario.safety)
    let second = try await Runs.outcomes(over: seeds, Self.inItsWeather, Scenario.safety)
    #expect(first.map(\.traceHash) == second.map(\.traceHash))
    #expect(Set(first.map(\.traceHash)).count == seeds.count)
    print("traces \(first.reduce(0) { ($0 &* 31) &+ $1.traceHash })")
  }

  /// New seeds until the time is over: `SOAK_MINUTES=60 swift test -c release --filter soak`.
  @Test(.enabled(if: Runs.number("SOAK_MINUTES") != nil))
  func soak() async throws {
    let end = ContinuousClock.now + .seconds(60 * Int(Runs.number("SOAK_MINUTES") ?? 0))
    var seed = UInt64(Date.now.timeIntervalSince1970) << 20
    while ContinuousClock.now < end {
      let failures = try await Runs.failures(
        over: Array(seed..<(seed + 1000)), Self.inItsWeather, Scenario.safety)
      print("seeds \(seed) to \(seed + 999): \(failures.isEmpty ? "well" : "\(failures)")")
      #expect(failures == [])
      seed += 1000
    }
  }
}

import Foundation
import Testing

@testable import Simulation

/// Many devices and both servers in all kinds of weather, in virtual time; `higgins-simulate` runs
/// more of the same.
///
/// `SEED=n` replays one run and prints its trace; `SEEDS=n` sets how many runs there are.
@Suite struct SimulationTests {
  private static let defaultCount: UInt64 = 300
  /// What so few runs need not meet.
  private static let rare: Set<Trouble> = [
    .redo, .merge, .recordRestored, .labelConflict, .parting, .restated, .stranded, .endingRestored,
  ]

  private static func number(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
  }

  private static var seeds: [UInt64] {
    number("SEED").map { [$0] } ?? Array(0..<(number("SEEDS") ?? defaultCount))
  }

  @Test func nothingIsLostInAnyWeatherAndAllAgreeAfterIt() async throws {
    let outcomes = try await Trials.anyWeather(Self.seeds)
    #expect(Runs.report(outcomes) == [])
    guard Self.seeds.count >= 200 else { return }
    #expect(Runs.missingTroubles(in: outcomes).filter { !Self.rare.contains($0) } == [])
  }

  @Test func signalsAloneBringEveryoneUpToDate() async throws {
    #expect(try await Trials.signalsAlone(Array(0..<(Self.defaultCount / 10))) == [])
  }

  @Test func aSignalAloneBringsANewNameToEveryone() async throws {
    #expect(try await Trials.signalsAlone([1, 2, 3], Scenario.renaming) == [])
  }

  @Test func anUndoLeavesWhatAnotherDeviceWroteAtTheSameTime() async throws {
    #expect(try await Trials.calm(5, Scenario.undo) == [])
  }

  @Test func aRevocationOutlivesAServerThatForgotIt() async throws {
    #expect(try await Trials.calm(20, Scenario.parting) == [])
  }

  @Test func aRevocationOutlivesAServerThatPrunedWhatItCutsOff() async throws {
    #expect(try await Trials.calm(10, snapshotBias: 497, Scenario.prunedCut) == [])
  }

  @Test func aRevokedDeviceBringsNobodyIn() async throws {
    #expect(try await Trials.calm(5, Scenario.intruding) == [])
  }

  @Test func whatStandsOnCommitsThatWereTakenBackIsWrittenAgain() async throws {
    #expect(try await Trials.calm(20, Scenario.twoHistories) == [])
  }

  @Test(arguments: [false, true], [0, 1])
  func whatWasPrunedOutlivesAServerThatForgotIt(byTwin: Bool, kept: Int) async throws {
    let failures = try await Trials.calm(10, snapshotBias: 497) {
      try Scenario.prunedAlone($0, twin: byTwin, kept: kept)
    }
    #expect(failures == [])
  }

  @Test func theSameSeedGivesTheSameTrace() async throws {
    let seeds = Array(0..<UInt64(2 * Weather.catalogue.count))
    let first = try await Trials.anyWeather(seeds, limit: .max)
    let second = try await Trials.anyWeather(seeds, limit: .max)
    #expect(first.map(\.traceHash) == second.map(\.traceHash))
    #expect(Set(first.map(\.traceHash)).count == seeds.count)
  }
}

import Foundation
import Testing
import Vault
import Wire

/// Three devices and a server on a bad network in virtual time. `SEED=n` replays one run and prints
/// its trace; `SEEDS=n` sets how many runs there are.
@Suite struct SimulationTests {
  private static let family = Result { try Family.make(devices: 3) }

  private static var seeds: [UInt64] {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["SEED"].flatMap(UInt64.init) { return [seed] }
    return Array(1...(environment["SEEDS"].flatMap(UInt64.init) ?? 60))
  }

  /// Runs one scenario over all seeds and names those that fail.
  private func failures(
    over seeds: [UInt64] = seeds, weather: Weather, bug: PlantedBug? = nil,
    _ scenario: (inout World) throws -> Void
  ) throws -> [String] {
    let family = try Self.family.get()
    var failures: [String] = []
    for seed in seeds {
      var world = try World(family: family, seed: seed, weather: weather, bug: bug)
      do {
        try scenario(&world)
      } catch let violation as Violation {
        failures.append("SEED=\(seed): \(violation)")
        if seeds.count == 1 { print(world.trace.joined(separator: "\n")) }
      }
    }
    return failures
  }

  private static func safety(_ world: inout World) throws {
    try world.live(acts: 30)
    try world.heal()
    try world.checkAgreement()
  }

  private static func liveness(_ world: inout World) throws {
    try world.live(acts: 20)
    try world.checkAgreement()
  }

  @Test func nothingIsLostInAStormAndAllAgreeAfterIt() throws {
    #expect(try failures(weather: .storm, Self.safety) == [])
  }

  @Test func signalsAloneBringEveryoneUpToDate() throws {
    #expect(try failures(weather: .calm, Self.liveness) == [])
  }

  @Test func theSameSeedGivesTheSameTrace() throws {
    let family = try Self.family.get()
    for seed in [1, 2, 3] as [UInt64] {
      var traces: [TraceHash] = []
      for _ in 0..<2 {
        var world = try World(family: family, seed: seed, weather: .storm)
        try Self.safety(&world)
        traces.append(TraceHash(world.trace))
      }
      #expect(traces[0] == traces[1])
    }
  }

  @Test(arguments: PlantedBug.allCases)
  func everyPlantedBugIsFound(bug: PlantedBug) throws {
    let found: [String]
    switch bug {
    case .ignoreSignals:
      found = try failures(over: Array(1...5), weather: .calm, bug: bug, Self.liveness)
    case .forgetOpenForms:
      found = try failures(over: Array(1...5), weather: .calm, bug: bug, Self.safety)
    case .loseSettledEdits, .keepCopyWhenDiskIsFull:
      found = try failures(over: Array(1...30), weather: .storm, bug: bug, Self.safety)
    }
    #expect(!found.isEmpty, "no check noticed: \(bug)")
  }
}

/// A trace by its hash, so that a difference prints in one line.
private struct TraceHash: Equatable {
  let text: String

  init(_ trace: [String]) {
    text = TraceHash.hash(trace.joined(separator: "\n"))
  }

  private static func hash(_ text: String) -> String {
    "\(Digest32.sha256(Array(text.utf8)))"
  }
}

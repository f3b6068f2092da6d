import Foundation
import Wire

/// Runs scenarios over seeds, on every core.
enum Runs {
  /// Argon2 once: all runs share the account.
  static let family = Result { try Family.make(devices: 6) }
  /// An account that has nothing to do with it.
  static let stranger = Result { try Family.make(devices: 2, seed: 1) }

  /// Makes a world from a seed; the second argument says whether its trace is kept.
  typealias Make = @Sendable (UInt64, Bool) throws -> World
  typealias Play = @Sendable (World) throws -> Void

  /// What a run came to.
  struct Outcome: Sendable {
    let seed: UInt64
    let weather: String
    let violation: Violation?
    let traceHash: UInt64
    let trace: [String]
    let requests: Int
    let detections: Int
    let tally: [Trouble: Int]

    /// `SEED=7 storm: S1: …`
    var failure: String? { violation.map { "SEED=\(seed) \(weather): \($0)" } }
  }

  static func run(
    _ seed: UInt64, isTracing: Bool = false, _ make: Make, _ play: Play
  ) throws -> Outcome {
    let world = try make(seed, isTracing)
    var violation: Violation?
    do {
      try play(world)
    } catch let found as Violation {
      violation = found
    } catch {
      violation = Violation(.s9, "the run broke off: \(error)")
    }
    return Outcome(
      seed: seed, weather: world.name, violation: violation, traceHash: world.traceHash,
      trace: world.trace, requests: world.requests, detections: world.detections, tally: world.tally
    )
  }

  /// The outcomes of all seeds, or of those up to the first `limit` failures of each core.
  static func outcomes(
    over seeds: [UInt64], limit: Int = .max, _ make: @escaping Make, _ play: @escaping Play
  ) async throws -> [Outcome] {
    let isTracing = seeds.count == 1
    let lanes = max(1, min(seeds.count, ProcessInfo.processInfo.activeProcessorCount))
    return try await withThrowingTaskGroup(of: [Outcome].self) { group in
      for lane in 0..<lanes {
        group.addTask {
          var outcomes: [Outcome] = []
          var failures = 0
          for place in Swift.stride(from: lane, to: seeds.count, by: lanes) where failures < limit {
            let outcome = try run(seeds[place], isTracing: isTracing, make, play)
            if outcome.violation != nil { failures += 1 }
            outcomes.append(outcome)
            await Task.yield()
          }
          return outcomes
        }
      }
      var all: [Outcome] = []
      for try await outcomes in group { all += outcomes }
      return all.sorted { $0.seed < $1.seed }
    }
  }

  /// The failures over all seeds, the first five of them; one seed alone prints its trace.
  static func failures(
    over seeds: [UInt64], _ make: @escaping Make, _ play: @escaping Play
  ) async throws -> [String] {
    report(try await outcomes(over: seeds, limit: 5, make, play))
  }

  /// Kinds of trouble that did not come up in any run: weather in which nothing happens would prove
  /// nothing.
  static func missingTroubles(in outcomes: [Outcome]) -> [Trouble] {
    let met = outcomes.reduce(into: Set<Trouble>()) { $0.formUnion($1.tally.keys) }
    return Trouble.allCases.filter { !met.contains($0) }
  }

  /// Writes a line at once: `print` would keep it while the next thousands of seeds run.
  static func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }

  /// Prints what failed, and names the first five.
  static func report(_ outcomes: [Outcome]) -> [String] {
    if outcomes.count == 1 { say(outcomes[0].trace.joined(separator: "\n")) }
    let failures = outcomes.compactMap(\.failure)
    for failure in failures { say(failure) }
    return Array(failures.prefix(5))
  }
}

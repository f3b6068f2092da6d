import ArgumentParser
import Foundation

/// `higgins-simulate`: the simulation at full length.
@main
struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "higgins-simulate",
    abstract: "Runs devices and servers in virtual time, and checks that nothing is lost.",
    discussion: """
      EXAMPLE: higgins-simulate --seed 7

      Without options: 10,000 seeds in all kinds of weather, every crash site of a script, every \
      stop and every restored state of the server, and every move of a hostile one. A seed that \
      fails is named, and --seed prints what happened in it.

      Exit codes: 0 all was well; 1 something failed; 64 wrong usage.
      """)

  @Option(help: ArgumentHelp("How many seeds.", valueName: "n"))
  var seeds: UInt64 = 10_000

  @Option(help: ArgumentHelp("One seed, with its trace.", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Seeds in this weather of the catalogue alone, and nothing else.", valueName: "name"))
  var weather: String?

  @Option(help: ArgumentHelp("New seeds until the time is over.", valueName: "minutes"))
  var minutes: Int?

  func validate() throws {
    guard (1...100_000_000).contains(seeds) else {
      throw ValidationError("--seeds is from 1 to 100000000.")
    }
    guard seed == nil || minutes == nil else {
      throw ValidationError("--seed replays one run; it takes no --minutes.")
    }
    guard weather == nil || minutes == nil else {
      throw ValidationError("--weather takes no --minutes.")
    }
    let names = Weather.catalogue.map(\.name)
    guard weather.map(names.contains) != false else {
      throw ValidationError("--weather is one of: \(names.joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let failures: [String]
    let always = weather.map(Weather.named)
    if let seed {
      failures = Runs.report(try await Trials.anyWeather([seed], always: always))
    } else if let always {
      let outcomes = try await Trials.anyWeather(Array(0..<seeds), always: always)
      failures = Runs.report(outcomes)
      Runs.say("\(outcomes.count) seeds, \(failures.count) failed")
    } else if let minutes {
      failures = try await soak(.seconds(60 * minutes))
    } else {
      failures = try await everything()
    }
    guard failures.isEmpty else { throw ExitCode(1) }
  }

  private func everything() async throws -> [String] {
    let start = ContinuousClock.now
    let outcomes = try await Trials.anyWeather(Array(0..<seeds))
    var failures = Runs.report(outcomes)
    Runs.say("\(outcomes.count) seeds, \(failures.count) failed")
    func miss(_ text: String) {
      failures.append(text)
      Runs.say(text)
    }
    let missing = Runs.missingTroubles(in: outcomes)
    if seeds >= 5000, !missing.isEmpty {
      miss("never came up: \(missing.map { "\($0)" }.joined(separator: ", "))")
    }
    failures += try await Trials.signalsAlone(Array(0..<(seeds / 10 + 1)))
    failures += try await Trials.crashes(oneIn: 1)
    failures += try await Trials.serverStops(oneIn: 1)
    failures += try await Trials.serverStates(oneIn: 1)
    for move in Hostility.allCases {
      let outcomes = try await Trials.hostility(move, Array(0..<(seeds / 30 + 10)))
      failures += Runs.report(outcomes)
      if !move.alarms.isEmpty, !outcomes.contains(where: { $0.detections > 0 }) {
        miss("\(move) never raised its alarm")
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    Runs.say("\(failures.isEmpty ? "all was well" : "failed") after \(Int(seconds)) s")
    return failures
  }

  private func soak(_ time: Duration) async throws -> [String] {
    let end = ContinuousClock.now + time
    var first = UInt64(Date().timeIntervalSince1970) << 20
    var failures: [String] = []
    while ContinuousClock.now < end {
      let outcomes = try await Trials.anyWeather(Array(first..<(first + 1000)))
      failures += Runs.report(outcomes)
      Runs.say("seeds \(first) to \(first + 999), \(failures.count) failed so far")
      first += 1000
    }
    return failures
  }
}

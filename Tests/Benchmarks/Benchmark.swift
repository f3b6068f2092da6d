import ArgumentParser
import Foundation
import Glibc

/// `higgins-bench`: how long a change takes to get from one device to the others, and what it
/// costs.
@main
struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "higgins-bench",
    abstract: "Measures the real programs on loopback, beside other ways to do the same.",
    discussion: """
      EXAMPLE: higgins-bench --json bench.json

      `higgins` and `higginsd` are taken from this program's own folder, or from that in BIN. \
      Everything is measured in one run, in turns; what counts are the ratios, because times \
      depend on the machine.

      Exit codes: 0 everything was measured, but for programs that are not installed; 1 something \
      failed; 64 wrong usage.
      """)

  @Flag(help: "Fewer samples: done within a minute.")
  var quick = false

  @Option(help: ArgumentHelp("How many changes (default: 40; 8 with --quick).", valueName: "n"))
  var changes: Int?

  enum Section: String, CaseIterable, ExpressibleByArgument {
    case spread, screen, scale, server, push
  }

  @Option(
    help: ArgumentHelp(
      """
      spread: how a change gets to other devices; screen: keys, beside tig, mc, fzf and less; \
      scale: 50,000 contexts; server: 1,000 devices; push: 10,000 connections, beside nchan. \
      Default: all.
      """,
      valueName: "section"))
  var only: Section?

  @Option(
    help: ArgumentHelp(
      "How long push servers are watched for growth (default: 60; 3 with --quick).",
      valueName: "seconds"))
  var soak: Double?

  @Option(help: ArgumentHelp("Also write the result as JSON.", valueName: "file"))
  var json: String?

  func validate() throws {
    guard (1...10_000).contains(changes ?? 1) else {
      throw ValidationError("--changes is from 1 to 10000.")
    }
    guard (1...86_400).contains(soak ?? 1) else {
      throw ValidationError("--soak is from 1 to 86400 seconds.")
    }
  }

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
    let report: Report
    do {
      report = try measure()
    } catch {
      Self.say("\(error)")
      throw ExitCode(1)
    }
    FileHandle.standardOutput.write(Data(report.text.utf8))
    if let json {
      do {
        try report.write(to: json)
      } catch {
        Self.say("\(json) cannot be written: \(error)")
        throw ExitCode(1)
      }
    }
    if report.hasFailures { throw ExitCode(1) }
  }

  private func measure() throws -> Report {
    let started = ContinuousClock.now
    var report = Report(circumstances)
    // A run takes half of it on a machine with two processors; more changes take more.
    let spread = (quick ? 100 : 360) + Double(max(0, (changes ?? 0) - 40)) * 4
    let scale = (quick ? 200.0 : 2400) + (soak ?? 0) * 2
    let limit = (covers(.spread) ? spread : 0) + (only == .spread ? 0 : scale)
    let stage = try Stage(loop: Loop(limit: limit), products: Self.products)
    defer { stage.strike() }
    let server = try stage.startServer("server", push: true)
    let schedule = Schedule(measurements(stage, server)) { words in
      Self.say("\(Int((ContinuousClock.now - started).milliseconds / 1000)) s: \(words)")
    }
    try schedule.run()
    report.rows = schedule.rows
    report.failures = schedule.failures
    report.compare(
      (covers(.spread) ? Self.ratios : [])
        + (covers(.screen) ? Keystrokes.ratios : [])
        + (covers(.scale) ? Scale.ratios(sizes.0, sizes.1) : [])
        + (covers(.push) ? PushScale.ratios : []))
    if covers(.screen) { report.judge(Gate.screen) }
    report.circumstances.seconds = (ContinuousClock.now - started).milliseconds / 1000
    return report
  }

  private func measurements(_ stage: Stage, _ server: Stage.Server) -> [any Measurement] {
    (covers(.spread) ? spreads(stage, server) : [])
      + (covers(.screen) ? screens(stage, server) : [])
      + (covers(.scale) ? scales(stage, server) : [])
      + (covers(.server)
        ? [ServerScale(stage: stage, accounts: quick ? 25 : 250, seconds: quick ? 5 : 20)] : [])
      + (covers(.push) ? pushes(stage) : [])
  }

  private func covers(_ section: Section) -> Bool { only == nil || only == section }

  /// Numbers of contexts to compare.
  private var sizes: (Int, Int) { quick ? (100, 2_000) : (1_000, 50_000) }

  private func scales(_ stage: Stage, _ server: Stage.Server) -> [any Measurement] {
    [sizes.0, sizes.1].map {
      Scale(
        stage: stage, server: server, contexts: $0, samples: quick ? 3 : 10,
        loads: quick ? 2 : 3) as any Measurement
    }
  }

  private func pushes(_ stage: Stage) -> [any Measurement] {
    var size = PushScale.Size()
    if quick {
      size = PushScale.Size(
        connections: 1_000, publishes: 200, rounds: 20, stalled: 2_000, idle: 3, soak: 3,
        samples: 1)
    }
    if let soak { size.soak = soak }
    let rivals: [any PushRival] = [HigginsPush(stage: stage), Nchan(stage: stage)]
    return rivals.map { PushScale($0, size: size) }
  }

  private func screens(_ stage: Stage, _ server: Stage.Server) -> [any Measurement] {
    let peers = Peers(stage: stage, server: server, entries: sizes.1)
    let keystrokes = peers.all.map {
      Keystrokes($0, peers: peers, stage: stage, samples: quick ? 24 : 240)
    }
    // The start is measured with `spread` already where all is.
    let start =
      only == .screen ? [Startup(stage: stage, server: server, samples: quick ? 6 : 20)] : []
    return start + [
      LongList(samples: quick ? 24 : 240),
      Writes(stage: stage, server: server, samples: quick ? 6 : 20),
    ] + keystrokes
  }

  private func spreads(_ stage: Stage, _ server: Stage.Server) -> [any Measurement] {
    [
      // First: its changes go on beside all the others.
      Polling(stage: stage, wanted: quick ? 1 : 3),
      Spread(stage: stage, server: server, samples: changes ?? (quick ? 8 : 40)),
      PasswordStore(stage: stage, samples: quick ? 3 : 10),
      Startup(stage: stage, server: server, samples: quick ? 6 : 20),
    ]
      + [10, 1000].map {
        Traffic(stage: stage, server: server, contexts: $0, samples: quick ? 2 : 5)
      }
  }

  private static let ratios = [
    Ratio("without push / with push, by a command", "polling", over: "command-2"),
    Ratio("edited on a screen / by a command", "edit-2", over: "command-2"),
    Ratio("device 3 / device 2, by a command", "command-3", over: "command-2"),
    Ratio("pass with git / by a command", "pass", over: "command-2"),
    Ratio("pass with git / edited on a screen", "pass", over: "edit-2"),
    Ratio("first screen: higgins / less", "lock", over: "less"),
    Ratio("first screen: higgins / tig", "lock", over: "tig"),
    Ratio("first screen / `higgins --version`", "lock", over: "version"),
    Ratio("sender, up: 1000 contexts / 10", "sender-up-1000", over: "sender-up-10"),
    Ratio("sender, down: 1000 contexts / 10", "sender-down-1000", over: "sender-down-10"),
    Ratio("receiver, up: 1000 contexts / 10", "receiver-up-1000", over: "receiver-up-10"),
    Ratio("receiver, down: 1000 contexts / 10", "receiver-down-1000", over: "receiver-down-10"),
    Ratio(
      "memory of a selector: 1000 contexts / 10", "memory-screen-1000", over: "memory-screen-10"),
  ]

  private var circumstances: Report.Circumstances {
    Report.Circumstances(
      programs: Self.products, processors: ProcessInfo.processInfo.activeProcessorCount,
      system: ProcessInfo.processInfo.operatingSystemVersionString, load: Self.load,
      isQuick: quick,
      startedAt: ISO8601DateFormatter().string(from: Date()), seconds: 0)
  }

  private static var load: Double {
    var load = 0.0
    return getloadavg(&load, 1) == 1 ? load : 0
  }

  /// BIN, else the folder of this program.
  private static var products: String {
    if let folder = ProcessInfo.processInfo.environment["BIN"], !folder.isEmpty { return folder }
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return own.deletingLastPathComponent().path
  }

  private static func say(_ line: String) {
    FileHandle.standardError.write(Data("higgins-bench: \(line)\n".utf8))
  }
}

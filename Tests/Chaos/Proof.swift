import Foundation
import Glibc

/// Plants losses and demands that the checks notice each: a check that finds nothing proves
/// nothing until then.
final class Proof {
  private struct Plant {
    let what: String
    let act: (Run) throws -> Void
    /// Which check has to notice: the device's own, or the one after healing.
    var isLocal = false
  }

  private let stage: Stage
  private let seed: UInt64
  private var base = Journal()

  init(stage: Stage, seed: UInt64) {
    self.stage = stage
    self.seed = seed
  }

  /// What was planted and not noticed.
  func run() throws -> [String] {
    let sound = newRun()
    try stage.hold("home")
    for _ in 0..<6 { try sound.set(on: "home", skipsSync: false) }
    stage.letGo("home")
    try sound.heal()
    guard sound.findings.isEmpty else { throw ChaosError.failed("not sound before the proof") }
    base = sound.journal
    try keep("base")
    var missed: [String] = []
    for plant in plants {
      Run.say("plant  \(plant.what)")
      let run = newRun()
      run.journal = base
      try plant.act(run)
      if plant.isLocal { try run.checkOwn("home") } else { try run.heal() }
      if run.findings.isEmpty { missed.append(plant.what) }
      try bringBack("base")
    }
    return missed
  }

  private func newRun() -> Run {
    Run(stage: stage, origin: Run.Origin(seed: seed, rounds: 1), isLong: false)
  }

  private var plants: [Plant] {
    [
      Plant(what: "a value is removed behind the journal's back", act: remove),
      Plant(what: "a value is there twice", act: double),
      Plant(what: "a value is there that nobody set", act: addForeign),
      Plant(what: "a refused value is there", act: addRefused),
      Plant(what: "an acknowledged value never came to be", act: forget),
      Plant(
        what: "the device is put back to before its last value",
        act: rollBackDevice, isLocal: true),
      Plant(
        what: "the device's database is cut to a third", act: truncate,
        isLocal: true),
      Plant(
        what: "server and device are put back to before the last value",
        act: rollBackBoth),
      Plant(what: "a command ends by SIGSEGV", act: crash),
    ]
  }

  private func remove(_ run: Run) throws {
    let entry = try first(run) { $0.label == $0.token }
    try stage.need("home", ["rm", entry.context, entry.label])
  }

  private func double(_ run: Run) throws {
    let entry = try first(run) { $0.outcome == .acknowledged }
    try stage.need(
      "home", ["set", entry.context, "another", "-"], input: .text(entry.token + "\n"))
  }

  private func addForeign(_ run: Run) throws {
    try stage.need(
      "home", ["set", Stage.contexts[0], "foreign", "-"], input: .text("nobodys-value\n"))
  }

  private func addRefused(_ run: Run) throws {
    var entry = try first(run) { $0.outcome == .acknowledged }
    entry.outcome = .refused
    run.journal.note(entry)
  }

  /// The journal knows a value that no device ever got.
  private func forget(_ run: Run) throws {
    let writing = try run.begin(on: "work")
    writing.child.cut()
    var entry = writing.entry
    entry.outcome = .acknowledged
    run.journal.note(entry)
  }

  private func rollBackDevice(_ run: Run) throws {
    try keep("before")
    try run.set(on: "home", skipsSync: true)
    try bringBack("before")
  }

  private func truncate(_ run: Run) throws {
    try run.set(on: "home", skipsSync: true)
    let database = stage.database(of: "home")
    let size = try FileManager.default.attributesOfItem(atPath: database)[.size] as? Int ?? 0
    guard Glibc.truncate(database, size / 3) == 0 else {
      throw ChaosError.failed("truncate: errno \(errno)")
    }
  }

  private func rollBackBoth(_ run: Run) throws {
    try keep("before")
    try run.set(on: "home", skipsSync: false)
    try bringBack("before")
  }

  private func crash(_ run: Run) throws {
    let child = try Child(
      "bash", ["-c", "kill -SEGV $$"], environment: stage.environment("home"), input: .none,
      scratch: stage.path("crash"))
    child.awaitEnd(seconds: 10)
    run.judge(child.status ?? -1, "", of: "a command", allowed: [1], wasCut: true)
  }

  private func first(
    _ run: Run, where isWanted: (Journal.Entry) -> Bool
  ) throws -> Journal.Entry {
    for token in run.journal.order {
      if let entry = run.journal.entries[token], isWanted(entry) { return entry }
    }
    throw ChaosError.failed("no value to harm")
  }

  // MARK: copies

  private func keep(_ name: String) throws {
    stage.letGoOfAll()
    stage.cutServer()
    // The socket of a server that was cut cannot be copied, and is of no use.
    unlink("\(stage.serverData)/control")
    let files = FileManager.default
    for part in ["home/data", "server"] {
      let copy = stage.path("copies/\(name)/\(part)")
      if files.fileExists(atPath: copy) { try files.removeItem(atPath: copy) }
      try files.createDirectory(
        atPath: (copy as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try files.copyItem(atPath: stage.path(part), toPath: copy)
    }
    try stage.startServer()
  }

  private func bringBack(_ name: String) throws {
    stage.letGoOfAll()
    stage.cutServer()
    for part in ["home/data", "server"] {
      try FileManager.default.removeItem(atPath: stage.path(part))
      try FileManager.default.copyItem(
        atPath: stage.path("copies/\(name)/\(part)"), toPath: stage.path(part))
    }
    try stage.startServer()
  }
}

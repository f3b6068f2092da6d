import Foundation

/// From the start of the process to its first screen, beside other programs of the terminal.
final class Startup: Measurement {
  let title = "start to first screen"
  let samples: Int
  private let stage: Stage
  private let server: Stage.Server
  private var lock = Stopwatch()
  private var less = Stopwatch()
  private var tig = Stopwatch()
  private let hasLess = Program.isInstalled("less")
  private let hasTig = Program.isInstalled("tig") && Program.isInstalled("git")

  init(stage: Stage, server: Stage.Server, samples: Int) {
    self.stage = stage
    self.server = server
    self.samples = samples
  }

  func prepare() throws {
    try stage.makeAccount("alone", device: "home pc", at: server.address)
    let lines = (1...1000).map { "line \($0) of the text\n" }.joined()
    try stage.write(lines, to: "text")
    guard hasTig else { return }
    try stage.run(git(["init", "--quiet", stage.path("repository")]))
    try stage.run(
      git([
        "-C", stage.path("repository"), "-c", "user.name=ann", "-c", "user.email=ann@example.test",
        "commit", "--quiet", "--allow-empty", "--message", "the first commit",
      ]))
  }

  private func git(_ arguments: [String]) -> Program {
    Program("git", arguments, environment: stage.environment)
  }

  func sample() throws {
    // No passphrase file: it stays locked.
    var locked = stage.higgins("alone", [])
    locked.environment["HIGGINS_PASSPHRASE_FILE"] = nil
    try paint(locked, until: "passphrase", &lock)
    if hasLess {
      let program = Program("less", [stage.path("text")], environment: stage.environment)
      try paint(program, until: "line 1 of the text", &less)
    }
    if hasTig {
      let program = Program(
        "tig", ["-C", stage.path("repository")], environment: stage.environment)
      try paint(program, until: "the first commit", &tig)
    }
  }

  private func paint(
    _ program: Program, until text: String, _ stopwatch: inout Stopwatch
  ) throws {
    let start = ContinuousClock.now
    let screen = try stage.show(program)
    defer { stage.end(screen) }
    screen.seek(text)
    stopwatch.note(from: start, to: try screen.wait(for: text))
  }

  var rows: [Row] {
    func row(_ id: String, _ title: String, _ stopwatch: Stopwatch, _ isThere: Bool) -> Row {
      Row(
        id, title, .milliseconds, stopwatch.milliseconds, of: samples,
        missing: isThere ? nil : "\(id) not installed")
    }
    return [
      row("lock", "start to first screen: higgins, locked", lock, true),
      row("less", "start to first screen: less", less, hasLess),
      row("tig", "start to first screen: tig", tig, hasTig),
    ]
  }
}

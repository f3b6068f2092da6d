import Foundation

/// How often the selector writes to the terminal for one frame, counted by strace; and how long it
/// outlives a terminal whose hang-up it is not told of.
final class Writes: Measurement {
  let title = "writes to the terminal"
  let samples: Int
  private let stage: Stage
  private let server: Stage.Server
  private let isInstalled = Program.isInstalled("strace")
  private var screen: Screen?
  private var counts: [Double] = []
  private var losses: [Double] = []

  private var log: String { stage.path("writes") }

  init(stage: Stage, server: Stage.Server, samples: Int) {
    self.stage = stage
    self.server = server
    self.samples = samples
  }

  func prepare() throws {
    try stage.makeAccount("traced", device: "home pc", at: server.address)
    for name in ["first", "second"] {
      let adding = try stage.start(stage.higgins("traced", ["new", name, "--no-sync"]))
      adding.closeInput()
      try stage.finish(adding)
    }
    guard isInstalled else { return }
    let higgins = stage.higgins("traced", [])
    screen = try show(
      Program(
        "strace",
        ["-f", "-qq", "-y", "-e", "trace=write,writev", "-o", log, higgins.path],
        environment: higgins.environment))
    try stage.loop.pause(seconds: 3)
  }

  private func show(_ program: Program) throws -> Screen {
    let screen = try stage.show(program)
    screen.seek("first")
    try screen.wait(for: "first", seconds: 60)
    return screen
  }

  func sample() throws {
    guard let screen else { return }
    let before = try written()
    try screen.typeAndSettle(counts.count.isMultiple(of: 2) ? "j" : "k")
    try stage.loop.pause(seconds: 0.1)
    counts.append(Double(try written() - before))
  }

  /// Lines of the trace that are about a terminal.
  private func written() throws -> Int {
    try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      .count { $0.contains("</dev/pts/") }
  }

  func finish() throws {
    if let screen { stage.end(screen) }
    let higgins = stage.higgins("traced", [])
    let deaf = try show(
      Program(
        "sh", ["-c", "trap '' HUP; exec '\(higgins.path)'"], environment: higgins.environment))
    try stage.loop.pause(seconds: 2)
    losses.append(try deaf.lose())
    stage.end(deaf)
  }

  var rows: [Row] {
    [
      Row(
        "writes", "higgins: writes of a frame", .calls, counts, of: isInstalled ? samples : 0,
        missing: isInstalled ? nil : "strace not installed"),
      Row(
        "loss-deaf", "higgins: terminal gone, SIGHUP ignored, to its end", .milliseconds, losses,
        of: 1),
    ]
  }
}

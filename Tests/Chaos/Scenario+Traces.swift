import Foundation
import Glibc

/// Faults of single system calls, made by strace: the n-th one fails, or the process dies in it.
extension Scenario {
  static let traces = [
    Scenario(
      name: "trace-command", about: "failing and fatal system calls of `higgins set`",
      play: traceCommand),
    Scenario(
      name: "trace-server", about: "failing and fatal system calls of higginsd", play: traceServer),
  ]

  /// What strace does to which calls.
  private static let harms = [
    (calls: "fsync,fdatasync", harm: "error=EIO", limit: 8),
    (calls: "pwrite64,write,writev,pwritev", harm: "error=ENOSPC", limit: 24),
    (calls: "fsync,fdatasync", harm: "signal=KILL", limit: 8),
    (calls: "pwrite64,ftruncate,unlink,rename", harm: "signal=KILL", limit: 24),
    (calls: "pwrite64", harm: "error=EIO", limit: 24),
  ]

  /// strace as a prefix of a command line; calls on `files` alone are touched.
  private static func strace(
    _ harm: (calls: String, harm: String, limit: Int), when: String, files: [String], log: String
  ) -> [String] {
    ["strace", "-f", "-qq", "-o", log]
      + files.flatMap { ["-P", $0] }
      + [
        "-e", "trace=\(harm.calls)", "-e", "inject=\(harm.calls):\(harm.harm):when=\(when)", "--",
      ]
  }

  static var hasStrace: Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
  }

  /// A database and what SQLite keeps beside it.
  private static func files(of database: String) -> [String] {
    ["", "-wal", "-journal", "-shm"].map { database + $0 }
  }

  private static func traceCommand(_ run: Run) throws {
    guard hasStrace else { return Run.say("       strace is not installed") }
    let files = files(of: run.stage.database(of: "home"))
    for round in 1...run.origin.rounds {
      run.round = round
      let harm = harms[round % harms.count]
      let number = run.dice.number(1...harm.limit)
      // From the n-th on, as a disk stays full; or the n-th alone.
      let when =
        run.dice.happens(0.3) && !harm.harm.hasPrefix("signal") ? "\(number)+" : "\(number)"
      let words = strace(harm, when: when, files: files, log: run.stage.path("strace.log"))
      run.countFault()
      try run.set(on: "home", allowed: [1, 137], after: words, seconds: 90)
      if round.isMultiple(of: 5) { try run.checkOwn("home") }
    }
    try run.checkOwn("home")
  }

  private static func traceServer(_ run: Run) throws {
    guard hasStrace else { return Run.say("       strace is not installed") }
    for device in ["home", "work"] { try run.stage.hold(device) }
    let files = files(of: run.stage.path("server/attributes.sqlite"))
    for round in 1...max(5, run.origin.rounds / 2) {
      run.round = round
      let harm = harms[round % harms.count]
      // Its start takes some calls, too.
      let number = run.dice.number(1...harm.limit * 3)
      let when =
        run.dice.happens(0.3) && !harm.harm.hasPrefix("signal") ? "\(number)+" : "\(number)"
      let words = strace(harm, when: when, files: files, log: run.stage.path("strace.log"))
      run.stage.cutServer()
      run.countFault()
      // A server whose disk fails at its start may say so and end.
      _ = try? run.stage.startServer(after: words)
      for _ in 0..<3 {
        for device in ["home", "work"] { try run.set(on: device, skipsSync: false) }
      }
      if let server = run.stage.server, let status = server.status {
        run.judge(
          status, server.complaint, of: "higginsd with \(harm.harm) at \(harm.calls) \(when)",
          allowed: [1], wasCut: true)
      }
      run.stage.cutServer()
      try run.stage.startServer()
    }
    for device in ["home", "work"] { try run.checkOwn(device) }
  }
}

import Foundation
import Glibc

/// A bad network, no server, a full disk.
extension Scenario {
  static let worlds = [
    Scenario(
      name: "network", about: "connections lost, cut, delayed", play: { try network($0, false) }),
    Scenario(
      name: "broken-bytes", about: "bytes that arrive as others", play: { try network($0, true) }),
    Scenario(name: "offline", about: "the server down and up again", play: offline),
    Scenario(name: "full-disk", about: "no room for the device or the server", play: fullDisk),
  ]

  private static func network(_ run: Run, _ corrupts: Bool) throws {
    for round in 1...max(3, run.origin.rounds / 6) {
      run.round = round
      var forecast = Weather.Forecast()
      forecast.loses = run.dice.seconds(0...0.15)
      forecast.cuts = run.dice.seconds(0...0.15)
      forecast.delays = run.dice.seconds(0...0.5)
      forecast.corrupts = corrupts ? run.dice.seconds(0.05...0.3) : 0
      run.stage.weather.becomes(forecast, seed: run.dice.next())
      run.countFault()
      for device in Stage.devices { try run.stage.hold(device) }
      for _ in 0..<4 {
        for device in Stage.devices {
          // Broken bytes are what alarms are for.
          try run.set(on: device, skipsSync: false, allowed: corrupts ? [6] : [])
        }
      }
      if run.dice.happens(0.5) {
        run.stage.letGo(Stage.devices[run.dice.number(0...2)])
        run.countKill()
      }
    }
    for device in Stage.devices { try run.checkOwn(device) }
  }

  private static func offline(_ run: Run) throws {
    for round in 1...max(2, run.origin.rounds / 12) {
      run.round = round
      for device in Stage.devices { try run.stage.hold(device) }
      if round.isMultiple(of: 2) { run.stage.cutServer() } else { _ = run.stage.stopServer() }
      run.countFault()
      for _ in 0..<3 {
        for device in Stage.devices { try run.set(on: device) }
      }
      if run.dice.happens(0.5) { run.stage.letGoOfAll() }
      try run.set(on: "mobile", skipsSync: true)
      for device in Stage.devices { try run.checkOwn(device) }
      try run.stage.startServer()
      for device in Stage.devices { try run.set(on: device) }
    }
  }

  /// A limit on the size of files, a little above what is there, so that a write fails midway.
  private static func fullDisk(_ run: Run) throws {
    for round in 1...max(4, run.origin.rounds / 8) {
      run.round = round
      run.countFault()
      let room = run.dice.number(0...24)
      if round.isMultiple(of: 2) {
        run.stage.letGo("home")
        let words = limit(above: [run.stage.database(of: "home")], by: room)
        for _ in 0..<2 { try run.set(on: "home", allowed: [1], after: words) }
        try run.checkOwn("home")
      } else {
        run.stage.cutServer()
        let database = run.stage.path("server/attributes.sqlite")
        // The server may find no room to start in.
        _ = try? run.stage.startServer(after: limit(above: [database], by: room))
        try run.stage.hold("home")
        for _ in 0..<4 { try run.set(on: "home", skipsSync: false) }
        if let server = run.stage.server, let status = server.status {
          run.judge(
            status, server.complaint, of: "higginsd without room", allowed: [1], wasCut: true)
        }
        run.stage.cutServer()
        try run.stage.startServer()
      }
    }
  }

  /// A shell as a prefix of a command line; writes beyond the limit fail with EFBIG.
  private static func limit(above files: [String], by kibibytes: Int) -> [String] {
    let sizes = files.map { file -> Int in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      return (attributes?[.size] as? Int ?? 0) / 1024
    }
    let blocks = (sizes.max() ?? 0) + kibibytes
    return ["bash", "-c", "trap '' XFSZ; ulimit -f \(blocks); exec \"$@\"", "bash"]
  }
}

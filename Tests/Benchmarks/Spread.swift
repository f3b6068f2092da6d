import Foundation

/// From the moment a change is saved on one device to its text on two others' screens, and what
/// the programs weigh meanwhile.
///
/// Twice: edited on a screen, where 300 ms of quiet are waited for before a commit is made; and by
/// `higgins set`, which commits at once. Both have the device's selector open and connected.
final class Spread: Measurement {
  private static let devices = [("home", "home pc"), ("work", "work pc"), ("mobile", "mobile")]
  private static let context = "issues"
  private static let attribute = "show"

  let title = "save to visible on two other devices"
  let samples: Int
  private let stage: Stage
  private let server: Stage.Server
  private var screens: [Screen] = []
  private var values = Values()
  private var edited = [Stopwatch(), Stopwatch()]
  private var commanded = [Stopwatch(), Stopwatch()]
  private var starts = Stopwatch()
  private var serverMemory: [Double] = []
  private var screenMemory: [Double] = []

  init(stage: Stage, server: Stage.Server, samples: Int) {
    self.stage = stage
    self.server = server
    self.samples = samples
  }

  func prepare() throws {
    let (first, name) = Self.devices[0]
    try stage.makeAccount(first, device: name, at: server.address)
    for (profile, device) in Self.devices.dropFirst() {
      try stage.pair(profile, device: device, with: first)
    }
    try stage.set(first, Self.context, Self.attribute, to: values.next())
    for (profile, _) in Self.devices {
      screens.append(try stage.open(profile, showing: Self.context))
    }
    // The sender's attributes, whose first is the one to edit.
    try screens[0].typeAndSettle("\t")
    // Everyone is connected once a change has come through.
    _ = try command(lead: 1)
    try stage.loop.pause(seconds: 1)
  }

  func sample() throws {
    let version = stage.higgins(Self.devices[0].0, ["--version"])
    try starts.time { _ = try stage.run(version) }
    note(try edit(), in: &edited)
    let lead = max(0.15, (starts.milliseconds.max() ?? 0) * 4 / 1000)
    note(try command(lead: lead), in: &commanded)
  }

  private func note(_ times: Times, in stopwatches: inout [Stopwatch]) {
    for (place, seen) in times.seen.enumerated() {
      stopwatches[place].note(from: times.saved, to: seen)
    }
  }

  private typealias Times = (saved: ContinuousClock.Instant, seen: [ContinuousClock.Instant])

  /// Types a value into the field; Enter is the moment that counts.
  private func edit() throws -> Times {
    let value = values.next()
    for receiver in screens.dropFirst() { receiver.seek(value) }
    try screens[0].typeAndSettle("\r")
    // To the line's start, everything away, the new value.
    try screens[0].typeAndSettle("\u{01}\u{0b}" + value)
    let saved = ContinuousClock.now
    try screens[0].type("\r")
    let seen = try screens.dropFirst().map { try $0.wait(for: value) }
    try settle()
    return (saved, seen)
  }

  /// Gives the value to a command that is waiting for it.
  private func command(lead: Double) throws -> Times {
    let value = values.next()
    let command = try stage.beginSetting(
      Self.devices[0].0, Self.context, Self.attribute, lead: lead)
    for receiver in screens.dropFirst() { receiver.seek(value) }
    let saved = ContinuousClock.now
    try command.write("\(value)\n")
    command.closeInput()
    let seen = try screens.dropFirst().map { try $0.wait(for: value) }
    try stage.finish(command)
    try settle()
    return (saved, seen)
  }

  /// Lets acknowledgements and log lines be painted before the next change.
  private func settle() throws { try stage.loop.pause(seconds: 0.1) }

  func finish() throws {
    try stage.loop.pause(seconds: 1)
    serverMemory = [try server.child.memory("VmRSS")]
    screenMemory = try screens.dropFirst().map { try $0.child.memory("VmRSS") }
  }

  var rows: [Row] {
    let ways = [
      ("edit", "edited on a screen, 300 ms of quiet included", edited),
      ("command", "by a command, committed at once", commanded),
    ]
    var rows: [Row] = []
    for (id, words, stopwatches) in ways {
      for (place, stopwatch) in stopwatches.enumerated() {
        let title = "\(words): device \(place + 2)"
        rows.append(
          Row("\(id)-\(place + 2)", title, .milliseconds, stopwatch.milliseconds, of: samples))
      }
    }
    return rows + [
      Row(
        "version", "start and end of `higgins --version`", .milliseconds, starts.milliseconds,
        of: samples),
      Row("memory-server", "memory: higginsd", .kibibytes, serverMemory, of: 1),
      Row("memory-screen", "memory: idle selector, 1 context", .kibibytes, screenMemory, of: 2),
    ]
  }
}

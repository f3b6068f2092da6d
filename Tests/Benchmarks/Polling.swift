import Foundation

/// The same change where there is no Push Service: the other device asks every 30 s, as before.
///
/// Changes are made at random moments of the 30 s while the other measurements go on.
final class Polling: Measurement {
  private static let period = 30.0
  private static let context = "issues"
  private static let attribute = "show"

  let title = "a change without push, asking every 30 s"
  /// Nothing in the rounds; ``attend()`` does it beside them.
  let samples = 0
  private let wanted: Int
  private let stage: Stage
  private var receiver: Screen?
  private var values = Values()
  private var stopwatch = Stopwatch()
  private var due = ContinuousClock.now
  private var pending: (value: String, saved: ContinuousClock.Instant)?

  init(stage: Stage, wanted: Int) {
    self.stage = stage
    self.wanted = wanted
  }

  func prepare() throws {
    let server = try stage.startServer("alone", push: false)
    try stage.makeAccount("old-home", device: "home pc", at: server.address)
    try stage.pair("old-work", device: "work pc", with: "old-home")
    try stage.set("old-home", Self.context, Self.attribute, to: values.next())
    _ = try stage.open("old-home", showing: Self.context)
    receiver = try stage.open("old-work", showing: Self.context)
    due = .now + .seconds(Double.random(in: 0..<Self.period * 0.8))
  }

  func attend() throws {
    if let pending, let seen = receiver?.sighting(of: pending.value) {
      stopwatch.note(from: pending.saved, to: seen)
      self.pending = nil
      due = seen + .seconds(Double.random(in: 0..<Self.period))
    }
    if pending == nil, stopwatch.milliseconds.count < wanted, .now >= due { try change() }
  }

  private func change() throws {
    let command = try stage.beginSetting("old-home", Self.context, Self.attribute, lead: 0.5)
    let value = values.next()
    receiver?.seek(value)
    pending = (value, .now)
    try command.write("\(value)\n")
    command.closeInput()
    try stage.finish(command)
  }

  func finish() throws {
    let seconds = Self.period * 2 * Double(wanted + 1)
    try stage.loop.wait("a change without push", seconds: seconds) {
      try attend()
      return stopwatch.milliseconds.count >= wanted
    }
  }

  func sample() throws {}

  var rows: [Row] {
    [
      Row(
        "polling", "by a command, without push (0 to 30 s): device 2", .milliseconds,
        stopwatch.milliseconds,
        of: wanted)
    ]
  }
}

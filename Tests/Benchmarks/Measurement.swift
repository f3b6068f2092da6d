import Foundation

/// Something that is set up once and sampled in turns with the others.
protocol Measurement: AnyObject {
  /// What it is called in messages.
  var title: String { get }
  /// How many samples it wants.
  var samples: Int { get }
  func prepare() throws
  func sample() throws
  /// Looks after what goes on beside all samples; called between them.
  func attend() throws
  /// Waits for what is still under way.
  func finish() throws
  /// What was found, however much that is.
  var rows: [Row] { get }
}

extension Measurement {
  func attend() throws {}
  func finish() throws {}
}

/// Runs measurements interleaved, so that whatever else the machine does meets all of them.
final class Schedule {
  private final class Entry {
    let measurement: any Measurement
    var failure: String?
    init(_ measurement: any Measurement) { self.measurement = measurement }
  }

  private let entries: [Entry]
  private let say: (String) -> Void

  init(_ measurements: [any Measurement], say: @escaping (String) -> Void) {
    entries = measurements.map(Entry.init)
    self.say = say
  }

  /// Throws only when the whole run was interrupted.
  func run() throws {
    for entry in entries {
      say("preparing: \(entry.measurement.title)")
      try attempt(entry) { try $0.prepare() }
      try attend()
    }
    let rounds = entries.map(\.measurement.samples).max() ?? 0
    for round in 0..<rounds {
      if round % 10 == 0 { say("round \(round + 1) of \(rounds)") }
      for entry in entries
      where Self.takesPart(entry.measurement.samples, in: round, of: rounds) {
        try attend()
        try attempt(entry) { try $0.sample() }
      }
    }
    for entry in entries {
      say("finishing: \(entry.measurement.title)")
      try attempt(entry) { try $0.finish() }
    }
  }

  private func attend() throws {
    for entry in entries { try attempt(entry) { try $0.attend() } }
  }

  var rows: [Row] { entries.flatMap(\.measurement.rows) }
  var failures: [String] {
    entries.compactMap { entry in
      entry.failure.map { "\(entry.measurement.title): \($0)" }
    }
  }

  /// Spreads `samples` evenly over the rounds.
  static func takesPart(_ samples: Int, in round: Int, of rounds: Int) -> Bool {
    (round + 1) * samples / rounds > round * samples / rounds
  }

  private func attempt(_ entry: Entry, _ body: (any Measurement) throws -> Void) throws {
    guard entry.failure == nil else { return }
    do {
      try body(entry.measurement)
    } catch BenchError.interrupted {
      throw BenchError.interrupted
    } catch {
      entry.failure = "\(error)"
    }
  }
}

/// Times one thing again and again.
struct Stopwatch {
  private(set) var milliseconds: [Double] = []

  mutating func note(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
    milliseconds.append((end - start).milliseconds)
  }

  /// Times `body` and hands on what it returns.
  mutating func time<Value>(_ body: () throws -> Value) rethrows -> Value {
    let start = ContinuousClock.now
    let value = try body()
    note(from: start, to: .now)
    return value
  }
}

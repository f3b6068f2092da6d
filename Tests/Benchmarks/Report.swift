import Foundation

/// One line of the table: what was counted or timed, how often, and how it spreads.
struct Row: Encodable {
  enum Unit: String, Encodable {
    case milliseconds = "ms"
    case microseconds = "µs"
    case bytes = "B"
    case kibibytes = "KiB"
    case requests = "requests"
    case perSecond = "/s"
    case wakeUps = "wake-ups"
    case calls = "calls"
    case frames = "frames"
  }

  let id: String
  let title: String
  let unit: Unit
  let count: Int
  let minimum: Double?
  let p50: Double?
  let p95: Double?
  let maximum: Double?
  /// All that was measured, the smallest first.
  let samples: [Double]
  /// How many samples were wanted.
  let wanted: Int
  /// What the measurement needs and this machine does not have.
  let missing: String?

  init(
    _ id: String, _ title: String, _ unit: Unit, _ samples: [Double], of wanted: Int,
    missing: String? = nil
  ) {
    let sorted = samples.sorted()
    self.id = id
    self.title = title
    self.unit = unit
    self.wanted = wanted
    self.samples = sorted
    self.missing = missing
    count = sorted.count
    minimum = sorted.first
    p50 = Self.percentile(50, of: sorted)
    p95 = Self.percentile(95, of: sorted)
    maximum = sorted.last
  }

  /// Whether there are fewer samples than wanted, without a reason this machine has.
  var isFailed: Bool { count < wanted && missing == nil }

  /// The nearest rank: always a value that was measured.
  static func percentile(_ percent: Int, of sorted: [Double]) -> Double? {
    guard !sorted.isEmpty else { return nil }
    let rank = (Double(percent) / 100 * Double(sorted.count)).rounded(.up)
    return sorted[min(max(Int(rank), 1), sorted.count) - 1]
  }
}

/// One median as a multiple of another.
struct Ratio: Encodable {
  let title: String
  let of: String
  let over: String
  var value: Double?

  init(_ title: String, _ of: String, over: String) {
    self.title = title
    self.of = of
    self.over = over
  }
}

/// All that a run found.
struct Report: Encodable {
  struct Circumstances: Encodable {
    let programs: String
    let processors: Int
    let system: String
    /// Of the minute before the start.
    let load: Double
    let isQuick: Bool
    let startedAt: String
    var seconds: Double
  }

  var circumstances: Circumstances
  var rows: [Row] = []
  private(set) var ratios: [Ratio] = []
  private(set) var gates: [Gate] = []
  /// What went wrong, a sentence each.
  var failures: [String] = []

  init(_ circumstances: Circumstances) { self.circumstances = circumstances }

  var hasFailures: Bool {
    !failures.isEmpty || rows.contains(where: \.isFailed)
      || gates.contains { $0.isCount && $0.holds == false }
  }

  /// Holds limits to what was measured.
  mutating func judge(_ wanted: [Gate]) {
    let found = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
    gates = wanted.compactMap { gate in found[gate.row].map(gate.measured) }
  }

  mutating func compare(_ wanted: [Ratio]) {
    let medians = Dictionary(rows.map { ($0.id, $0.p50) }) { first, _ in first }
    ratios = wanted.map { ratio in
      var ratio = ratio
      if let of = medians[ratio.of] ?? nil, let over = medians[ratio.over] ?? nil, over > 0 {
        ratio.value = of / over
      }
      return ratio
    }
  }

  // MARK: text

  private static let titleColumns = 56

  var text: String {
    var lines = [
      "programs    \(circumstances.programs)",
      "machine     \(circumstances.processors) processors, \(circumstances.system), load "
        + String(format: "%.1f", circumstances.load),
      "took        \(Int(circumstances.seconds)) s, everything on loopback in one run", "",
      Self.line("", ["n", "min", "p50", "p95", "max"], ""),
    ]
    lines += rows.map(Self.line)
    lines += ["", Self.line("p50 as a multiple of another p50", [], "")]
    for ratio in ratios {
      let value = ratio.value.map { String(format: "%.2f x", $0) } ?? "none"
      lines.append(Self.line(ratio.title, [value], ""))
    }
    if !gates.isEmpty {
      lines += ["", Self.line("gates", ["limit", "measured"], "")] + gates.map(Self.line)
    }
    if !failures.isEmpty { lines += ["", "failed"] + failures.map { "  " + $0 } }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func line(_ row: Row) -> String {
    if let missing = row.missing { return line(row.title, ["missing"], missing) }
    guard row.count > 0 else { return line(row.title, ["failed"], "") }
    let numbers = [row.minimum, row.p50, row.p95, row.maximum].map { number($0) }
    let end =
      row.isFailed ? "\(row.unit.rawValue), failed: \(row.wanted) wanted" : row.unit.rawValue
    return line(row.title, ["\(row.count)"] + numbers, end)
  }

  private static func line(_ gate: Gate) -> String {
    let end =
      switch gate.holds {
      case true?: gate.unit?.rawValue ?? ""
      case false?: "\(gate.unit?.rawValue ?? ""), BROKEN"
      case nil: "not measured"
      }
    return line(
      "\(gate.title), \(gate.statistic.rawValue)", [number(gate.limit), number(gate.measured)], end)
  }

  private static func number(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value == value.rounded() && value >= 10
      ? String(format: "%.0f", value) : String(format: "%.1f", value)
  }

  private static func line(_ title: String, _ cells: [String], _ end: String) -> String {
    let padding = String(repeating: " ", count: max(0, titleColumns - title.count))
    let right = cells.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }
    let line = title + padding + right.joined() + (end.isEmpty ? "" : " \(end)")
    return line.replacingOccurrences(of: " +$", with: "", options: .regularExpression)
  }

  /// Writes the same as JSON.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
  }
}

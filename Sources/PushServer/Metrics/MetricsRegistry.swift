public import CoreMetrics
import Synchronization

/// Where the counts of this process stand, as Prometheus reads them (text format 0.0.4).
///
/// A backend of swift-metrics of its own, as it has three kinds of number and no label that a
/// stranger chooses: totals, levels, and times in fixed buckets. At most ``seriesLimit`` series;
/// what comes beyond is counted in one series that nobody sees.
public final class MetricsRegistry: MetricsFactory, Sendable {
  /// Labels come from small sets that are written down in code; more would be a mistake there.
  public static let seriesLimit = 1_000

  private struct Key: Hashable {
    let name: String
    let labels: String
  }

  private let series = Mutex<[Key: Series]>([:])

  public init() {}

  public func makeCounter(
    label: String, dimensions: [(String, String)]
  ) -> any CounterHandler {
    make(.total, label, dimensions)
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    make(.level, label, dimensions)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    make(.level, label, dimensions)
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    make(.times, label, dimensions)
  }

  // A series lives as long as the process: a total that starts again would look like a restart.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func make(
    _ kind: Series.Kind, _ name: String, _ dimensions: [(String, String)]
  ) -> Series {
    let labels = dimensions.map { #"\#($0.0)="\#(Self.escaped($0.1))""# }.joined(separator: ",")
    return series.withLock { series in
      let key = Key(name: name, labels: labels)
      if let known = series[key], known.kind == kind { return known }
      let new = Series(kind: kind)
      if series.count < Self.seriesLimit { series[key] = new }
      return new
    }
  }

  /// Everything, sorted by name, ready for `GET /metrics`.
  public func text() -> String {
    let all = series.withLock { $0 }.sorted {
      ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels)
    }
    var lines: [String] = []
    var last = ""
    for (key, one) in all {
      if key.name != last { lines.append("# TYPE \(key.name) \(one.kind.rawValue)") }
      last = key.name
      lines += one.lines(name: key.name, labels: key.labels)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func escaped(_ value: String) -> String {
    value.map { character in
      switch character {
      case "\\": #"\\"#
      case "\"": #"\""#
      case "\n": #"\n"#
      default: String(character)
      }
    }.joined()
  }
}

/// One number, or one set of buckets.
private final class Series: CounterHandler, RecorderHandler, MeterHandler, TimerHandler, Sendable {
  enum Kind: String {
    case total = "counter"
    case level = "gauge"
    case times = "histogram"
  }

  /// Seconds: from what a loop needs to what a person gives up at.
  private static let buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

  private struct Value {
    var number = 0.0
    /// How many were at most as long as each of the buckets.
    var counts = [Int](repeating: 0, count: Series.buckets.count)
    var count = 0
  }

  let kind: Kind
  private let value = Mutex(Value())

  init(kind: Kind) {
    self.kind = kind
  }

  func increment(by amount: Int64) { value.withLock { $0.number += Double(amount) } }
  func increment(by amount: Double) { value.withLock { $0.number += amount } }
  func decrement(by amount: Double) { value.withLock { $0.number -= amount } }
  func reset() { value.withLock { $0 = Value() } }
  func set(_ new: Int64) { value.withLock { $0.number = Double(new) } }
  func set(_ new: Double) { value.withLock { $0.number = new } }
  func record(_ new: Int64) { set(new) }
  func record(_ new: Double) { set(new) }

  func recordNanoseconds(_ duration: Int64) {
    let seconds = Double(duration) / 1e9
    value.withLock { value in
      value.number += seconds
      value.count += 1
      for (index, bucket) in Self.buckets.enumerated() where seconds <= bucket {
        value.counts[index] += 1
      }
    }
  }

  func lines(name: String, labels: String) -> [String] {
    let value = value.withLock { $0 }
    let braces = labels.isEmpty ? "" : "{\(labels)}"
    guard kind == .times else { return ["\(name)\(braces) \(Self.plain(value.number))"] }
    let before = labels.isEmpty ? "" : labels + ","
    return zip(Self.buckets, value.counts).map { bucket, count in
      #"\#(name)_bucket{\#(before)le="\#(Self.plain(bucket))"} \#(count)"#
    } + [
      #"\#(name)_bucket{\#(before)le="+Inf"} \#(value.count)"#,
      "\(name)_sum\(braces) \(Self.plain(value.number))",
      "\(name)_count\(braces) \(value.count)",
    ]
  }

  /// Whole numbers without a point.
  private static func plain(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? "\(number)"
  }
}

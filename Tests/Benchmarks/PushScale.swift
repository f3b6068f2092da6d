import Foundation
import Glibc

/// A push server with many devices: what an idle one costs, how fast one is told, how fast many
/// are, and what one does that does not read. Each sample has a server of its own.
final class PushScale: Measurement {
  /// How much of everything.
  struct Size {
    var connections = 10_000
    var publishes = 2_000
    var rounds = 100
    /// Groups of 64, as many devices as an account can have.
    var groups = 16
    var stalled = 20_000
    /// Idle time, for what pings cost, and then a time with signals.
    var idle = 30.0
    var soak = 60.0
    var samples = 3
  }

  private static let each = 64
  private let rival: any PushRival
  private let size: Size
  private var found: [String: [Double]] = [:]
  private var counter = 0

  init(_ rival: any PushRival, size: Size) {
    self.rival = rival
    self.size = size
  }

  var title: String { "push: \(rival.name)" }
  var samples: Int { size.samples }

  func prepare() throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard limit.rlim_cur > UInt(size.connections) + 200 else {
      throw BenchError.failed("\(size.connections) connections need a higher `ulimit -Hn`")
    }
  }

  func sample() throws {
    guard rival.missing == nil else { return }
    let isFirst = found.isEmpty
    let target = try startApart()
    defer { target.child.end(within: 10) }
    let allowed = Processors.allowed
    allowed?[0]?.use()
    defer { allowed?.use() }
    let farm = Farm()
    try farm.openPublisher(port: target.publishPort)
    try fill(farm, target, isFirst: isFirst)
    farm.closeAll()
    try farm.pause(seconds: 2)
    try fanOut(farm, target)
    farm.closeAll()
    try farm.pause(seconds: 1)
    try stall(farm, target)
  }

  /// Starts the server on another processor than the one this thread will use, if there are two.
  private func startApart() throws -> PushTarget {
    let allowed = Processors.allowed
    allowed?[1]?.use()
    defer { allowed?.use() }
    return try rival.start()
  }

  /// Many idle devices, one of them told at a time.
  private func fill(_ farm: Farm, _ target: PushTarget, isFirst: Bool) throws {
    let subscribers = try rival.subscribers(groups: size.connections, each: 1)
    try farm.pause(seconds: 1)
    let before = try target.memory()
    try farm.connect(subscribers, port: target.port)
    try farm.pause(seconds: 3)
    note("memory", [(try target.memory() - before) / Double(size.connections)])
    if isFirst {
      let start = try target.processorTime()
      try farm.pause(seconds: size.idle)
      let cost = try target.processorTime() - start
      note("idle", [cost / size.idle / Double(size.connections)])
    }
    for _ in 0..<50 { _ = try tell(farm) }
    var times: [Double] = []
    for _ in 0..<size.publishes { times += try tell(farm) }
    note("told", times)
    note("told-p99", [Row.percentile(99, of: times.sorted()) ?? 0])
    guard isFirst else { return }
    // What is remembered of each group from its first signal on is no growth.
    for group in 0..<size.connections {
      let tag = nextTag()
      _ = try farm.publish(rival.request(to: group..<group + 1, tag: tag), tag: tag, to: 1)
    }
    let settled = try target.memory()
    try soak(farm)
    note("soak", [(try target.memory() - settled) / 1024])
  }

  /// Tokens live ten minutes; devices renew theirs before.
  private static let tokenLife = Duration.seconds(300)

  /// Signals for as long as is wanted, to devices that stay.
  private func soak(_ farm: Farm) throws {
    let end = ContinuousClock.now + .seconds(size.soak)
    var renewal = ContinuousClock.now + Self.tokenLife
    var renewed: ArraySlice<Farm.Subscriber> = []
    while .now < end {
      _ = try tell(farm)
      try farm.pause(seconds: 0.002)
      if .now >= renewal {
        renewal = .now + Self.tokenLife
        renewed = try rival.subscribers(groups: size.connections, each: 1)[...]
      }
      for place in renewed.indices.prefix(10) { try farm.greetAgain(place, as: renewed[place]) }
      renewed = renewed.dropFirst(10)
    }
  }

  private func tell(_ farm: Farm) throws -> [Double] {
    let group = Int.random(in: 0..<size.connections)
    let tag = nextTag()
    return try farm.publish(rival.request(to: group..<group + 1, tag: tag), tag: tag, to: 1)
  }

  private func nextTag() -> String {
    counter += 1
    let digits = String(counter)
    return "@t=" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  /// Many devices told by one request.
  private func fanOut(_ farm: Farm, _ target: PushTarget) throws {
    let count = size.groups * Self.each
    try farm.connect(
      try rival.subscribers(groups: size.groups, each: Self.each), port: target.port)
    // Presence of each other is told to all first.
    try farm.pause(seconds: 3)
    func tell() throws -> Double {
      let tag = nextTag()
      let request = rival.request(to: 0..<size.groups, tag: tag)
      return try farm.publish(request, tag: tag, to: count).last ?? 0
    }
    for _ in 0..<10 { _ = try tell() }
    let start = try target.processorTime()
    var last: [Double] = []
    for _ in 0..<size.rounds { last.append(try tell()) }
    let cost = try target.processorTime() - start
    note("last", last)
    note("last-p99", [Row.percentile(99, of: last.sorted()) ?? 0])
    note("cost", [cost / Double(size.rounds * count)])
  }

  /// One device that reads and one that does not, told the same.
  private func stall(_ farm: Farm, _ target: PushTarget) throws {
    let two = try rival.subscribers(groups: 2, each: 2)
    // Both of the first group; what is told goes to two groups, so that channels are the same.
    let stalled = try Farm.stalled(two[2], port: target.port)
    defer { close(stalled) }
    try farm.connect([two[0]], port: target.port)
    try farm.pause(seconds: 1)
    let before = try target.memory()
    var peak = before
    for number in 0..<size.stalled {
      let tag = nextTag()
      _ = try farm.publish(rival.request(to: 0..<2, tag: tag), tag: tag, to: 1)
      if number % 2_000 == 1_999 { peak = max(peak, try target.memory()) }
    }
    note("stalled", [(max(peak, try target.memory()) - before) / 1024])
  }

  private func note(_ id: String, _ values: [Double]) { found[id, default: []] += values }

  // MARK: what was found

  var rows: [Row] {
    let many = size.groups * Self.each
    let lines: [(String, String, Row.Unit, Int)] = [
      ("memory", "\(size.connections) idle, each", .bytes, samples),
      ("told", "publish to read, \(size.connections) idle", .microseconds, samples),
      ("told-p99", "the same, p99 of a sample", .microseconds, samples),
      ("last", "the last of \(many) told at once", .microseconds, samples),
      ("last-p99", "the same, p99 of a sample", .microseconds, samples),
      ("cost", "processor time of a delivery", .microseconds, samples),
      ("idle", "idle with pings, a second and device", .microseconds, 1),
      ("stalled", "growth by one that does not read", .kibibytes, samples),
      ("soak", "growth over \(Int(size.soak)) s with signals", .kibibytes, 1),
    ]
    return lines.map { id, title, unit, wanted in
      Row(
        "\(rival.name)-\(id)", "\(rival.name): \(title)", unit, found[id] ?? [], of: wanted,
        missing: rival.missing)
    }
  }

  static let ratios = [
    ("memory of an idle device", "memory"), ("publish to read, p50", "told"),
    ("publish to read, p99", "told-p99"), ("the last of many, p50", "last"),
    ("the last of many, p99", "last-p99"), ("processor time of a delivery", "cost"),
    ("idle with pings", "idle"),
  ].map { Ratio("higginsd / nchan: \($0.0)", "higginsd-\($0.1)", over: "nchan-\($0.1)") }
}

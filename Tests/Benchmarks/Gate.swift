/// A limit the screen has to keep, beside what was measured in this run.
struct Gate: Encodable {
  enum Statistic: String, Encodable {
    case p50, p99, maximum
  }

  let title: String
  /// The id of the row it is about.
  let row: String
  let statistic: Statistic
  let limit: Double
  /// Whether it counts: a broken count is a fault whatever else the machine does, a broken time may
  /// be the machine's.
  let isCount: Bool
  private(set) var measured: Double?
  private(set) var unit: Row.Unit?

  init(
    _ title: String, _ row: String, _ statistic: Statistic, atMost limit: Double, isCount: Bool
  ) {
    self.title = title
    self.row = row
    self.statistic = statistic
    self.limit = limit
    self.isCount = isCount
  }

  /// Nil while nothing was measured.
  var holds: Bool? { measured.map { $0 <= limit } }

  func measured(in row: Row) -> Gate {
    var gate = self
    gate.unit = row.unit
    gate.measured =
      switch statistic {
      case .p50: row.p50
      case .p99: Row.percentile(99, of: row.samples)
      case .maximum: row.maximum
      }
    return gate
  }

  /// Those of the selector's screen.
  static let screen = [
    Gate("bytes of a move, 80x24", "bytes-higgins", .p50, atMost: 250, isCount: true),
    Gate("bytes of a move, 200x50", "wide-higgins", .p50, atMost: 300, isCount: true),
    Gate("writes of a frame", "writes", .maximum, atMost: 1, isCount: true),
    Gate("bytes of 200 moves at once", "burst-higgins", .maximum, atMost: 1024, isCount: true),
    Gate("frames of 200 moves at once", "frames-higgins", .maximum, atMost: 3, isCount: true),
    Gate("bytes of 10 s without a key", "idle-bytes-higgins", .maximum, atMost: 0, isCount: true),
    Gate(
      "wake-ups of the terminal's thread in 10 s", "idle-terminal", .maximum, atMost: 0,
      isCount: true),
    Gate(
      "wake-ups of the process in 10 s", "idle-wakeups-higgins", .p50, atMost: 2, isCount: true),
    Gate("first paint, locked", "lock", .p50, atMost: 40, isCount: false),
    Gate("key to frame, 100,000 contexts", "list-key", .p50, atMost: 2, isCount: false),
    Gate("the same", "list-key", .p99, atMost: 10, isCount: false),
    Gate("key to paint, real program", "key-higgins", .p50, atMost: 2, isCount: false),
    Gate("the same", "key-higgins", .p99, atMost: 10, isCount: false),
    Gate("a letter among 100,000 names", "list-narrow", .p50, atMost: 8, isCount: false),
    Gate("terminal gone", "loss-higgins", .maximum, atMost: 100, isCount: false),
    Gate("the same, SIGHUP ignored", "loss-deaf", .maximum, atMost: 100, isCount: false),
  ]
}

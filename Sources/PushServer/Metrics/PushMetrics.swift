import Access
import CoreMetrics
import Wire

/// What the Push Service counts. No label names an account, a device or an address.
struct PushMetrics: Sendable {
  private let connections: Meter
  private let sessions: [Transport: Meter]
  private let signals: Counter
  private let acknowledgements: Counter
  private let welcomes: Counter
  private let checks: [String: Counter]
  private let frames: [String: Counter]
  private let dismissals: [PushFrame.Reason: Counter]
  private let superseded: Counter
  private let stalled: Meter
  private let helloTime: Timer
  private let writeTime: Timer
  private let acknowledgementTime: Timer
  private let stallTime: Timer
  private let lag: Timer

  private static let checkResults = ["accepted", "expired", "refused"]
  private static let frameTypes = ["welcome", "signal", "ack", "presence", "other"]
  private static let reasons: [PushFrame.Reason] = [
    .draining, .revoked, .replaced, .slow, .expired, .busy, .malformed, .unauthenticated,
  ]

  init(_ registry: MetricsRegistry) {
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
      Counter(label: "higgins_push_\(name)", dimensions: labels, factory: registry)
    }
    func timer(_ name: String) -> Timer {
      Timer(label: "higgins_push_\(name)_seconds", factory: registry)
    }
    connections = Meter(label: "higgins_push_connections", factory: registry)
    sessions = Dictionary(
      uniqueKeysWithValues: Transport.allCases.map {
        let labels = [("transport", $0.rawValue)]
        return ($0, Meter(label: "higgins_push_sessions", dimensions: labels, factory: registry))
      })
    superseded = counter("superseded_total")
    stalled = Meter(label: "higgins_push_stalled", factory: registry)
    helloTime = timer("hello")
    writeTime = timer("write")
    acknowledgementTime = timer("acknowledgement")
    stallTime = timer("stall")
    lag = timer("loop_lag")
    signals = counter("signals_total")
    acknowledgements = counter("acknowledgements_total")
    welcomes = counter("behind_total")
    checks = Dictionary(
      uniqueKeysWithValues: Self.checkResults.map {
        ($0, counter("hellos_total", [("result", $0)]))
      })
    frames = Dictionary(
      uniqueKeysWithValues: Self.frameTypes.map { ($0, counter("frames_total", [("type", $0)])) })
    dismissals = Dictionary(
      uniqueKeysWithValues: Self.reasons.map {
        ($0, counter("dismissals_total", [("reason", $0.rawValue)]))
      })
  }

  func connected(_ count: Int) { connections.set(count) }
  func joined(_ transport: Transport) { sessions[transport]?.increment() }
  func left(_ transport: Transport) { sessions[transport]?.decrement() }

  /// Signals that came by one request, and how long it took until all were written or kept.
  func came(signals count: Int, took time: Duration) {
    signals.increment(by: count)
    writeTime.recordNanoseconds(time.nanoseconds)
  }

  /// - Parameter time: Since the signal; nil when it is not the newest of its author.
  func acknowledged(after time: Duration?) {
    acknowledgements.increment()
    if let time { acknowledgementTime.recordNanoseconds(time.nanoseconds) }
  }

  func supersededSignal() { superseded.increment() }
  func stallBegan() { stalled.increment() }

  func stallEnded(after time: Duration) {
    stalled.decrement()
    stallTime.recordNanoseconds(time.nanoseconds)
  }

  /// How late the event loop came to its clock.
  func lagged(_ time: Duration) { lag.recordNanoseconds(time.nanoseconds) }

  func checked(_ result: Result<AccessClaims, AccessError>, took time: Duration) {
    helloTime.recordNanoseconds(time.nanoseconds)
    switch result {
    case .success: checks["accepted"]?.increment()
    case .failure(.expired): checks["expired"]?.increment()
    case .failure: checks["refused"]?.increment()
    }
  }

  /// A frame on its way to devices, sent or kept as the newest of its kind.
  func delivered(_ frame: PushFrame, to count: Int) {
    if case .welcome(true, _, _) = frame { welcomes.increment() }
    let type =
      switch frame {
      case .welcome: "welcome"
      case .signal: "signal"
      case .acknowledgement: "ack"
      case .presence: "presence"
      default: "other"
      }
    frames[type]?.increment(by: count)
  }

  /// A session was ended, with that in its `bye`.
  func dismissed(_ reason: PushFrame.Reason) { dismissals[reason]?.increment() }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}

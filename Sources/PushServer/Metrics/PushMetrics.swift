import Access
import CoreMetrics
import Wire

/// What the Push Service counts. No label names an account, a device or an address.
struct PushMetrics: Sendable {
  private let connections: Meter
  private let signals: Counter
  private let acknowledgements: Counter
  private let welcomes: Counter
  private let checks: [String: Counter]
  private let frames: [String: Counter]
  private let dismissals: [PushFrame.Reason: Counter]

  private static let checkResults = ["accepted", "expired", "refused"]
  private static let frameTypes = ["welcome", "signal", "ack", "presence", "other"]
  private static let reasons: [PushFrame.Reason] = [
    .draining, .revoked, .replaced, .slow, .expired, .busy, .malformed, .unauthenticated,
  ]

  init(_ registry: MetricsRegistry) {
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
      Counter(label: "higgins_push_\(name)", dimensions: labels, factory: registry)
    }
    connections = Meter(label: "higgins_push_connections", factory: registry)
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
  func came(signals count: Int) { signals.increment(by: count) }
  func acknowledged() { acknowledgements.increment() }

  func checked(_ result: Result<AccessClaims, AccessError>) {
    switch result {
    case .success: checks["accepted"]?.increment()
    case .failure(.expired): checks["expired"]?.increment()
    case .failure: checks["refused"]?.increment()
    }
  }

  /// A frame on its way to a device, sent or kept as the newest of its kind.
  func delivered(_ frame: PushFrame) {
    switch frame {
    case .welcome(let behind, _, _):
      frames["welcome"]?.increment()
      if behind { welcomes.increment() }
    case .signal: frames["signal"]?.increment()
    case .acknowledgement: frames["ack"]?.increment()
    case .presence: frames["presence"]?.increment()
    default: frames["other"]?.increment()
    }
  }

  func dismissed(_ reason: PushFrame.Reason) { dismissals[reason]?.increment() }
}

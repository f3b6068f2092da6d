import CoreMetrics

/// What the gateways count.
struct GatewayMetrics: Sendable {
  private let registry: MetricsRegistry
  private let queue: Meter

  init(_ registry: MetricsRegistry) {
    self.registry = registry
    queue = Meter(label: "higgins_gateway_waiting", factory: registry)
  }

  func waiting(_ count: Int) { queue.set(count) }

  func came(_ outcome: GatewayOutcome, kind: ChannelRegistration.Kind) {
    Counter(
      label: "higgins_gateway_messages_total",
      dimensions: [("kind", kind.rawValue), ("outcome", outcome.name)], factory: registry
    ).increment()
  }
}

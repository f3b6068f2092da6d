import CoreMetrics
public import Wire

/// The calls that an Attribute Server in the same process refused, beside what the Push Service
/// counts: by route and problem, which are both of small sets that are written down in code.
public struct RefusalMetrics: Sendable {
  private let registry: MetricsRegistry

  public init(_ registry: MetricsRegistry) {
    self.registry = registry
  }

  public func refused(route: String, code: Problem.Code) {
    Counter(
      label: "higgins_refused_total", dimensions: [("route", route), ("code", code.rawValue)],
      factory: registry
    ).increment()
  }
}

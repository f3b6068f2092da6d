import CoreMetrics
import Foundation
@testable import PushServer
import Testing
import Wire

@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
  @Test func totalsLevelsAndTimesReadAsPrometheusReadsThem() {
    let registry = MetricsRegistry()
    let counter = Counter(label: "a_total", dimensions: [("kind", "x\"\\\n")], factory: registry)
    counter.increment(by: 2)
    Counter(label: "a_total", dimensions: [("kind", "x\"\\\n")], factory: registry).increment()
    Meter(label: "level", factory: registry).set(7)
    Timer(label: "wait_seconds", factory: registry).recordNanoseconds(20_000_000)
    #expect(
      registry.text() == """
        # TYPE a_total counter
        a_total{kind="x\\"\\\\\\n"} 3
        # TYPE level gauge
        level 7
        # TYPE wait_seconds histogram
        wait_seconds_bucket{le="0.001"} 0
        wait_seconds_bucket{le="0.005"} 0
        wait_seconds_bucket{le="0.025"} 1
        wait_seconds_bucket{le="0.1"} 1
        wait_seconds_bucket{le="0.5"} 1
        wait_seconds_bucket{le="2.5"} 1
        wait_seconds_bucket{le="10"} 1
        wait_seconds_bucket{le="+Inf"} 1
        wait_seconds_sum 0.02
        wait_seconds_count 1

        """)
  }

  @Test func refusedCallsAreCountedByRouteAndProblem() {
    let registry = MetricsRegistry()
    let refusals = RefusalMetrics(registry)
    for _ in 0..<2 { refusals.refused(route: Route.sync, code: .rateLimited) }
    refusals.refused(route: "none", code: .notFound)
    #expect(
      registry.text() == """
        # TYPE higgins_refused_total counter
        higgins_refused_total{route="/v1/sync",code="rate_limited"} 2
        higgins_refused_total{route="none",code="not_found"} 1

        """)
  }

  @Test func theRegistryIsBounded() {
    let registry = MetricsRegistry()
    for index in 0...MetricsRegistry.seriesLimit {
      Counter(label: "a", dimensions: [("n", "\(index)")], factory: registry).increment()
    }
    #expect(registry.text().split(separator: "\n").count == MetricsRegistry.seriesLimit + 1)
  }

  @Test func whatHappensIsCountedAndNobodyIsNamed() async throws {
    try await running { service in
      let (home, _) = try await device(id(2), at: service)
      let (work, _) = try await device(id(3), at: service)
      _ = try await home.receivePush()
      let signal = Signal(account: someone, device: id(2), sequence: 1)
      _ = try await post(try json(signal), at: service)
      _ = try await work.receivePush()
      try await work.send(.acknowledgement(device: id(2), sequence: 1, by: nil))
      _ = try await home.receivePush()
      let text = try await get("/metrics", at: service)
      for line in [
        "higgins_push_connections 2", "higgins_push_signals_total 1",
        #"higgins_push_frames_total{type="signal"} 1"#,
        #"higgins_push_frames_total{type="ack"} 1"#,
        #"higgins_push_hellos_total{result="accepted"} 2"#,
        "higgins_push_acknowledgements_total 1",
        #"higgins_push_sessions{transport="websocket"} 2"#, "higgins_push_hello_seconds_count 2",
        "higgins_push_write_seconds_count 1", "higgins_push_acknowledgement_seconds_count 1",
      ] {
        #expect(text.contains("\n\(line)\n"))
      }
      for series in ["process_open_fds", "process_resident_memory_bytes"] {
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(series) ") })
        #expect(Double(line.dropFirst(series.count + 1)) ?? 0 > 2)
      }
      for secret in ["\(someone)", "\(id(2) as DeviceID)", key, "127.0.0.1"] {
        #expect(!text.contains(secret))
      }
    }
  }
}

/// The body of the signals' listener's answer.
func get(_ path: String, at service: PushService) async throws -> String {
  let socket = try await RawSocket(port: service.signalPort)
  let head = try await socket.request("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
  #expect(head.hasPrefix("HTTP/1.1 200"))
  let length = try #require(
    head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") })
  let count = try #require(Int(length.dropFirst(16)))
  return String(decoding: try #require(await socket.bytes(count)), as: UTF8.self)
}

import Foundation
@testable import PushServer
import Testing
import Wire

/// A client of others, aiocometd-ng, shakes hands, connects, subscribes, gets signals, disconnects.
@Suite(.serialized) struct BayeuxClientTests {
  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks aiocometd-ng: make conformance has it") {
      try await Python.run(["-c", "import aiocometd_ng"]).status == 0
    }, .timeLimit(.minutes(1)), arguments: ["websocket", "long-polling"])
  func anotherClientGetsSignals(over kind: String) async throws {
    try await running { service in
      let hello = try PushFrame.hello(token: "", frontier: empty).encoded()
      let frontier = try #require(
        (try JSONSerialization.jsonObject(with: Data(hello)) as? [String: Any])?["frontier"]
          as? String)
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Conformance/bayeux.py").path
      let output = try await Python.run([
        script, "\(service.devicePort)", "\(service.signalPort)", key, "\(someone)",
        "\(id(3) as DeviceID)", "\(id(2) as DeviceID)", frontier, kind,
      ])
      #expect(output.status == 0, "\(output.text)")
      #expect(
        output.text == """
          connected \(kind)
          subscribed ['/account/signals']
          behind {"type": "signal"}
          signal 1
          signal 2
          signal 3
          subscribed []
          closed True

          """)
      #expect(try await service.connectionCount() == 0)
    }
  }
}

import Foundation
@testable import PushServer
import Testing
import Wire

/// A client of others, aiocometd-ng, shakes hands, connects, subscribes, gets signals, disconnects.
@Suite(.serialized) struct BayeuxClientTests {
  private struct Output: Sendable {
    let status: Int32
    let text: String
  }

  @concurrent private static func python(_ arguments: [String]) async throws -> Output {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let named = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "python3"
    process.arguments = [named, "-B"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus, text: String(decoding: text, as: UTF8.self))
  }

  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks aiocometd-ng: make conformance has it") {
      try await python(["-c", "import aiocometd_ng"]).status == 0
    }, .timeLimit(.minutes(1)), arguments: ["websocket", "long-polling"])
  func anotherClientGetsSignals(over kind: String) async throws {
    try await running { service in
      let hello = try PushFrame.hello(token: "", frontier: empty).encoded()
      let frontier = try #require(
        (try JSONSerialization.jsonObject(with: Data(hello)) as? [String: Any])?["frontier"]
          as? String)
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Conformance/bayeux.py").path
      let output = try await Self.python([
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

import Foundation
@testable import PushServer
import Testing

/// The Autobahn cases, by kosoku, against the echo that stands on the reader and writer of devices'
/// WebSockets. Compression (12 and 13) is left out, as it is never agreed on.
@Suite(.serialized) struct WebSocketConformanceTests {
  private struct Verdict: Decodable {
    let behavior: String
    let behaviorClose: String
  }

  /// As many as kosoku 0.1.0 has in 1 to 7 and 10, and in 9: all of them must have been run.
  static let parts: [(String, [String], Int)] = [
    ("1 to 7, 10", ["9.*"], 247),
    ("9, megabytes", ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], 54),
  ]

  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks kosoku: make conformance has it") {
      try await Python.run(["-c", "import kosoku"]).status == 0
    }, .timeLimit(.minutes(10)), arguments: parts)
  func everyCasePasses(part: String, excluded: [String], count: Int) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "higgins-kosoku-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await running(echoes: true) { service in
      let start = "import sys; from kosoku._cli import main; sys.exit(main())"
      let output = try await Python.run(
        ["-c", start, "-m", "fuzzingclient", "ws://127.0.0.1:\(service.devicePort)/push/echo"]
          + (excluded + ["12.*", "13.*"]).flatMap { ["-x", $0] } + ["-o", folder.path])
      #expect(output.status == 0, "\(output.text)")
      let report = try JSONDecoder().decode(
        [String: [String: Verdict]].self,
        from: Data(contentsOf: folder.appending(path: "index.json")))
      let verdicts = report.values.flatMap { $0 }
      #expect(verdicts.count == count)
      let fine = ["OK", "INFORMATIONAL"]
      let wrong = verdicts.filter {
        !fine.contains($0.value.behavior) || !fine.contains($0.value.behaviorClose)
      }
      #expect(wrong.map(\.key).sorted() == [])
    }
  }
}

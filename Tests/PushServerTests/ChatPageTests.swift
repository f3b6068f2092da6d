import Foundation
@testable import PushServer
import Testing

/// The chat page in a real browser: headless Chromium with two tabs that talk, and a third that is
/// not let in.
@Suite(.serialized) struct ChatPageTests {
  /// Where Debian's package puts it; `HIGGINS_CHROMIUM` names another.
  private static let chromium =
    ProcessInfo.processInfo.environment["HIGGINS_CHROMIUM"] ?? "/usr/bin/chromium"

  private static func run(_ port: Int) async throws -> Python.Output {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Conformance/chat_page.py").path()
    return try await Python.run([script, chromium, "\(port)", "password"])
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: chromium),
      "Chromium is not installed: apt-get install chromium, or name one with HIGGINS_CHROMIUM"),
    .timeLimit(.minutes(1)))
  func twoTabsTalkAndAThirdWithoutTheSecretDoesNot() async throws {
    try await running(chat: .init(secret: "password")) { service in
      let output = try await Self.run(service.devicePort)
      #expect(output.status == 0, "\(output.text)")
      let talk = "ann@web@1:are you there?|ann@web@2:<b id=bold>yes</b>"
        .replacingOccurrences(of: ":", with: "")
      #expect(
        output.text == """
          home ann@web@1 has joined!|ann@web@2 has joined!|\(talk)
          work ann@web@2 has joined!|\(talk)
          markup True
          stranger 0

          """)
    }
  }
}

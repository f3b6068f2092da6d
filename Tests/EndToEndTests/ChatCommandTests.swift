import Foundation
import Testing

/// `higgins chat` with the real server.
@Suite(.serialized) struct ChatCommandTests {
  private static func pushURL(of stage: Stage) throws -> String {
    struct Ready: Decodable {
      let push: String
    }
    let data = try Data(contentsOf: stage.folder.appendingPathComponent("ready"))
    let push = try JSONDecoder().decode(Ready.self, from: data).push
    return String(push.dropLast("/push".count))
  }

  @Test(.timeLimit(.minutes(1))) func whatIsSaidComesBackAndTheSecretNever() throws {
    let stage = try Stage()
    defer { stage.strike() }
    let secret = stage.folder.appendingPathComponent("secret").path
    try Data("sesame\n".utf8).write(to: URL(fileURLWithPath: secret))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
    try stage.startServer(["--chat-demo", "--chat-secret-file", secret])
    let server = try Self.pushURL(of: stage)
    let chat = { (more: [String], input: String) in
      try stage.higgins(
        "nobody", ["chat", "--server", server, "--user", "ann", "--device", "home pc"] + more,
        input: input)
    }
    let entered = try chat(["--secret-file", secret], "hello\n\u{1b}[31mred\n")
    #expect(entered.status == 0)
    let lines = entered.text.split(separator: "\n").map { $0.dropFirst("20:31:07 ".count) }
    let name = "ann@terminal@home pc:"
    #expect(lines == ["\(name) has joined!", "\(name)hello", "\(name)␛[31mred"])
    let stranger = try chat([], "hello\n")
    #expect(stranger.status == 1 && stranger.text.isEmpty)
    #expect(stranger.errors.contains("--secret-file"))
    #expect(!stage.serverLog.contains("sesame"))
    #expect(stage.stopServer() == 0)
    let late = try chat(["--secret-file", secret], "hello\n")
    #expect(late.status == 4 && late.errors.contains("No chat at"))
  }
}

import ArgumentParser
import Foundation
import Transport
import Wire

/// `higgins chat`: the demo chat of a Push Service; needs neither passphrase nor profile.
struct ChatCommand: AsyncParsableCommand, Sendable {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talk in the demo chat of a server that has one.",
    discussion: """
      EXAMPLE: higgins chat --user ann
      EXAMPLE: echo hello | higgins chat --server wss://sync.example --secret-file secret

      Each line is one message to everybody, until the end of the input. Nothing of your account is \
      used or sent; what is said is not encrypted for anybody and kept nowhere.
      """)

  /// The server lets through 20 messages a second.
  private static let pause = Duration.milliseconds(60)
  /// What was said last comes back at once, or the connection is gone.
  private static let lastWait = Duration.seconds(5)
  private static let secretBytes = 1024

  @Option(help: ArgumentHelp("The Push Service with the chat.", valueName: "url"))
  var server = "ws://127.0.0.1:7481"

  @Option(help: ArgumentHelp("Your name there (else that of your login).", valueName: "name"))
  var user = NSUserName()

  @Option(help: ArgumentHelp("What you talk with.", valueName: "name"))
  var platform = "terminal"

  @Option(help: ArgumentHelp("Which of your devices (else this host's name).", valueName: "name"))
  var device = ProcessInfo.processInfo.hostName

  @Option(
    help: ArgumentHelp(
      "A file whose first line is the chat's secret; - for standard input's.", valueName: "file"),
    completion: .file())
  var secretFile: String?

  private enum Event: Sendable {
    case chat(ChatSocket.Event)
    case typed(String)
    case inputEnded
    case waitedEnough
  }

  func validate() throws {
    for name in [user, platform, device]
    where name.isEmpty || name.count > 64 || name.contains(where: { "@#:".contains($0) }) {
      throw ValidationError("A name in the chat has 1 to 64 characters and no @, # or colon.")
    }
    guard secretFile != "-" else {
      throw ValidationError("Standard input is what you say; put the secret in a file.")
    }
  }

  func run() async throws {
    let console = SystemConsole()
    let code = await Execution.reporting(console) {
      try await self.talk(at: console)
      return 0
    }
    try Execution.exitIfFailed(code)
  }

  /// Talks until the input ends and everything said has come back.
  func talk(at console: any Console) async throws {
    let secret = try await secret(console)
    let (events, source) = AsyncStream.makeStream(of: Event.self)
    let opened = await ChatSocket.open(server) { source.yield(.chat($0)) }
    guard case .success(let socket) = opened else {
      throw Failure(
        .offline,
        "No chat at \(server): \(Self.reason(opened)). Nothing was sent; is it started "
          + "with --chat-demo?")
    }
    defer { socket.close() }
    Self.readLines { source.yield($0) }
    var said = Said(name: "\(user)@\(platform)@\(device)")
    socket.send((secret.map { $0 + "#" } ?? "") + said.message(" has joined!"))
    for await event in events {
      switch event {
      case .typed(let text): try await say(text, &said, socket, console)
      case .inputEnded:
        said.isOver = true
        Task {
          try await Task.sleep(for: Self.lastWait)
          source.yield(.waitedEnough)
        }
      case .chat(.said(let message)):
        said.heard(message)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        try await console.line("\(Lines.clock(now)) \(message)")
      case .chat(.lost(let reason)): throw lost(reason, said)
      case .waitedEnough:
        throw Failure(.offline, "The last \(said.waiting.count) messages did not come back.")
      }
      if said.isOver, said.waiting.isEmpty { return }
    }
  }

  private func say(
    _ text: String, _ said: inout Said, _ socket: ChatSocket, _ console: any Console
  ) async throws {
    let message = said.message(text)
    guard message.utf8.count <= Limits.pushFrameBytes else {
      said.waiting.removeLast()
      return try await console.note(
        "Not sent: a message has at most \(Limits.pushFrameBytes) bytes.")
    }
    try await Task.sleep(for: Self.pause)
    socket.send(message)
  }

  private func lost(_ reason: String, _ said: Said) -> Failure {
    guard said.hasEntered else {
      let cure = secretFile == nil ? "it may want a secret: --secret-file" : "is the secret right?"
      return Failure(.failed, "The chat did not let you in (\(reason)); \(cure)")
    }
    return Failure(.offline, "The chat ended: \(reason). Messages not shown above may be lost.")
  }

  private func secret(_ console: any Console) async throws -> String? {
    guard let secretFile else { return nil }
    let bytes = try await console.read(.file(secretFile), limitBytes: Self.secretBytes)
    let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
    return String(decoding: line, as: UTF8.self)
  }

  private static func reason(_ opened: Result<ChatSocket, ChatSocket.Refusal>) -> String {
    if case .failure(let refusal) = opened { refusal.reason } else { "" }
  }

  /// Hands over each line of standard input, on a thread of its own as reading blocks.
  private static func readLines(_ hand: @escaping @Sendable (Event) -> Void) {
    let thread = Thread {
      while let line = readLine() {
        if !line.isEmpty { hand(.typed(line)) }
      }
      hand(.inputEnded)
    }
    thread.name = "lines"
    thread.start()
  }
}

/// What was said and has not come back: everybody gets every message, the sender too.
private struct Said {
  let name: String
  var waiting: [String] = []
  var hasEntered = false
  /// Nothing more will be said.
  var isOver = false

  init(name: String) {
    self.name = name
  }

  mutating func message(_ text: String) -> String {
    let message = "\(name):\(text)"
    waiting.append(message)
    return message
  }

  mutating func heard(_ message: String) {
    guard let index = waiting.firstIndex(of: message) else { return }
    waiting.remove(at: index)
    hasEntered = true
  }
}

import Foundation
import Testing

/// A real `higginsd`, real selectors and a terminal multiplexer of their own, all in one temporary
/// folder and on loopback; ``strike()`` ends every process it started.
///
/// `@unchecked Sendable`: a stage is used by one test at a time.
final class Stage: @unchecked Sendable {
  struct Output: Sendable {
    let status: Int32
    let text: String
    let errors: String
  }

  struct TimedOut: Error, CustomStringConvertible {
    let description: String
  }

  static let passphrase = "correct horse battery staple"
  let folder: URL
  let socket: String
  private var server: Child?
  private(set) var address = ""
  /// What devices know a server with TLS by.
  private(set) var key: String?
  private var ports: [Int] = []

  init() throws {
    let number = Int.random(in: 0..<100_000)
    let name = "higgins-e2e-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
    folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(name)
    socket = name
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let file = folder.appendingPathComponent("passphrase")
    try Data((Self.passphrase + "\n").utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
  }

  deinit { strike() }

  var data: URL { folder.appendingPathComponent("server") }

  /// The folder the products were built into: beside the test bundle.
  static var products: URL {
    let argument = CommandLine.arguments.first { $0.contains(".xctest") }
    let bundle = argument.map { URL(fileURLWithPath: $0) } ?? Bundle.main.bundleURL
    var folder = bundle
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("higginsd").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return folder }
    }
    return URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
      .appendingPathComponent(".build/debug")
  }

  // MARK: the server

  /// Starts the server; after the first start it listens where it did before.
  func startServer(_ more: [String] = []) throws {
    let ready = folder.appendingPathComponent("ready")
    try? FileManager.default.removeItem(at: ready)
    let port = { (index: Int) in self.ports.isEmpty ? 0 : self.ports[index] }
    let log = folder.appendingPathComponent("server.log").path
    server = try Child(
      Self.products.appendingPathComponent("higginsd").path,
      [
        "serve", "--data", data.path, "--listen", "127.0.0.1:\(port(0))",
        "--push-listen", "127.0.0.1:\(port(1))", "--signals-listen", "127.0.0.1:\(port(2))",
        "--ready-file", ready.path,
      ] + more, environment: ProcessInfo.processInfo.environment, input: nil, output: log,
      errors: log)
    try waitUntil("higginsd is ready") { FileManager.default.fileExists(atPath: ready.path) }
    struct Ready: Decodable {
      let attributes: String
      let push: String
      let signals: String
      let key: String?
    }
    let where_ = try JSONDecoder().decode(Ready.self, from: try Data(contentsOf: ready))
    address = where_.attributes
    key = where_.key
    ports = [where_.attributes, where_.push, where_.signals].map {
      URL(string: $0)?.port ?? 0
    }
  }

  /// Ends the server as a power cut would.
  func killServer() {
    server?.kill()
    server = nil
  }

  /// Ends the server as an operator would; its exit status.
  func stopServer() -> Int32 {
    guard let server else { return -1 }
    self.server = nil
    server.terminate()
    return server.finish(seconds: 15)
  }

  /// Has the server read its certificate again.
  func reloadServer() { server?.signal(SIGHUP) }

  /// What the server wrote to its log.
  var serverLog: String {
    let file = folder.appendingPathComponent("server.log")
    return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  // MARK: commands

  func environment(_ profile: String) -> [String: String] {
    var environment = ProcessInfo.processInfo.environment
    environment["HIGGINS_HOME"] = folder.appendingPathComponent("home").path
    environment["HIGGINS_PROFILE"] = profile
    environment["HIGGINS_PASSPHRASE_FILE"] = folder.appendingPathComponent("passphrase").path
    environment["TZ"] = "UTC"
    return environment
  }

  /// Runs `higgins` to its end.
  @discardableResult
  func higgins(
    _ profile: String, _ arguments: [String], input: String? = nil
  ) throws -> Output {
    let process = try start(profile, arguments, input: input)
    return process.finish()
  }

  /// Runs `higginsd` to its end.
  func higginsd(_ arguments: [String]) throws -> Output {
    let running = try Running(
      executable: Self.products.appendingPathComponent("higginsd"), arguments: arguments,
      environment: ProcessInfo.processInfo.environment, input: nil, folder: folder)
    return running.finish()
  }

  /// Starts `higgins` and leaves it running.
  func start(_ profile: String, _ arguments: [String], input: String? = nil) throws -> Running {
    try Running(
      executable: Self.products.appendingPathComponent("higgins"), arguments: arguments,
      environment: environment(profile), input: input, folder: folder)
  }

  /// An account with its first device, then further devices paired with it.
  func makeDevices(
    _ names: [(profile: String, device: String)], kitFile: String? = nil
  ) throws {
    let first = try #require(names.first)
    let made = try higgins(
      first.profile,
      ["init", "--server", address, "--account", "ann", "--device", first.device]
        + (key.map { ["--server-key", $0] } ?? [])
        + (kitFile.map { ["--kit-file", $0] } ?? []))
    try #require(made.status == 0, "\(made.errors)")
    for other in names.dropFirst() {
      try pair(other.profile, with: first.profile, named: other.device)
    }
  }

  /// Pairs a new device with one that is in the account.
  func pair(_ profile: String, with member: String, named device: String) throws {
    let pairing = try start(member, ["devices", "pair", "--yes"])
    defer { pairing.end() }
    var code = ""
    try waitUntil("a pairing code") {
      code = pairing.text.split(separator: "\n").first.map(String.init) ?? ""
      return pairing.text.contains("\n")
    }
    let joined = try higgins(profile, ["join", "--device", device], input: code + "\n")
    try #require(joined.status == 0, "\(joined.errors)")
    try #require(pairing.finish().status == 0)
  }

  // MARK: screens

  @discardableResult
  func tmux(_ arguments: [String]) throws -> String {
    // Into a file: the server tmux leaves behind would hold a pipe open for ever.
    let running = try Running(
      executable: URL(fileURLWithPath: "/usr/bin/env"),
      arguments: ["tmux", "-L", socket, "-f", "/dev/null"] + arguments,
      environment: ProcessInfo.processInfo.environment, input: nil, folder: folder)
    return running.finish().text
  }

  /// Opens a selector in a terminal of its own; its passphrase is typed by hand.
  func open(_ profile: String, columns: Int = 80, rows: Int = 24) throws {
    let home = folder.appendingPathComponent("home").path
    let binary = Self.products.appendingPathComponent("higgins").path
    try tmux([
      "new-session", "-d", "-s", profile, "-x", "\(columns)", "-y", "\(rows)",
      "env TZ=UTC LC_ALL=C.UTF-8 HIGGINS_HOME='\(home)' HIGGINS_PROFILE='\(profile)' '\(binary)'; sleep 600",
    ])
  }

  /// The process of the selector in that terminal.
  func selector(_ profile: String) throws -> pid_t {
    let pane = try tmux(["display-message", "-p", "-t", profile, "#{pane_pid}"])
    let shell = pane.trimmingCharacters(in: .whitespacesAndNewlines)
    let children = try String(
      contentsOfFile: "/proc/\(shell)/task/\(shell)/children", encoding: .utf8)
    return try #require(children.split(separator: " ").first.flatMap { pid_t($0) })
  }

  func unlock(_ profile: String) throws {
    try wait(for: "passphrase", on: profile)
    try type(Self.passphrase, on: profile)
    try press(["Enter"], on: profile)
    try wait(for: "Contexts", on: profile)
  }

  func type(_ text: String, on profile: String) throws {
    try tmux(["send-keys", "-t", profile, "-l", text])
  }

  func press(_ keys: [String], on profile: String) throws {
    try tmux(["send-keys", "-t", profile] + keys)
  }

  func screen(_ profile: String) throws -> String {
    try tmux(["capture-pane", "-p", "-t", profile])
  }

  func wait(
    for text: String, on profile: String, seconds: Double = 20,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    do {
      try waitUntil("\"\(text)\" on \(profile)", seconds: seconds) {
        try screen(profile).contains(text)
      }
    } catch {
      let message = "\"\(text)\" never came to \(profile):\n\(try screen(profile))"
      Issue.record(Comment(rawValue: message), sourceLocation: sourceLocation)
      throw error
    }
  }

  /// Looks again and again; the programs under test are other processes, whose clocks cannot be
  /// moved.
  func waitUntil(
    _ what: String, seconds: Double = 20, _ condition: () throws -> Bool
  ) throws {
    let end = Date().addingTimeInterval(seconds)
    while try !condition() {
      guard Date() < end else { throw TimedOut(description: "waited \(seconds) s for \(what)") }
      usleep(20_000)
    }
  }

  func strike() {
    _ = try? tmux(["kill-server"])
    killServer()
    try? FileManager.default.removeItem(at: folder)
  }
}

/// A started program whose output is collected in files.
final class Running: Sendable {
  private let child: Child
  private let output: String
  private let errors: String

  init(
    executable: URL, arguments: [String], environment: [String: String], input: String?,
    folder: URL
  ) throws {
    let number = Int.random(in: 0..<Int.max)
    let file = { (name: String) in folder.appendingPathComponent("\(name)-\(number)").path }
    output = file("out")
    errors = file("err")
    if let input { try Data(input.utf8).write(to: URL(fileURLWithPath: file("in"))) }
    child = try Child(
      executable.path, arguments, environment: environment,
      input: input.map { _ in file("in") }, output: output, errors: errors)
  }

  var identifier: pid_t { child.identifier }

  var text: String { Self.contents(of: output) }

  func finish() -> Stage.Output {
    let status = child.finish()
    defer {
      for file in [output, errors] { unlink(file) }
    }
    return Stage.Output(status: status, text: text, errors: Self.contents(of: errors))
  }

  func end() { child.terminate() }

  private static func contents(of file: String) -> String {
    (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
  }
}

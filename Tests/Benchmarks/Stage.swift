import Foundation
import Glibc

/// The real programs, all they keep in one temporary folder, and their ends.
final class Stage {
  static let passphrase = "correct horse battery staple"

  let loop: Loop
  let folder: String
  private let products: String
  private var children: [Child] = []
  private var screens: [Screen] = []
  private var farewells: [Program] = []
  private var files = 0

  /// - Parameter products: the folder of `higgins` and `higginsd`.
  init(loop: Loop, products: String) throws {
    for name in ["higgins", "higginsd"] {
      let path = "\(products)/\(name)"
      guard FileManager.default.isExecutableFile(atPath: path) else {
        throw BenchError.failed("There is no program \(path); build it, or name a folder with BIN.")
      }
    }
    self.loop = loop
    self.products = products
    var template = Array("/tmp/higgins-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchError.failed("/tmp takes no folder")
    }
    folder = template.withUnsafeBufferPointer { text in
      String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    try write("\(Self.passphrase)\n", to: "passphrase")
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }
  func product(_ name: String) -> String { "\(products)/\(name)" }

  /// Writes a file that nobody else can read.
  func write(_ text: String, to name: String) throws {
    let made = FileManager.default.createFile(
      atPath: path(name), contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    guard made else { throw BenchError.failed("\(path(name)) cannot be written") }
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// What every program here is started with; nothing of the person's own settings.
  var environment: [String: String] {
    [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
      "HOME": folder, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC",
    ]
  }

  // MARK: commands

  struct Output {
    let status: Int32
    let text: String
    let errors: String
  }

  /// A command that has been started; its input can be written when it is time.
  struct Command {
    let child: Child
    let input: Int32
    let output: String
    let errors: String

    func write(_ text: String) throws {
      let bytes = Array(text.utf8)
      guard Glibc.write(input, bytes, bytes.count) == bytes.count else {
        throw BenchError.failed("\(child.name) takes no input")
      }
    }

    func closeInput() { Glibc.close(input) }
    var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
  }

  func start(_ program: Program) throws -> Command {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw BenchError.failed("there is no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    files += 1
    let output = path("out-\(files)")
    let errors = path("err-\(files)")
    defer { Glibc.close(ends[0]) }
    do {
      let child = try Child(program, .files(input: ends[0], output: output, errors: errors))
      children.append(child)
      return Command(child: child, input: ends[1], output: output, errors: errors)
    } catch {
      Glibc.close(ends[1])
      throw error
    }
  }

  /// Serves until a started command has ended well.
  @discardableResult
  func finish(_ command: Command, seconds: Double = 60) throws -> Output {
    try loop.wait("the end of \(command.child.name)", seconds: seconds, tick: 1) {
      command.child.status != nil
    }
    let status = command.child.status ?? -1
    children.removeAll { $0 === command.child }
    defer {
      for file in [command.output, command.errors] { unlink(file) }
    }
    let errors = (try? String(contentsOfFile: command.errors, encoding: .utf8)) ?? ""
    guard status == 0 else {
      let last = errors.split(separator: "\n").last.map(String.init) ?? "it said nothing"
      throw BenchError.failed("\(command.child.name) ended with \(status): \(last)")
    }
    return Output(status: status, text: command.text, errors: errors)
  }

  /// Runs a program to its end, which must be a good one.
  @discardableResult
  func run(_ program: Program, input: String? = nil) throws -> Output {
    let command = try start(program)
    if let input { try command.write(input) }
    command.closeInput()
    return try finish(command)
  }

  func higgins(_ profile: String, _ arguments: [String]) -> Program {
    var environment = environment
    environment["HIGGINS_HOME"] = path("home")
    environment["HIGGINS_PROFILE"] = profile
    environment["HIGGINS_PASSPHRASE_FILE"] = path("passphrase")
    return Program(product("higgins"), arguments, environment: environment)
  }

  // MARK: servers and devices

  /// A server that listens.
  struct Server {
    let child: Child
    let address: String
    let port: UInt16
  }

  /// Starts `higginsd` on ports of its own.
  ///
  /// - Parameter push: without it there is an Attribute Server alone, as before there was push.
  func startServer(_ name: String, push: Bool) throws -> Server {
    let ready = path("\(name).ready")
    var arguments = [
      push ? "serve" : "attributes", "--data", path(name), "--listen", "127.0.0.1:0",
      "--ready-file", ready,
    ]
    if push {
      arguments += ["--push-listen", "127.0.0.1:0", "--signals-listen", "127.0.0.1:0"]
    }
    let command = try start(Program(product("higginsd"), arguments, environment: environment))
    command.closeInput()
    try loop.wait("higginsd", tick: 5) {
      if let status = command.child.status {
        throw BenchError.failed("higginsd ended with \(status)")
      }
      return FileManager.default.fileExists(atPath: ready)
    }
    struct Ready: Decodable { let attributes: String }
    let said = try JSONDecoder().decode(
      Ready.self, from: Data(contentsOf: URL(fileURLWithPath: ready)))
    guard let port = URL(string: said.attributes)?.port else {
      throw BenchError.failed("higginsd does not say where it listens")
    }
    return Server(child: command.child, address: said.attributes, port: UInt16(port))
  }

  /// An account of one device.
  func makeAccount(_ profile: String, device: String, at address: String) throws {
    let account = "ann-\(profile)"
    try run(
      higgins(
        profile,
        [
          "init", "--server", address, "--account", account, "--device", device, "--kit-file",
          path("kit-\(profile)"),
        ]))
  }

  /// Pairs `profile` with the device `known`.
  func pair(_ profile: String, device: String, with known: String) throws {
    let pairing = try start(higgins(known, ["devices", "pair", "--yes"]))
    pairing.closeInput()
    try loop.wait("a pairing code", tick: 5) {
      if let status = pairing.child.status {
        throw BenchError.failed("higgins devices pair ended with \(status)")
      }
      return pairing.text.contains("\n")
    }
    let code = pairing.text.prefix { $0 != "\n" }
    try run(higgins(profile, ["join", "--device", device]), input: "\(code)\n")
    try finish(pairing)
  }

  func set(_ profile: String, _ context: String, _ attribute: String, to value: String) throws {
    try run(
      higgins(profile, ["set", context, attribute, "-", "--shown", "--type", "text"]),
      input: "\(value)\n")
  }

  /// Starts `higgins set` in the process that has the profile open, up to where it reads its
  /// input: the value decides when the change is made.
  func beginSetting(
    _ profile: String, _ context: String, _ attribute: String, lead: Double
  ) throws -> Command {
    let command = try start(higgins(profile, ["set", context, attribute, "-"]))
    try loop.pause(seconds: lead)
    guard command.child.status == nil else {
      command.closeInput()
      try finish(command)
      throw BenchError.failed("higgins set did not wait for its value")
    }
    return command
  }

  /// Has a device reach its server through another port of this machine.
  func reroute(_ profile: String, from old: UInt16, to new: UInt16) throws {
    let old = "http://127.0.0.1:\(old)"
    let files = FileManager.default.enumerator(atPath: path("home"))
    while let name = files?.nextObject() as? String {
      guard name.contains("\(profile)/"), name.hasSuffix(".json") else { continue }
      let text = try String(contentsOfFile: path("home/\(name)"), encoding: .utf8)
      guard text.contains(old) else { continue }
      return try write(
        text.replacingOccurrences(of: old, with: "http://127.0.0.1:\(new)"), to: "home/\(name)")
    }
    throw BenchError.failed("no settings of \(profile) name its server")
  }

  // MARK: screens

  func show(_ program: Program, size: Screen.Size = Screen.Size()) throws -> Screen {
    let screen = try Screen(program, size: size, loop: loop)
    screens.append(screen)
    return screen
  }

  /// Opens an unlocked selector and waits until `text` is painted on it.
  func open(_ profile: String, showing text: String) throws -> Screen {
    let screen = try show(higgins(profile, []))
    screen.seek(text)
    try screen.wait(for: text, seconds: 30)
    return screen
  }

  func end(_ screen: Screen) {
    screen.end()
    screens.removeAll { $0 === screen }
  }

  // MARK: the end

  /// Has a program run before everything is removed: one that ends what others left running.
  func atEnd(_ program: Program) { farewells.append(program) }

  /// Ends every process that was started and removes all they kept.
  func strike() {
    for screen in screens { screen.end() }
    for farewell in farewells { bid(farewell) }
    // Servers are given the time they may take to drain.
    for child in children { child.send(SIGTERM) }
    for child in children { child.end(within: 10) }
    screens = []
    children = []
    do {
      try FileManager.default.removeItem(atPath: folder)
    } catch {
      Self.complain("\(folder) was not removed: \(error)")
    }
  }

  private func bid(_ farewell: Program) {
    do {
      let command = try start(farewell)
      command.closeInput()
      command.child.awaitEnd(seconds: 5)
    } catch {
      Self.complain("\(farewell.path) did not run: \(error)")
    }
  }

  private static func complain(_ words: String) {
    FileHandle.standardError.write(Data("higgins-bench: \(words)\n".utf8))
  }
}

import Foundation
import Glibc

/// A real server, three real devices of one account and a lossy proxy before the server, all in
/// one temporary folder and on loopback.
final class Stage {
  static let passphrase = "correct horse battery staple"
  static let devices = ["home", "work", "mobile"]
  /// As many as the attributes of the longest run need: a context has 1,000 at the most.
  static let contexts = (1...12).map { "site-\($0).example" }

  let folder: String
  let products: String
  let weather = Weather()
  private(set) var proxies: [Proxy] = []
  private(set) var server: Child?
  private var serverPid: pid_t = 0
  private var ports = [0, 0, 0]
  private var holders: [String: Child] = [:]
  private var children = 0
  /// Ends of holders that nobody brought about: exit code and last words.
  private(set) var unexpectedEnds: [(device: String, status: Int32, complaint: String)] = []
  /// Whether this higginsd has `check`; false once it did not know the word.
  var hasServerCheck = true

  init(products: String, folder: String) throws {
    (self.products, self.folder) = (products, folder)
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Data((Self.passphrase + "\n").utf8).write(to: URL(fileURLWithPath: path("passphrase")))
    chmod(path("passphrase"), 0o600)
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }
  func database(of device: String) -> String { path("home/data/\(device)/database") }
  var serverData: String { path("server") }

  private func scratch() -> String {
    children += 1
    return path("child-\(children)")
  }

  // MARK: the server

  /// Starts it where it listened before, after `words` (such as strace and its options) if any.
  func startServer(after words: [String] = []) throws {
    guard server?.status != nil || server == nil else { return }
    let ready = path("ready")
    unlink(ready)
    var arguments = [
      "serve", "--data", serverData, "--listen", "127.0.0.1:\(ports[0])",
      "--push-listen", "127.0.0.1:\(ports[1])", "--signals-listen", "127.0.0.1:\(ports[2])",
      "--ready-file", ready, "--log-level", "warning",
    ]
    // The proxies come with the first start, which tells the ports.
    if let push = proxies.last?.port { arguments += ["--push-url", "ws://127.0.0.1:\(push)/push"] }
    let line = words + ["\(products)/higginsd"] + arguments
    let child = try Child(
      line[0], Array(line.dropFirst()), environment: ProcessInfo.processInfo.environment,
      input: .none, scratch: scratch())
    server = child
    try wait("higginsd is ready", seconds: 30) {
      if let status = child.status {
        throw ChaosError.failed("higginsd ended with \(status): \(child.complaint)")
      }
      return FileManager.default.fileExists(atPath: ready)
    }
    struct Ready: Decodable {
      let attributes, push, signals: String
      let pid: Int32
    }
    let told = try JSONDecoder().decode(
      Ready.self, from: try Data(contentsOf: URL(fileURLWithPath: ready)))
    ports = [told.attributes, told.push, told.signals].map { URL(string: $0)?.port ?? 0 }
    serverPid = told.pid
  }

  /// Gives devices their way to the server; the push's is part of what the server tells them.
  func startProxies() throws {
    proxies = try ports.prefix(2).map { try Proxy(target: $0, weather: weather) }
  }

  /// Ends the server as a power cut would.
  func cutServer() {
    if server?.status == nil, serverPid > 0 { kill(serverPid, SIGKILL) }
    server?.cut()
    server = nil
  }

  /// Ends it as an operator would; its exit status.
  func stopServer() -> Int32? {
    guard let server else { return nil }
    if server.status == nil { kill(serverPid, SIGTERM) }
    defer { self.server = nil }
    if let status = server.awaitEnd(seconds: 15) { return status }
    cutServer()
    return nil
  }

  func signalServer(_ signal: Int32) {
    if server?.status == nil, serverPid > 0 { kill(serverPid, signal) }
  }

  // MARK: commands

  func environment(_ device: String) -> [String: String] {
    var environment = ProcessInfo.processInfo.environment
    environment["HIGGINS_HOME"] = path("home")
    environment["HIGGINS_PROFILE"] = device
    environment["HIGGINS_PASSPHRASE_FILE"] = path("passphrase")
    environment["TZ"] = "UTC"
    // A crash shows by its signal; reading 100 MB of symbols for it takes half a minute.
    if environment["SWIFT_BACKTRACE"] == nil { environment["SWIFT_BACKTRACE"] = "enable=no" }
    return environment
  }

  func start(
    _ device: String, _ arguments: [String], input: Child.Input = .none, after words: [String] = []
  ) throws -> Child {
    let line = words + ["\(products)/higgins"] + arguments
    return try Child(
      line[0], Array(line.dropFirst()), environment: environment(device), input: input,
      scratch: scratch())
  }

  /// Runs a command to its end; nil status after `seconds`, when it hangs and is ended.
  func run(
    _ device: String, _ arguments: [String], input: Child.Input = .none, seconds: Double = 60
  ) throws -> (status: Int32?, text: String, complaint: String) {
    let child = try start(device, arguments, input: input)
    let status = child.awaitEnd(seconds: seconds)
    if status == nil { child.cut() }
    return (status, child.text, child.complaint)
  }

  /// Runs a command that has to succeed for anything to go on.
  func need(_ device: String, _ arguments: [String], input: Child.Input = .none) throws {
    let (status, _, complaint) = try run(device, arguments, input: input)
    guard status == 0 else {
      throw ChaosError.failed("higgins \(arguments[0]) on \(device): \(complaint)")
    }
  }

  // MARK: holders

  /// Has a process keep the device's profile open, so that commands need not unlock it.
  @discardableResult
  func hold(_ device: String) throws -> Child {
    if let holder = holders[device], holder.status == nil { return holder }
    letGo(device)
    let socket = path("home/run/\(device)/socket")
    unlink(socket)
    let holder = try start(device, ["watch"])
    holders[device] = holder
    try wait("\(device) holds its profile", seconds: 30) {
      if let status = holder.status {
        throw ChaosError.failed("higgins watch ended with \(status): \(holder.complaint)")
      }
      return FileManager.default.fileExists(atPath: socket)
    }
    return holder
  }

  /// Ends a holder as a power cut would.
  func letGo(_ device: String) {
    guard let holder = holders.removeValue(forKey: device) else { return }
    if let status = holder.status { unexpectedEnds.append((device, status, holder.complaint)) }
    holder.cut()
  }

  /// Takes the ends that were noticed so far.
  func takeUnexpectedEnds() -> [(device: String, status: Int32, complaint: String)] {
    defer { unexpectedEnds = [] }
    return unexpectedEnds
  }

  func letGoOfAll() {
    for device in Self.devices { letGo(device) }
  }

  // MARK: beginning and end

  /// An account with three devices and empty contexts that all of them know.
  func set() throws {
    try startServer()
    try startProxies()
    // Once more, now that it can tell where the push's proxy is.
    _ = stopServer()
    try startServer()
    let address = "http://127.0.0.1:\(proxies[0].port)"
    try need(
      "home",
      [
        "init", "--server", address, "--account", "ann", "--device", "home", "--kit-file",
        path("kit"),
      ])
    try hold("home")
    for other in Self.devices.dropFirst() { try pair(other) }
    for context in Self.contexts { try need("home", ["new", context]) }
    for device in Self.devices { try need(device, ["sync"]) }
    letGoOfAll()
  }

  private func pair(_ device: String) throws {
    let pairing = try start("home", ["devices", "pair", "--yes"])
    defer { pairing.cut() }
    try wait("a pairing code", seconds: 30) {
      if let status = pairing.status {
        throw ChaosError.failed("higgins devices pair ended with \(status): \(pairing.complaint)")
      }
      return pairing.text.contains("\n")
    }
    let code = pairing.text.split(separator: "\n").first.map(String.init) ?? ""
    try need(device, ["join", "--device", device], input: .text(code + "\n"))
    pairing.awaitEnd(seconds: 30)
  }

  func wait(_ what: String, seconds: Double, until isMet: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !isMet() {
      guard .now < end else { throw ChaosError.timedOut(what, seconds: seconds) }
      usleep(3000)
    }
  }

  /// Ends every process that was started.
  func strike(keeping: Bool) {
    letGoOfAll()
    cutServer()
    for proxy in proxies { proxy.close() }
    if !keeping { _ = try? FileManager.default.removeItem(atPath: folder) }
  }
}

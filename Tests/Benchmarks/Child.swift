import Foundation
import Glibc

/// What to start.
struct Program {
  var path: String
  var arguments: [String] = []
  var environment: [String: String] = [:]

  /// A bare name is looked up in PATH.
  init(_ path: String, _ arguments: [String], environment: [String: String]) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// Whether PATH has a program of that name.
  static func isInstalled(_ name: String) -> Bool {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return folders.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }
}

/// A process that was started here and is ended here, by its id.
final class Child {
  let pid: pid_t
  let name: String
  private var ended: Int32?

  /// Where the three standard streams of a child lead.
  enum Streams {
    /// All three to a terminal, which becomes the controlling one of a session of its own.
    case terminal(path: String)
    case files(input: Int32, output: String, errors: String)
  }

  /// glibc's value; the headers show it to GNU sources only.
  private static let newSession: Int32 = 0x80

  init(_ program: Program, _ streams: Streams) throws {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    switch streams {
    case .terminal(let path):
      posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
      posix_spawn_file_actions_adddup2(&actions, 0, 1)
      posix_spawn_file_actions_adddup2(&actions, 0, 2)
    case .files(let input, let output, let errors):
      posix_spawn_file_actions_adddup2(&actions, input, 0)
      let flags = O_WRONLY | O_CREAT | O_APPEND
      posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
      posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
    }
    Self.setDefaults(&attributes)
    name = program.path.split(separator: "/").last.map(String.init) ?? program.path
    pid = try Self.spawn(program, &actions, &attributes)
  }

  /// A session of its own, no blocked and no ignored signals.
  private static func setDefaults(_ attributes: inout posix_spawnattr_t) {
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | newSession
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  private static func spawn(
    _ program: Program, _ actions: inout posix_spawn_file_actions_t,
    _ attributes: inout posix_spawnattr_t
  ) throws -> pid_t {
    var arguments: [UnsafeMutablePointer<CChar>?] =
      ([program.path] + program.arguments).map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] =
      program.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawnp(
      &pid, program.path, &actions, &attributes, &arguments, &environment)
    guard code == 0 else {
      throw BenchError.failed("\(program.path) did not start: \(String(cString: strerror(code)))")
    }
    return pid
  }

  /// The exit status once it has ended, 128 and the number after a signal; nil before.
  var status: Int32? {
    if let ended { return ended }
    var raw: Int32 = 0
    guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
    let signal = raw & 0x7f
    ended = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
    return ended
  }

  func send(_ signal: Int32) {
    if status == nil { kill(pid, signal) }
  }

  /// Waits for its end without a loop, because this also runs when the loop gave up.
  func awaitEnd(seconds: Double) {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while status == nil, .now < deadline { usleep(2000) }
  }

  /// Asks it to end; what has not ended after `seconds` is killed.
  func end(within seconds: Double) {
    send(SIGTERM)
    awaitEnd(seconds: seconds)
    send(SIGKILL)
    awaitEnd(seconds: 5)
  }

  /// How often each of its threads has gone to sleep so far: once for each time it was woken.
  func wakeUps() throws -> [String: Double] {
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
    return try Dictionary(
      uniqueKeysWithValues: tasks.map {
        ($0, try number("voluntary_ctxt_switches", in: "task/\($0)/status"))
      })
  }

  /// What its threads are called.
  func threadNames() throws -> [String: String] {
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
    return try Dictionary(
      uniqueKeysWithValues: tasks.map {
        let name = try String(contentsOfFile: "/proc/\(pid)/task/\($0)/comm", encoding: .utf8)
        return ($0, name.trimmingCharacters(in: .newlines))
      })
  }

  /// A number of `/proc/PID/status` in KiB, such as `VmRSS`.
  func memory(_ key: String) throws -> Double { try number(key, in: "status") }

  private func number(_ key: String, in file: String) throws -> Double {
    guard status == nil else { throw BenchError.failed("\(name) has ended by itself") }
    let text = try String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8)
    for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
      if let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({
        Double($0)
      }) {
        return number
      }
    }
    throw BenchError.failed("/proc/\(pid)/\(file) has no \(key)")
  }
}

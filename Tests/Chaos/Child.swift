import Foundation
import Glibc

/// Why a run could not go on; a finding about the programs under test is a ``Finding`` instead.
enum ChaosError: Error, CustomStringConvertible {
  case notStarted(program: String, reason: String)
  case timedOut(String, seconds: Double)
  case failed(String)

  var description: String {
    switch self {
    case .notStarted(let program, let reason): "\(program) did not start: \(reason)"
    case .timedOut(let what, let seconds): "waited \(Int(seconds)) s for \(what)"
    case .failed(let reason): reason
    }
  }
}

/// A process with its output in files, started and ended here by its id.
///
/// Foundation's `Process` also waits for grandchildren that hold its descriptors; this one asks
/// `waitpid`.
final class Child {
  let pid: pid_t
  let name: String
  private let output: String
  private let errors: String
  private var ended: Int32?
  private var input: Int32 = -1

  /// Where standard input comes from.
  enum Input {
    case none
    case text(String)
    /// Held open until ``write(_:)``, so that the moment of the value can be chosen.
    case held
    /// All three streams lead to a terminal, which becomes the controlling one.
    case terminal(path: String)
  }

  /// glibc's value; the headers show it to GNU sources only.
  private static let newSession: Int32 = 0x80

  /// - Parameter scratch: a path without its extension; the files beside it are this child's.
  init(
    _ program: String, _ arguments: [String], environment: [String: String], input: Input,
    scratch: String
  ) throws {
    name = program.split(separator: "/").last.map(String.init) ?? program
    (output, errors) = (scratch + ".out", scratch + ".err")
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let ends = try Self.connect(input, to: &actions)
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    if case .terminal = input {
      posix_spawn_file_actions_adddup2(&actions, 0, 1)
      posix_spawn_file_actions_adddup2(&actions, 0, 2)
    } else {
      posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
      posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
    }
    Self.setDefaults(&attributes)
    let started = Result {
      try Self.spawn(program, arguments, environment, &actions, &attributes)
    }
    if ends.read >= 0 { close(ends.read) }
    if case .failure = started, ends.write >= 0 { close(ends.write) }
    pid = try started.get()
    self.input = ends.write
    if case .text(let text) = input { write(text) }
  }

  deinit {
    closeInput()
    unlink(output)
    unlink(errors)
  }

  private static func connect(
    _ input: Input, to actions: inout posix_spawn_file_actions_t
  ) throws -> (read: Int32, write: Int32) {
    switch input {
    case .none:
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      return (-1, -1)
    case .terminal(let path):
      posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
      return (-1, -1)
    case .text, .held:
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { throw ChaosError.failed("no pipe: errno \(errno)") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      // A value is written in one go before anyone may read it.
      _ = fcntl(ends[1], 1031, 1 << 20)
      posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
      return (ends[0], ends[1])
    }
  }

  /// A session of its own, no blocked and no ignored signals.
  private static func setDefaults(_ attributes: inout posix_spawnattr_t) {
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | newSession
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  private static func spawn(
    _ program: String, _ arguments: [String], _ environment: [String: String],
    _ actions: inout posix_spawn_file_actions_t, _ attributes: inout posix_spawnattr_t
  ) throws -> pid_t {
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, program, &actions, &attributes, &words, &variables)
    guard code == 0 else {
      throw ChaosError.notStarted(program: program, reason: String(cString: strerror(code)))
    }
    return pid
  }

  // MARK: input and output

  /// Writes all of it and closes the stream.
  func write(_ text: String) {
    guard input >= 0 else { return }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      bytes = bytes.dropFirst(count)
    }
    closeInput()
  }

  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  var text: String { Self.contents(of: output) }
  var complaint: String {
    Self.contents(of: errors).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func contents(of file: String) -> String {
    String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
  }

  // MARK: its end

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

  /// Waits for the end at most that long.
  @discardableResult
  func awaitEnd(seconds: Double) -> Int32? {
    let end = ContinuousClock.now + .seconds(seconds)
    while status == nil, .now < end { usleep(300) }
    return status
  }

  /// Ends it as a power cut would, with what it traces: strace leaves those behind.
  @discardableResult
  func cut() -> Int32 {
    if status == nil {
      for tracee in offspring { kill(tracee, SIGKILL) }
      if name != "strace" { kill(pid, SIGKILL) }
      // Lets strace report the end of what it traced.
      awaitEnd(seconds: 2)
      send(SIGKILL)
    }
    while status == nil { usleep(300) }
    return ended ?? -1
  }

  /// Children of its main thread that are alive.
  var offspring: [pid_t] {
    let path = "/proc/\(pid)/task/\(pid)/children"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return text.split(separator: " ").compactMap { pid_t($0) }
  }
}

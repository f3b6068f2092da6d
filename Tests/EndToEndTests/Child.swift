import Foundation
import Glibc

/// A process with its output in files.
///
/// Foundation's `Process` learns of an end by a socket that grandchildren inherit, so it waits for
/// ever when a program leaves a server behind, as tmux does; this one asks `waitpid`.
///
/// `@unchecked Sendable`: a child is used by one test at a time.
final class Child: @unchecked Sendable {
  struct NotStarted: Error {
    let path: String
    let code: Int32
  }

  let identifier: pid_t
  private(set) var status: Int32?

  /// - Parameters:
  ///   - input: a file; nothing to read without one.
  ///   - output: a file that is appended to; so is `errors`.
  init(
    _ path: String, _ arguments: [String], environment: [String: String], input: String?,
    output: String, errors: String
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var attributes = try Self.ownSignals(path)
    defer { posix_spawnattr_destroy(&attributes) }
    var identifier: pid_t = 0
    let code = posix_spawnp(&identifier, path, &actions, &attributes, &words, &variables)
    guard code == 0 else { throw NotStarted(path: path, code: code) }
    self.identifier = identifier
  }

  /// No signal blocked or ignored: threads of tests block most, and a tmux that never hears of its
  /// programs' ends does not end itself.
  private static func ownSignals(_ path: String) throws -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    let code = posix_spawnattr_init(&attributes)
    guard code == 0 else { throw NotStarted(path: path, code: code) }
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    return attributes
  }

  /// Its exit status, or 128 and the signal that ended it; nil while it runs.
  func poll() -> Int32? {
    if let status { return status }
    var word: Int32 = 0
    guard waitpid(identifier, &word, WNOHANG) == identifier else { return nil }
    let signal = word & 0x7f
    status = signal == 0 ? (word >> 8) & 0xff : 128 + signal
    return status
  }

  /// Waits for the end; a program that hangs is brought to it.
  func finish(seconds: Double = 60) -> Int32 {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if let status = poll() { return status }
      usleep(5000)
    }
    return kill()
  }

  /// Sends it a signal.
  func signal(_ number: Int32) {
    if poll() == nil { Glibc.kill(identifier, number) }
  }

  /// Asks it to end.
  func terminate() {
    if poll() == nil { Glibc.kill(identifier, SIGTERM) }
  }

  /// Ends it as a power cut would.
  @discardableResult
  func kill() -> Int32 {
    if poll() == nil { Glibc.kill(identifier, SIGKILL) }
    while poll() == nil { usleep(1000) }
    return status ?? -1
  }
}

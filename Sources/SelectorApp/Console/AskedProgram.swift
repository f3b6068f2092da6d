import CProcess
import Foundation
import Synchronization

/// A program of the desktop or the multiplexer that is asked one thing and given little time.
///
/// It runs in a session of its own, so that it can neither read the person's keys nor be stopped
/// by them, and inherits nothing but its three streams. What it leaves running in the background
/// (xclip stays to serve what was copied) is not waited for.
struct AskedProgram: Sendable {
  /// 3 s: a display at the other end of a slow line answers by then.
  static let limitSeconds = 3.0

  let path: String
  let arguments: [String]
  let environment: [String: String]
  /// What it may take.
  var seconds = limitSeconds

  private var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Where `program` stands in PATH; nil when it does not.
  static func find(_ program: String, in environment: [String: String]) -> String? {
    (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
      .map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  /// Gives it `input` and waits for its end; its output, of which `limitBytes` and one more are
  /// kept. Blocks: see ``SystemConsole/waiting(_:)``.
  ///
  /// - Throws: ``Failure`` when it cannot be started, fails, or takes longer than its time; it is
  ///   then ended.
  @discardableResult
  func run(input: [UInt8], limitBytes: Int = 0) throws -> [UInt8] {
    let streams = try Streams(readsOutput: limitBytes > 0)
    let child = try start(streams)
    let deadline = Date(timeIntervalSinceNow: seconds)
    var left = input[...]
    var output: [UInt8] = []
    while Date() < deadline {
      var status: Int32 = 0
      let ended = waitpid(child, &status, WNOHANG) == child
      streams.exchange(&left, &output, limitBytes: limitBytes + 1, waits: !ended)
      guard ended else { continue }
      guard status == 0 else { throw Failure(.failed, "\(name) \(Self.words(status)).") }
      return output
    }
    kill(child, SIGKILL)
    waitpid(child, nil, 0)
    throw Failure(.failed, "\(name) did not answer within \(Int(seconds)) s.")
  }

  /// Gives it `input` and lets it run on, even after this process. What was left under the same
  /// `name` before is ended.
  ///
  /// - Parameters:
  ///   - name: what it is for.
  ///   - input: all it is told.
  ///   - output: a descriptor it may write to; nil for none.
  func leave(as name: String, input: [UInt8], output: Int32? = nil) throws {
    let streams = try Streams(readsOutput: false)
    let child = try start(streams, output: output)
    let deadline = Date(timeIntervalSinceNow: Self.limitSeconds)
    var left = input[...]
    var said: [UInt8] = []
    repeat {
      streams.exchange(&left, &said, limitBytes: 1, waits: true)
    } while !left.isEmpty && Date() < deadline
    guard left.isEmpty else {
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
      throw Failure(.failed, "\(self.name) did not take what is to be cleared.")
    }
    Self.left.withLock { left in
      if let earlier = left.updateValue(child, forKey: name) {
        // Still this process's child, so the number is no other's.
        kill(earlier, SIGKILL)
        waitpid(earlier, nil, 0)
      }
    }
  }

  private static let left = Mutex<[String: pid_t]>([:])

  private static func words(_ status: Int32) -> String {
    status & 0x7f == 0 ? "ended with status \(status >> 8 & 0xff)" : "was ended by a signal"
  }

  private func start(_ streams: Streams, output: Int32? = nil) throws -> pid_t {
    let words = ([path] + arguments).map { strdup($0) } + [nil]
    let settings = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (words + settings).forEach { free($0) } }
    let output = output ?? streams.output
    let child = process_spawn(path, words, settings, streams.input, output)
    streams.handedOver()
    guard child > 0 else {
      let reason = String(cString: strerror(-child))
      throw Failure(.failed, "\(name) could not be started: \(reason).")
    }
    return child
  }
}

/// Both ends of what goes to a program and comes from it.
private final class Streams {
  private static let waitMilliseconds: Int32 = 10
  private static let chunkBytes = 64 * 1024

  /// The program's end of what it is given.
  private(set) var input: Int32 = -1
  /// The program's end of what it says; negative when nobody listens.
  private(set) var output: Int32 = -1
  private var giving: Int32 = -1
  private var taking: Int32 = -1

  init(readsOutput: Bool) throws {
    (input, giving) = try Self.pipe()
    if readsOutput { (taking, output) = try Self.pipe() }
    for end in [giving, taking] where end >= 0 {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }
  }

  deinit {
    [\.input, \.output, \.giving, \.taking].forEach(shut)
  }

  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else {
      throw Failure(.failed, "No program can be asked: \(String(cString: strerror(errno))).")
    }
    return (ends[0], ends[1])
  }

  private func shut(_ end: ReferenceWritableKeyPath<Streams, Int32>) {
    if self[keyPath: end] >= 0 { close(self[keyPath: end]) }
    self[keyPath: end] = -1
  }

  /// The program has its ends; these would hide that it is gone.
  func handedOver() {
    shut(\.input)
    shut(\.output)
  }

  /// Passes on what can be passed on now, and waits a moment for it when `waits`.
  func exchange(
    _ left: inout ArraySlice<UInt8>, _ said: inout [UInt8], limitBytes: Int, waits: Bool
  ) {
    var watched = [
      pollfd(fd: taking, events: Int16(POLLIN), revents: 0),
      pollfd(fd: left.isEmpty ? -1 : giving, events: Int16(POLLOUT), revents: 0),
    ]
    poll(&watched, nfds_t(watched.count), waits ? Self.waitMilliseconds : 0)
    give(&left)
    take(&said, limitBytes: limitBytes)
  }

  /// The end of what it is given is told at once. One that takes nothing any more is no failure
  /// here: its status says what that means.
  private func give(_ left: inout ArraySlice<UInt8>) {
    while giving >= 0, !left.isEmpty {
      let count = left.withUnsafeBytes { write(giving, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return }
      left = count < 0 ? [] : left.dropFirst(count)
    }
    shut(\.giving)
  }

  private func take(_ said: inout [UInt8], limitBytes: Int) {
    var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
    while taking >= 0 {
      let count = read(taking, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return }
      guard count > 0 else { return shut(\.taking) }
      said += chunk.prefix(min(count, max(limitBytes - said.count, 0)))
    }
  }
}

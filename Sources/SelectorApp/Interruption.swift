import Foundation
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into a call, so that a command ends in order: the terminal put
/// right, the profile closed.
final class Interruption: Sendable {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  /// A command that has not ended by then is ended: what is saved is on disk already.
  private static let graceSeconds = 3.0
  private let sources: Mutex<[any DispatchSourceSignal]>

  init(_ body: @escaping @Sendable () -> Void) {
    let queue = DispatchQueue(label: "higgins.interruption")
    let counter = Counter()
    var sources: [any DispatchSourceSignal] = []
    for number in Self.signals where number != SIGHUP || !Self.isIgnored(number) {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        // A person who asks twice does not want to wait.
        if counter.next() > 1 { _exit(128 + number) }
        body()
        queue.asyncAfter(deadline: .now() + Self.graceSeconds) { _exit(128 + number) }
      }
      source.resume()
      sources.append(source)
    }
    self.sources = Mutex(sources)
  }

  /// Whether the process was started to outlive its terminal (`nohup`).
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    let handler = action.__sigaction_handler.sa_handler
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Signals end the process again.
  func end() {
    for source in sources.withLock(\.self) {
      let number = Int32(source.handle)
      source.cancel()
      signal(number, SIG_DFL)
    }
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }
}

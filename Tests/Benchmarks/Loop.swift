import Dispatch
import Foundation
import Glibc
import Synchronization

/// Why a measurement has no result, or the whole run ended.
enum BenchError: Error, CustomStringConvertible {
  case failed(String)
  case timedOut(String, seconds: Double)
  case timeIsUp(seconds: Double)
  case interrupted

  var description: String {
    switch self {
    case .failed(let reason): reason
    case .timedOut(let what, let seconds): "waited \(Int(seconds)) s for \(what)"
    case .timeIsUp(let seconds): "the run's \(Int(seconds)) s were up"
    case .interrupted: "interrupted"
    }
  }
}

/// Something with descriptors that must be read whenever there is something to read.
protocol Watcher: AnyObject {
  var descriptors: [Int32] { get }
  func readable(_ descriptor: Int32)
}

/// The one place that waits: while anything waits, every screen and every proxy is served.
final class Loop {
  private var watchers: [any Watcher] = []
  private let end: ContinuousClock.Instant
  private let limit: Double
  private let interruption = Interruption()

  /// After `limit` seconds every wait throws ``BenchError/timeIsUp(seconds:)``.
  init(limit: Double) {
    self.limit = limit
    end = .now + .seconds(limit)
  }

  func add(_ watcher: any Watcher) { watchers.append(watcher) }
  func remove(_ watcher: any Watcher) { watchers.removeAll { $0 === watcher } }

  /// Serves until the condition holds.
  ///
  /// - Parameter tick: how often to look at what no descriptor tells, in milliseconds.
  func wait(
    _ what: String, seconds: Double = 20, tick: Int32 = 20, until isMet: () throws -> Bool
  ) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isMet() {
      guard !interruption.happened else { throw BenchError.interrupted }
      guard .now < end else { throw BenchError.timeIsUp(seconds: limit) }
      guard .now < deadline else { throw BenchError.timedOut(what, seconds: seconds) }
      turn(atMost: tick)
    }
  }

  /// Serves for a while.
  func pause(seconds: Double) throws {
    let until = ContinuousClock.now + .seconds(seconds)
    try wait("a pause", seconds: seconds + 60, tick: 5) { .now >= until }
  }

  /// Serves what is readable now, or becomes so within `limit` milliseconds.
  func turn(atMost limit: Int32) {
    var places: [(any Watcher, Int32)] = []
    for watcher in watchers { places += watcher.descriptors.map { (watcher, $0) } }
    var polled = places.map { pollfd(fd: $0.1, events: Int16(POLLIN), revents: 0) }
    guard poll(&polled, nfds_t(polled.count), limit) > 0 else { return }
    for (place, state) in zip(places, polled) where state.revents != 0 {
      // One served before it may have closed this one.
      if place.0.descriptors.contains(place.1) { place.0.readable(place.1) }
    }
  }
}

/// Remembers that SIGINT, SIGTERM or SIGHUP came, so that the run ends in order.
private final class Interruption {
  private let flag = Flag()
  private let sources: [any DispatchSourceSignal]

  init() {
    let flag = flag
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { flag.raise() }
      source.resume()
      return source
    }
  }

  var happened: Bool { flag.isRaised }

  private final class Flag: Sendable {
    private let state = Mutex(false)
    var isRaised: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
  }
}

extension Duration {
  var milliseconds: Double {
    Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
  }
}

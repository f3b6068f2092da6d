import NIOHTTP1
import Sync
import Wire

/// An open way to the Push Service, whatever transport it is.
protocol PushCarrier: Sendable {
  /// Sends one frame in JSON; a failure is told as a loss. The first is hello.
  func send(_ text: [UInt8])
  /// Asks for a sign of life.
  func ping()
  func close()
}

/// What a carrier tells. Nothing follows ``lost(reason:)`` and ``blocked(reason:)``.
enum PushCarrierEvent: Sendable {
  /// A whole text message, at most ``PushSocket/frameLimitBytes``.
  case text([UInt8])
  case frame(PushFrame)
  /// A ping, a pong, an empty answer.
  case heard
  case lost(reason: String)
  /// Somebody answered, but not as this transport needs it.
  case blocked(reason: String)
}

/// A way made of requests: what this device sends waits in an outbox, which `run` reads until the
/// session ends.
struct RequestCarrier: PushCarrier {
  private let outbox: AsyncStream<[UInt8]>.Continuation
  private let work: Task<Void, Never>

  init(
    _ requests: PushRequests, events: @escaping @Sendable (PushCarrierEvent) -> Void,
    run:
      @escaping @Sendable (
        PushRequests, AsyncStream<[UInt8]>, @escaping @Sendable (PushCarrierEvent) -> Void
      ) async -> PushCarrierEvent
  ) {
    let (frames, outbox) = AsyncStream<[UInt8]>.makeStream(
      bufferingPolicy: .bufferingOldest(PushRequests.outboxLimit))
    self.outbox = outbox
    work = Task {
      let end = await run(requests, frames, events)
      if !Task.isCancelled { events(end) }
    }
  }

  func send(_ text: [UInt8]) { outbox.yield(text) }

  func ping() { outbox.yield(Array(#"{"type":"ping"}"#.utf8)) }

  func close() {
    outbox.finish()
    work.cancel()
  }
}

/// The requests of the transports that are made of requests.
struct PushRequests: Sendable {
  /// 256 KiB: a welcome of 64 devices, and the newest of each kind for all of them.
  static let answerLimitBytes = 256 * 1024
  /// Frames of this device that wait to be posted. Only acknowledgements come in numbers, and a
  /// lost one costs nothing but proof of arrival.
  static let outboxLimit = 256

  let http: HTTPTransport
  /// Where the transport begins: the Push Service's path with `/events` or `/poll`.
  let path: String

  func request(_ body: [UInt8], session: String? = nil) -> HTTPTransport.Request {
    HTTPTransport.Request(
      method: .POST, path: session.map { "\(path)/\($0)" } ?? path, body: body,
      answerLimitBytes: Self.answerLimitBytes)
  }

  /// What a failed first request means. Whoever answers something else is in the way; a server that
  /// is busy or not there is not.
  static func refused(_ failure: ServiceFailure) -> PushCarrierEvent {
    switch failure {
    case .unreachable(let reason): .lost(reason: reason)
    case .refused(let problem) where problem.retryable: .lost(reason: reason(failure))
    case .refused, .unintelligible: .blocked(reason: reason(failure))
    }
  }

  static func reason(_ failure: ServiceFailure) -> String {
    switch failure {
    case .unreachable(let reason): reason
    case .refused(let problem): problem.detail ?? problem.title
    case .unintelligible(let reason): reason
    }
  }

  /// A name the server gave a session, if it is fit to stand in a path.
  static func checked(session: String) -> String? {
    let isFit =
      (1...64).contains(session.utf8.count)
      && session.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
    return isFit ? session : nil
  }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import Sync
import Wire

/// The session over Server-Sent Events: hello is the body of the request whose answer is the
/// stream, and each further frame of this device a request of its own.
enum PushEvents {
  /// Waits for hello, the first frame sent.
  static func run(
    _ requests: PushRequests, _ frames: AsyncStream<[UInt8]>,
    _ events: @escaping @Sendable (PushCarrierEvent) -> Void
  ) async -> PushCarrierEvent {
    var first = frames.makeAsyncIterator()
    guard let hello = await first.next() else { return .lost(reason: "cancelled") }
    var request = requests.request(hello)
    request.answerType = EventStreamReader.mediaType
    switch await requests.http.stream(request) {
    case .failure(let failure): return PushRequests.refused(failure)
    case .success(let body): return await read(body, requests, frames, events)
    }
  }

  /// Reads the stream to its end; starts posting when the server has named the session.
  private static func read(
    _ body: HTTPTransport.Body, _ requests: PushRequests, _ frames: AsyncStream<[UInt8]>,
    _ events: @escaping @Sendable (PushCarrierEvent) -> Void
  ) async -> PushCarrierEvent {
    var reader = EventStreamReader(limitBytes: PushSocket.frameLimitBytes)
    var posting: Task<Void, Never>?
    defer { posting?.cancel() }
    do {
      for try await part in body {
        for item in try reader.read(part.readableBytesView) {
          switch item {
          case .comment: events(.heard)
          case .event("session", let text):
            guard posting == nil, let session = name(text) else { continue }
            posting = Task { await post(frames, requests, session, events) }
          case .event("message", let text): events(.text(text))
          case .event: continue
          }
        }
      }
    } catch {
      return .lost(reason: FailureReason.text(error))
    }
    guard posting != nil else { return .blocked(reason: "the stream ended before it began") }
    return .lost(reason: "the server closed the connection")
  }

  private static func name(_ text: [UInt8]) -> String? {
    struct Name: Decodable { let session: String }
    do {
      let name = try JSONDecoder().decode(Name.self, from: Data(text))
      return PushRequests.checked(session: name.session)
    } catch {
      return nil
    }
  }

  private static func post(
    _ frames: AsyncStream<[UInt8]>, _ requests: PushRequests, _ session: String,
    _ events: @Sendable (PushCarrierEvent) -> Void
  ) async {
    for await frame in frames {
      let result = await requests.http.outcome(of: requests.request(frame, session: session))
      guard case .failure(let failure) = result else { continue }
      if !Task.isCancelled { events(.lost(reason: PushRequests.reason(failure))) }
      return
    }
  }
}

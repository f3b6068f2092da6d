import Foundation
import Sync
import Wire

/// The session over long polling: one request always waits for news, and each frame of this device
/// is a request that takes the waiting one's place.
enum PushPolling {
  /// 200 ms: a server, or a cache before it, that answers without waiting is not asked faster.
  private static let floor = Duration.milliseconds(200)

  private struct Answer: Decodable {
    let frames: [PushFrame]
    let session: String
  }

  /// Waits for hello, the first frame sent.
  static func run(
    _ requests: PushRequests, _ frames: AsyncStream<[UInt8]>,
    _ events: @escaping @Sendable (PushCarrierEvent) -> Void
  ) async -> PushCarrierEvent {
    var first = frames.makeAsyncIterator()
    guard let hello = await first.next() else { return .lost(reason: "cancelled") }
    let session: String
    switch await ask(requests, hello) {
    case .failure(let failure): return PushRequests.refused(failure)
    case .success(let answer):
      guard let name = PushRequests.checked(session: answer.session) else {
        return .blocked(reason: "the answer names no session")
      }
      session = name
      for frame in answer.frames { events(.frame(frame)) }
    }
    return await withTaskGroup(of: ServiceFailure?.self) { group in
      group.addTask { await wait(requests, session, events) }
      group.addTask { await post(frames, requests, session, events) }
      let failure = await group.next() ?? nil
      group.cancelAll()
      return .lost(reason: failure.map(PushRequests.reason) ?? "cancelled")
    }
  }

  /// Keeps one request waiting; ends with the first that fails.
  private static func wait(
    _ requests: PushRequests, _ session: String,
    _ events: @Sendable (PushCarrierEvent) -> Void
  ) async -> ServiceFailure? {
    while !Task.isCancelled {
      let start = ContinuousClock.now
      switch await ask(requests, Array("[]".utf8), session: session) {
      case .failure(let failure): return failure
      case .success(let answer): tell(answer, events)
      }
      let rest = floor - (ContinuousClock.now - start)
      guard rest > .zero else { continue }
      do { try await Task.sleep(for: rest) } catch { return nil }
    }
    return nil
  }

  private static func post(
    _ frames: AsyncStream<[UInt8]>, _ requests: PushRequests, _ session: String,
    _ events: @Sendable (PushCarrierEvent) -> Void
  ) async -> ServiceFailure? {
    for await frame in frames {
      let body = Array("[".utf8) + frame + Array("]".utf8)
      switch await ask(requests, body, session: session) {
      case .failure(let failure): return failure
      case .success(let answer): tell(answer, events)
      }
    }
    return nil
  }

  private static func tell(_ answer: Answer, _ events: @Sendable (PushCarrierEvent) -> Void) {
    events(.heard)
    for frame in answer.frames { events(.frame(frame)) }
  }

  private static func ask(
    _ requests: PushRequests, _ body: [UInt8], session: String? = nil
  ) async -> Result<Answer, ServiceFailure> {
    switch await requests.http.outcome(of: requests.request(body, session: session)) {
    case .failure(let failure): return .failure(failure)
    case .success(let bytes):
      do {
        return .success(try JSONDecoder().decode(Answer.self, from: Data(bytes ?? [])))
      } catch {
        return .failure(.unintelligible("a proxy, not the server, answered the poll"))
      }
    }
  }
}

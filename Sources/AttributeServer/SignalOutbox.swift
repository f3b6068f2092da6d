import Access
import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Wire

/// Carries the signals that were queued with commits and records of membership to the Push
/// Service, at least once.
///
/// It is woken by what queues them, so that nothing waits for a timer. While the Push Service is
/// away the queue holds the newest signal of each device and of each account's records, and the
/// wait between attempts doubles up to ``longestWait``. A commit never waits for it.
struct SignalOutbox: Service {
  /// Fits ``/Wire/Limits/signalBodyBytes`` at 160 bytes a signal.
  static let batch = 400
  static let shortestWait = Duration.milliseconds(100)
  static let longestWait = Duration.seconds(5)
  /// A Push Service answers as soon as the signals are queued; one that is silent is not there.
  private static let timeout = TimeAmount.seconds(3)

  /// 200 entries, signed: 45 KiB at the most.
  static let revocationBatch = 200

  private let database: ServerDatabase
  private let issuer: TokenIssuer
  private let clock: ServerClock
  private let target: SignalTarget?
  private let logger: Logger
  private let wakes: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation

  init(
    database: ServerDatabase, issuer: TokenIssuer, clock: ServerClock, target: SignalTarget?,
    logger: Logger
  ) {
    self.database = database
    self.issuer = issuer
    self.clock = clock
    self.target = target
    self.logger = logger
    // One wake is enough however many commits there were: each reading takes all there is.
    (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Says that there is something to carry.
  func wake() {
    waker.yield()
  }

  /// Delivers until the server stops; what is being delivered then is finished. What is queued
  /// still goes after the next start.
  func run() async throws {
    guard let target else {
      try await gracefulShutdown()
      return
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton)
    waker.yield()
    await withGracefulShutdownHandler {
      for await _ in wakes {
        guard await deliverAll(to: target, by: client) else { break }
      }
    } onGracefulShutdown: {
      waker.finish()
    }
    try await client.shutdown()
  }

  /// Delivers until nothing is left; false when the server is stopping.
  private func deliverAll(to target: SignalTarget, by client: HTTPClient) async -> Bool {
    var wait = Self.shortestWait
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        if try await deliver(to: target, by: client) { return true }
        wait = Self.shortestWait
      } catch {
        logger.warning(
          "Signals wait for the Push Service", metadata: ["reason": "\(type(of: error))"])
        // Spread, so that several servers do not come back in step.
        guard await pause(wait * Double.random(in: 0.5...1)) else { return false }
        wait = min(wait * 2, Self.longestWait)
      }
    }
    return false
  }

  /// Delivers one batch; true when nothing was left. Revocations go first.
  private func deliver(to target: SignalTarget, by client: HTTPClient) async throws -> Bool {
    let page = try await database.revocations(
      after: try await database.toldRevocations(), limit: Self.revocationBatch, now: clock.now())
    if !page.entries.isEmpty {
      try await post(
        try await issuer.sign(page), to: target.url + Route.revocations, of: target, by: client)
      try await database.told(revocations: page.end)
    }
    let commits = try await database.pendingSignals(limit: Self.batch)
    let records = try await database.untoldRecords(limit: Self.batch - commits.count)
    let signals = commits + records.map(\.signal)
    guard !signals.isEmpty else { return page.end == page.newest }
    try await post(signals, to: target.url + Route.signals, of: target, by: client)
    try await database.forget(commits)
    try await database.forget(records)
    return signals.count < Self.batch
  }

  private func post(
    _ body: some Encodable, to url: String, of target: SignalTarget, by client: HTTPClient
  ) async throws {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer " + target.serviceKey)
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
    let response = try await client.execute(request, timeout: Self.timeout)
    // Read to its end, so that the connection can serve the next signal.
    _ = try await response.body.collect(upTo: 64 * 1024)
    guard (200..<300).contains(response.status.code) else {
      throw SignalRefused(status: Int(response.status.code))
    }
  }

  /// False when the server is stopping.
  private func pause(_ wait: Duration) async -> Bool {
    do {
      try await cancelWhenGracefulShutdown { try await Task.sleep(for: wait) }
      return !Task.isShuttingDownGracefully
    } catch {
      return false
    }
  }
}

/// The Push Service answered, but did not take the signals.
struct SignalRefused: Error {
  let status: Int
}

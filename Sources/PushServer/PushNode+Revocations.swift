import Access
import Logging
import NIOCore
import Wire

/// Who is not let in although their token is good: what the Attribute Server's signed feed says,
/// and whoever cannot be told apart where it has a gap.
extension PushNode {
  /// A token of the time of a gap has to be renewed.
  func trusted(_ result: Result<AccessClaims, AccessError>) -> Result<AccessClaims, AccessError> {
    loop.preconditionInEventLoop()
    guard case .success(let claims) = result, feed.doubts(issuedAt: claims.issuedAt) else {
      return result
    }
    return .failure(.expired)
  }

  /// Reads the feed now and every ``PushConfiguration/revocationInterval``, sooner while it fails.
  func startReading() {
    loop.preconditionInEventLoop()
    guard let read = configuration.revocations else { return }
    reading?.cancel()
    let (interval, logger) = (configuration.revocationInterval, configuration.logger)
    reading = Task {
      var wait = Duration.zero
      while !Task.isCancelled {
        do {
          try await Task.sleep(for: wait)
          while try await self.readPage(read) != .follows {}
          wait = interval
        } catch is CancellationError {
          return
        } catch {
          // What it lacks meanwhile ends with the tokens, ten minutes at most.
          logger.warning("The feed of revocations cannot be read")
          wait = min(max(wait * 2, .milliseconds(500)), interval)
        }
      }
    }
  }

  private func readPage(
    _ read: @Sendable (UInt64?) async throws -> SignedRevocations
  ) async throws -> RevocationFeed.Outcome {
    let position = try await loop.submit { self.feed.position }.get()
    let page = try await configuration.tokens.read(
      try await read(position), now: configuration.now())
    let (outcome, forgotten) = try await loop.submit { try self.take(page, isAsked: true) }.get()
    try await forgotten?.get()
    return outcome
  }

  /// What was posted: a signed page of the feed. The answer is for when all it says is done.
  func take(_ signed: SignedRevocations) -> EventLoopFuture<Void> {
    loop.preconditionInEventLoop()
    let (tokens, now) = (configuration.tokens, configuration.now())
    return loop.makeFutureWithTask { () -> EventLoopFuture<Void>? in
      let page: RevocationPage
      do throws(AccessError) {
        page = try await tokens.read(signed, now: now)
      } catch {
        throw Problem(.badSignature, detail: "The page is not the Attribute Server's.")
      }
      return try await self.loop.submit { () throws -> EventLoopFuture<Void>? in
        let (outcome, forgotten) = try self.take(page, isAsked: false)
        if outcome != .follows { self.startReading() }
        return forgotten
      }.get()
    }.flatMap { $0 ?? self.loop.makeSucceededVoidFuture() }
  }

  private func take(
    _ page: RevocationPage, isAsked: Bool
  ) throws -> (RevocationFeed.Outcome, EventLoopFuture<Void>?) {
    loop.preconditionInEventLoop()
    // A device that was revoked longer ago has no token left.
    let oldest = page.at - RevokedDevices.life.components.seconds
    let revocations = page.entries.filter { $0.at >= oldest }.map(\.revocation)
    let forgotten = revocations.isEmpty ? nil : forget(revocations)
    guard revoke(revocations) else {
      throw Problem(.rateLimited, detail: "Too many revocations are remembered already.")
    }
    let outcome = feed.take(page, isAsked: isAsked)
    if outcome == .gap { dismissDoubted() }
    return (outcome, forgotten)
  }

  /// Sends the devices away, and lets them in no more; false when they cannot be remembered. Those
  /// that are connected are sent away all the same.
  private func revoke(_ revocations: [Revocation]) -> Bool {
    let isRemembered = revoked.add(revocations, uptime: configuration.uptime())
    for revocation in revocations {
      guard let id = hub.connection(of: revocation.device, account: revocation.account) else {
        continue
      }
      connections[id]?.handle(.dismiss(.revoked))
    }
    return isRemembered
  }

  /// Everybody comes back with a new token, if they still get one.
  private func dismissDoubted() {
    for connection in connections.values { connection.handle(.dismiss(.expired)) }
  }
}

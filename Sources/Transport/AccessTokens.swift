import Sync
import Wire

/// A token and when it ends by this machine's clock.
struct AccessToken: Hashable, Sendable {
  let text: String
  let expiresAt: ContinuousClock.Instant
}

/// The access tokens in use: one for each audience, kept until shortly before it expires.
actor AccessTokens {
  /// 60 s: longer than any request takes, and what clocks may differ by.
  static let margin = Duration.seconds(60)

  typealias Fetch =
    @Sendable (Audience) async -> Result<AccessToken, ServiceFailure>

  private let fetch: Fetch
  private let now: @Sendable () -> ContinuousClock.Instant
  private var tokens: [Audience: AccessToken] = [:]
  private var fetching: [Audience: Task<Result<AccessToken, ServiceFailure>, Never>] = [:]

  init(now: @escaping @Sendable () -> ContinuousClock.Instant, fetch: @escaping Fetch) {
    self.now = now
    self.fetch = fetch
  }

  /// The token for `audience`; callers that come while one is being fetched share it.
  ///
  /// A value and no error, see ``HTTPTransport/send(_:)``.
  ///
  /// - Parameter replacing: a token that was refused.
  func token(
    for audience: Audience, replacing refused: String? = nil
  ) async -> Result<AccessToken, ServiceFailure> {
    if let refused, tokens[audience]?.text == refused { tokens[audience] = nil }
    if let token = tokens[audience], now() < token.expiresAt - Self.margin {
      return .success(token)
    }
    return await running(for: audience).value
  }

  private func running(
    for audience: Audience
  ) -> Task<Result<AccessToken, ServiceFailure>, Never> {
    if let task = fetching[audience] { return task }
    let task = Task {
      let result = await fetch(audience)
      if case .success(let token) = result { tokens[audience] = token }
      fetching[audience] = nil
      return result
    }
    fetching[audience] = task
    return task
  }
}

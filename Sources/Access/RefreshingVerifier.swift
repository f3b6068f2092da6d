public import Wire

/// Verifies with keys read from elsewhere, and reads them again when a token names an unknown one.
///
/// At most one reading in ``interval``, however many tokens ask for it; meanwhile tokens of unknown
/// keys are refused.
public actor RefreshingVerifier: TokenChecker {
  /// Where the Attribute Server says who it is and which keys it signs with.
  public struct Published: Sendable {
    public let instance: InstanceID
    public let keys: KeySet

    public init(instance: InstanceID, keys: KeySet) {
      self.instance = instance
      self.keys = keys
    }
  }

  /// One minute: a flood of made-up key names must not become a flood of requests.
  public static let interval: Int64 = 60_000
  /// How soon a failed reading is tried again: an Attribute Server that starts later than the Push
  /// Service should not lock devices out for a minute.
  public static let retry: Int64 = 1_000

  private let audience: Audience
  private let read: @Sendable () async throws -> Published
  private var verifier: TokenVerifier?
  private var readAgainAt: Int64 = .min
  /// The reading under way, which all tokens that come meanwhile wait for.
  private var reading: Task<Published?, Never>?

  public init(audience: Audience, read: @escaping @Sendable () async throws -> Published) {
    self.audience = audience
    self.read = read
  }

  public func check(_ token: String, now: Int64) async throws(AccessError) -> AccessClaims {
    guard token.utf8.count <= Limits.tokenBytes else { throw .tooLong(bytes: token.utf8.count) }
    if let verifier {
      do {
        return try await verifier.check(token, now: now)
      } catch .unknownKey {
        // Perhaps a new key: read them again below.
      }
    }
    return try await fresh(now: now).check(token, now: now)
  }

  public func read(
    _ signed: SignedRevocations, now: Int64
  ) async throws(AccessError) -> RevocationPage {
    if let verifier {
      do {
        return try await verifier.read(signed, now: now)
      } catch .unknownKey {
        // As above.
      }
    }
    return try await fresh(now: now).read(signed, now: now)
  }

  private func fresh(now: Int64) async throws(AccessError) -> TokenVerifier {
    guard let published = await published(now: now) else { throw .unknownKey }
    let fresh = try TokenVerifier(
      instance: published.instance, audience: audience, keys: published.keys)
    verifier = fresh
    return fresh
  }

  private func published(now: Int64) async -> Published? {
    if let reading { return await reading.value }
    guard now >= readAgainAt else { return nil }
    let read = read
    let task = Task { () -> Published? in
      do {
        return try await read()
      } catch {
        return nil
      }
    }
    reading = task
    let published = await task.value
    reading = nil
    readAgainAt = now + (published == nil ? Self.retry : Self.interval)
    return published
  }
}

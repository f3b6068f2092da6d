/// A token a vendor takes for some time; made anew when that is over or the vendor says so.
actor CachedToken {
  private var text = ""
  /// Milliseconds since 1970.
  private var endsAt: Int64 = 0

  /// The token, or a new one.
  ///
  /// - Parameters:
  ///   - now: The time, in milliseconds since 1970.
  ///   - make: Gives a token and how many seconds it may be used; two may be made at once.
  func value(
    now: Int64, make: @Sendable () async throws -> (text: String, seconds: Int64)
  ) async throws -> String {
    if now < endsAt { return text }
    let new = try await make()
    text = new.text
    endsAt = now + new.seconds * 1_000
    return text
  }

  /// The vendor did not take it.
  func drop() { endsAt = 0 }

  /// What a vendor's token server gives (RFC 6749, section 5.1).
  struct Grant: Decodable {
    let accessToken: String
    let expiresIn: Int64

    enum CodingKeys: String, CodingKey {
      case accessToken = "access_token"
      case expiresIn = "expires_in"
    }
  }

  /// No token was given.
  struct Refused: Error {}

  /// A minute before the vendor's own end: clocks differ and messages take time.
  static let leewaySeconds: Int64 = 60
}

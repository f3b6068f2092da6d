import JWTKit
import Wire

/// The claims as they stand in the token.
struct TokenPayload: JWTPayload {
  let iss: InstanceID
  let aud: Audience
  let sub: AccountID
  let dev: DeviceID
  let scp: Scope
  let iat: Int64
  let nbf: Int64
  let exp: Int64
  let jti: String

  /// Times are compared by ``TokenVerifier``, which is handed the clock.
  func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// A page of the feed of revocations as it is signed. It lacks what a token must have, and a token
/// lacks what it must have: neither is taken for the other.
struct RevocationPayload: JWTPayload {
  let iss: InstanceID
  let revocations: RevocationPage

  func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// The header as it is issued; anything else in it that changes how a token is read is refused.
struct TokenHeader: Codable {
  let alg: String
  let kid: String
  let crit: [String]?
}

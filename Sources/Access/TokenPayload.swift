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

/// The header as it is issued; anything else in it that changes how a token is read is refused.
struct TokenHeader: Codable {
  let alg: String
  let kid: String
  let crit: [String]?
}

/// Why a token or key was refused. For logs and tests: whoever presented it learns only that it was
/// not accepted.
public enum AccessError: Error, Hashable, Sendable {
  /// Longer than ``Limits/tokenBytes``; not looked into.
  case tooLong(bytes: Int)
  /// No JWS of three parts with the header and claims that are issued here.
  case malformed
  /// Signed with a key the verifier does not hold.
  case unknownKey
  case badSignature
  case wrongIssuer
  case wrongAudience
  case expired
  case notYetValid
  /// A signing seed or public key that is no Ed25519 key.
  case badKey
}

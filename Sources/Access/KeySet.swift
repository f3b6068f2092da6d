import FoundationEssentials
import JWTKit
import Wire

/// Public verification keys as a JWK Set (RFC 7517, RFC 8037): what `/.well-known/jwks.json` holds.
public struct KeySet: Hashable, Sendable, Codable {
  public struct Key: Hashable, Sendable, Codable {
    /// Always `OKP`.
    public let kty: String
    /// Always `Ed25519`.
    public let crv: String
    /// The 32 bytes of the public key in base64url.
    public let x: String
    public let kid: String
    /// Always `EdDSA`.
    public let alg: String
    /// Always `sig`.
    public let use: String

    init(x: String, kid: String) {
      kty = "OKP"
      crv = "Ed25519"
      self.x = x
      self.kid = kid
      alg = "EdDSA"
      use = "sig"
    }
  }

  public let keys: [Key]

  public init(keys: [Key]) {
    self.keys = keys
  }
}

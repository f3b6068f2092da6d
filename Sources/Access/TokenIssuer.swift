import FoundationEssentials
import JWTKit
public import Wire

/// A token that was just signed.
public struct IssuedToken: Hashable, Sendable {
  public let text: String
  /// Milliseconds since 1970.
  public let expiresAt: Int64
}

/// Signs access tokens: JWS with EdDSA over Ed25519 (RFC 8037), one audience each.
public struct TokenIssuer: Sendable {
  /// What others need to verify the tokens.
  public let keySet: KeySet
  private let instance: InstanceID
  private let keyID: JWKIdentifier
  private let key: EdDSA.PrivateKey

  /// The issuer of `instance` whose key is made from 32 secret bytes.
  public init(instance: InstanceID, seed: [UInt8]) throws(AccessError) {
    do {
      key = try EdDSA.PrivateKey(d: Base64URL.encode(seed), curve: .ed25519)
    } catch {
      throw .badKey
    }
    let x = Base64URL.encode(key.publicKey.rawRepresentation)
    // Part of the public key: no other name is needed to tell two keys apart.
    let name = String(x.prefix(16))
    keyID = JWKIdentifier(string: name)
    keySet = KeySet(keys: [KeySet.Key(x: x, kid: name)])
    self.instance = instance
  }

  /// Signs a token.
  ///
  /// - Parameters:
  ///   - now: Milliseconds since 1970.
  ///   - life: At most ``Limits/tokenLife``; longer ones are cut to it.
  ///   - id: Random, never used before.
  public func issue(
    account: AccountID, device: DeviceID, audience: Audience, scope: Scope, now: Int64,
    life: Duration = Limits.tokenLife, id: String
  ) async throws -> IssuedToken {
    let issued = now / 1000
    let expires = issued + min(life, Limits.tokenLife).components.seconds
    let payload = TokenPayload(
      iss: instance, aud: audience, sub: account, dev: device, scp: scope, iat: issued,
      nbf: issued, exp: expires, jti: id)
    let keys = await JWTKeyCollection().add(eddsa: key, kid: keyID)
    return IssuedToken(text: try await keys.sign(payload, kid: keyID), expiresAt: expires * 1000)
  }

  /// Signs a page of the feed of revocations.
  public func sign(_ page: RevocationPage) async throws -> SignedRevocations {
    let keys = await JWTKeyCollection().add(eddsa: key, kid: keyID)
    return SignedRevocations(
      page: try await keys.sign(
        RevocationPayload(iss: instance, revocations: page), kid: keyID))
  }
}

import FoundationEssentials
import JWTKit
public import Wire

/// Tells whether a token is good now. The clock is passed in.
public protocol TokenChecker: Sendable {
  /// - Parameter now: Milliseconds since 1970.
  func check(_ token: String, now: Int64) async throws(AccessError) -> AccessClaims
  /// What a signed page of the feed of revocations says, whenever it was signed.
  func read(_ signed: SignedRevocations, now: Int64) async throws(AccessError) -> RevocationPage
}

/// Verifies access tokens with public keys alone, so that a Push Service needs no account data.
///
/// Exactly one algorithm (EdDSA) and one audience are accepted; the key must be one of the set by
/// its `kid`. Clocks may differ by ``Limits/tokenLeeway``.
public struct TokenVerifier: TokenChecker {
  private let instance: InstanceID
  private let audience: Audience
  private let keys: [String: EdDSA.PublicKey]

  public init(instance: InstanceID, audience: Audience, keys: KeySet) throws(AccessError) {
    self.instance = instance
    self.audience = audience
    var read: [String: EdDSA.PublicKey] = [:]
    for key in keys.keys where key.kty == "OKP" && key.crv == "Ed25519" && key.alg == "EdDSA" {
      do {
        read[key.kid] = try EdDSA.PublicKey(x: key.x, curve: .ed25519)
      } catch {
        throw .badKey
      }
    }
    self.keys = read
  }

  public func check(_ token: String, now: Int64) async throws(AccessError) -> AccessClaims {
    guard token.utf8.count <= Limits.tokenBytes else { throw .tooLong(bytes: token.utf8.count) }
    let payload = try await verified(token, as: TokenPayload.self)
    guard payload.iss == instance else { throw .wrongIssuer }
    guard payload.aud == audience else { throw .wrongAudience }
    try checkTimes(of: payload, now: now / 1000)
    return AccessClaims(
      instance: payload.iss, audience: payload.aud, account: payload.sub, device: payload.dev,
      scope: payload.scp, issuedAt: payload.iat, expiresAt: payload.exp, id: payload.jti)
  }

  public func read(
    _ signed: SignedRevocations, now: Int64
  ) async throws(AccessError) -> RevocationPage {
    let payload = try await verified(signed.page, as: RevocationPayload.self)
    guard payload.iss == instance else { throw .wrongIssuer }
    let page = payload.revocations
    guard page.after <= page.newest, page.entries.count <= page.newest - page.after else {
      throw .malformed
    }
    return page
  }

  private func verified<Payload: JWTPayload>(
    _ token: String, as _: Payload.Type
  ) async throws(AccessError) -> Payload {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let head = Base64URL.decode(parts[0]) else { throw .malformed }
    let header: TokenHeader
    do {
      header = try JSONDecoder().decode(TokenHeader.self, from: Data(head))
    } catch {
      throw .malformed
    }
    guard header.alg == "EdDSA", header.crit == nil else { throw .malformed }
    guard let key = keys[header.kid] else { throw .unknownKey }
    let collection = await JWTKeyCollection().add(
      eddsa: key, kid: JWKIdentifier(string: header.kid))
    do {
      return try await collection.verify(token, as: Payload.self)
    } catch let error as JWTError where error.errorType == .signatureVerificationFailed {
      throw .badSignature
    } catch {
      throw .malformed
    }
  }

  private func checkTimes(of payload: TokenPayload, now: Int64) throws(AccessError) {
    let leeway = Limits.tokenLeeway.components.seconds
    guard payload.exp >= payload.nbf,
      payload.exp - payload.nbf <= Limits.tokenLife.components.seconds
    else { throw .malformed }
    guard now <= payload.exp + leeway else { throw .expired }
    guard now >= payload.nbf - leeway, now >= payload.iat - leeway else { throw .notYetValid }
  }
}

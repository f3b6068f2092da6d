import Access
import Crypto
import Foundation
import Wire

/// Proves devices and passphrases and hands out access tokens. What fails looks the same whatever
/// failed.
struct Authentication: Sendable {
  /// A token for adding a device: long enough to open the slot and sign one record.
  static let enrolLife = Duration.seconds(300)

  let database: ServerDatabase
  let issuer: TokenIssuer
  let verifier: TokenVerifier
  let challenges: Challenges
  /// What the proofs of unknown devices and handles are checked with, so that their refusal takes
  /// as long as a known one's.
  private let nobodysKey: [UInt8]
  let clock: ServerClock
  /// ``ServerArguments/keyHashes``.
  let keyHashes: @Sendable () -> [Digest32]

  init(
    database: ServerDatabase, clock: ServerClock, keyHashes: @escaping @Sendable () -> [Digest32]
  ) throws(AccessError) {
    self.database = database
    self.clock = clock
    self.keyHashes = keyHashes
    issuer = try TokenIssuer(
      instance: database.identity.instance, seed: database.identity.signingSeed)
    verifier = try TokenVerifier(
      instance: database.identity.instance, audience: .attributes, keys: issuer.keySet)
    challenges = Challenges()
    nobodysKey = Array(Curve25519.Signing.PrivateKey().publicKey.rawRepresentation)
  }

  /// Answers known and unknown devices and handles alike.
  func challenge(_ request: ChallengeRequest) async throws(Problem) -> ChallengeResponse {
    switch (request.device, request.handle) {
    case (let device?, nil):
      return try answer(.device(device), hashing: nil)
    case (nil, let handle?):
      let login = try await database.login(handle: handle)
      return try answer(.handle(handle), hashing: login?.hashing ?? madeUpHashing(for: handle))
    default:
      throw Problem(.malformed, detail: "Name a device or a handle.")
    }
  }

  private func answer(
    _ subject: Challenges.Subject, hashing: PassphraseHashing?
  ) throws(Problem) -> ChallengeResponse {
    ChallengeResponse(
      challenge: Blob(try challenges.make(for: subject, now: clock.uptime())),
      instance: database.identity.instance, hashing: hashing)
  }

  /// The same answer each time for the same unknown handle, as for a known one. The sizes are those
  /// the selector writes, so that they give nothing away either.
  private func madeUpHashing(for handle: Digest32) -> PassphraseHashing {
    let key = SymmetricKey(data: database.identity.secret)
    let code = HMAC<SHA256>.authenticationCode(for: Data(handle.bytes), using: key)
    return PassphraseHashing(
      memoryKibibytes: Self.usualMemoryKibibytes, passes: Self.usualPasses,
      salt: Blob(Array(code).prefix(16)))
  }

  /// 256 MiB and three passes: what selectors choose unless told otherwise.
  private static let usualMemoryKibibytes = 256 * 1024
  private static let usualPasses = 3

  /// The device that a proof was made by. Whatever is wrong with it is `auth_failed`.
  func device(provenBy request: TokenRequest) async throws(Problem) -> LedgerDevice {
    guard !request.audiences.isEmpty, Set(request.audiences).count == request.audiences.count else {
      throw Problem(.malformed, detail: "Name each audience once.")
    }
    let subject = Challenges.Subject.device(request.device)
    guard challenges.isGood(request.challenge.bytes, for: subject, now: clock.uptime()) else {
      throw Problem(.authenticationFailed)
    }
    let known = try await database.device(request.device)
    let isProven = proves(
      request.signature, .token, audiences: request.audiences, challenge: request.challenge,
      by: known?.authenticationKey ?? nobodysKey)
    guard let device = known, isProven,
      challenges.use(request.challenge.bytes, by: subject, now: clock.uptime())
    else { throw Problem(.authenticationFailed) }
    return device
  }

  /// A token for each audience.
  func tokens(
    for device: LedgerDevice, audiences: [Audience]
  ) async throws(Problem) -> TokenResponse {
    // It may still ask the Attribute Server why, and nothing else of anybody.
    guard !device.isRevoked || audiences == [.attributes] else {
      throw Problem(.authenticationRevoked)
    }
    var grants: [TokenResponse.Grant] = []
    for audience in audiences {
      grants.append(
        try await grant(
          audience, account: device.account, device: device.id, scope: .sync,
          life: Limits.tokenLife))
    }
    return TokenResponse(account: device.account, grants: grants)
  }

  func slot(_ request: SlotRequest) async throws(Problem) -> SlotResponse {
    let subject = Challenges.Subject.handle(request.handle)
    guard challenges.isGood(request.challenge.bytes, for: subject, now: clock.uptime()) else {
      throw Problem(.authenticationFailed)
    }
    let known = try await database.login(handle: request.handle)
    let isProven = proves(
      request.signature, .slot, audiences: [], challenge: request.challenge,
      by: known?.loginKey ?? nobodysKey)
    guard let login = known, isProven,
      challenges.use(request.challenge.bytes, by: subject, now: clock.uptime())
    else { throw Problem(.authenticationFailed) }
    let grant = try await grant(
      .attributes, account: login.account, device: .zero, scope: .enrol, life: Self.enrolLife)
    return SlotResponse(account: login.account, slot: Blob(login.slot), token: grant.token)
  }

  /// Who a request with this `Authorization` header comes from.
  func caller(authorization: String?) async throws(Problem) -> Caller {
    guard let authorization, authorization.lowercased().hasPrefix("bearer ") else {
      throw Problem(.authenticationFailed)
    }
    let token = String(authorization.dropFirst("bearer ".count))
    do {
      let claims = try await verifier.check(token, now: clock.now())
      return Caller(
        account: claims.account, device: claims.device, enrolling: claims.scope == .enrol)
    } catch .expired {
      throw Problem(.authenticationExpired)
    } catch {
      throw Problem(.authenticationFailed)
    }
  }

  /// Whether the signature names a key of this server: a proof made for a server in between, which
  /// has another key, is worth nothing here.
  private func proves(
    _ signature: Blob, _ action: AuthenticationProof.Action, audiences: [Audience],
    challenge: Blob, by key: [UInt8]
  ) -> Bool {
    keyHashes().contains { hash in
      verifies(
        signature.bytes,
        of: AuthenticationProof.signedBytes(
          instance: database.identity.instance, serverKeyHash: hash, action: action,
          audiences: audiences, challenge: challenge.bytes), by: key)
    }
  }

  private func grant(
    _ audience: Audience, account: AccountID, device: DeviceID, scope: Scope, life: Duration
  ) async throws(Problem) -> TokenResponse.Grant {
    let now = clock.now()
    do {
      let token = try await issuer.issue(
        account: account, device: device, audience: audience, scope: scope, now: now, life: life,
        id: Hex.encode(randomBytes(16)))
      return TokenResponse.Grant(
        audience: audience, token: token.text, expiresAt: token.expiresAt,
        expiresIn: Int((token.expiresAt - now) / 1000))
    } catch {
      throw Problem(.internalFailure)
    }
  }
}

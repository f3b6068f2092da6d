import Foundation
import NIOHTTP1
import Sync
import Wire

/// Fetches a token: challenge, signature, token.
struct DeviceProof: Sendable {
  let http: HTTPTransport
  let prover: (any DeviceProver)?
  let instance: InstanceID?

  func token(
    for audience: Audience, now: @Sendable () -> ContinuousClock.Instant
  ) async throws(ServiceFailure) -> AccessToken {
    guard let prover else { throw .refused(Problem(.authenticationFailed)) }
    let challenge: ChallengeResponse = try await http.post(
      Route.challenge, ChallengeRequest(device: prover.device))
    try AttributeClient.check(challenge, instance: instance)
    let asked = now()
    let response: TokenResponse = try await http.post(
      Route.token, try request(challenge, audience: audience, prover: prover))
    guard let grant = response.grants.first(where: { $0.audience == audience }) else {
      throw .unintelligible("the server granted no token")
    }
    guard grant.token.utf8.count <= Limits.tokenBytes,
      grant.token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else { throw .unintelligible("the token is too long or no token") }
    // Counted from before the request, and no longer than tokens live: a wrong number costs a
    // request, never a token that is used for ever.
    let life = min(max(.seconds(grant.expiresIn), .zero), Limits.tokenLife)
    return AccessToken(text: grant.token, expiresAt: asked + life)
  }

  private func request(
    _ challenge: ChallengeResponse, audience: Audience, prover: any DeviceProver
  ) throws(ServiceFailure) -> TokenRequest {
    let bytes = http.proofBytes(for: challenge, action: .token, audiences: [audience])
    do {
      return TokenRequest(
        device: prover.device, challenge: challenge.challenge, audiences: [audience],
        clientTime: Int64(Date().timeIntervalSince1970 * 1000),
        signature: try prover.prove(bytes))
    } catch {
      throw .unreachable(reason: "the device's key cannot sign")
    }
  }
}

extension HTTPTransport {
  func proofBytes(
    for challenge: ChallengeResponse, action: AuthenticationProof.Action, audiences: [Audience]
  ) -> [UInt8] {
    AuthenticationProof.signedBytes(
      instance: challenge.instance, serverKeyHash: (address.isSecure ? key.hash : nil) ?? .zero,
      action: action, audiences: audiences, challenge: challenge.challenge.bytes)
  }

  func get<Answer: Decodable>(_ path: String) async throws(ServiceFailure) -> Answer {
    try Self.decode(Answer.self, from: try await send(.init(method: .GET, path: path)) ?? [])
  }

  func post<Answer: Decodable>(
    _ path: String, _ body: some Encodable
  ) async throws(ServiceFailure) -> Answer {
    try Self.decode(Answer.self, from: try await send(.post(path, body)) ?? [])
  }

  static func decode<Answer: Decodable>(
    _: Answer.Type, from body: [UInt8]
  ) throws(ServiceFailure) -> Answer {
    do {
      return try JSONDecoder().decode(Answer.self, from: Data(body))
    } catch {
      throw .unintelligible("the answer does not read")
    }
  }
}

extension HTTPTransport.Request {
  static func post(_ path: String, _ body: some Encodable) throws(ServiceFailure) -> Self {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Self(method: .POST, path: path, body: Array(try encoder.encode(body)))
    } catch {
      throw .unintelligible("the request cannot be written")
    }
  }
}

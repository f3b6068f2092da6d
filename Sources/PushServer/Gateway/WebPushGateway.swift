import Crypto
import Foundation
import JWTKit
import Wire

/// Web Push (RFC 8030), which UnifiedPush distributors speak too: encrypted for the receiver (RFC
/// 8291) and signed with the server's key (VAPID, RFC 8292).
struct WebPushGateway: Gateway {
  /// The push services of the browsers.
  static let vendors = [
    "fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com",
  ]
  /// Twelve hours; RFC 8292 allows a day, and clocks differ.
  private static let tokenLife: Int64 = 12 * 3600
  /// All texts have this length, whatever they say.
  static let textBytes = 128

  /// One a second is more than a person's edits need, and nobody's limit.
  let interval = Duration.seconds(1)
  let egress: Egress
  let endpoints: EndpointGuard
  /// Signs for the push services; devices subscribe with its public half.
  let key: P256.Signing.PrivateKey
  /// `mailto:` or `https:`, where a push service finds who runs this server.
  let subject: String

  /// What a device gives as `applicationServerKey` when it subscribes.
  static func publicKey(of key: P256.Signing.PrivateKey) -> String {
    Base64URL.encode(key.publicKey.x963Representation)
  }

  func fault(in registration: ChannelRegistration) -> String? {
    do throws(EndpointGuard.Refusal) {
      _ = try endpoints.host(of: registration.endpoint ?? "")
      return nil
    } catch {
      return "The endpoint is refused: \(error.reason)."
    }
  }

  func send(_ message: GatewayMessage) async -> GatewayOutcome {
    let registration = message.channel.registration
    guard let receiver = registration.receiver, let endpoint = registration.endpoint else {
      return .forget(reason: "no keys")
    }
    let body: [UInt8]
    let authorization: String
    do {
      let salt = SymmetricKey(size: .bits128).withUnsafeBytes(Array.init)
      body = try WebPushCipher.seal(
        Array(message.json.utf8), to: receiver, paddedTo: Self.textBytes,
        sender: P256.KeyAgreement.PrivateKey(), salt: salt)
      authorization = try await self.authorization(for: endpoint, now: message.now)
    } catch {
      return .refused(reason: "cannot be encrypted")
    }
    let answer = await egress.post(
      endpoint,
      [
        ("authorization", authorization), ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
        ("ttl", String(GatewayMessage.life.components.seconds)), ("urgency", "normal"),
        ("topic", message.channel.id),
      ], body, through: endpoints)
    return Self.outcome(answer, now: message.now)
  }

  /// RFC 8292, section 2: for the origin of the endpoint, for a short time.
  private func authorization(for endpoint: String, now: Int64) async throws -> String {
    let parts = URLComponents(string: endpoint)
    let port = parts?.port.map { $0 == 443 ? "" : ":\($0)" } ?? ""
    let payload = VapidPayload(
      aud: "https://\(parts?.host ?? "")\(port)", exp: now / 1000 + Self.tokenLife, sub: subject)
    let keys = await JWTKeyCollection().add(ecdsa: try ES256PrivateKey(backing: key))
    return "vapid t=\(try await keys.sign(payload)), k=\(Self.publicKey(of: key))"
  }

  /// RFC 8030, sections 5 and 7.3. A server in trouble (5xx) is no reason to forget a channel.
  static func outcome(
    _ answer: Result<Egress.Answer, Egress.Failure>, now: Int64
  ) -> GatewayOutcome {
    switch answer {
    case .failure(.unreachable): return .retry(after: nil, reason: "unreachable")
    case .failure(.refused(let reason)): return .refused(reason: reason)
    case .success(let answer):
      switch answer.status {
      case 200...299: return .delivered
      case 404, 410: return .forget(reason: "status \(answer.status)")
      case 408, 425, 429, 500...599:
        return .retry(after: answer.retryAfter(now: now), reason: "status \(answer.status)")
      default: return .refused(reason: "status \(answer.status)")
      }
    }
  }
}

/// The claims of RFC 8292.
private struct VapidPayload: JWTPayload {
  let aud: String
  let exp: Int64
  let sub: String

  /// Made here and checked elsewhere.
  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

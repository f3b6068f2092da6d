import Foundation
import JWTKit

/// Apple's push service: background pushes over HTTP/2 with a token signed by the team's key.
///
/// After "Sending notification requests to APNs" and "Handling notification responses from APNs".
struct APNsGateway: Gateway {
  /// Apple takes a token from 20 to 60 minutes old and refuses those that are made more often.
  private static let tokenSeconds: Int64 = 40 * 60

  /// Two or three background pushes an hour are all the system delivers.
  let interval = Duration.seconds(20 * 60)
  let egress: Egress
  let endpoints: EndpointGuard
  let settings: GatewayConfiguration.APNs
  let key: ES256PrivateKey
  let token = CachedToken()

  func fault(in registration: ChannelRegistration) -> String? { nil }

  func send(_ message: GatewayMessage) async -> GatewayOutcome {
    guard let device = message.channel.registration.token else {
      return .forget(reason: "no token")
    }
    let authorization: String
    do {
      authorization = try await token.value(now: message.now) { [key, settings] in
        let payload = ProviderToken(iss: settings.teamID, iat: message.now / 1000)
        let kid = JWKIdentifier(string: settings.keyID)
        let keys = await JWTKeyCollection().add(ecdsa: key, kid: kid)
        return (try await keys.sign(payload, kid: kid), Self.tokenSeconds)
      }
    } catch {
      return .retry(after: nil, reason: "cannot be signed")
    }
    let fields = message.fields.map { #","\#($0.name)":"\#($0.value)""# }.joined()
    let answer = await egress.post(
      "\(settings.url)/3/device/\(device)",
      [
        ("authorization", "bearer \(authorization)"), ("apns-topic", settings.topic),
        ("apns-push-type", "background"), ("apns-priority", "5"),
        (
          "apns-expiration",
          String(message.now / 1000 + GatewayMessage.life.components.seconds)
        ),
        ("apns-collapse-id", message.channel.id), ("content-type", "application/json"),
      ], Array(#"{"aps":{"content-available":1}\#(fields)}"#.utf8), through: endpoints)
    if case .success(let answer) = answer, answer.status == 403 { await token.drop() }
    return Self.outcome(answer, registeredAt: message.channel.registeredAt, now: message.now)
  }

  private struct Fault: Decodable {
    let reason: String?
    /// When the token ended, in milliseconds since 1970; with 410 alone.
    let timestamp: Int64?
  }

  /// What the statuses and reasons mean. 403 is about the key and not the channel; the operator can
  /// mend it within the day a message lives.
  static func outcome(
    _ answer: Result<Egress.Answer, Egress.Failure>, registeredAt: Int64, now: Int64
  ) -> GatewayOutcome {
    guard case .success(let answer) = answer else {
      return WebPushGateway.outcome(answer, now: now)
    }
    let fault = answer.decoded(Fault.self)
    switch answer.status {
    case 200: return .delivered
    case 400 where ["BadDeviceToken", "DeviceTokenNotForTopic"].contains(fault?.reason):
      return .forget(reason: "status 400 \(fault?.reason ?? "")")
    case 403: return .retry(after: nil, reason: "status 403")
    case 404: return .refused(reason: "status 404")
    // The device may have registered again since that.
    case 410 where fault?.timestamp.map({ $0 < registeredAt }) == true:
      return .retry(after: nil, reason: "status 410 from before")
    default: return WebPushGateway.outcome(.success(answer), now: now)
    }
  }
}

/// The claims Apple wants.
private struct ProviderToken: JWTPayload {
  let iss: String
  let iat: Int64

  /// Made here and checked elsewhere.
  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

import Foundation
import JWTKit

/// Firebase Cloud Messaging, HTTP v1: data messages, with an access token got for a service
/// account.
struct FCMGateway: Gateway {
  private static let scope = "https://www.googleapis.com/auth/firebase.messaging"
  /// A minute is what Google asks for where it says nothing (429).
  private static let quotaWait = Duration.seconds(60)

  /// Google lets through a burst of 20 messages that replace each other, then one in three minutes.
  let interval = Duration.seconds(180)
  let egress: Egress
  let endpoints: EndpointGuard
  let settings: GatewayConfiguration.FCM
  let account: ServiceAccount
  let key: Insecure.RSA.PrivateKey
  let token = CachedToken()

  /// What stands in the JSON file Google gives for a service account.
  struct ServiceAccount: Decodable, Sendable {
    let projectID: String
    let clientEmail: String
    let privateKey: String
    let tokenURI: String

    enum CodingKeys: String, CodingKey {
      case projectID = "project_id"
      case clientEmail = "client_email"
      case privateKey = "private_key"
      case tokenURI = "token_uri"
    }
  }

  private struct Request: Encodable {
    struct Message: Encodable {
      let token: String
      let data: [String: String]
      let android: Android
    }

    struct Android: Encodable {
      let collapseKey: String
      let ttl: String

      enum CodingKeys: String, CodingKey {
        case ttl
        case collapseKey = "collapse_key"
      }
    }

    let message: Message
  }

  private struct Fault: Decodable {
    struct Detail: Decodable {
      let errorCode: String?
    }

    struct Body: Decodable {
      let details: [Detail]?
    }

    let error: Body
  }

  func fault(in registration: ChannelRegistration) -> String? { nil }

  func send(_ message: GatewayMessage) async -> GatewayOutcome {
    guard let device = message.channel.registration.token else {
      return .forget(reason: "no token")
    }
    let body: Data
    let authorization: String
    do {
      authorization = try await token.value(now: message.now) { try await grant(message.now) }
      body = try JSONEncoder().encode(
        Request(
          message: .init(
            token: device,
            data: Dictionary(uniqueKeysWithValues: message.fields.map { ($0.name, $0.value) }),
            // One key for all: a device has at most four at a time.
            android: .init(
              collapseKey: "wake", ttl: "\(GatewayMessage.life.components.seconds)s"))))
    } catch {
      return .retry(after: nil, reason: "no access token")
    }
    let answer = await egress.post(
      "\(settings.url)/v1/projects/\(account.projectID)/messages:send",
      [("authorization", "Bearer \(authorization)"), ("content-type", "application/json")],
      Array(body), through: endpoints)
    if case .success(let answer) = answer, answer.status == 401 { await token.drop() }
    return Self.outcome(answer, now: message.now)
  }

  /// RFC 7523: a signed assertion for an access token.
  private func grant(_ now: Int64) async throws -> (text: String, seconds: Int64) {
    let issued = now / 1000
    let payload = Assertion(
      iss: account.clientEmail, scope: Self.scope, aud: account.tokenURI, iat: issued,
      exp: issued + 3600)
    let keys = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    let answer = await egress.post(
      account.tokenURI, [("content-type", "application/x-www-form-urlencoded")],
      Array("\(grant)&assertion=\(try await keys.sign(payload))".utf8), through: endpoints)
    guard case .success(let answer) = answer, answer.status == 200 else {
      throw CachedToken.Refused()
    }
    let given = try JSONDecoder().decode(CachedToken.Grant.self, from: Data(answer.body))
    return (given.accessToken, given.expiresIn - CachedToken.leewaySeconds)
  }

  /// After the reference of `ErrorCode`. 401, 403 and 404 are about the project unless they say
  /// otherwise; the operator can mend that within the day a message lives.
  static func outcome(
    _ answer: Result<Egress.Answer, Egress.Failure>, now: Int64
  ) -> GatewayOutcome {
    guard case .success(let answer) = answer else {
      return WebPushGateway.outcome(answer, now: now)
    }
    let fault = answer.decoded(Fault.self)
    let code = fault?.error.details?.compactMap(\.errorCode).first
    let reason = "status \(answer.status)"
    switch answer.status {
    case 404 where code == "UNREGISTERED", 403 where code == "SENDER_ID_MISMATCH":
      return .forget(reason: "\(reason) \(code ?? "")")
    case 401, 403, 404: return .retry(after: nil, reason: reason)
    case 429:
      return .retry(after: answer.retryAfter(now: now) ?? quotaWait, reason: reason)
    default: return WebPushGateway.outcome(.success(answer), now: now)
    }
  }
}

/// The claims Google wants.
private struct Assertion: JWTPayload {
  let iss: String
  let scope: String
  let aud: String
  let iat: Int64
  let exp: Int64

  /// Made here and checked elsewhere.
  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

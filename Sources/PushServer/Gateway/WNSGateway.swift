import Foundation

/// The Windows Push Notification Services: raw messages, with an access token got for the app.
///
/// After "Push notification service request and response headers".
struct WNSGateway: Gateway {
  /// The only place a channel URI may lead, as Microsoft asks every server to check.
  static let vendors = ["notify.windows.com"]
  private static let throttleWait = Duration.seconds(3600)

  let interval = Duration.seconds(1)
  let egress: Egress
  /// For channel URIs.
  let endpoints: EndpointGuard
  /// For the token server.
  let login: EndpointGuard
  let settings: GatewayConfiguration.WNS
  let token = CachedToken()

  func fault(in registration: ChannelRegistration) -> String? {
    do throws(EndpointGuard.Refusal) {
      _ = try endpoints.host(of: registration.endpoint ?? "")
      return nil
    } catch {
      return "The endpoint is refused: \(error.reason)."
    }
  }

  func send(_ message: GatewayMessage) async -> GatewayOutcome {
    guard let endpoint = message.channel.registration.endpoint else {
      return .forget(reason: "no endpoint")
    }
    let authorization: String
    do {
      authorization = try await token.value(now: message.now) { try await grant() }
    } catch {
      return .retry(after: nil, reason: "no access token")
    }
    let answer = await egress.post(
      endpoint,
      [
        ("authorization", "Bearer \(authorization)"), ("x-wns-type", "wns/raw"),
        ("x-wns-ttl", String(GatewayMessage.life.components.seconds)),
        ("content-type", "application/octet-stream"),
      ], Array(message.json.utf8), through: endpoints)
    if case .success(let answer) = answer, answer.status == 401 { await token.drop() }
    return Self.outcome(answer, now: message.now)
  }

  /// RFC 6749, section 4.4.
  private func grant() async throws -> (text: String, seconds: Int64) {
    let fields = [
      ("grant_type", "client_credentials"), ("client_id", settings.clientID),
      ("client_secret", settings.secret), ("scope", "https://wns.windows.com/.default"),
    ]
    let body = fields.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
    let answer = await egress.post(
      "\(settings.loginURL)/\(settings.tenantID)/oauth2/v2.0/token",
      [("content-type", "application/x-www-form-urlencoded")], Array(body.utf8), through: login)
    guard case .success(let answer) = answer, answer.status == 200 else {
      throw CachedToken.Refused()
    }
    let given = try JSONDecoder().decode(CachedToken.Grant.self, from: Data(answer.body))
    return (given.accessToken, given.expiresIn - CachedToken.leewaySeconds)
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
        || (0x61...0x7a).contains(byte) || "-._~".utf8.contains(byte)
      return isPlain
        ? String(UnicodeScalar(byte))
        : "%" + (byte < 16 ? "0" : "")
          + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  /// 406 is this vendor's way to say "too many"; 200 may still mean that it was thrown away.
  static func outcome(
    _ answer: Result<Egress.Answer, Egress.Failure>, now: Int64
  ) -> GatewayOutcome {
    guard case .success(let answer) = answer else {
      return WebPushGateway.outcome(answer, now: now)
    }
    let wait = answer.retryAfter(now: now)
    let reason = "status \(answer.status)"
    switch (answer.status, answer.headers["x-wns-status"]) {
    case (200, "channelthrottled"):
      return .retry(after: wait ?? throttleWait, reason: "throttled")
    case (200, "dropped"): return .refused(reason: "dropped")
    case (401, _): return .retry(after: nil, reason: reason)
    case (406, _): return .retry(after: wait ?? throttleWait, reason: reason)
    default: return WebPushGateway.outcome(.success(answer), now: now)
    }
  }
}

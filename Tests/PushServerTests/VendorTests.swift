import Crypto
import Foundation
import JWTKit
import NIOSSL
@testable import PushServer
import Testing
import Wire

/// The gateways against servers over HTTP/2 that answer as the vendors document.
@Suite(.serialized, .timeLimit(.minutes(1))) struct VendorTests {
  private static let endpoints = EndpointGuard(hosts: ["localhost"], allowsPrivate: true)
  private static let now: Int64 = 1_700_000_000_000

  private static func message(
    _ kind: ChannelRegistration.Kind, endpoint: String? = nil
  ) -> GatewayMessage {
    GatewayMessage(
      channel: PushChannel(
        id: "c0ffee", account: someone, device: id(3),
        registration: ChannelRegistration(kind: kind, endpoint: endpoint, token: "abcdef"),
        isConfirmed: true, challenge: "", registeredAt: now - 1000), now: now)
  }

  private func running(
    _ body: @escaping @Sendable (Vendor, Egress) async throws -> Void
  ) async throws {
    let egress = Egress(
      trustRoots: try NIOSSLCertificate.fromPEMBytes(Array(try Vendor.certificate().utf8)))
    do {
      try await Vendor.running { vendor in try await body(vendor, egress) }
    } catch {
      await egress.shutdown()
      throw error
    }
    await egress.shutdown()
  }

  @Test func redirectsAreNotFollowedAndHTTP2IsSpoken() async throws {
    try await running { vendor, egress in
      vendor.answer(.init(status: 307, location: vendor.url + "/elsewhere"))
      let answer = try await egress.post("\(vendor.url)/a", [], [], through: Self.endpoints).get()
      #expect(answer.status == 307 && answer.isHTTP2)
    }
  }

  @Test func aCertificateNobodyVouchesForIsNotBelieved() async throws {
    let egress = Egress()
    try await Vendor.running { vendor in
      let answer = await egress.post("\(vendor.url)/a", [], [], through: Self.endpoints)
      #expect(answer == .failure(.unreachable))
    }
    await egress.shutdown()
  }

  private static func claims(_ token: some StringProtocol) throws -> [String: Any] {
    let part = try #require(token.split(separator: ".").dropFirst().first)
    let object = try JSONSerialization.jsonObject(
      with: Data(try #require(Base64URL.decode(part))))
    return try #require(object as? [String: Any])
  }

  // MARK: APNs

  @Test func appleIsAskedAsItsDocumentsSay() async throws {
    try await running { vendor, egress in
      let key = P256.Signing.PrivateKey()
      let gateway = APNsGateway(
        egress: egress, endpoints: Self.endpoints,
        settings: .init(
          key: "", keyID: "ABC1234567", teamID: "DEF1234567", topic: "example.app",
          url: vendor.url),
        key: try ES256PrivateKey(pem: key.pemRepresentation))
      vendor.answer(.init(status: 200))
      #expect(await gateway.send(Self.message(.apns)) == .delivered)
      let asked = try await vendor.next()
      #expect(asked.path == "/3/device/abcdef")
      for (name, value) in [
        ("apns-topic", "example.app"), ("apns-push-type", "background"), ("apns-priority", "5"),
        ("apns-expiration", "1700086400"), ("apns-collapse-id", "c0ffee"),
      ] {
        #expect(asked.headers[name] == value)
      }
      let text = String(decoding: asked.body, as: UTF8.self)
      #expect(text == #"{"aps":{"content-available":1},"wake":"c0ffee"}"#)
      let header = try #require(asked.headers["authorization"])
      let token = header.dropFirst("bearer ".count)
      let claims = try Self.claims(token)
      #expect(claims["iss"] as? String == "DEF1234567" && claims["iat"] as? Int == 1_700_000_000)
      let keys = await JWTKeyCollection().add(
        ecdsa: try ES256PublicKey(pem: key.publicKey.pemRepresentation), kid: "ABC1234567")
      _ = try await keys.verify(String(token), as: Anything.self)

      // The token is used again until Apple does not take it.
      vendor.answer(.init(status: 403, body: #"{"reason":"ExpiredProviderToken"}"#))
      let outcome = await gateway.send(Self.message(.apns))
      #expect(outcome.name == "retry")
      #expect(try await vendor.next().headers["authorization"] == header)
      #expect(await gateway.send(Self.message(.apns)) == .delivered)
      #expect(try await vendor.next().headers["authorization"] != header)
    }
  }

  private struct Anything: JWTPayload {
    func verify(using algorithm: some JWTAlgorithm) async throws {}
  }

  @Test(arguments: [
    (200, "", "delivered"), (400, "BadDeviceToken", "forget"),
    (400, "DeviceTokenNotForTopic", "forget"), (400, "BadTopic", "refused"),
    (403, "InvalidProviderToken", "retry"), (404, "BadPath", "refused"),
    (405, "MethodNotAllowed", "refused"), (410, "Unregistered", "forget"),
    (413, "PayloadTooLarge", "refused"), (429, "TooManyRequests", "retry"),
    (500, "InternalServerError", "retry"), (503, "Shutdown", "retry"),
  ])
  func whatAppleAnswers(status: Int, reason: String, name: String) {
    let answer = Egress.Answer(
      status: status, headers: [:], body: Array(#"{"reason":"\#(reason)"}"#.utf8), isHTTP2: true)
    #expect(APNsGateway.outcome(.success(answer), registeredAt: 0, now: 0).name == name)
  }

  @Test(arguments: [(1_000, "retry"), (3_000, "forget")])
  func aTokenThatEndedBeforeItWasRegisteredAgainStays(timestamp: Int, name: String) {
    let body = #"{"reason":"Unregistered","timestamp":\#(timestamp)}"#
    let answer = Egress.Answer(status: 410, headers: [:], body: Array(body.utf8), isHTTP2: true)
    #expect(APNsGateway.outcome(.success(answer), registeredAt: 2_000, now: 0).name == name)
  }

  // MARK: FCM

  @Test func googleIsAskedAsItsDocumentsSay() async throws {
    try await running { vendor, egress in
      let key = try String(
        contentsOf: Vendor.certificates.appending(path: "service-account.key"), encoding: .utf8)
      let gateway = FCMGateway(
        egress: egress, endpoints: Self.endpoints,
        settings: .init(serviceAccount: "", url: vendor.url),
        account: .init(
          projectID: "home", clientEmail: "push@home.example", privateKey: key,
          tokenURI: vendor.url + "/token"), key: try Insecure.RSA.PrivateKey(pem: key))
      let grant = #"{"access_token":"first","expires_in":3599,"token_type":"Bearer"}"#
      vendor.answer(.init(status: 200, body: grant))
      vendor.answer(.init(status: 200, body: #"{"name":"projects/home/messages/1"}"#))
      #expect(await gateway.send(Self.message(.fcm)) == .delivered)
      let granted = try await vendor.next()
      #expect(granted.path == "/token")
      let form = String(decoding: granted.body, as: UTF8.self)
      let prefix = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
      #expect(form.hasPrefix(prefix))
      let claims = try Self.claims(form.dropFirst(prefix.count))
      #expect(claims["aud"] as? String == vendor.url + "/token")
      #expect(claims["iss"] as? String == "push@home.example")
      #expect(claims["exp"] as? Int == 1_700_003_600)
      let asked = try await vendor.next()
      #expect(asked.path == "/v1/projects/home/messages:send")
      #expect(asked.headers["authorization"] == "Bearer first")
      let body = try JSONSerialization.jsonObject(with: Data(asked.body)) as? NSDictionary
      let expected: NSDictionary = [
        "message": [
          "token": "abcdef", "data": ["wake": "c0ffee"],
          "android": ["collapse_key": "wake", "ttl": "86400s"],
        ]
      ]
      #expect(body == expected)

      vendor.answer(.init(status: 401))
      let outcome = await gateway.send(Self.message(.fcm))
      #expect(outcome.name == "retry")
      #expect(try await vendor.next().path == "/v1/projects/home/messages:send")
      vendor.answer(.init(status: 200, body: grant))
      #expect(await gateway.send(Self.message(.fcm)) == .delivered)
      #expect(try await vendor.next().path == "/token")
    }
  }

  @Test(arguments: [
    (200, "", 0, "delivered"), (400, "INVALID_ARGUMENT", 0, "refused"),
    (401, "THIRD_PARTY_AUTH_ERROR", 0, "retry"), (403, "SENDER_ID_MISMATCH", 0, "forget"),
    (403, "", 0, "retry"), (404, "UNREGISTERED", 0, "forget"), (404, "", 0, "retry"),
    (429, "QUOTA_EXCEEDED", 60, "retry"), (500, "INTERNAL", 0, "retry"),
    (503, "UNAVAILABLE", 0, "retry"),
  ])
  func whatGoogleAnswers(status: Int, code: String, wait: Int, name: String) {
    let body = """
      {"error":{"code":\(status),"message":"m","status":"S","details":[
      {"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"\(code)"}]}}
      """
    let answer = Egress.Answer(
      status: status, headers: [:], body: Array(body.utf8), isHTTP2: true)
    let outcome = FCMGateway.outcome(.success(answer), now: 0)
    #expect(outcome.name == name)
    if case .retry(let after, _) = outcome { #expect(after == (wait == 0 ? nil : .seconds(wait))) }
  }

  // MARK: WNS

  @Test func microsoftIsAskedAsItsDocumentsSay() async throws {
    try await running { vendor, egress in
      let gateway = WNSGateway(
        egress: egress, endpoints: Self.endpoints, login: Self.endpoints,
        settings: .init(
          tenantID: "home", clientID: "app", secret: "a&b c", loginURL: vendor.url))
      vendor.answer(.init(status: 200, body: #"{"access_token":"first","expires_in":3600}"#))
      vendor.answer(.init(status: 200))
      let message = Self.message(.wns, endpoint: vendor.url + "/w?token=x")
      #expect(await gateway.send(message) == .delivered)
      let granted = try await vendor.next()
      #expect(granted.path == "/home/oauth2/v2.0/token")
      #expect(
        String(decoding: granted.body, as: UTF8.self)
          == "grant_type=client_credentials&client_id=app&client_secret=a%26b%20c"
          + "&scope=https%3A%2F%2Fwns.windows.com%2F.default")
      let asked = try await vendor.next()
      #expect(asked.headers["authorization"] == "Bearer first")
      #expect(asked.headers["x-wns-type"] == "wns/raw")
      #expect(asked.headers["content-type"] == "application/octet-stream")
      #expect(String(decoding: asked.body, as: UTF8.self) == #"{"wake":"c0ffee"}"#)
    }
  }

  @Test(arguments: [
    (200, "received", "delivered"), (200, "dropped", "refused"),
    (200, "channelthrottled", "retry"), (400, "", "refused"), (401, "", "retry"),
    (403, "", "refused"), (404, "", "forget"), (405, "", "refused"), (406, "", "retry"),
    (410, "", "forget"), (413, "", "refused"), (500, "", "retry"), (503, "", "retry"),
  ])
  func whatMicrosoftAnswers(status: Int, state: String, name: String) {
    let answer = Egress.Answer(
      status: status, headers: ["x-wns-status": state], body: [], isHTTP2: true)
    #expect(WNSGateway.outcome(.success(answer), now: 0).name == name)
  }
}

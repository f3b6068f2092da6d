import Crypto
import Foundation
import JWTKit
@testable import PushServer
import Testing
import Wire

/// A device that registered a Web Push channel, from the registration to the message it can read.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SleepingDeviceTests {
  private struct Channel: Decodable {
    let channel: String?
    let confirmed: Bool?
    let kinds: [String]
    let webPushKey: String?
  }

  private struct Vapid: JWTPayload {
    let aud: String
    let exp: Int64
    let sub: String

    func verify(using algorithm: some JWTAlgorithm) async throws {}
  }

  private static let phone: DeviceID = id(3)
  private static let bearer = "Authorization: Bearer \(someone):\(phone)\r\n"

  @Test func aCommitElsewhereReachesItEncryptedAndSigned() async throws {
    try await Vendor.running { vendor in
      let gateways = GatewayConfiguration(
        path: nil, webPush: .init(subject: "mailto:ann@home.example", hosts: ["localhost"]),
        trustRoots: [try Vendor.certificate()], allowsPrivateAddresses: true)
      try await running(gateways: gateways) { service in
        try await Self.follow(vendor, service)
      }
    }
  }

  private static func follow(_ vendor: Vendor, _ service: PushService) async throws {
    let socket = try await RawSocket(port: service.devicePort)
    let key = P256.KeyAgreement.PrivateKey()
    let secret = [UInt8](repeating: 9, count: 16)
    let registration = """
      {"kind":"webPush","endpoint":"\(vendor.url)/up/1","keys":{
      "p256dh":"\(Base64URL.encode(key.publicKey.x963Representation))",
      "auth":"\(Base64URL.encode(secret))"}}
      """
    let registered = try await socket.post("/v1/channels", registration, headers: bearer)
    let channel = try JSONDecoder().decode(Channel.self, from: Data(registered.body.utf8))
    #expect(channel.confirmed == false && channel.kinds == ["webPush"])
    let name = try #require(channel.channel)

    let first = try await vendor.next()
    let question = try await open(first.body, key, secret)
    let challenge = try #require(question["challenge"])
    #expect(question["channel"] == name)
    try await checkSignature(first, of: vendor, key: try #require(channel.webPushKey))

    // Nothing goes to a place nobody has shown to own.
    let wrong = try await socket.post(
      "/v1/channels/confirmation", #"{"challenge":"0"}"#, headers: bearer)
    #expect(wrong.head.hasPrefix("HTTP/1.1 404"))
    let right = try await socket.request(
      """
      POST /v1/channels/confirmation HTTP/1.1\r\nHost: localhost\r\n\(bearer)\
      Content-Length: \(challenge.count + 16)\r\n\r\n{"challenge":"\(challenge)"}
      """)
    #expect(right.hasPrefix("HTTP/1.1 204"))

    let signal = Signal(account: someone, device: id(2), sequence: 7)
    #expect(try await PushServerTests.post(try json(signal), at: service).hasPrefix("HTTP/1.1 200"))
    let second = try await vendor.next()
    #expect(try await open(second.body, key, secret) == ["wake": name])
    #expect(second.path == "/up/1" && second.headers["topic"] == name)
    #expect(second.headers["ttl"] == "86400" && second.headers["content-encoding"] == "aes128gcm")
    // Whatever it says, it is as long, and nothing in it names anybody.
    #expect(first.body.count == second.body.count)
    for secret in ["\(someone)", "\(phone)", "\(id(2) as DeviceID)"] {
      #expect(!second.headers.values.contains { $0.contains(secret) })
    }
  }

  /// Opens the message with another program.
  private static func open(
    _ body: [UInt8], _ key: P256.KeyAgreement.PrivateKey, _ secret: [UInt8]
  ) async throws -> [String: String] {
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Receiver/receive.py").path()
    let process = Process()
    let output = Pipe()
    let python = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "/usr/bin/python3"
    process.executableURL = URL(filePath: python)
    process.arguments = [
      "-B", script, Base64URL.encode(key.rawRepresentation), Base64URL.encode(secret),
      Base64URL.encode(body),
    ]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let lines = text.split(separator: "\n")
    // `make conformance` has the library of others.
    let isProof = ProcessInfo.processInfo.environment["HIGGINS_CONFORMANCE"] != nil
    let ways = isProof ? ["http-ece"] : ["by hand", "http-ece"]
    #expect(lines.count == 2 && ways.contains(String(lines.first ?? "")))
    return try JSONDecoder().decode([String: String].self, from: Data((lines.last ?? "").utf8))
  }

  /// RFC 8292: signed by the key the device subscribed with, for this push service, for a while.
  private static func checkSignature(
    _ request: Vendor.Asked, of vendor: Vendor, key: String
  ) async throws {
    let header = try #require(request.headers["authorization"])
    #expect(header.hasPrefix("vapid t=") && header.hasSuffix(", k=\(key)"))
    let token = header.dropFirst("vapid t=".count).prefix { $0 != "," }
    let point = try P256.Signing.PublicKey(
      x963Representation: try #require(Base64URL.decode(key)))
    let keys = await JWTKeyCollection().add(ecdsa: try ES256PublicKey(pem: point.pemRepresentation))
    let claims = try await keys.verify(Array(token.utf8), as: Vapid.self)
    let left = claims.exp - Int64(Date().timeIntervalSince1970)
    #expect(claims.aud == vendor.url && claims.sub == "mailto:ann@home.example")
    #expect((1...86_400).contains(left))
  }

  @Test func aStrangerAndAWrongBodyAreTurnedAway() async throws {
    let gateways = GatewayConfiguration(
      path: nil, webPush: .init(subject: "mailto:ann@home.example"))
    try await running(gateways: gateways) { service in
      func ask(_ body: String, _ headers: String = Self.bearer) async throws -> String {
        let socket = try await RawSocket(port: service.devicePort)
        let answer = try await socket.post("/v1/channels", body, headers: headers)
        return answer.head.prefix(12) + " " + answer.body
      }
      let nobody = try await ask("{}", "")
      let stranger = try await ask("{}", "Authorization: Bearer x\r\n")
      #expect(nobody.hasPrefix("HTTP/1.1 401") && stranger.hasPrefix("HTTP/1.1 401"))
      let point = Base64URL.encode(P256.KeyAgreement.PrivateKey().publicKey.x963Representation)
      let keys = #""keys":{"p256dh":"\#(point)","auth":"AAAAAAAAAAAAAAAAAAAAAA"}"#
      for (body, detail) in [
        ("{", "does not read"), (#"{"kind":"fcm","token":"x"}"#, "no gateway of that kind"),
        (#"{"kind":"webPush","endpoint":"https://localhost/",\#(keys)}"#, "host not allowed"),
        (#"{"kind":"webPush","endpoint":"https://fcm.googleapis.com/"}"#, "keys"),
      ] {
        let answer = try await ask(body)
        #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains(detail))
      }
    }
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let answer = try await socket.post("/v1/channels", "{}", headers: Self.bearer)
      #expect(answer.head.hasPrefix("HTTP/1.1 404"))
    }
  }
}

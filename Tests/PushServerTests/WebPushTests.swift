import Crypto
import Foundation
@testable import PushServer
import Testing
import Wire

@Suite(.timeLimit(.minutes(1))) struct WebPushTests {
  /// RFC 8291, section 5 and appendix A.
  @Test func theExampleOfTheStandardIsMetByteForByte() throws {
    func bytes(_ text: String) throws -> [UInt8] { try #require(Base64URL.decode(text)) }
    let receiver = try #require(
      WebPushCipher.Receiver(
        key: try bytes(
          "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyP"
            + "js7Vd8pZGH6SRpkNtoIAiw4"),
        secret: try bytes("BTBZMqHH6r4Tts7J_aSIgg")))
    let sender = try P256.KeyAgreement.PrivateKey(
      rawRepresentation: try bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    let sealed = try WebPushCipher.seal(
      Array("When I grow up, I want to be a watermelon".utf8), to: receiver, paddedTo: 0,
      sender: sender, salt: try bytes("DGv6ra1nlYgDCS1FRnbzlw"))
    #expect(
      Base64URL.encode(sealed)
        == "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY"
        + "WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS"
        + "gSxsj_Qulcy4a-fN")
  }

  @Test(arguments: [
    ([UInt8](repeating: 4, count: 65), 16), ([UInt8](), 16),
    ([4] + [UInt8](repeating: 0, count: 64), 16),
  ])
  func aKeyThatIsNoPointIsRefused(key: [UInt8], count: Int) {
    #expect(WebPushCipher.Receiver(key: key, secret: [UInt8](repeating: 1, count: count)) == nil)
  }

  @Test(arguments: [
    (201, 0, "delivered"), (202, 0, "delivered"), (404, 0, "forget"), (410, 0, "forget"),
    (400, 0, "refused"), (401, 0, "refused"), (413, 0, "refused"), (301, 0, "refused"),
    (429, 7, "retry"), (500, 0, "retry"), (503, 9, "retry"),
  ])
  func statusesMeanWhatTheStandardSays(status: Int, wait: Int, name: String) {
    let answer = Egress.Answer(
      status: status, headers: wait == 0 ? [:] : ["retry-after": "\(wait)"], body: [],
      isHTTP2: true)
    let outcome = WebPushGateway.outcome(.success(answer), now: 0)
    #expect(outcome.name == name)
    if case .retry(let after, _) = outcome {
      #expect(after == (wait == 0 ? nil : .seconds(wait)))
    }
  }

  @Test func aDateToRetryAfterIsRead() {
    let answer = Egress.Answer(
      status: 503, headers: ["retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"], body: [],
      isHTTP2: true)
    #expect(answer.retryAfter(now: 946_684_739_000) == .seconds(60))
    #expect(answer.retryAfter(now: 946_684_900_000) == .zero)
  }
}

@Suite struct EndpointGuardTests {
  static let endpoints = EndpointGuard(hosts: ["push.example", "localhost"]) { host in
    switch host {
    case "inside.push.example": ["10.0.0.7"]
    case "both.push.example": ["93.184.215.14", "127.0.0.1"]
    case "nowhere.push.example": []
    default: ["93.184.215.14"]
    }
  }

  @Test(arguments: [
    "http://push.example/a", "https://push.example:8443/a", "https://user@push.example/a",
    "https://push.example.evil.example/a", "https://evilpush.example/a", "https://PUSH.example/a",
    "https://127.0.0.1/a", "https://[::1]/a", "https://2130706433/", "https://0x7f000001/",
    "https://0177.0.0.1/", "https://push.example#@evil.example/",
    "https://evil.example/push.example",
    "https://push.example\\@evil.example/", "https://evil.example\\.push.example/",
    "//push.example",
    "https:///a", "ftp://push.example", "https://.push.example/", "https://push.example./",
    "https://inside.push.example/", "https://both.push.example/", "https://nowhere.push.example/",
    "https://xn--\u{e9}.push.example/", "https://push.example/\r\nX: y",
    "https://push.example/" + String(repeating: "a", count: 2048),
  ])
  func nobodyIsLedElsewhere(url: String) async {
    await #expect(throws: EndpointGuard.Refusal.self) {
      try await Self.endpoints.target(of: url).get()
    }
  }

  @Test func anAllowedEndpointIsAskedAtTheAddressThatWasChecked() async throws {
    let target = try await Self.endpoints.target(of: "https://up.push.example:443/a?b=c").get()
    #expect(target.host == "up.push.example" && target.address == "93.184.215.14")
  }

  @Test(arguments: [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "64:ff9b::7f00:1", "fe80::1",
    "fc00::1",
    "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1", "fe80::1%eth0", "no address",
  ])
  func addressesThatAreNotPublicAreRefused(address: String) {
    #expect(!EndpointGuard.isPublic(address))
  }

  @Test(arguments: [
    "93.184.215.14", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1",
    "2a00:1450::1", "2001:4860:4860::8888",
  ])
  func publicAddressesAreAsked(address: String) {
    #expect(EndpointGuard.isPublic(address))
  }
}

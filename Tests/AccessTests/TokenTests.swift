import Access
import FoundationEssentials
import JWTKit
import Testing
import Wire

private let now: Int64 = 1_700_000_000_000

private struct Fixture {
  let instance = InstanceID("000102030405060708090a0b0c0d0e0f") ?? .zero
  let account = AccountID("10101010101010101010101010101010") ?? .zero
  let device = DeviceID("20202020202020202020202020202020") ?? .zero
  let issuer: TokenIssuer

  init(seed: UInt8 = 7) throws {
    issuer = try TokenIssuer(instance: instance, seed: [UInt8](repeating: seed, count: 32))
  }

  func token(_ audience: Audience = .push, life: Duration = Limits.tokenLife) async throws
    -> String
  {
    try await issuer.issue(
      account: account, device: device, audience: audience, scope: .sync, now: now, life: life,
      id: "a1"
    ).text
  }

  func verifier(_ audience: Audience = .push) throws -> TokenVerifier {
    try TokenVerifier(instance: instance, audience: audience, keys: issuer.keySet)
  }
}

@Test func aTokenSaysWhoItWasIssuedTo() async throws {
  let fixture = try Fixture()
  let claims = try await fixture.verifier().check(try await fixture.token(), now: now)
  #expect(claims.account == fixture.account)
  #expect(claims.device == fixture.device)
  #expect(claims.scope == .sync)
  #expect(claims.expiresAt == now / 1000 + 600)
  #expect(claims.id == "a1")
}

@Test func noTokenIsGoodForAnotherAudience() async throws {
  let fixture = try Fixture()
  let token = try await fixture.token(.attributes)
  await #expect(throws: AccessError.wrongAudience) {
    try await fixture.verifier(.push).check(token, now: now)
  }
}

@Test func noTokenIsGoodAtAnotherInstance() async throws {
  let fixture = try Fixture()
  let verifier = try TokenVerifier(instance: .zero, audience: .push, keys: fixture.issuer.keySet)
  let token = try await fixture.token()
  await #expect(throws: AccessError.wrongIssuer) { try await verifier.check(token, now: now) }
}

private let moments: [(offset: Int64, refusal: AccessError?)] = [
  (-61_000, .notYetValid), (-60_000, nil), (0, nil), (660_000, nil), (661_000, .expired),
]

@Test(arguments: moments)
func aMinuteOfLeewayAndNoMore(offset: Int64, refusal: AccessError?) async throws {
  let fixture = try Fixture()
  let token = try await fixture.token()
  let verifier = try fixture.verifier()
  do {
    _ = try await verifier.check(token, now: now + offset)
    #expect(refusal == nil)
  } catch {
    #expect(error == refusal)
  }
}

@Test func aLongerLifeIsCutToTenMinutes() async throws {
  let fixture = try Fixture()
  let issued = try await fixture.issuer.issue(
    account: fixture.account, device: fixture.device, audience: .push, scope: .sync, now: now,
    life: .seconds(86_400), id: "a2")
  #expect(issued.expiresAt == now + 600_000)
}

@Test func oneChangedByteBreaksTheSignature() async throws {
  let fixture = try Fixture()
  let parts = try await fixture.token().split(separator: ".").map(String.init)
  let payload = String(decoding: Base64URL.decode(parts[1]) ?? [], as: UTF8.self)
  let changed = payload.split(separator: "\"sync\"", maxSplits: 1).joined(separator: "\"enrol\"")
  #expect(changed != payload)
  let forged = [parts[0], Base64URL.encode(Array(changed.utf8)), parts[2]].joined(separator: ".")
  await #expect(throws: AccessError.badSignature) {
    try await fixture.verifier().check(forged, now: now)
  }
}

@Test func anotherKeyOfTheSameNameIsRefused() async throws {
  let fixture = try Fixture()
  let other = try Fixture(seed: 8)
  let name = fixture.issuer.keySet.keys[0].kid
  let keys = KeySet(keys: [try renamed(other.issuer.keySet.keys[0], as: name)])
  let verifier = try TokenVerifier(instance: fixture.instance, audience: .push, keys: keys)
  let token = try await fixture.token()
  await #expect(throws: AccessError.badSignature) { try await verifier.check(token, now: now) }
}

private func renamed(_ key: KeySet.Key, as name: String) throws -> KeySet.Key {
  var object = try #require(
    try JSONDecoder().decode([String: String]?.self, from: JSONEncoder().encode(key)))
  object["kid"] = name
  return try JSONDecoder().decode(KeySet.Key.self, from: JSONEncoder().encode(object))
}

/// The algorithm is pinned: neither none nor a MAC keyed with the public key gets through.
@Test(arguments: ["none", "HS256", "EdDSA512", ""])
func everyOtherAlgorithmIsRefused(algorithm: String) async throws {
  let fixture = try Fixture()
  let parts = try await fixture.token().split(separator: ".").map(String.init)
  let header = #"{"alg":"\#(algorithm)","kid":"\#(fixture.issuer.keySet.keys[0].kid)"}"#
  let forged = [Base64URL.encode(Array(header.utf8)), parts[1], parts[2]].joined(separator: ".")
  await #expect(throws: AccessError.malformed) {
    try await fixture.verifier().check(forged, now: now)
  }
}

@Test(arguments: ["", "a.b", "a.b.c", "....", "e30.e30.e30"])
func whatIsNoTokenIsRefused(text: String) async throws {
  let verifier = try Fixture().verifier()
  await #expect(throws: AccessError.malformed) { try await verifier.check(text, now: now) }
}

@Test func aLongTokenIsRefusedUnread() async throws {
  let verifier = try Fixture().verifier()
  let text = String(repeating: "a", count: Limits.tokenBytes + 1)
  await #expect(throws: AccessError.tooLong(bytes: Limits.tokenBytes + 1)) {
    try await verifier.check(text, now: now)
  }
}

@Test func aSeedOfAnotherLengthIsNoKey() {
  #expect(throws: AccessError.badKey) {
    try TokenIssuer(instance: .zero, seed: [1, 2, 3])
  }
}

@Test func theKeySetIsAJWKSet() throws {
  let json = String(
    decoding: try JSONEncoder().encode(try Fixture().issuer.keySet), as: UTF8.self)
  let set = try JSONDecoder().decode(JWKS.self, from: Data(json.utf8))
  #expect(set.keys.count == 1)
  #expect(!json.contains("\"d\""))
}

@Test func aPageOfRevocationsIsTheIssuersAndNoToken() async throws {
  let fixture = try Fixture()
  let entry = RevocationPage.Entry(account: fixture.account, device: fixture.device, at: 7)
  let page = RevocationPage(after: 3, entries: [entry], newest: 9, at: 8)
  let signed = try await fixture.issuer.sign(page)
  let verifier = try fixture.verifier()
  #expect(try await verifier.read(signed, now: now) == page)
  let stranger = try await Fixture(seed: 8).issuer.sign(page)
  await #expect(throws: AccessError.self) { try await verifier.read(stranger, now: now) }
  await #expect(throws: AccessError.malformed) { try await verifier.check(signed.page, now: now) }
  let token = SignedRevocations(page: try await fixture.token())
  await #expect(throws: AccessError.malformed) { try await verifier.read(token, now: now) }
  // More entries than there are.
  let odd = RevocationPage(after: 9, entries: [entry], newest: 9, at: 8)
  let long = try await fixture.issuer.sign(odd)
  await #expect(throws: AccessError.malformed) { try await verifier.read(long, now: now) }
}

import Access
import Synchronization
import Testing
import Wire

private struct Unreachable: Error {}

/// Publishes a key set that can change, and counts how often it is read.
private final class Publisher: Sendable {
  private let state = Mutex<(issuer: TokenIssuer?, reads: Int)>((nil, 0))

  var reads: Int { state.withLock { $0.reads } }

  func publish(_ issuer: TokenIssuer?) {
    state.withLock { $0.issuer = issuer }
  }

  func read() throws -> RefreshingVerifier.Published {
    try state.withLock { state in
      state.reads += 1
      guard let issuer = state.issuer else { throw Unreachable() }
      return RefreshingVerifier.Published(instance: .zero, keys: issuer.keySet)
    }
  }
}

private func token(of issuer: TokenIssuer, now: Int64) async throws -> String {
  try await issuer.issue(
    account: .zero, device: .zero, audience: .push, scope: .sync, now: now, id: "x"
  ).text
}

private func issuer(_ seed: UInt8) throws -> TokenIssuer {
  try TokenIssuer(instance: .zero, seed: [UInt8](repeating: seed, count: 32))
}

@Test func keysAreReadOnceForManyTokens() async throws {
  let publisher = Publisher()
  let issuer = try issuer(1)
  publisher.publish(issuer)
  let verifier = RefreshingVerifier(audience: .push) { try publisher.read() }
  for _ in 0..<5 {
    _ = try await verifier.check(try await token(of: issuer, now: 0), now: 0)
  }
  #expect(publisher.reads == 1)
}

@Test func aNewKeyIsReadButNotOftenerThanOnceAMinute() async throws {
  let publisher = Publisher()
  let (old, new) = (try issuer(1), try issuer(2))
  publisher.publish(old)
  let verifier = RefreshingVerifier(audience: .push) { try publisher.read() }
  _ = try await verifier.check(try await token(of: old, now: 0), now: 0)
  publisher.publish(new)
  let fresh = try await token(of: new, now: 0)
  await #expect(throws: AccessError.unknownKey) { try await verifier.check(fresh, now: 59_999) }
  #expect(publisher.reads == 1)
  _ = try await verifier.check(fresh, now: 60_000)
  #expect(publisher.reads == 2)
}

@Test func anAttributeServerThatStartsLaterIsFoundASecondLater() async throws {
  let publisher = Publisher()
  let issuer = try issuer(1)
  let verifier = RefreshingVerifier(audience: .push) { try publisher.read() }
  let token = try await token(of: issuer, now: 0)
  await #expect(throws: AccessError.unknownKey) { try await verifier.check(token, now: 0) }
  publisher.publish(issuer)
  await #expect(throws: AccessError.unknownKey) { try await verifier.check(token, now: 999) }
  _ = try await verifier.check(token, now: 1000)
}

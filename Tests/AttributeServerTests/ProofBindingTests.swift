import Access
import AttributeServer
import Synchronization
import Testing
import Wire

/// A proof of a device counts for the server whose key it names, and for no other.
struct ProofBindingTests {
  @Test(arguments: [
    ([hash([1])], false), ([.zero], true), ([hash([1]), .zero], true), ([], false),
  ])
  func aProofNamesAKeyOfThisServer(_ keys: [Digest32], _ isTaken: Bool) async throws {
    var server = try TestServer()
    server.arguments.keyHashes = { keys }
    let device = try TestDevice(1)
    let account = try TestAccount(200, device: device)
    try await server.run { caller in
      _ = try await caller.post(Route.accounts, account.request())
      // What a device says to a server without TLS: the zero hash.
      let token = try await caller.tokenRequest(for: device)
      #expect(try await caller.post(Route.token, token).status == (isTaken ? 200 : 401))
      let slot = try await caller.slotRequest(of: account)
      #expect(try await caller.post(Route.slot, slot).status == (isTaken ? 200 : 401))
    }
  }

  /// How long a refusal takes depends on the check of the signature, which is a tenth of a
  /// millisecond: it is done for those whom the server does not know, too.
  @Test func theProofsOfUnknownDevicesAndHandlesAreCheckedLikeOthers() async throws {
    let checks = Checks()
    var server = try TestServer()
    server.arguments.keyHashes = {
      checks.count.withLock { $0 += 1 }
      return [.zero]
    }
    let device = try TestDevice(1)
    let account = try TestAccount(200, device: device)
    let (stranger, other) = (try TestAccount(201, device: try TestDevice(2)), try TestDevice(2))
    try await server.run { caller in
      _ = try await caller.post(Route.accounts, account.request())
      let wrong = try await caller.tokenRequest(
        for: device, audiences: [.push], signedFor: [.attributes])
      let unknown = try await caller.tokenRequest(for: other)
      for request in [wrong, unknown] {
        #expect(try await caller.post(Route.token, request).code == "auth_failed")
        #expect(checks.taken() == 1)
      }
      let wrongSlot = try await caller.slotRequest(of: account, by: try key(9))
      let unknownSlot = try await caller.slotRequest(of: stranger)
      for request in [wrongSlot, unknownSlot] {
        #expect(try await caller.post(Route.slot, request).code == "auth_failed")
        #expect(checks.taken() == 1)
      }
    }
  }

  private final class Checks: Sendable {
    let count = Mutex(0)

    func taken() -> Int {
      count.withLock { count in
        defer { count = 0 }
        return count
      }
    }
  }

  /// A Push Service reads the published keys once and needs nothing else to judge a token.
  @Test func publishedKeysVerifyATokenWithoutTheServer() async throws {
    let server = try TestServer()
    let device = try TestDevice(1)
    let account = try TestAccount(200, device: device)
    let kept = Mutex<(KeySet, InstanceID, [String])?>(nil)
    try await server.run { caller in
      _ = try await caller.post(Route.accounts, account.request())
      let keys: KeySet = try await caller.get(Route.keys).read()
      let info: ServerInfo = try await caller.get(Route.info).read()
      let request = try await caller.tokenRequest(for: device, audiences: [.attributes, .push])
      let answer: TokenResponse = try await caller.post(Route.token, request).read()
      kept.withLock { $0 = (keys, info.instance, answer.grants.map(\.token)) }
    }
    // The server is gone.
    let (keys, instance, tokens) = try #require(kept.withLock { $0 })
    let verifier = try TokenVerifier(instance: instance, audience: .push, keys: keys)
    let claims = try await verifier.check(tokens[1], now: server.clock.clock.now())
    #expect(claims.device == device.id && claims.account == account.id)
    await #expect(throws: AccessError.wrongAudience) {
      try await verifier.check(tokens[0], now: server.clock.clock.now())
    }
    await #expect(throws: AccessError.expired) {
      try await verifier.check(tokens[1], now: server.clock.clock.now() + 700_000)
    }
  }
}

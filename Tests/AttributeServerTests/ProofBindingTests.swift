import AttributeServer
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
}

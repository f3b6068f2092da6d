import AttributeServer
import Foundation
import Testing
import Wire

struct AccountRouteTests {
  @Test func infoSaysWhoTheServerIs() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let info: ServerInfo = try await caller.get(Route.info).read()
      #expect(info.push == ":7481/push")
      #expect(info.registration == "open")
      #expect(info.serverTime == TestClock.start)
      #expect(info.minimumProtocol == 1)
    }
  }

  @Test func anAccountIsCreatedOnce() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let account = try TestAccount(200, device: try TestDevice(1))
      let created = try await caller.post(Route.accounts, account.request())
      #expect(created.status == 201)
      let response: MembershipResponse = try created.read()
      #expect(response.records == [Blob(account.genesis)])
      // The answer was lost, and the request comes again.
      let again = try await caller.post(Route.accounts, account.request())
      #expect(again.status == 201)
      #expect(again.body == created.body)
      // The same name for another account.
      let other = try TestAccount(201, device: try TestDevice(2))
      let request = AccountRequest(
        account: other.id, handle: account.handle, invite: nil, genesis: Blob(other.genesis),
        loginKey: other.request().loginKey, slot: Blob([]), hashing: other.request().hashing)
      #expect(try await caller.post(Route.accounts, request).code == "account_exists")
    }
  }

  @Test func anInviteIsGoodOnce() async throws {
    let server = try TestServer(registration: .invite)
    let code = try server.arguments.invites.make()
    try await server.run { caller in
      let first = try TestAccount(200, device: try TestDevice(1))
      let second = try TestAccount(201, device: try TestDevice(2))
      #expect(try await caller.post(Route.accounts, first.request()).code == "invite_required")
      #expect(
        try await caller.post(Route.accounts, first.request(invite: "no")).code
          == "invite_required")
      let typed = code.uppercased().replacingOccurrences(of: "-", with: " ")
      #expect(try await caller.post(Route.accounts, first.request(invite: typed)).status == 201)
      #expect(try await caller.post(Route.accounts, first.request(invite: typed)).status == 201)
      #expect(
        try await caller.post(Route.accounts, second.request(invite: code)).code
          == "invite_required")
    }
    #expect(!server.arguments.invites.hasOpen)
  }

  @Test func aRefusedAccountLeavesItsInviteOpen() async throws {
    let server = try TestServer(registration: .invite)
    let code = try server.arguments.invites.make()
    try await server.run { caller in
      let account = try TestAccount(200, device: try TestDevice(1))
      let request = account.request(invite: code)
      let broken = AccountRequest(
        account: request.account, handle: request.handle, invite: code, genesis: Blob([1]),
        loginKey: request.loginKey, slot: request.slot, hashing: request.hashing)
      #expect(try await caller.post(Route.accounts, broken).code == "malformed")
      #expect(try await caller.post(Route.accounts, request).status == 201)
    }
  }

  @Test func aClosedServerTakesNobody() async throws {
    let server = try TestServer(registration: .closed)
    try await server.run { caller in
      let account = try TestAccount(200, device: try TestDevice(1))
      #expect(try await caller.post(Route.accounts, account.request()).status == 403)
    }
  }

  @Test func openRegistrationStaysOnLoopback() throws {
    var server = try TestServer()
    server.arguments.host = "0.0.0.0"
    #expect(throws: AttributeServerError.openRegistrationBeyondLoopback) {
      try buildApplication(server.arguments)
    }
  }
}

struct AuthenticationRouteTests {
  private func founded(
    _ server: TestServer,
    _ body: @escaping @Sendable (TestCaller, TestAccount, TestDevice) async throws -> Void
  ) async throws {
    try await server.run { caller in
      let device = try TestDevice(1)
      let account = try TestAccount(200, device: device)
      #expect(try await caller.post(Route.accounts, account.request()).status == 201)
      try await body(caller, account, device)
    }
  }

  @Test func aDeviceGetsOneTokenForEachAudience() async throws {
    try await founded(try TestServer()) { caller, account, device in
      let request = try await caller.tokenRequest(for: device, audiences: [.attributes, .push])
      let response: TokenResponse = try await caller.post(Route.token, request).read()
      #expect(response.account == account.id)
      #expect(response.grants.map(\.audience) == [.attributes, .push])
      #expect(response.grants.map(\.expiresIn) == [600, 600])
      let sync = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
      let tokens = response.grants.map(\.token)
      #expect(try await caller.post(Route.sync, sync, token: tokens[0]).status == 200)
      #expect(try await caller.post(Route.sync, sync, token: tokens[1]).code == "auth_failed")
      #expect(try await caller.post(Route.sync, sync).code == "auth_failed")
    }
  }

  @Test func aChallengeIsGoodOnceAndForAMinute() async throws {
    let server = try TestServer()
    try await founded(server) { caller, _, device in
      let request = try await caller.tokenRequest(for: device)
      #expect(try await caller.post(Route.token, request).status == 200)
      #expect(try await caller.post(Route.token, request).code == "auth_failed")
      let late = try await caller.tokenRequest(for: device)
      server.clock.advance(.seconds(60))
      #expect(try await caller.post(Route.token, late).code == "auth_failed")
    }
  }

  @Test func aProofIsBoundToChallengeDeviceAndAudience() async throws {
    try await founded(try TestServer()) { caller, account, device in
      let wrongAudience = try await caller.tokenRequest(
        for: device, audiences: [.push], signedFor: [.attributes])
      let other = try TestDevice(2)
      let othersChallenge = try await caller.tokenRequest(
        for: device, challenge: try await caller.challenge(ChallengeRequest(device: other.id)))
      let unknown = try await caller.tokenRequest(for: other)
      for request in [wrongAudience, othersChallenge, unknown] {
        let answer = try await caller.post(Route.token, request)
        #expect(answer.status == 401)
        #expect(try answer.read(Problem.self) == Problem(.authenticationFailed))
      }
    }
  }

  @Test func anExpiredTokenIsNamedSo() async throws {
    let server = try TestServer()
    try await founded(server) { caller, _, device in
      let token = try await caller.token(for: device)
      server.clock.advance(.seconds(661))
      let sync = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
      #expect(try await caller.post(Route.sync, sync, token: token).code == "auth_expired")
    }
  }

  @Test func unknownDevicesAndHandlesAreAnsweredAlike() async throws {
    try await founded(try TestServer()) { caller, account, device in
      let known = try await caller.challenge(ChallengeRequest(handle: account.handle))
      #expect(known.hashing == account.request().hashing)
      let unknown = ChallengeRequest(handle: hash([7]))
      let first = try await caller.challenge(unknown)
      let second = try await caller.challenge(unknown)
      #expect(first.hashing == second.hashing)
      #expect(first.hashing?.salt.bytes.count == 16)
      #expect(first.challenge != second.challenge)
      #expect(
        try await caller.challenge(ChallengeRequest(handle: hash([8]))).hashing != first.hashing)
      let answers = [
        try await caller.challenge(ChallengeRequest(device: device.id)),
        try await caller.challenge(ChallengeRequest(device: id(77))),
      ]
      #expect(answers.allSatisfy { $0.hashing == nil && $0.challenge.bytes.count == 32 })
      #expect(try await caller.post(Route.challenge, [String: String]()).code == "malformed")
    }
  }

  @Test func passphraseAndKitOpenTheSlotAndAddADevice() async throws {
    try await founded(try TestServer()) { caller, account, device in
      let request = try await caller.slotRequest(of: account)
      let slot: SlotResponse = try await caller.post(Route.slot, request).read()
      #expect(slot.slot == account.request().slot)
      #expect(slot.account == account.id)
      #expect(try await caller.post(Route.slot, request).code == "auth_failed")
      let chain: MembershipResponse = try await caller.get(Route.membership, token: slot.token)
        .read()
      #expect(chain.records == [Blob(account.genesis)])
      let mobile = try TestDevice(3)
      let record = try account.addition(of: mobile, by: nil)
      let added = try await caller.post(
        Route.membership, MembershipRequest(expectedHead: account.head, record: Blob(record)),
        token: slot.token)
      #expect(added.status == 200)
      let after: MembershipResponse = try await caller.get(
        Route.membership + "?after=\(account.head)", token: try await caller.token(for: mobile)
      ).read()
      #expect(after.records == [Blob(record)])
      // It adds a device and nothing else.
      let sync = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
      #expect(try await caller.post(Route.sync, sync, token: slot.token).code == "auth_failed")
    }
  }

  @Test func aWrongPassphraseAndAnUnknownNameLookTheSame() async throws {
    try await founded(try TestServer()) { caller, account, _ in
      let wrong = try await caller.post(
        Route.slot, try await caller.slotRequest(of: account, by: try key(9)))
      let stranger = try TestAccount(201, device: try TestDevice(2))
      let unknown = try await caller.post(Route.slot, try await caller.slotRequest(of: stranger))
      #expect(wrong.status == 401)
      #expect(wrong.body == unknown.body)
    }
  }
}

import AttributeServer
import Foundation
import Synchronization
import Testing
import Wire

struct SyncRouteTests {
  @Test func twoDevicesExchangeACommit() async throws {
    let server = try TestServer()
    try await server.run { caller in
      var home = try TestDevice(1)
      let work = try TestDevice(2)
      var account = try TestAccount(200, device: home)
      _ = try await caller.post(Route.accounts, account.request())
      let record = try account.addition(of: work, by: home)
      let homeToken = try await caller.token(for: home)
      _ = try await caller.post(
        Route.membership, MembershipRequest(expectedHead: account.head, record: Blob(record)),
        token: homeToken)
      account.extended(by: record)
      let frame = Blob(try home.commit(account))
      let sent: SyncResponse = try await caller.post(
        Route.sync,
        SyncRequest(
          generation: nil, frontier: Frontier(), memberHead: account.head, frames: [frame]),
        token: homeToken
      ).read()
      #expect(sent.outcomes.map(\.status) == [.accepted])
      let received: SyncResponse = try await caller.post(
        Route.sync,
        SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: []),
        token: try await caller.token(for: work)
      ).read()
      #expect(received.frames == [frame])
      #expect(received.membership.count == 2)
      #expect(received.generation == sent.generation)
    }
  }

  @Test(arguments: ["", "{", "[]", "{\"frames\":[\"=\"]}", "null"])
  func aBodyThatDoesNotReadIsAProblem(text: String) async throws {
    let server = try TestServer()
    try await server.run { caller in
      let device = try TestDevice(1)
      _ = try await caller.post(
        Route.accounts, try TestAccount(200, device: device).request())
      let token = try await caller.token(for: device)
      let answer = try await caller.post(Route.sync, raw: Data(text.utf8), token: token)
      #expect(answer.code == "malformed")
      #expect(answer.mediaType == Problem.mediaType)
    }
  }

  @Test func whoSaysToHoldMoreThanThereIsStopsNothing() async throws {
    let server = try TestServer()
    try await server.run { caller in
      var device = try TestDevice(1)
      let account = try TestAccount(200, device: device)
      _ = try await caller.post(Route.accounts, account.request())
      let token = try await caller.token(for: device)
      let lie = Frontier([device.id: Head(sequence: .max, hash: .zero)])
      let answer: SyncResponse = try await caller.post(
        Route.sync,
        SyncRequest(
          generation: nil, frontier: lie, memberHead: nil,
          frames: [Blob(try device.commit(account))]),
        token: token
      ).read()
      #expect(answer.outcomes.map(\.status) == [.accepted])
      #expect(answer.serverFrontier.sequence(of: device.id) == 1)
    }
  }

  @Test func aBodyOverItsLimitIsRefused() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let body = Data(repeating: 0x20, count: 4097)
      #expect(try await caller.post(Route.token, raw: body).code == "too_large")
      let device = try TestDevice(1)
      _ = try await caller.post(
        Route.accounts, try TestAccount(200, device: device).request())
      let token = try await caller.token(for: device)
      let large = Data(repeating: 0x20, count: Limits.requestBytes + 1)
      #expect(try await caller.post(Route.sync, raw: large, token: token).code == "too_large")
    }
  }

  @Test func unknownPathsAndMethodsAreProblemsToo() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let unknown = try await caller.get("/v2/sync")
      #expect(unknown.code == "not_found")
      #expect(try await caller.get(Route.sync).code == "method_not_allowed")
      #expect(try await caller.get(Route.health).status == 200)
    }
  }

  @Test func refusedCallsAreToldByTheirRouteAndNothingElse() async throws {
    var server = try TestServer()
    let told = Mutex<[String]>([])
    server.arguments.onRefusal = { route, code in
      told.withLock { $0.append("\(route) \(code.rawValue)") }
    }
    try await server.run { caller in
      _ = try await caller.get(Route.info)
      _ = try await caller.get("/v1/nothing/0123")
      _ = try await caller.post(
        Route.sync,
        SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: []),
        token: "bad")
      _ = try await caller.get("\(Route.accounts)/\(id(9) as AccountID)/ending")
    }
    #expect(
      told.withLock { $0 } == [
        "none not_found", "/v1/sync auth_failed", "\(Route.accounts)/{account}/ending not_found",
      ])
  }

  @Test func aDeviceThatAsksTooOftenIsToldHowLongToWait() async throws {
    let server = try TestServer(limits: ServerLimits(device: Rate(perSecond: 0.5, burst: 3)))
    try await server.run { caller in
      let device = try TestDevice(1)
      let account = try TestAccount(200, device: device)
      _ = try await caller.post(Route.accounts, account.request())
      let token = try await caller.token(for: device)
      for _ in 0..<3 {
        #expect(try await caller.get(Route.membership, token: token).status == 200)
      }
      let refused = try await caller.get(Route.membership, token: token)
      #expect(refused.status == 429)
      #expect(try refused.read(Problem.self).retryAfterSeconds == 2)
      #expect(refused.retryAfter == "2")
      server.clock.advance(.seconds(2))
      #expect(try await caller.get(Route.membership, token: token).status == 200)
      #expect(try await caller.get(Route.membership, token: token).status == 429)
    }
  }

  @Test func guessingIsLimitedByAddress() async throws {
    let server = try TestServer(limits: ServerLimits(address: Rate(perSecond: 1, burst: 4)))
    try await server.run { caller in
      let request = ChallengeRequest(handle: hash([1]))
      for _ in 0..<4 { #expect(try await caller.post(Route.challenge, request).status == 200) }
      let refused = try await caller.post(Route.challenge, request)
      #expect(refused.code == "rate_limited")
      #expect(try await caller.get(Route.info).status == 200)
      server.clock.advance(.seconds(1))
      #expect(try await caller.post(Route.challenge, request).status == 200)
    }
  }
}

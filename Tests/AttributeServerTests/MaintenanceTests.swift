import AttributeServer
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing
import Wire

/// What a server says to programs it does not understand, and while it takes nothing.
struct MaintenanceTests {
  private static func code(_ version: String, at path: String = Route.challenge) async throws
    -> String?
  {
    let server = try TestServer()
    let application = try buildApplication(server.arguments)
    let name = try #require(HTTPFields.Element.Name(ServerInfo.protocolHeader))
    return try await application.test(.router) { client in
      try await client.execute(uri: path, method: .get, headers: [name: version]) { response in
        let body = Data(response.body.readableBytesView)
        return (try? JSONDecoder().decode(Problem.self, from: body))?.code.rawValue
      }
    }
  }

  @Test(arguments: [
    ("0", "proto_too_old"), ("2", "proto_too_new"), ("one", "malformed"),
    // Understood: only the method is wrong.
    ("1", "method_not_allowed"),
  ])
  func aProgramOfAnotherProtocolIsToldWhichOfTheTwoIsOlder(version: String, problem: String)
    async throws
  {
    #expect(try await Self.code(version) == problem)
  }

  @Test func whichProtocolsAreSpokenIsToldToAll() async throws {
    #expect(try await Self.code("9", at: Route.info) == nil)
  }

  @Test func aServerInMaintenanceGivesAndTakesNothing() async throws {
    var server = try TestServer()
    var home = try TestDevice(1)
    let account = try TestAccount(200, device: home)
    let held = Blob(try home.commit(account))
    try await server.run { [account, home] caller in
      _ = try await caller.post(Route.accounts, account.request())
      let request = SyncRequest(
        generation: nil, frontier: Frontier(), memberHead: account.head, frames: [held])
      let answer: SyncResponse = try await caller.post(
        Route.sync, request, token: try await caller.token(for: home)
      ).read()
      #expect(answer.outcomes.map(\.status) == [.accepted])
    }
    server.arguments.isReadOnly = true
    let waiting = Blob(try home.commit(account))
    let work = try TestDevice(2)
    let record = try account.addition(of: work, by: home)
    try await server.run { [account, home] caller in
      let token = try await caller.token(for: home)
      let request = SyncRequest(
        generation: nil, frontier: Frontier(), memberHead: nil, frames: [waiting])
      let answer: SyncResponse = try await caller.post(Route.sync, request, token: token).read()
      #expect(answer.outcomes.map(\.problem?.code) == [.readOnlyMaintenance])
      #expect(answer.outcomes.allSatisfy { $0.problem?.retryable == true })
      #expect(answer.frames == [held])
      let membership = MembershipRequest(expectedHead: account.head, record: Blob(record))
      #expect(
        try await caller.post(Route.membership, membership, token: token).code
          == "read_only_maintenance")
      let other = try TestAccount(201, device: try TestDevice(3))
      #expect(
        try await caller.post(Route.accounts, other.request()).code == "read_only_maintenance")
    }
  }
}

import Access
import Foundation
import GRDB
import Testing
import Wire

@testable import AttributeServer

@Suite struct RevocationFeedTests {
  private func revoked(_ folder: TemporaryFolder) throws -> (ServerDatabase, DeviceID) {
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    let record = try fixture.account.rotation(
      without: [fixture.work.id], by: fixture.home, cut: Frontier())
    _ = try fixture.append(record, by: fixture.home)
    return (database, fixture.work.id)
  }

  @Test func entriesAreNumberedAndNoNumberIsUsedAgain() async throws {
    let (database, work) = try revoked(try TemporaryFolder())
    let page = try await database.revocations(after: nil, limit: 10, now: 5000)
    #expect(page.entries.map(\.device) == [work])
    #expect(page.after == 0 && page.newest == 1 && page.at == 5)
    #expect(try await database.toldRevocations() == 0)
    try await database.told(revocations: 1)
    #expect(try await database.toldRevocations() == 1)
    // What was told stays for a day, for a Push Service that is started again.
    #expect(try await database.revocations(after: nil, limit: 10, now: 0).entries.count == 1)
    try await database.perform { queue in
      try queue.write { try $0.execute(sql: "UPDATE revocation SET at = 0") }
    }
    try await database.told(revocations: 1)
    let empty = try await database.revocations(after: nil, limit: 10, now: 0)
    #expect(empty.entries.isEmpty && empty.after == 1 && empty.newest == 1)
    // Whoever asks for what is gone sees that it is.
    #expect(try await database.revocations(after: 0, limit: 10, now: 0).after == 1)
  }

  @Test func thePushServiceAloneReadsTheFeedAndCanTellWhoseItIs() async throws {
    let server = try TestServer(
      signals: SignalTarget(url: "http://127.0.0.1:9", serviceKey: "the service key"))
    try await server.run { caller in
      #expect(try await caller.get(Route.revocations).status == 401)
      #expect(try await caller.get(Route.revocations, token: "another key").status == 401)
      let answer = try await caller.get(Route.revocations, token: "the service key")
      #expect(answer.status == 200)
      let signed: SignedRevocations = try answer.read()
      let page = try await pushTokenVerifier(of: server.database).read(signed, now: 0)
      #expect(page.entries.isEmpty && page.newest == 0)
      let odd = try await caller.get("\(Route.revocations)?after=x", token: "the service key")
      #expect(odd.status == 400)
    }
  }
}

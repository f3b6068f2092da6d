@testable import AttributeServer
import Foundation
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing
import Wire

/// Stands in for the Push Service: counts what comes, and fails as long as it is told to.
private final class Receiver: Sendable {
  let signals: AsyncStream<[Signal]>
  private let yield: AsyncStream<[Signal]>.Continuation
  private let failures: Mutex<Int>
  let keys = Mutex<Set<String>>([])

  init(failures: Int) {
    (signals, yield) = AsyncStream.makeStream()
    self.failures = Mutex(failures)
  }

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.post("/v1/signals") { request, context -> HTTPResponse.Status in
      let fails = self.failures.withLock { count in
        defer { count -= 1 }
        return count > 0
      }
      guard !fails else { return .serviceUnavailable }
      self.keys.withLock { _ = $0.insert(request.headers[.authorization] ?? "") }
      self.yield.yield(try await request.decode(as: [Signal].self, context: context))
      return .ok
    }
    return router
  }
}

struct SignalOutboxTests {
  @Test func signalsOutliveAPushServiceThatIsDown() async throws {
    let receiver = Receiver(failures: 2)
    let application = Application(
      router: receiver.router(),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      logger: quietLogger())
    try await application.test(.live) { live in
      let port = try #require(live.port)
      let server = try TestServer(
        signals: SignalTarget(url: "http://127.0.0.1:\(port)", serviceKey: "k"))
      try await server.run { caller in
        var device = try TestDevice(1)
        let account = try TestAccount(200, device: device)
        _ = try await caller.post(Route.accounts, account.request())
        let token = try await caller.token(for: device)
        let frames = [Blob(try device.commit(account)), Blob(try device.commit(account))]
        let answer = try await caller.post(
          Route.sync,
          SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: frames),
          token: token)
        #expect(answer.status == 200, "a commit does not wait for the Push Service")
        let received = try #require(await receiver.signals.first { _ in true })
        #expect(received == [Signal(account: account.id, device: device.id, sequence: 2)])
        #expect(receiver.keys.withLock { $0 } == ["Bearer k"])
      }
      // The application has stopped: what was delivered was forgotten before.
      #expect(try await server.database.pendingSignals(limit: 10).isEmpty)
    }
  }

  @Test func whatWasQueuedBeforeTheStartIsDelivered() async throws {
    let receiver = Receiver(failures: 0)
    let application = Application(
      router: receiver.router(),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      logger: quietLogger())
    try await application.test(.live) { live in
      let port = try #require(live.port)
      let server = try TestServer(
        signals: SignalTarget(url: "http://127.0.0.1:\(port)", serviceKey: "k"))
      var fixture = try TestLedger(store: server.database.store)
      let frame = try fixture.home.commit(fixture.account)
      #expect(try fixture.outcome(of: frame) == "accepted")
      let (home, account) = (fixture.home.id, fixture.account.id)
      try await server.run { _ in
        let received = try #require(await receiver.signals.first { _ in true })
        #expect(
          received == [
            Signal(account: account, device: home, sequence: 1),
            Signal(account: account, recordBy: home),
          ])
      }
    }
  }

  @Test func aNewerSignalIsNotForgottenWithTheOldOne() async throws {
    let folder = try TemporaryFolder()
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    _ = try fixture.outcome(of: try fixture.home.commit(fixture.account))
    let first = try await database.pendingSignals(limit: 10)
    _ = try fixture.outcome(of: try fixture.home.commit(fixture.account))
    try await database.forget(first)
    #expect(try await database.pendingSignals(limit: 10).map(\.sequence) == [2])
  }

  @Test func aNewerRecordIsNotForgottenWithTheOldOne() async throws {
    let folder = try TemporaryFolder()
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    let first = try await database.untoldRecords(limit: 10)
    #expect(first.map(\.signal) == [Signal(account: fixture.account.id, recordBy: fixture.home.id)])
    let record = try fixture.account.addition(of: try TestDevice(3), by: fixture.home)
    _ = try fixture.append(record, by: fixture.work)
    try await database.forget(first)
    let second = try await database.untoldRecords(limit: 10)
    #expect(
      second.map(\.signal) == [Signal(account: fixture.account.id, recordBy: fixture.work.id)])
    try await database.forget(second)
    #expect(try await database.untoldRecords(limit: 10).isEmpty)
  }
}

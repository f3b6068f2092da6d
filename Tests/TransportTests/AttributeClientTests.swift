import Foundation
import Sync
import Synchronization
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct AttributeClientTests {
  private func failure<Answer>(_ body: () async throws -> Answer) async -> ServiceFailure? {
    do {
      _ = try await body()
      Issue.record("it succeeded")
      return nil
    } catch {
      return error as? ServiceFailure
    }
  }

  private func failure(answer: TestServer.Answer) async throws -> ServiceFailure? {
    let server = try await TestServer { _ in answer }
    let client = try AttributeClient.test(port: server.port)
    return await failure { try await client.info() }
  }

  private func failure(raw: String) async throws -> ServiceFailure? {
    let server = try await RawServer(answer: Array(raw.utf8))
    let client = try AttributeClient.test(port: server.port)
    return await failure { try await client.info() }
  }

  @Test func infoIsReadWithoutAToken() async throws {
    let server = try await TestServer(answer: TestAttributeServer(push: ":1/push").answer)
    let info = try await AttributeClient.test(port: server.port).info()
    #expect(info.instance == id(7))
    #expect(info.push == ":1/push")
    #expect(server.requests.first?.headers["authorization"] == nil)
    #expect(server.requests.first?.headers["host"] == "127.0.0.1:\(server.port)")
  }

  @Test func aNameOfThisMachineWorksWhicheverAddressListens() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port, host: "localhost")
    _ = try await client.info()
    _ = try await client.info()
    #expect(server.requests.last?.headers["host"] == "localhost:\(server.port)")
  }

  @Test func syncProvesTheDeviceOnceAndKeepsTheToken() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port)
    #expect(try await client.synchronise(emptySync) == TestAttributeServer.sync)
    _ = try await client.synchronise(emptySync)
    #expect(server.requests.map(\.path) == [Route.challenge, Route.token, Route.sync, Route.sync])
    let proof = try server.requests[1].decoded(TokenRequest.self)
    let bytes = AuthenticationProof.signedBytes(
      instance: id(7), serverKeyHash: .zero, action: .token, audiences: [.attributes],
      challenge: [UInt8](repeating: 5, count: 32))
    #expect(proof.signature == (try TestProver().prove(bytes)))
    #expect(proof.device == id(2))
    #expect(server.requests[3].headers["authorization"] == "Bearer attr-1")
    #expect(try server.requests[3].decoded(SyncRequest.self) == emptySync)
  }

  @Test func aTokenIsRenewedAMinuteBeforeItExpires() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let clock = TestClock()
    let client = try AttributeClient.test(port: server.port, clock: clock)
    _ = try await client.synchronise(emptySync)
    clock.advance(.seconds(539))
    _ = try await client.synchronise(emptySync)
    #expect(server.count(Route.token) == 1)
    clock.advance(.seconds(2))
    _ = try await client.synchronise(emptySync)
    #expect(server.count(Route.token) == 2)
  }

  @Test func aRefusedTokenIsReplacedOnce() async throws {
    let answers = TestAttributeServer()
    let server = try await TestServer(answer: answers.answer)
    let client = try AttributeClient.test(port: server.port)
    _ = try await client.synchronise(emptySync)
    answers.refuses.withLock { $0 = ["Bearer attr-1"] }
    _ = try await client.synchronise(emptySync)
    #expect(server.requests.last?.headers["authorization"] == "Bearer attr-2")
    answers.refuses.withLock { $0 = Set((1...9).map { "Bearer attr-\($0)" }) }
    let failure = await failure { try await client.synchronise(emptySync) }
    #expect(failure == .refused(Problem(.authenticationExpired)))
    #expect(server.count(Route.token) == 3)
  }

  @Test func callersAtOnceShareOneProof() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { _ = try await client.synchronise(emptySync) } }
      try await group.waitForAll()
    }
    #expect(server.count(Route.token) == 1)
    #expect(server.count(Route.sync) == 8)
  }

  @Test func audiencesHaveTokensOfTheirOwn() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port)
    _ = try await client.synchronise(emptySync)
    #expect(try await client.pushToken() == "push-2")
    #expect(try await client.pushToken() == "push-2")
  }

  @Test func nothingIsSignedForAnotherServer() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port, instance: id(8))
    let failure = await failure { try await client.synchronise(emptySync) }
    #expect(
      failure
        == .unintelligible("another Attribute Server answers there (\(id(7) as InstanceID))"))
    #expect(server.count(Route.token) == 0)
  }

  @Test func withoutKeysNothingIsSent() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port, prover: nil)
    let failure = await failure { try await client.synchronise(emptySync) }
    #expect(failure == .refused(Problem(.authenticationFailed)))
    #expect(server.requests.isEmpty)
  }

  @Test func lettersAndMembershipGoWhereTheyBelong() async throws {
    let membership = MembershipResponse(
      memberHead: .zero, records: [Blob([1])], serverFrontier: Frontier())
    let rendezvous: RendezvousID = id(4)
    let base = TestAttributeServer()
    let server = try await TestServer { request in
      switch (request.method, request.path) {
      case ("POST", "/v1/enrol/\(rendezvous)"): TestServer.Answer(status: 204)
      case ("GET", "/v1/enrol/\(rendezvous)/offer?wait=25"):
        .json(MailboxResponse(letter: Blob([9])))
      case ("GET", "/v1/enrol/\(rendezvous)/answer?wait=0"): TestServer.Answer(status: 204)
      case (_, Route.membership), (_, "\(Route.membership)?after=\(Digest32.zero)"):
        .json(membership)
      case (_, Route.accounts): .json(membership, status: 201)
      default: base.answer(request)
      }
    }
    let client = try AttributeClient.test(port: server.port)
    try await client.openMailbox(rendezvous)
    #expect(server.requests.last?.headers["authorization"] == "Bearer attr-1")
    try await client.post([1, 2], to: .offer, of: rendezvous)
    #expect(
      try server.requests.last?.decoded() == MailboxRequest(box: .offer, letter: Blob([1, 2])))
    #expect(server.requests.last?.headers["authorization"] == nil)
    #expect(try await client.read(.offer, of: rendezvous, wait: .seconds(25)) == [9])
    #expect(try await client.read(.answer, of: rendezvous, wait: .zero) == nil)
    #expect(try await client.membership(after: .zero) == membership)
    #expect(try await client.membership(after: nil, token: "enrol") == membership)
    #expect(server.requests.last?.headers["authorization"] == "Bearer enrol")
    let request = MembershipRequest(expectedHead: .zero, record: Blob([3]))
    #expect(try await client.appendMembership(request) == membership)
    let account = AccountRequest(
      account: id(1), handle: .zero, invite: nil, genesis: Blob([]), loginKey: Blob([]),
      slot: Blob([]), hashing: .init(memoryKibibytes: 1, passes: 1, salt: Blob([])))
    #expect(try await client.createAccount(account) == membership)
  }

  @Test func aProblemComesThroughWhole() async throws {
    let problem = Problem(.rateLimited, detail: "later", retryAfterSeconds: 3)
    #expect(try await failure(answer: .problem(problem)) == .refused(problem))
  }

  @Test func whatIsNotAnAnswerIsNotTaken() async throws {
    let redirect = TestServer.Answer(status: 302, headers: ["location": "http://127.0.0.1:1/"])
    #expect(
      try await failure(answer: redirect)
        == .unintelligible("the server sends elsewhere, which is not followed"))
    #expect(
      try await failure(answer: .init(body: Array("<html>".utf8)))
        == .unintelligible("the answer does not read"))
    #expect(
      try await failure(answer: .init(status: 204)) == .unintelligible("the answer does not read"))
    #expect(
      try await failure(answer: .init(status: 404))
        == .unintelligible("status 404 without a problem"))
    #expect(
      try await failure(answer: .init(status: 502))
        == .unreachable(reason: "a proxy answers for the server (502)"))
    let long = TestServer.Answer(body: [UInt8](repeating: 0x20, count: 64 * 1024 + 1))
    #expect(
      try await failure(answer: long)
        == .unintelligible("the answer is longer than 65536 bytes"))
    let nested = String(repeating: "[", count: 60_000)
    #expect(
      try await failure(answer: .init(body: Array(nested.utf8)))
        == .unintelligible("the answer does not read"))
  }

  @Test func whatIsNotHTTPIsNotTaken() async throws {
    #expect(
      try await failure(raw: "SSH-2.0-nonsense\r\n\r\n")
        == .unintelligible("the answer is not HTTP"))
    #expect(
      try await failure(raw: "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        == .unreachable(reason: "the server closed the connection"))
    #expect(try await failure(raw: "") == .unreachable(reason: "the server closed the connection"))
    let endless = "HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 50_000) + "\r\n{}"
    #expect(try await failure(raw: endless) == .unintelligible("the answer is not HTTP"))
  }

  @Test func aServerThatIsNotThereIsToldInWords() async throws {
    let server = try await TestServer { _ in nil }
    let port = server.port
    try await server.stop()
    for host in ["127.0.0.1", "localhost"] {
      let client = try AttributeClient.test(port: port, host: host)
      #expect(
        await failure { try await client.info() } == .unreachable(reason: "connection refused"))
    }
    let nowhere = try AttributeClient.test(port: port, host: "no-such-name.invalid")
    #expect(await failure { try await nowhere.info() } == .unreachable(reason: "no such host"))
    let secure = try AttributeClient.test(port: 443, scheme: "https", host: "no-such-name.invalid")
    #expect(await failure { try await secure.info() } == .unreachable(reason: "no such host"))
  }

  @Test func aSilentServerTimesOut() async throws {
    var timing = HTTPTransport.Timing()
    timing.request = .milliseconds(200)
    let server = try await TestServer { _ in nil }
    let client = try AttributeClient.test(port: server.port, timing: timing)
    #expect(await failure { try await client.info() } == .unreachable(reason: "timed out"))
  }

  @Test func plaintextToANameElsewhereIsRefused() async throws {
    let client = try AttributeClient.test(port: 1, host: "1")
    let reason = TransportError.plaintextBeyondLoopback(host: "1").description
    #expect(await failure { try await client.info() } == .unreachable(reason: reason))
  }

  // MARK: TLS

  @Test(arguments: ["localhost", "127.0.0.1"])
  func aPinnedServerNeedsNoAuthority(_ host: String) async throws {
    let server = try await TestServer(isSecure: true, answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(
      port: server.port, scheme: "https", host: host, trust: .pin(TestCertificate.keyHash))
    _ = try await client.synchronise(emptySync)
    let proof = try server.requests[1].decoded(TokenRequest.self)
    let bytes = AuthenticationProof.signedBytes(
      instance: id(7), serverKeyHash: TestCertificate.keyHash, action: .token,
      audiences: [.attributes], challenge: [UInt8](repeating: 5, count: 32))
    #expect(proof.signature == (try TestProver().prove(bytes)))
  }

  @Test func aWrongPinSendsNothing() async throws {
    let server = try await TestServer(isSecure: true, answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(
      port: server.port, scheme: "https", trust: .pin(digest([1])))
    let reason = TransportError.wrongServerKey.description
    #expect(await failure { try await client.info() } == .unreachable(reason: reason))
    #expect(server.requests.isEmpty)
  }

  @Test func anUnknownAuthorityIsNotTrusted() async throws {
    let server = try await TestServer(isSecure: true, answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port, scheme: "https", host: "localhost")
    #expect(
      await failure { try await client.info() }
        == .unreachable(reason: "TLS: the certificate is not trusted"))
    #expect(server.requests.isEmpty)
  }

  @Test func anAuthorityOfOnesOwnIsTrustedAndTheKeyIsProved() async throws {
    let server = try await TestServer(isSecure: true, answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(
      port: server.port, scheme: "https", host: "localhost",
      trust: .authorities(additional: Array(TestCertificate.pem.utf8)))
    #expect(client.serverKeyHash == nil)
    _ = try await client.synchronise(emptySync)
    #expect(client.serverKeyHash == TestCertificate.keyHash)
  }

  @Test func aServerWithoutTLSIsTold() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let client = try AttributeClient.test(port: server.port, scheme: "https", host: "localhost")
    #expect(
      await failure { try await client.info() }
        == .unreachable(reason: "TLS: the server does not speak TLS"))
  }

  @Test func aKeyThatChangesBetweenConnectionsIsRefusedOnce() throws {
    let key = ServerKey(trust: .authorities(), digest: digest)
    let pems = [TestCertificate.pem, TestCertificate.otherPEM]
    let certificates = try pems.map { try TestCertificate.certificate($0) }
    try key.check(certificates[0])
    try key.check(certificates[0])
    #expect(throws: TransportError.wrongServerKey) { try key.check(certificates[1]) }
    try key.check(certificates[1])
    #expect(key.hash == (try key.hash(of: certificates[1])))
  }
}

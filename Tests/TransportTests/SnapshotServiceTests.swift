import Sync
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct SnapshotServiceTests {
  private let snapshot = digest([9])
  private var path: String { "/v1/snapshots/\(snapshot)" }

  private func failure<Answer>(_ body: () async throws -> Answer) async -> ServiceFailure? {
    do {
      _ = try await body()
      Issue.record("it succeeded")
      return nil
    } catch {
      return error as? ServiceFailure
    }
  }

  /// A server that answers `path` with `answer` and knows nothing else of snapshots.
  private func server(
    _ method: String, _ path: String, _ answer: TestServer.Answer?
  ) async throws -> TestServer {
    let base = TestAttributeServer()
    return try await TestServer { request in
      request.method == method && request.path == path ? answer : base.answer(request)
    }
  }

  @Test func chunksTravelAsTheBytesTheyAre() async throws {
    let bytes = (0..<Limits.snapshotChunkBytes).map { UInt8(truncatingIfNeeded: $0) }
    let taking = try await server("PUT", "\(path)/chunks/7", .init(status: 204))
    try await AttributeClient.test(port: taking.port).put(bytes, at: 7, of: snapshot)
    let sent = try #require(taking.requests.last)
    #expect(sent.body == bytes)
    #expect(sent.headers["content-type"] == "application/octet-stream")
    #expect(sent.headers["authorization"] == "Bearer attr-1")

    let giving = try await server("GET", "\(path)/chunks/7", .init(body: bytes))
    let client = try AttributeClient.test(port: giving.port)
    #expect(try await client.chunk(7, of: snapshot) == bytes)
    #expect(giving.requests.last?.headers["accept"] == "application/octet-stream")
  }

  @Test func offerFinishAndDescriptionGoWhereTheyBelong() async throws {
    let offer = SnapshotOffer(manifest: Blob([1, 2]), chunks: [digest([3])], bytes: 4)
    let progress = SnapshotProgress(id: snapshot, missing: [0], isComplete: false)
    let summary = SnapshotSummary(
      id: snapshot, frontier: Frontier(), chunks: 1, bytes: 4, at: 5)
    // The largest manifest there is still fits.
    let description = SnapshotDescription(
      id: snapshot, manifest: Blob([UInt8](repeating: 7, count: Limits.commitBytes)), chunks: 1,
      bytes: 4)
    let base = TestAttributeServer()
    let (path, route) = (path, Route.snapshots)
    let server = try await TestServer { request in
      switch (request.method, request.path) {
      case ("POST", route): .json(progress)
      case ("POST", "\(path)/finish"): .json(summary)
      case ("GET", path): .json(description)
      default: base.answer(request)
      }
    }
    let client = try AttributeClient.test(port: server.port)
    #expect(try await client.offer(offer) == progress)
    #expect(try server.requests.last?.decoded() == offer)
    #expect(server.requests.last?.headers["content-type"] == "application/json")
    #expect(try await client.finish(snapshot) == summary)
    #expect(server.requests.last?.body == [])
    #expect(try await client.describe(snapshot) == description)
    #expect(server.count(Route.token) == 1)
  }

  @Test func aChunkOverItsLimitIsNeitherSentNorTaken() async throws {
    let long = [UInt8](repeating: 0, count: Limits.snapshotChunkBytes + 1)
    let server = try await server("GET", "\(path)/chunks/0", .init(body: long))
    let client = try AttributeClient.test(port: server.port)
    let refused = await failure { try await client.put(long, at: 0, of: snapshot) }
    guard case .refused(let problem) = refused else {
      Issue.record("\(String(describing: refused))")
      return
    }
    #expect(problem.code == .tooLarge)
    #expect(server.requests.isEmpty)
    #expect(
      await failure { try await client.chunk(0, of: snapshot) }
        == .unintelligible("the answer is longer than 262144 bytes"))
  }

  @Test func anEmptyChunkIsNone() async throws {
    for answer in [TestServer.Answer(status: 204), .init()] {
      let server = try await server("GET", "\(path)/chunks/0", answer)
      let client = try AttributeClient.test(port: server.port)
      #expect(
        await failure { try await client.chunk(0, of: snapshot) }
          == .unintelligible("a part of a snapshot that is empty"))
    }
  }

  @Test(arguments: [
    Problem.Code.snapshotNotDominating, .notFound, .quota, .rateLimited, .storageFull,
  ])
  func problemsOfSnapshotsComeThroughWhole(code: Problem.Code) async throws {
    let problem = Problem(code, detail: "why", retryAfterSeconds: 2)
    let server = try await server("POST", "\(path)/finish", .problem(problem))
    let client = try AttributeClient.test(port: server.port)
    #expect(await failure { try await client.finish(snapshot) } == .refused(problem))
  }

  @Test func aRefusedTokenIsReplacedAndTheChunkSentAgain() async throws {
    let base = TestAttributeServer()
    let chunks = "\(path)/chunks/0"
    let server = try await TestServer { request in
      guard request.path == chunks else { return base.answer(request) }
      let isOld = request.headers["authorization"] == "Bearer attr-1"
      return isOld ? .problem(Problem(.authenticationExpired)) : .init(status: 204)
    }
    try await AttributeClient.test(port: server.port).put([1, 2, 3], at: 0, of: snapshot)
    #expect(server.count(chunks) == 2)
    #expect(server.requests.last?.body == [1, 2, 3])
  }

  @Test func whatCannotBeReachedIsTriedAgainByTheCaller() async throws {
    let proxy = try await server("GET", "\(path)/chunks/0", .init(status: 503))
    let client = try AttributeClient.test(port: proxy.port)
    #expect(
      await failure { try await client.chunk(0, of: snapshot) }
        == .unreachable(reason: "a proxy answers for the server (503)"))
    let cut = try await RawServer(
      answer: Array("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab".utf8))
    let info = try AttributeClient.test(port: cut.port)
    #expect(
      await failure { try await info.chunk(0, of: snapshot) }
        == .unreachable(reason: "the server closed the connection"))
  }

  /// A transfer of hundreds of chunks must end when the vault is locked, not after its time is out.
  @Test func aCancelledTransferEndsAtOnce() async throws {
    let arrived = AsyncStream<Void>.makeStream()
    let base = TestAttributeServer()
    let chunks = "\(path)/chunks/0"
    let server = try await TestServer { request in
      guard request.path == chunks else { return base.answer(request) }
      arrived.continuation.yield()
      return nil
    }
    let client = try AttributeClient.test(port: server.port)
    let snapshot = snapshot
    let transfer = Task { () -> ServiceFailure? in
      do throws(ServiceFailure) {
        _ = try await client.chunk(0, of: snapshot)
        return nil
      } catch {
        return error
      }
    }
    for await _ in arrived.stream { break }
    transfer.cancel()
    #expect(await transfer.value == .unreachable(reason: "cancelled"))
  }
}

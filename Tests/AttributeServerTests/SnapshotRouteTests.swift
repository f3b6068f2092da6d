import AttributeServer
import Foundation
import Testing
import Wire

/// The snapshots' calls, through the router.
struct SnapshotRouteTests {
  /// A server with an account of one device and two commits, and a snapshot of them.
  private func start(
    limits: ServerLimits = ServerLimits(),
    _ body: @Sendable (TestCaller, String, TestSnapshot) async throws -> Void
  ) async throws {
    let server = try TestServer(limits: limits)
    let made = try TestDevice(1)
    let account = try TestAccount(200, device: made)
    try await server.run { caller in
      var home = made
      #expect(try await caller.post(Route.accounts, account.request()).status == 201)
      let token = try await caller.token(for: home)
      let frames = [try home.commit(account), try home.commit(account)].map { Blob($0) }
      let answer = try await caller.post(
        Route.sync,
        SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: frames),
        token: token)
      #expect(answer.status == 200)
      let snapshot = try TestSnapshot(
        of: account, by: home, covering: Frontier([home.id: home.head]))
      try await body(caller, token, snapshot)
    }
  }

  private static func path(_ snapshot: TestSnapshot, _ rest: String = "") -> String {
    "\(Route.snapshots)/\(snapshot.id)\(rest)"
  }

  @Test func aSnapshotGoesUpInBinaryChunksAndComesBackTheSame() async throws {
    try await start { caller, token, snapshot in
      let offered = try await caller.post(Route.snapshots, snapshot.offer, token: token)
      #expect(try offered.read(SnapshotProgress.self).missing == [0, 1])
      for (number, chunk) in snapshot.chunks.enumerated() {
        let path = Self.path(snapshot, "/chunks/\(number)")
        #expect(try await caller.put(path, Data(chunk), token: token).status == 204)
      }
      let finished = try await caller.post(
        Self.path(snapshot, "/finish"), raw: Data(), token: token)
      #expect(finished.status == 200)
      #expect(try finished.read(SnapshotSummary.self).at == TestClock.start)
      let described = try await caller.get(Self.path(snapshot), token: token)
      #expect(
        try described.read()
          == SnapshotDescription(
            id: snapshot.id, manifest: Blob(snapshot.manifest), chunks: 2, bytes: 2000))
      let chunk = try await caller.get(Self.path(snapshot, "/chunks/1"), token: token)
      #expect(chunk.mediaType == "application/octet-stream")
      #expect(Array(chunk.body) == snapshot.chunks[1])
    }
  }

  @Test func everyCallNeedsAToken() async throws {
    try await start { caller, _, snapshot in
      let chunk = Self.path(snapshot, "/chunks/0")
      let codes = [
        try await caller.post(Route.snapshots, snapshot.offer).code,
        try await caller.get(Self.path(snapshot)).code,
        try await caller.get(chunk).code,
        try await caller.put(chunk, Data()).code,
        try await caller.post(Self.path(snapshot, "/finish"), raw: Data()).code,
      ]
      #expect(codes == Array(repeating: "auth_failed", count: 5))
    }
  }

  @Test func whatDoesNotReadIsAProblemWithACode() async throws {
    try await start { caller, token, snapshot in
      let chunk = Data(snapshot.chunks[0])
      let first = Self.path(snapshot, "/chunks/0")
      #expect(try await caller.put(first, chunk, token: token).code == "not_found")
      _ = try await caller.post(Route.snapshots, snapshot.offer, token: token)
      let cases: [(path: String, body: Data, code: String)] = [
        ("/v1/snapshots/abc/chunks/0", chunk, "malformed"),
        (Self.path(snapshot, "/chunks/x"), chunk, "malformed"),
        (Self.path(snapshot, "/chunks/-1"), chunk, "malformed"),
        (Self.path(snapshot, "/chunks/2"), chunk, "not_found"),
        (first, Data(count: Limits.snapshotChunkBytes + 1), "too_large"),
        (first, Data(count: 5), "malformed"),
      ]
      for (path, body, code) in cases {
        let answer = try await caller.put(path, body, token: token)
        #expect(answer.code == code, "\(path)")
      }
      let other = try await caller.put(first, chunk, token: token, mediaType: "application/json")
      #expect(other.code == "malformed")
      let large = Data(repeating: 0x20, count: 1024 * 1024 + 1)
      #expect(try await caller.post(Route.snapshots, raw: large, token: token).code == "too_large")
      #expect(try await caller.get(Route.snapshots, token: token).code == "method_not_allowed")
    }
  }

  @Test func chunksHaveARateOfTheirOwn() async throws {
    let limits = ServerLimits(chunks: Rate(perSecond: 1, burst: 3))
    try await start(limits: limits) { caller, token, snapshot in
      var codes: [String?] = []
      for _ in 0..<4 {
        codes.append(try await caller.get(Self.path(snapshot, "/chunks/0"), token: token).code)
      }
      #expect(codes == ["not_found", "not_found", "not_found", "rate_limited"])
      #expect(
        try await caller.post(Route.snapshots, snapshot.offer, token: token).status == 200,
        "other calls go on")
    }
  }
}

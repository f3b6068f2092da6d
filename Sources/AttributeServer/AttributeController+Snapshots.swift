import Foundation
import Hummingbird
import NIOCore
import Wire

/// The snapshots' routes. Chunks are bodies of their own, as bytes: in JSON they would be a third
/// larger.
extension AttributeController {
  static let binary = "application/octet-stream"

  func addSnapshotRoutes(to router: Router<ServerRequestContext>) {
    router.post("/v1/snapshots") { try await offerSnapshot($0, $1) }
    router.get("/v1/snapshots/:snapshot") { try await describeSnapshot($0, $1) }
    router.post("/v1/snapshots/:snapshot/finish") { try await finishSnapshot($0, $1) }
    router.put("/v1/snapshots/:snapshot/chunks/:chunk") { try await putChunk($0, $1) }
    router.get("/v1/snapshots/:snapshot/chunks/:chunk") { try await getChunk($0, $1) }
  }

  private func offerSnapshot(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    // A manifest of 256 KiB and 4096 digests, in base64.
    let body = try await request.read(SnapshotOffer.self, limitBytes: 1024 * 1024)
    let now = arguments.clock.now()
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.offer(body, by: caller, now: now, in: &store)
      })
  }

  private func putChunk(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let caller = try await caller(of: request, bucket: .chunks)
    let id = try Self.snapshot(of: context)
    let number = try Self.chunk(of: context)
    guard request.headers[.contentType] == Self.binary else {
      throw Problem(.malformed, detail: "A chunk is sent as \(Self.binary).")
    }
    let bytes = try await request.readBytes(limitBytes: Limits.snapshotChunkBytes)
    try await database.run { [ledger] store throws(Problem) in
      try ledger.put(bytes, as: number, of: id, by: caller, in: &store)
    }
    return Response(status: .noContent)
  }

  private func finishSnapshot(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    let id = try Self.snapshot(of: context)
    let now = arguments.clock.now()
    let summary = try await database.run { [ledger] store throws(Problem) in
      try ledger.finish(id, by: caller, now: now, in: &store)
    }
    // It may have brought commits that other devices lack.
    outbox.wake()
    return try JSONAnswer(summary)
  }

  private func describeSnapshot(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    let id = try Self.snapshot(of: context)
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.describe(id, by: caller, in: store)
      })
  }

  private func getChunk(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let caller = try await caller(of: request, bucket: .chunks)
    let id = try Self.snapshot(of: context)
    let number = try Self.chunk(of: context)
    let bytes = try await database.run { [ledger] store throws(Problem) in
      try ledger.chunk(number, of: id, by: caller, in: store)
    }
    return Response(
      status: .ok, headers: [.contentType: Self.binary, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private static func snapshot(of context: ServerRequestContext) throws(Problem) -> Digest32 {
    guard
      let id = context.parameters.get("snapshot").flatMap({ Base64URL.decode($0) })
        .flatMap({ Digest32(bytes: $0) })
    else { throw Problem(.malformed, detail: "A snapshot is named by its digest in base64url.") }
    return id
  }

  private static func chunk(of context: ServerRequestContext) throws(Problem) -> Int {
    guard let number = context.parameters.get("chunk").flatMap({ Int($0) }), number >= 0 else {
      throw Problem(.malformed, detail: "A chunk is named by its number, from 0.")
    }
    return number
  }
}

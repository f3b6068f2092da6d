import NIOHTTP1
public import Sync
public import Wire

/// Snapshots on the Attribute Server. Chunks are bytes in both directions; whether they are the
/// right ones is the caller's to check, by the digests in the manifest.
///
/// Every call may be made again: the server takes the same offer, chunk or finish twice.
extension AttributeClient: SnapshotService {
  /// 512 KiB: a manifest of 256 KiB in base 64, and what stands around it.
  private static let descriptionLimitBytes = 512 * 1024

  public func offer(
    _ offer: SnapshotOffer
  ) async throws(ServiceFailure) -> SnapshotProgress {
    try await authorized(try .post(Route.snapshots, offer))
  }

  /// Throws ``ServiceFailure/refused(_:)`` with `too_large`, and sends nothing, where the chunk is
  /// over `Limits.snapshotChunkBytes`.
  public func put(
    _ chunk: [UInt8], at position: Int, of snapshot: Digest32
  ) async throws(ServiceFailure) {
    guard chunk.count <= Limits.snapshotChunkBytes else {
      throw .refused(Problem(.tooLarge, detail: "a chunk of \(chunk.count) bytes"))
    }
    var message = HTTPTransport.Request(
      method: .PUT, path: Self.path(of: position, of: snapshot), body: chunk)
    message.mediaType = HTTPTransport.Request.bytes
    _ = try await withToken(message)
  }

  public func finish(_ snapshot: Digest32) async throws(ServiceFailure) -> SnapshotSummary {
    try await authorized(
      HTTPTransport.Request(method: .POST, path: "\(Self.path(of: snapshot))/finish"))
  }

  public func describe(
    _ snapshot: Digest32
  ) async throws(ServiceFailure) -> SnapshotDescription {
    var message = HTTPTransport.Request(method: .GET, path: Self.path(of: snapshot))
    message.answerLimitBytes = Self.descriptionLimitBytes
    return try await authorized(message)
  }

  public func chunk(
    _ position: Int, of snapshot: Digest32
  ) async throws(ServiceFailure) -> [UInt8] {
    var message = HTTPTransport.Request(
      method: .GET, path: Self.path(of: position, of: snapshot))
    message.answerType = HTTPTransport.Request.bytes
    message.answerLimitBytes = Limits.snapshotChunkBytes
    guard let bytes = try await withToken(message), !bytes.isEmpty else {
      throw .unintelligible("a part of a snapshot that is empty")
    }
    return bytes
  }

  private static func path(of snapshot: Digest32) -> String { "\(Route.snapshots)/\(snapshot)" }

  private static func path(of position: Int, of snapshot: Digest32) -> String {
    "\(path(of: snapshot))/chunks/\(position)"
  }
}

import Foundation
public import Wire

/// Opens the chunks of a snapshot in order, as they come.
///
/// A download that goes on later makes a new one and gives it the chunks kept before: the digests
/// of a manifest tell which of them are good (``SnapshotManifest/holds(_:at:)``), in any order and
/// without a key.
///
/// A value: a copy goes on from where it was made.
public struct SnapshotOpener: Sendable {
  public let manifest: SnapshotManifest
  private var stream: SnapshotStream
  /// How many chunks were opened.
  public private(set) var opened = 0
  private var bytes = 0

  init(manifest: SnapshotManifest, stream: SnapshotStream) {
    self.manifest = manifest
    self.stream = stream
  }

  /// Whether all chunks were opened, the last one marked as such by the author.
  public var isFinished: Bool { opened == manifest.chunks.count }

  /// The piece in the next chunk; nil for the only chunk of a snapshot without pieces.
  ///
  /// Throws, and has not changed, when the chunk is not the next one, whole and unaltered. What was
  /// opened before is genuine but not all there is until ``isFinished``.
  public mutating func open(_ chunk: [UInt8]) throws(VaultError) -> [UInt8]? {
    guard !isFinished else { throw .malformed(field: "chunks") }
    guard manifest.holds(chunk, at: opened) else { throw .cannotOpen }
    let isLast = opened == manifest.chunks.count - 1
    guard !isLast || bytes + chunk.count == manifest.bytes else {
      throw .malformed(field: "bytes")
    }
    // On a copy: a stream that failed must not have moved.
    var next = stream
    let piece = try next.pull(chunk, isLast: isLast)
    guard piece.isEmpty == (manifest.pieces == 0) else { throw .malformed(field: "piece") }
    stream = next
    bytes += chunk.count
    opened += 1
    return piece.isEmpty ? nil : piece
  }
}

extension SnapshotManifest {
  /// Whether these bytes are the chunk at that position.
  public func holds(_ chunk: [UInt8], at position: Int) -> Bool {
    chunks.indices.contains(position) && chunks[position] == .sha256(chunk)
  }
}

extension Keyring {
  /// What a manifest says, after author, signature, account and epoch were found good.
  ///
  /// Whether its frontier agrees with what is held elsewhere is the replica's to check.
  public func openManifest(
    _ envelope: Envelope, membership: Membership
  ) throws(VaultError) -> SnapshotManifest {
    let header = envelope.header
    guard header.kind == .snapshotManifest else { throw .malformed(field: "kind") }
    try check(membership)
    try membership.verify(envelope)
    // One frontier has one form: the author's own head stands in front, and nowhere else.
    guard header.dependencies[header.device] == nil,
      header.sequence > 0 || header.previous == .zero
    else { throw .malformed(field: "dependencies") }
    let padded = try Cipher.open(
      envelope.ciphertext, additional: Array(envelope.headerBytes), nonce: header.nonce,
      key: try keys(of: header.epoch).snapshotManifest)
    let text = try Padding.unpad(padded)
    let manifest: SnapshotManifest
    do {
      manifest = try JSONDecoder().decode(SnapshotManifest.self, from: Data(text))
    } catch {
      throw .malformed(field: "manifest")
    }
    guard manifest.pieces >= 0, manifest.chunks.count == max(manifest.pieces, 1),
      manifest.chunks.count <= Limits.snapshotChunks,
      (0...Limits.snapshotBytes).contains(manifest.bytes)
    else { throw .malformed(field: "manifest") }
    return manifest
  }

  /// Begins to open a snapshot's chunks, after its manifest was found good.
  public func snapshotOpener(
    _ manifest: Envelope, membership: Membership
  ) throws(VaultError) -> SnapshotOpener {
    let contents = try openManifest(manifest, membership: membership)
    guard contents.stream.bytes.count == SnapshotStream.headerBytes else {
      throw .malformed(field: "stream")
    }
    return SnapshotOpener(
      manifest: contents,
      stream: SnapshotStream(
        key: try keys(of: manifest.header.epoch).snapshot, account: account,
        header: contents.stream.bytes))
  }

  /// Gives each piece of a snapshot to `each`, in order, after the manifest was found good.
  ///
  /// Throws when any chunk is missing, exchanged, altered or cut; pieces given before that are
  /// genuine but not all there is, so keep nothing of them. Errors of `each` come out as they are.
  public func openSnapshot(
    _ snapshot: SealedSnapshot, membership: Membership, each: ([UInt8]) throws -> Void
  ) throws {
    var opener = try snapshotOpener(snapshot.manifest, membership: membership)
    guard snapshot.chunks.count == opener.manifest.chunks.count else {
      throw VaultError.malformed(field: "chunks")
    }
    for chunk in snapshot.chunks {
      if let piece = try opener.open(chunk) { try each(piece) }
    }
  }
}

public import Wire

/// What the sealed part of a manifest says about a snapshot's chunks.
public struct SnapshotManifest: Hashable, Sendable, Codable {
  /// The state root of the replica that was written.
  public let root: Digest32
  public let pieces: Int
  public let versions: Int
  /// What the sealed chunks add up to.
  public let bytes: Int
  /// The digest of each sealed chunk, in order: one chunk a piece.
  public let chunks: [Digest32]
  /// The header of the stream that seals them.
  public let stream: Blob
  /// Milliseconds since 1970 by the author's clock.
  public let writtenAt: Int64

  public init(
    root: Digest32, pieces: Int, versions: Int, bytes: Int, chunks: [Digest32], stream: Blob,
    writtenAt: Int64
  ) {
    self.root = root
    self.pieces = pieces
    self.versions = versions
    self.bytes = bytes
    self.chunks = chunks
    self.stream = stream
    self.writtenAt = writtenAt
  }
}

/// A snapshot as it is stored and sent: a signed manifest, and sealed chunks that it names.
public struct SealedSnapshot: Hashable, Sendable {
  public let manifest: Envelope
  public let chunks: [[UInt8]]

  public init(manifest: Envelope, chunks: [[UInt8]]) {
    self.manifest = manifest
    self.chunks = chunks
  }

  public var id: Digest32 { manifest.hash }

  /// What it covers.
  public var frontier: Frontier { manifest.header.covered }
}

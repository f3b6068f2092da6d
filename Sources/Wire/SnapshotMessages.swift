/// What a snapshot on the server is, in brief: enough to decide whether to fetch it.
public struct SnapshotSummary: Hashable, Sendable, Codable {
  /// The SHA-256 digest of its manifest.
  public let id: Digest32
  /// What it covers: every commit up to here.
  public let frontier: Frontier
  public let chunks: Int
  /// What its chunks add up to.
  public let bytes: Int
  /// When the server had it whole, milliseconds since 1970; a hint.
  public let at: Int64

  public init(id: Digest32, frontier: Frontier, chunks: Int, bytes: Int, at: Int64) {
    self.id = id
    self.frontier = frontier
    self.chunks = chunks
    self.bytes = bytes
    self.at = at
  }
}

/// `POST /v1/snapshots`: begins to send a snapshot, or asks how far it has come.
public struct SnapshotOffer: Hashable, Sendable, Codable {
  /// An ``Envelope`` of the kind ``EnvelopeHeader/Kind/snapshotManifest``.
  public let manifest: Blob
  /// The SHA-256 digests of the chunks in order, at most ``Limits/snapshotChunks``. The server
  /// cannot read the manifest, which names them too; receivers compare.
  public let chunks: [Digest32]
  /// What the chunks add up to, at most ``Limits/snapshotBytes``.
  public let bytes: Int

  public init(manifest: Blob, chunks: [Digest32], bytes: Int) {
    self.manifest = manifest
    self.chunks = chunks
    self.bytes = bytes
  }
}

/// The answer to a ``SnapshotOffer``: what is still to be sent.
public struct SnapshotProgress: Hashable, Sendable, Codable {
  public let id: Digest32
  /// Positions of chunks the server lacks, the first ``Limits/snapshotMissing`` of them.
  public let missing: [Int]
  /// Whether it is finished and counts.
  public let isComplete: Bool

  public init(id: Digest32, missing: [Int], isComplete: Bool) {
    self.id = id
    self.missing = missing
    self.isComplete = isComplete
  }
}

/// The answer of `GET /v1/snapshots/{id}`: where fetching begins.
public struct SnapshotDescription: Hashable, Sendable, Codable {
  public let id: Digest32
  public let manifest: Blob
  public let chunks: Int
  public let bytes: Int

  public init(id: Digest32, manifest: Blob, chunks: Int, bytes: Int) {
    self.id = id
    self.manifest = manifest
    self.chunks = chunks
    self.bytes = bytes
  }
}

extension EnvelopeHeader {
  /// What a snapshot's manifest covers: its dependencies, and its author's own chain up to
  /// ``sequence`` with the hash ``previous`` (none where the author never committed).
  public var covered: Frontier {
    var frontier = dependencies
    if sequence > 0 { frontier[device] = Head(sequence: sequence, hash: previous) }
    return frontier
  }
}

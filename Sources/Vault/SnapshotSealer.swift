public import Wire

/// Seals the pieces of a snapshot one after the other, so that a large one is never in memory
/// twice.
///
/// Made by ``Keyring/snapshotSealer(entropy:)``. Write each chunk away as it comes; after the last,
/// ``Keyring/manifest(of:root:versions:covering:memberHead:writtenAt:entropy:)`` signs for them
/// all.
public struct SnapshotSealer: ~Copyable, Sendable {
  // Not copyable: two copies would seal different pieces at one place of the stream.
  private var stream: SnapshotStream
  /// The digest of each chunk so far.
  private(set) var chunks: [Digest32] = []
  /// What the chunks so far add up to.
  public private(set) var bytes = 0
  /// Whether a piece was the last one.
  public private(set) var isFinished = false
  private var isEmpty = false

  init(stream: SnapshotStream) {
    self.stream = stream
  }

  var header: [UInt8] { stream.header }
  var pieces: Int { isEmpty ? 0 : chunks.count }

  /// The chunk of the next piece; nothing follows the last. A snapshot without pieces is one empty
  /// piece, which is the last: a stream without an end could have been cut.
  ///
  /// Throws ``VaultError/malformed(field:)`` for a piece after the last or another empty one,
  /// ``VaultError/overLimit(limit:value:)`` beyond `Limits.snapshotChunks`,
  /// `Limits.snapshotChunkBytes` or `Limits.snapshotBytes`. It has not changed then.
  public mutating func seal(
    _ piece: [UInt8], isLast: Bool = false
  ) throws(VaultError) -> [UInt8] {
    guard !isFinished, !piece.isEmpty || (isLast && chunks.isEmpty) else {
      throw .malformed(field: "piece")
    }
    guard chunks.count < Limits.snapshotChunks else {
      throw .overLimit(limit: "snapshot chunks", value: chunks.count + 1)
    }
    let count = SnapshotStream.sealedCount(piece.count)
    guard count <= Limits.snapshotChunkBytes else {
      throw .overLimit(limit: "snapshot chunk bytes", value: count)
    }
    guard bytes + count <= Limits.snapshotBytes else {
      throw .overLimit(limit: "snapshot bytes", value: bytes + count)
    }
    let chunk = stream.push(piece, isLast: isLast)
    chunks.append(.sha256(chunk))
    bytes += count
    isEmpty = piece.isEmpty
    isFinished = isLast
    return chunk
  }
}

extension Keyring {
  /// Begins to seal a snapshot under the newest epoch.
  public func snapshotSealer(
    entropy: inout some Entropy
  ) throws(VaultError) -> SnapshotSealer {
    SnapshotSealer(
      stream: try SnapshotStream(
        key: keys(of: epoch).snapshot, account: account,
        header: entropy.bytes(SnapshotStream.headerBytes)))
  }

  /// The manifest of what a finished sealer sealed: everything up to `covering`, written and signed
  /// by this device.
  public func manifest(
    of sealer: borrowing SnapshotSealer, root: Digest32, versions: Int, covering: Frontier,
    memberHead: Digest32, writtenAt: Int64, entropy: inout some Entropy
  ) throws(VaultError) -> Envelope {
    precondition(sealer.isFinished, "a manifest is signed when the last piece is sealed")
    let manifest = SnapshotManifest(
      root: root, pieces: sealer.pieces, versions: versions, bytes: sealer.bytes,
      chunks: sealer.chunks, stream: Blob(sealer.header), writtenAt: writtenAt)
    return try seal(manifest, covering: covering, memberHead: memberHead, entropy: &entropy)
  }

  func seal(
    _ manifest: SnapshotManifest, covering: Frontier, memberHead: Digest32,
    entropy: inout some Entropy
  ) throws(VaultError) -> Envelope {
    let own = covering[device]
    var others = covering
    others[device] = nil
    let padded = Padding.pad(try CanonicalJSON.encode(manifest))
    let header = EnvelopeHeader(
      kind: .snapshotManifest, account: account, epoch: epoch, device: device,
      sequence: own?.sequence ?? 0, previous: own?.hash ?? .zero, memberHead: memberHead,
      dependencies: others, nonce: entropy.bytes(EnvelopeHeader.nonceBytes))
    let front = header.encoded(ciphertextLength: padded.count + Cipher.tagBytes)
    let key = try keys(of: epoch).snapshotManifest
    let ciphertext = padded.withUnsafeBytes {
      Cipher.seal($0, additional: front, nonce: header.nonce, key: key)
    }
    let signature = deviceKeys.signing.sign(Envelope.signatureDomain + front + ciphertext)
    return try VaultError.reading { () throws(WireError) in
      try Envelope(bytes: front + ciphertext + signature)
    }
  }

  /// Seals a replica's pieces as a snapshot of everything up to `covering`, all in memory.
  ///
  /// Pieces lie in a stream (libsodium's secretstream, XChaCha20-Poly1305), so that chunks can be
  /// neither reordered nor left out nor cut off at the end; each is padded to whole 64 KiB. Throws
  /// ``VaultError/overLimit(limit:value:)`` like ``SnapshotSealer/seal(_:isLast:)``.
  public func sealSnapshot(
    pieces: [[UInt8]], root: Digest32, versions: Int, covering: Frontier, memberHead: Digest32,
    writtenAt: Int64, entropy: inout some Entropy
  ) throws(VaultError) -> SealedSnapshot {
    var sealer = try snapshotSealer(entropy: &entropy)
    var chunks: [[UInt8]] = []
    for (position, piece) in pieces.enumerated() {
      chunks.append(try sealer.seal(piece, isLast: position == pieces.count - 1))
    }
    if pieces.isEmpty { chunks.append(try sealer.seal([], isLast: true)) }
    let manifest = try manifest(
      of: sealer, root: root, versions: versions, covering: covering, memberHead: memberHead,
      writtenAt: writtenAt, entropy: &entropy)
    return SealedSnapshot(manifest: manifest, chunks: chunks)
  }
}

import Testing
import Wire

@testable import Vault

extension Fixture {
  /// Three pieces: short, of one whole block, of one byte more than that.
  static let pieces: [[UInt8]] = [
    Array("one".utf8), [UInt8](repeating: 2, count: 65_532), [UInt8](repeating: 3, count: 65_533),
  ]

  static let root = Digest32.sha256(Array("root".utf8))

  /// Covers four commits of the writer, and what ``frontier`` names.
  static func covering() throws -> Frontier {
    var covering = frontier
    covering[try account.get().keyring.device] = Head(
      sequence: 4, hash: .sha256(Array("four".utf8)))
    return covering
  }

  static func snapshot(
    _ pieces: [[UInt8]] = pieces, by keyring: Keyring? = nil, memberHead: Digest32? = nil,
    covering: Frontier? = nil, seed: String = "snapshot"
  ) throws -> SealedSnapshot {
    var entropy = SeededEntropy(seed)
    return try (keyring ?? account.get().keyring).sealSnapshot(
      pieces: pieces, root: root, versions: 5, covering: covering ?? Self.covering(),
      memberHead: memberHead ?? chain().head, writtenAt: 1_700_000_000_000, entropy: &entropy)
  }

  /// The pieces of a snapshot, opened by the account's first device.
  static func opened(
    _ snapshot: SealedSnapshot, by keyring: Keyring? = nil, membership: Membership? = nil
  ) throws -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    try (keyring ?? account.get().keyring).openSnapshot(
      snapshot, membership: membership ?? chain()
    ) { pieces.append($0) }
    return pieces
  }
}

@Suite struct SnapshotTests {
  @Test func piecesComeOutAsTheyWentIn() throws {
    let snapshot = try Fixture.snapshot()
    #expect(try Fixture.opened(snapshot) == Fixture.pieces)
    #expect(snapshot.frontier == (try Fixture.covering()))
    let manifest = try Fixture.account.get().keyring.openManifest(
      snapshot.manifest, membership: Fixture.chain())
    #expect(manifest.root == Fixture.root)
    #expect(manifest.pieces == 3)
    #expect(manifest.versions == 5)
    #expect(manifest.writtenAt == 1_700_000_000_000)
    #expect(manifest.bytes == snapshot.chunks.reduce(0) { $0 + $1.count })
  }

  @Test func chunksAreWholeBlocks() throws {
    let block = 64 * 1024
    #expect(
      try Fixture.snapshot().chunks.map(\.count) == [block + 17, block + 17, 2 * block + 17])
  }

  @Test func aSnapshotOfNothingHasAnEndToo() throws {
    let snapshot = try Fixture.snapshot([])
    #expect(snapshot.chunks.count == 1)
    #expect(try Fixture.opened(snapshot) == [])
    #expect(throws: VaultError.malformed(field: "chunks")) {
      try Fixture.opened(SealedSnapshot(manifest: snapshot.manifest, chunks: []))
    }
  }

  @Test func theSameChanceMakesTheSameSnapshot() throws {
    #expect(try Fixture.snapshot() == Fixture.snapshot())
    #expect(try Fixture.snapshot().id != Fixture.snapshot(seed: "another").id)
    #expect(try Fixture.snapshot().chunks[0] != Fixture.snapshot(seed: "another").chunks[0])
  }

  @Test func aWriterThatNeverCommittedCoversOthersOnly() throws {
    let snapshot = try Fixture.snapshot(covering: Fixture.frontier)
    #expect(snapshot.manifest.header.sequence == 0)
    #expect(snapshot.frontier == Fixture.frontier)
    #expect(try Fixture.opened(snapshot) == Fixture.pieces)
  }

  @Test func everyMemberOpensWhatAnyWrote() throws {
    let paired = try Fixture.paired()
    let snapshot = try Fixture.snapshot(
      by: paired.joined.keyring, memberHead: paired.chain.head)
    #expect(try Fixture.opened(snapshot, membership: paired.chain) == Fixture.pieces)
  }

  @Test func sealingStepByStepIsTheSame() throws {
    let keyring = try Fixture.account.get().keyring
    var entropy = SeededEntropy("snapshot")
    var sealer = try keyring.snapshotSealer(entropy: &entropy)
    var chunks: [[UInt8]] = []
    for (position, piece) in Fixture.pieces.enumerated() {
      chunks.append(try sealer.seal(piece, isLast: position == 2))
    }
    let manifest = try keyring.manifest(
      of: sealer, root: Fixture.root, versions: 5, covering: Fixture.covering(),
      memberHead: Fixture.chain().head, writtenAt: 1_700_000_000_000, entropy: &entropy)
    #expect(SealedSnapshot(manifest: manifest, chunks: chunks) == (try Fixture.snapshot()))
  }

  @Test func whatWouldBeOverALimitIsNotSealed() throws {
    var entropy = SeededEntropy("limits")
    var sealer = try Fixture.account.get().keyring.snapshotSealer(entropy: &entropy)
    let long = [UInt8](repeating: 0, count: 3 * 65_536 - 3)
    #expect(
      throws: VaultError.overLimit(limit: "snapshot chunk bytes", value: 4 * 65_536 + 17)
    ) { try sealer.seal(long) }
    let fitting = try sealer.seal(Array(long.dropLast()))
    #expect(fitting.count <= Limits.snapshotChunkBytes)
    #expect(throws: VaultError.malformed(field: "piece")) { try sealer.seal([], isLast: true) }
    _ = try sealer.seal([1], isLast: true)
    #expect(throws: VaultError.malformed(field: "piece")) { try sealer.seal([2], isLast: true) }
  }

  @Test func aManifestOfTheMostChunksFitsItsEnvelope() throws {
    let manifest = SnapshotManifest(
      root: Fixture.root, pieces: Limits.snapshotChunks, versions: .max, bytes: .max,
      chunks: [Digest32](repeating: Fixture.root, count: Limits.snapshotChunks),
      stream: Blob([UInt8](repeating: 0, count: 24)), writtenAt: .max)
    var covering = try Fixture.covering()
    var entropy = SeededEntropy("covering")
    while covering.heads.count < Limits.devices {
      covering[entropy.identifier()] = Head(sequence: .max, hash: Fixture.root)
    }
    let envelope = try Fixture.account.get().keyring.seal(
      manifest, covering: covering, memberHead: Fixture.chain().head, entropy: &entropy)
    #expect(envelope.bytes.count < Limits.commitBytes)
    #expect(envelope.header.covered == covering)
  }

  @Test func aDownloadIsOpenedAsItComesAndGoesOnLater() throws {
    let keyring = try Fixture.account.get().keyring
    let snapshot = try Fixture.snapshot()
    let chain = try Fixture.chain()
    var opener = try keyring.snapshotOpener(snapshot.manifest, membership: chain)
    // Chunks that came in another order are told by their digests.
    #expect(opener.manifest.holds(snapshot.chunks[2], at: 2))
    #expect(!opener.manifest.holds(snapshot.chunks[2], at: 1))
    #expect(!opener.manifest.holds(snapshot.chunks[2], at: 3))
    #expect(try opener.open(snapshot.chunks[0]) == Fixture.pieces[0])
    // What does not belong there leaves it where it was.
    #expect(throws: VaultError.cannotOpen) { try opener.open(snapshot.chunks[2]) }
    #expect(throws: VaultError.cannotOpen) { try opener.open(snapshot.chunks[0]) }
    #expect(opener.opened == 1)
    var copy = opener
    #expect(try opener.open(snapshot.chunks[1]) == Fixture.pieces[1])
    #expect(!opener.isFinished)
    #expect(try opener.open(snapshot.chunks[2]) == Fixture.pieces[2])
    #expect(opener.isFinished)
    #expect(throws: VaultError.malformed(field: "chunks")) { try opener.open(snapshot.chunks[2]) }
    #expect(try copy.open(snapshot.chunks[1]) == Fixture.pieces[1])
  }

  @Test func errorsOfTheReaderComeOutAsTheyAre() throws {
    struct Full: Error {}
    #expect(throws: Full.self) {
      try Fixture.account.get().keyring.openSnapshot(
        Fixture.snapshot(), membership: Fixture.chain()
      ) { _ in throw Full() }
    }
  }
}

import Testing
import Wire

@testable import Vault

/// Snapshots that were changed, cut, put together, or written by somebody who may not.
@Suite struct SnapshotMustFailTests {
  private func expectRefused(
    _ what: String, _ snapshot: SealedSnapshot, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: VaultError.self, "\(what)", sourceLocation: sourceLocation) {
      try Fixture.opened(snapshot)
    }
  }

  @Test func everyChangedByteOfAManifestIsNoticed() throws {
    let bytes = try Fixture.snapshot().manifest.bytes
    let keyring = try Fixture.account.get().keyring
    let chain = try Fixture.chain()
    func opens(_ bytes: [UInt8]) -> Bool {
      do {
        _ = try keyring.openManifest(Envelope(bytes: bytes), membership: chain)
        return true
      } catch { return false }
    }
    #expect(opens(bytes))
    #expect(bytes.indices.filter { opens(bytes.flipped(at: $0)) } == [])
    #expect((0..<bytes.count).filter { opens(Array(bytes.prefix($0))) } == [])
    #expect(!opens(bytes + [0]))
    // A member that changes the header and signs anew is stopped by the additional data.
    let unsigned = Array(bytes.dropLast(Envelope.signatureBytes))
    func opensResigned(_ unsigned: [UInt8]) -> Bool {
      opens(unsigned + keyring.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned))
    }
    #expect(opensResigned(unsigned))
    #expect(unsigned.indices.filter { opensResigned(unsigned.flipped(at: $0)) } == [])
  }

  @Test func changedChunksAreNoticed() throws {
    let snapshot = try Fixture.snapshot()
    let chunk = snapshot.chunks[0]
    // Beginning and end whole, between them a byte in each kilobyte.
    let positions =
      Array(0..<64) + Array(stride(from: 64, to: chunk.count - 64, by: 1021))
      + Array((chunk.count - 64)..<chunk.count)
    var opener = try Fixture.account.get().keyring.snapshotOpener(
      snapshot.manifest, membership: Fixture.chain())
    for position in positions {
      #expect(throws: VaultError.cannotOpen, "\(position)") {
        try opener.open(chunk.flipped(at: position))
      }
    }
    for copy in [[], Array(chunk.prefix(17)), chunk.dropLast(), chunk + [0]] {
      #expect(throws: VaultError.self) { try opener.open(copy) }
    }
  }

  @Test func chunksSwappedDroppedCutOrAppendedAreNoticed() throws {
    let snapshot = try Fixture.snapshot()
    let chunks = snapshot.chunks
    let other = try Fixture.snapshot(seed: "another").chunks
    let variants: [(String, [[UInt8]])] = [
      ("swapped", [chunks[1], chunks[0], chunks[2]]),
      ("doubled", [chunks[0], chunks[0], chunks[2]]),
      ("first dropped", Array(chunks.dropFirst())), ("last dropped", Array(chunks.dropLast())),
      ("none", []), ("appended", chunks + [chunks[2]]),
      ("cut", [chunks[0], chunks[1], Array(chunks[2].dropLast(65_536))]),
      ("of another snapshot", [chunks[0], other[1], chunks[2]]),
    ]
    for (what, variant) in variants {
      expectRefused(what, SealedSnapshot(manifest: snapshot.manifest, chunks: variant))
    }
    let foreign = try Fixture.snapshot(seed: "another").manifest
    expectRefused("another manifest", SealedSnapshot(manifest: foreign, chunks: chunks))
  }

  /// A member that signs a manifest of rearranged chunks is stopped by the stream.
  @Test func aMemberCannotRearrangeAnothersChunks() throws {
    let keyring = try Fixture.account.get().keyring
    let sound = try Fixture.snapshot()
    let contents = try keyring.openManifest(sound.manifest, membership: Fixture.chain())
    func signed(_ chunks: [[UInt8]], pieces: Int? = nil, bytes: Int? = nil) throws -> SealedSnapshot
    {
      var entropy = SodiumEntropy()
      let manifest = SnapshotManifest(
        root: contents.root, pieces: pieces ?? chunks.count, versions: contents.versions,
        bytes: bytes ?? chunks.reduce(0) { $0 + $1.count }, chunks: chunks.map { .sha256($0) },
        stream: contents.stream, writtenAt: contents.writtenAt)
      return SealedSnapshot(
        manifest: try keyring.seal(
          manifest, covering: Fixture.covering(), memberHead: Fixture.chain().head,
          entropy: &entropy),
        chunks: chunks)
    }
    let chunks = sound.chunks
    #expect(try Fixture.opened(signed(chunks)) == Fixture.pieces)
    expectRefused("swapped", try signed([chunks[1], chunks[0], chunks[2]]))
    expectRefused("first dropped", try signed(Array(chunks.dropFirst())))
    expectRefused("last dropped", try signed(Array(chunks.dropLast())))
    expectRefused("appended", try signed(chunks + [chunks[2]]))
    expectRefused("changed", try signed([chunks[0].flipped(at: 9), chunks[1], chunks[2]]))
    expectRefused("cut", try signed([Array(chunks[0].prefix(17)), chunks[1], chunks[2]]))
    expectRefused("no chunk", try signed([], pieces: 0))
    expectRefused("pieces denied", try signed([chunks[0]], pieces: 0))
    expectRefused("pieces below zero", try signed(chunks, pieces: -3))
    expectRefused("another length", try signed(chunks, bytes: 1))
    expectRefused("a length below zero", try signed(chunks, bytes: -1))
  }

  @Test func anotherAccountsSnapshotIsRefused() throws {
    let stranger = try Fixture.stranger.get()
    let snapshot = try Fixture.snapshot()
    #expect(throws: VaultError.wrongAccount) {
      try Fixture.opened(snapshot, by: stranger.keyring)
    }
    var chain = Membership(account: stranger.keyring.account)
    try chain.append(stranger.genesis)
    #expect(throws: VaultError.wrongAccount) {
      try Fixture.opened(snapshot, by: stranger.keyring, membership: chain)
    }
    let foreign = try Fixture.snapshot(by: stranger.keyring, memberHead: chain.head)
    #expect(throws: VaultError.wrongAccount) { try Fixture.opened(foreign) }
  }

  @Test func onlyMembersWriteAndOnlySinceTheyAre() throws {
    let paired = try Fixture.paired()
    let device = paired.joined.keyring.device
    let early = try Fixture.snapshot(by: paired.joined.keyring, memberHead: Fixture.chain().head)
    #expect(throws: VaultError.notAMember(device)) { try Fixture.opened(early) }
    #expect(throws: VaultError.notAMember(device)) {
      try Fixture.opened(early, membership: paired.chain)
    }
    let late = try Fixture.snapshot(by: paired.joined.keyring, memberHead: paired.chain.head)
    #expect(throws: VaultError.unknownMembership(paired.chain.head)) { try Fixture.opened(late) }
  }

  /// One member's manifest under another's name: the signature is the writer's own.
  @Test func nobodyWritesInAnothersName() throws {
    let paired = try Fixture.paired()
    let keyring = paired.joined.keyring
    let sound = try Fixture.snapshot(memberHead: paired.chain.head)
    let unsigned = Array(sound.manifest.bytes.dropLast(Envelope.signatureBytes))
    let forged = try Envelope(
      bytes: unsigned + keyring.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned))
    #expect(throws: VaultError.badSignature) {
      try Fixture.opened(
        SealedSnapshot(manifest: forged, chunks: sound.chunks), membership: paired.chain)
    }
  }

  @Test func anotherEpochsKeysOpenNothing() throws {
    let first = try Fixture.account.get().keyring
    var chain = try Fixture.chain()
    try chain.append(
      RotationTests.rotation(of: first, without: [], in: chain, cut: Frontier()).record)
    let rotated = try first.extended(by: chain)
    let snapshot = try Fixture.snapshot(by: rotated, memberHead: chain.head)
    #expect(try Fixture.opened(snapshot, by: rotated, membership: chain) == Fixture.pieces)
    #expect(throws: VaultError.unknownEpoch(1)) {
      try Fixture.opened(snapshot, membership: chain)
    }
    // Old snapshots stay readable; relabelled, neither opens.
    let old = try Fixture.snapshot()
    #expect(try Fixture.opened(old, by: rotated, membership: chain) == Fixture.pieces)
    var unsigned = Array(snapshot.manifest.bytes.dropLast(Envelope.signatureBytes))
    unsigned.replaceSubrange(26..<30, with: [0, 0, 0, 0])
    let relabelled = try Envelope(
      bytes: unsigned + first.deviceKeys.signing.sign(Envelope.signatureDomain + unsigned))
    #expect(relabelled.header.epoch == 0)
    #expect(throws: VaultError.cannotOpen) {
      try Fixture.opened(
        SealedSnapshot(manifest: relabelled, chunks: snapshot.chunks), by: rotated,
        membership: chain)
    }
  }

  @Test func aCommitIsNoManifestAndAManifestNoCommit() throws {
    let keyring = try Fixture.account.get().keyring
    let chain = try Fixture.chain()
    #expect(throws: VaultError.malformed(field: "kind")) {
      try keyring.openManifest(Fixture.commit(), membership: chain)
    }
    #expect(throws: VaultError.cannotOpen) {
      try keyring.openCommit(Fixture.snapshot().manifest, membership: chain)
    }
    // Sealed as a commit, called a manifest.
    var entropy = SodiumEntropy()
    let disguised = try keyring.sealCommit(
      Fixture.plaintext, kind: .snapshotManifest, sequence: 1, previous: .zero,
      memberHead: chain.head, dependencies: Frontier(), entropy: &entropy)
    #expect(throws: VaultError.cannotOpen) {
      try keyring.openManifest(disguised, membership: chain)
    }
  }

  @Test func aFrontierHasOneForm() throws {
    let keyring = try Fixture.account.get().keyring
    for (sequence, previous, dependencies) in [
      (1, .zero, try Fixture.covering()), (0, Fixture.root, Frontier()),
    ] as [(UInt64, Digest32, Frontier)] {
      var entropy = SodiumEntropy()
      let envelope = try keyring.sealCommit(
        [], kind: .snapshotManifest, sequence: sequence, previous: previous,
        memberHead: Fixture.chain().head, dependencies: dependencies, entropy: &entropy)
      #expect(throws: VaultError.malformed(field: "dependencies")) {
        try keyring.openManifest(envelope, membership: Fixture.chain())
      }
    }
  }
}

import AttributeServer
import Testing
import Wire

/// What the server takes as a snapshot and whom it gives it to, over both stores.
struct SnapshotTests {
  @Test(arguments: StoreKind.allCases)
  func anUploadIsResumedChunkByChunkAndGivenToOthers(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(2)
    let used = try fixture.usedBytes
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, chunks: 3)
    #expect(try fixture.offer(snapshot).missing == [0, 1, 2])
    try fixture.put(1, of: snapshot)
    try fixture.put(1, of: snapshot)
    let resumed = try fixture.offer(snapshot, by: fixture.work)
    #expect(resumed == SnapshotProgress(id: snapshot.id, missing: [0, 2], isComplete: false))
    #expect(refusal { _ = try fixture.finish(snapshot) } == "malformed")
    let caller = Caller(account: fixture.account.id, device: fixture.work.id)
    #expect(
      refusal { _ = try fixture.ledger.describe(snapshot.id, by: caller, in: fixture.store) }
        == "not_found", "nobody is given what is not complete")
    try fixture.put(0, of: snapshot)
    try fixture.put(2, of: snapshot)
    let summary = try fixture.finish(snapshot, now: 7)
    #expect(
      summary
        == SnapshotSummary(
          id: snapshot.id, frontier: fixture.heads, chunks: 3, bytes: snapshot.bytes, at: 7))
    #expect(try fixture.finish(snapshot, now: 9) == summary, "the answer was lost")
    #expect(try fixture.offer(snapshot).isComplete)
    let description = try fixture.ledger.describe(snapshot.id, by: caller, in: fixture.store)
    #expect(description.manifest.bytes == snapshot.manifest)
    for number in 0..<3 {
      let chunk = try fixture.ledger.chunk(number, of: snapshot.id, by: caller, in: fixture.store)
      #expect(chunk == snapshot.chunks[number])
    }
    #expect(try fixture.usedBytes == used + snapshot.bytes + snapshot.manifest.count)
    #expect(try fixture.store.findings() == [])
  }

  struct Refused: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: String
    let make: @Sendable (inout TestLedger<AnyLedgerStore>) throws -> SnapshotOffer
  }

  private static func snapshot(
    _ fixture: TestLedger<AnyLedgerStore>, covering frontier: Frontier? = nil,
    _ change: (inout EnvelopeHeader) -> Void = { _ in }
  ) throws -> SnapshotOffer {
    try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: frontier ?? fixture.heads, change
    ).offer
  }

  static let cases: [Refused] = [
    Refused(testDescription: "no envelope", code: "malformed") { _ in
      SnapshotOffer(manifest: Blob([1, 2, 3]), chunks: [], bytes: 0)
    },
    Refused(testDescription: "a commit", code: "malformed") {
      try snapshot($0) { $0.kind = .data }
    },
    Refused(testDescription: "another vault", code: "malformed") {
      try snapshot($0) { $0.vault = 1 }
    },
    Refused(testDescription: "another account", code: "unknown_device") {
      try snapshot($0) { $0.account = id(99) }
    },
    Refused(testDescription: "an author nobody knows", code: "unknown_device") {
      try snapshot($0) { $0.device = id(99) }
    },
    Refused(testDescription: "a signature of another device", code: "bad_signature") {
      let home = $0.home.id
      return try TestSnapshot(of: $0.account, by: $0.work, covering: $0.heads) {
        $0.device = home
        $0.dependencies = Frontier()
      }.offer
    },
    Refused(testDescription: "another epoch", code: "stale_epoch") {
      try snapshot($0) { $0.epoch += 1 }
    },
    Refused(testDescription: "an unknown membership record", code: "stale_membership") {
      try snapshot($0) { $0.memberHead = hash([1]) }
    },
    Refused(testDescription: "a predecessor without a commit", code: "malformed") {
      try snapshot($0) {
        $0.sequence = 0
        $0.previous = hash([1])
      }
    },
    Refused(testDescription: "a chain no device can have", code: "malformed") {
      try snapshot($0) { $0.sequence = UInt64.max }
    },
    Refused(testDescription: "a device of nobody covered", code: "unknown_device") {
      try snapshot($0) { $0.dependencies[id(99)] = Head(sequence: 1, hash: hash([1])) }
    },
    Refused(testDescription: "another history", code: "device_fork") {
      var frontier = $0.heads
      frontier[$0.work.id] = Head(sequence: 1, hash: hash([1]))
      return try snapshot($0, covering: frontier)
    },
    Refused(
      testDescription: "ahead of one device and behind another",
      code: "snapshot_not_dominating"
    ) {
      var frontier = $0.heads
      frontier[$0.work.id] = Head(sequence: 9, hash: hash([1]))
      frontier[$0.home.id] = nil
      return try snapshot($0, covering: frontier)
    },
    Refused(testDescription: "too many chunks", code: "too_many") {
      let offer = try snapshot($0)
      return SnapshotOffer(
        manifest: offer.manifest,
        chunks: Array(repeating: hash([1]), count: Limits.snapshotChunks + 1), bytes: 1)
    },
    Refused(testDescription: "too many bytes", code: "too_large") {
      let offer = try snapshot($0)
      return SnapshotOffer(
        manifest: offer.manifest, chunks: offer.chunks, bytes: Limits.snapshotBytes + 1)
    },
    Refused(testDescription: "more bytes than its chunks can have", code: "malformed") {
      let offer = try snapshot($0)
      return SnapshotOffer(
        manifest: offer.manifest, chunks: [offer.chunks[0]],
        bytes: Limits.snapshotChunkBytes + 1)
    },
    Refused(testDescription: "fewer bytes than none", code: "malformed") {
      let offer = try snapshot($0)
      return SnapshotOffer(manifest: offer.manifest, chunks: offer.chunks, bytes: -1)
    },
    Refused(testDescription: "over the quota", code: "quota") {
      $0.ledger = Ledger(quotaBytes: 1000)
      return try snapshot($0)
    },
  ]

  @Test(arguments: StoreKind.allCases, cases)
  func aBrokenRuleIsNamedAndNothingKept(kind: StoreKind, refused: Refused) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let offer = try refused.make(&fixture)
    let used = try fixture.usedBytes
    let caller = Caller(account: fixture.account.id, device: fixture.home.id)
    let code = refusal {
      _ = try fixture.ledger.offer(offer, by: caller, now: 0, in: &fixture.store)
    }
    #expect(code == refused.code)
    #expect(try fixture.usedBytes == used)
    #expect(try fixture.store.read { try $0.snapshots(of: caller.account) }.isEmpty)
  }

  @Test(arguments: StoreKind.allCases) func aWrongChunkIsRefused(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    _ = try fixture.offer(snapshot)
    let caller = Caller(account: fixture.account.id, device: fixture.home.id)
    func put(_ bytes: [UInt8], _ number: Int, _ id: Digest32) -> String? {
      refusal { try fixture.ledger.put(bytes, as: number, of: id, by: caller, in: &fixture.store) }
    }
    #expect(put([1, 2], 0, snapshot.id) == "malformed")
    #expect(put(snapshot.chunks[1], 0, snapshot.id) == "malformed", "swapped")
    #expect(put(snapshot.chunks[0], 2, snapshot.id) == "not_found")
    #expect(put(snapshot.chunks[0], -1, snapshot.id) == "not_found")
    #expect(put(snapshot.chunks[0], 0, hash([5])) == "not_found")
    let large = [UInt8](repeating: 0, count: Limits.snapshotChunkBytes + 1)
    #expect(put(large, 0, snapshot.id) == "too_large")
    #expect(try fixture.offer(snapshot).missing == [0, 1])
  }

  @Test(arguments: StoreKind.allCases)
  func chunksOverOrUnderTheirOfferAreRefused(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    let caller = Caller(account: fixture.account.id, device: fixture.home.id)
    let less = SnapshotOffer(
      manifest: Blob(snapshot.manifest), chunks: snapshot.chunks.map(hash), bytes: 1500)
    _ = try fixture.ledger.offer(less, by: caller, now: 0, in: &fixture.store)
    try fixture.put(0, of: snapshot)
    #expect(refusal { try fixture.put(1, of: snapshot) } == "too_large")

    var other = try kind.ledger()
    try other.commitBoth(1)
    let long = try TestSnapshot(of: other.account, by: other.home, covering: other.heads)
    let more = SnapshotOffer(
      manifest: Blob(long.manifest), chunks: long.chunks.map(hash), bytes: 2500)
    _ = try other.ledger.offer(more, by: caller, now: 0, in: &other.store)
    try other.put(0, of: long)
    try other.put(1, of: long)
    #expect(refusal { _ = try other.finish(long) } == "malformed")
  }

  @Test(arguments: StoreKind.allCases)
  func anOfferLivesADayAfterItWasLastMade(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let used = try fixture.usedBytes
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    _ = try fixture.offer(snapshot, now: 0)
    try fixture.put(0, of: snapshot)
    _ = try fixture.offer(snapshot, now: 1000)
    #expect(try fixture.ledger.prune(now: Ledger.offerLife + 1000, in: &fixture.store).offers == 0)
    #expect(try fixture.ledger.prune(now: Ledger.offerLife + 1001, in: &fixture.store).offers == 1)
    #expect(refusal { try fixture.put(1, of: snapshot) } == "not_found")
    #expect(try fixture.usedBytes == used)
    #expect(try fixture.store.findings() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func aDeviceHasOneUploadUnderWay(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let first = try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads)
    let theirs = try TestSnapshot(of: fixture.account, by: fixture.work, covering: fixture.heads)
    _ = try fixture.offer(first)
    _ = try fixture.offer(theirs, by: fixture.work)
    let second = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, fill: 9)
    _ = try fixture.offer(second)
    #expect(refusal { try fixture.put(0, of: first) } == "not_found")
    #expect(refusal { try fixture.put(0, of: theirs, by: fixture.work) } == nil)
  }

  /// An account's snapshots are nobody else's business.
  @Test(arguments: StoreKind.allCases) func aStrangerSeesNothing(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(1)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot)
    let device = try TestDevice(70)
    let account = try TestAccount(201, device: device)
    let ledger = fixture.ledger
    try fixture.store.write { transaction throws in
      try ledger.found(account.id, genesis: account.genesis, in: &transaction)
    }
    for caller in [
      Caller(account: account.id, device: device.id),
      Caller(account: fixture.account.id, device: device.id),
      Caller(account: fixture.account.id, device: .zero, enrolling: true),
    ] {
      let codes = [
        refusal { _ = try ledger.describe(snapshot.id, by: caller, in: fixture.store) },
        refusal { _ = try ledger.chunk(0, of: snapshot.id, by: caller, in: fixture.store) },
        refusal {
          _ = try ledger.offer(snapshot.offer, by: caller, now: 0, in: &fixture.store)
        },
      ]
      #expect(codes.allSatisfy { ["not_found", "auth_failed", "unknown_device"].contains($0) })
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whoIsFarBehindIsOfferedTheSnapshotAndThePageToo(kind: StoreKind) throws {
    var fixture = try kind.ledger()
    try fixture.commitBoth(Limits.snapshotInterval / 2)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot)
    #expect(try fixture.sync().snapshot == nil, "500 commits are no reason yet")
    try fixture.commitBoth(1)
    #expect(try fixture.sync().snapshot == nil, "the snapshot covers no more than 500")
    let later = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, fill: 3)
    try fixture.upload(later)
    let response = try fixture.sync()
    #expect(response.snapshot?.id == later.id)
    #expect(!response.frames.isEmpty)
    let near = Frontier([fixture.home.id: Head(sequence: 9, hash: .zero)])
    #expect(try fixture.sync(holding: near).snapshot == nil)
  }
}

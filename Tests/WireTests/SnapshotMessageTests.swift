import Testing

@testable import Wire

@Suite struct SnapshotMessageTests {
  private let digest = Sample.digest(0x71)
  private let text = "cXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXE"

  private var summary: SnapshotSummary {
    SnapshotSummary(
      id: digest, frontier: Frontier([Sample.device: Head(sequence: 42, hash: digest)]),
      chunks: 2, bytes: 131_106, at: 1_700_000_000_000)
  }

  private var summaryText: String {
    #"{"at":1700000000000,"bytes":131106,"chunks":2,"frontier":[{"device":"#
      + #""d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","hash":"\#(text)","sequence":42}],"id":"\#(text)"}"#
  }

  @Test func offerProgressAndDescription() throws {
    try expect(
      SnapshotOffer(manifest: Blob([1]), chunks: [digest], bytes: 9),
      is: #"{"bytes":9,"chunks":["\#(text)"],"manifest":"AQ"}"#)
    try expect(
      SnapshotProgress(id: digest, missing: [0, 7], isComplete: false),
      is: #"{"id":"\#(text)","isComplete":false,"missing":[0,7]}"#)
    try expect(
      SnapshotDescription(id: digest, manifest: Blob([1]), chunks: 1, bytes: 9),
      is: #"{"bytes":9,"chunks":1,"id":"\#(text)","manifest":"AQ"}"#)
    try expect(summary, is: summaryText)
  }

  /// An answer of a server that knows no snapshots reads as before.
  @Test func anAnswerNamesASnapshotOrNone() throws {
    var answer = SyncResponse(
      generation: "g", outcomes: [], membership: [], frames: [], serverFrontier: Frontier(),
      memberHead: digest, more: false)
    let rest = #""serverFrontier":[]"#
    let start =
      #"{"frames":[],"generation":"g","memberHead":"\#(text)","membership":[],"more":false,"#
      + #""outcomes":[],"#
    try expect(answer, is: start + rest + "}")
    #expect(try decoded(SyncResponse.self, start + rest + #","snapshot":null}"#) == answer)
    answer.snapshot = summary
    try expect(answer, is: start + rest + #","snapshot":\#(summaryText)}"#)
  }

  @Test func aManifestCoversItsDependenciesAndItsAuthorsChain() {
    var header = Sample.header
    header.kind = .snapshotManifest
    let others = header.dependencies
    var covered = others
    covered[Sample.device] = Head(sequence: 42, hash: Sample.digest(0x71))
    #expect(header.covered == covered)
    header.sequence = 0
    header.previous = .zero
    #expect(header.covered == others)
  }

  @Test func limitsOfASnapshotFitEachOther() {
    // A value of the greatest length fits a chunk, and the missing positions fit an answer.
    #expect(Limits.valueBytes * 2 < Limits.snapshotChunkBytes)
    #expect(Limits.snapshotMissing * 5 < 64 * 1024)
    // The digests of all chunks in base 64, quoted, fit the manifest's envelope with its padding.
    #expect(Limits.snapshotChunks * 46 < Limits.commitBytes * 8 / 9)
    // One block a chunk, at least, is what the most bytes come to in the most chunks.
    #expect(Limits.snapshotBytes / Limits.snapshotChunks >= 64 * 1024)
  }
}

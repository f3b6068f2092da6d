import Testing
import Vault
import Wire

@testable import Sync

@Suite struct SnapshotTests {
  /// Two devices with conflicts, deletions, undos and keys of later programs.
  private func life() throws -> (home: Author, work: Author) {
    var home = Author(1)
    var work = Author(2)
    for number in 0..<12 {
      try home.make(
        .createContext(
          name: "context \(number)", kind: .account,
          attributes: [
            Edit.NewAttribute(label: "password", kind: .password, text: "p\(number)"),
            Edit.NewAttribute(
              label: "note", kind: .note, text: String(repeating: "x", count: 9000)),
          ]))
    }
    work.hear(home)
    let contexts = home.replica.contexts
    for (number, context) in contexts.enumerated() {
      let password = try #require(context.attribute("password")).id
      try home.make(.setValue(context.id, password, text: "home \(number)", base: nil))
      work.now += 1500
      try work.make(.setValue(context.id, password, text: "work \(number)", base: nil))
      if number % 3 == 0 { try work.make(.deleteContext(context.id)) }
      if number % 4 == 0 { try work.make(.undo(try #require(work.replica.undoable).id)) }
    }
    return (home, work)
  }

  private func exchanged() throws -> Author {
    var (home, work) = try life()
    home.hear(work)
    work.hear(home)
    #expect(home.replica.root == work.replica.root)
    return home
  }

  @Test func aSnapshotGivesTheSameReplicaInAnyOrder() throws {
    let home = try exchanged()
    let snapshot = try home.replica.snapshot(now: home.now, coveredByAll: nil)
    #expect(snapshot.pieces.count > 2)
    #expect(snapshot.pieces.allSatisfy { $0.count <= SnapshotCodec.pieceBytes })
    for pieces in [snapshot.pieces, snapshot.pieces.reversed(), snapshot.pieces + snapshot.pieces] {
      var other = Replica(own: Author(3).device)
      for piece in pieces { try other.merge(piece: piece, now: home.now) }
      #expect(other.root == snapshot.root)
      #expect(
        other.contexts.flatMap(\.attributes).map(\.heads)
          == home.replica.contexts.flatMap(\.attributes).map(\.heads))
      #expect(other.conflictCount == home.replica.conflictCount)
      #expect(other.undoable == home.replica.undoable)
    }
  }

  @Test func mergingIsAUnionWithWhatIsHere() throws {
    let (home, work) = try life()
    let snapshot = try work.replica.snapshot(now: work.now, coveredByAll: nil)
    var merged = home.replica
    for piece in snapshot.pieces { try merged.merge(piece: piece, now: home.now) }
    var folded = home
    folded.hear(work)
    #expect(merged.root == folded.replica.root)
    #expect(merged.contexts.map(\.attributes) == folded.replica.contexts.map(\.attributes))
  }

  @Test func whatIsNotCommittedIsInNoSnapshot() throws {
    var home = Author(1)
    let operations = try home.replica.operations(
      for: .createContext(name: "draft", kind: .note, attributes: []), now: home.now,
      entropy: &home.entropy)
    _ = home.replica.apply(
      operations, device: home.device, sequence: Version.uncommitted, now: home.now)
    let snapshot = try home.replica.snapshot(now: home.now, coveredByAll: nil)
    #expect(snapshot.versions == 0 && snapshot.pieces == [])
    #expect(snapshot.root == Replica(own: home.device).root)
  }

  @Test func keysOfLaterProgramsSurvive() throws {
    var home = Author(1)
    let text = """
      [{"color":["red"],"ctx":"\(String(repeating: "1", count: 32))","hlc":[5,0],"kind":"meta",\
      "supersedes":[],"value":{"kind":"account","name":"n","tags":["a",{"b":1.5}]},\
      "version":"\(String(repeating: "2", count: 32))"}]
      """
    let operations = try [Operation](plaintext: Array(text.utf8))
    #expect(String(decoding: try operations.encoded(), as: UTF8.self) == text)
    _ = home.replica.apply(operations, device: home.device, sequence: 1, now: home.now)
    let snapshot = try home.replica.snapshot(now: home.now, coveredByAll: nil)
    let entries = try SnapshotReader.entries(of: try #require(snapshot.pieces.first))
    var book = ContentBook()
    let expected = Version(operations[0], device: home.device, sequence: 1, in: &book)
    #expect(entries == [ReplicaEntry(place: operations[0].place, content: .version(expected))])
    #expect(operations[0].content?.others.count == 1 && operations[0].others.count == 1)
  }

  @Test func headsAndTwentyVersionsAndAYearAreKept() throws {
    var home = Author(1)
    try home.make(
      .createContext(
        name: "c", kind: .account,
        attributes: [Edit.NewAttribute(label: "password", kind: .password, text: "0")]))
    let context = try #require(home.context("c"))
    let password = try #require(context.attribute("password")).id
    for number in 1...40 {
      try home.make(.setValue(context.id, password, text: "\(number)", base: nil))
    }
    func kept(_ now: Int64) throws -> Int {
      var other = Replica(own: Author(3).device)
      let snapshot = try home.replica.snapshot(now: now, coveredByAll: nil)
      for piece in snapshot.pieces { try other.merge(piece: piece, now: now) }
      #expect(other.root == home.replica.root)
      #expect(other[context.id]?.attribute("password")?.text == "40")
      return other.history(of: password, in: context.id).count
    }
    #expect(try kept(home.now) == 41)
    #expect(try kept(home.now + 366 * 86_400_000) == 21)
  }

  @Test func theSmallerAuthorOfAVersionCountsInAnyOrder() throws {
    var home = Author(1)
    try home.make(.createContext(name: "c", kind: .note, attributes: []))
    let operations = home.written[0]
    let authors = [Author(4).device, Author(5).device].sorted()
    let commits: [(DeviceID, UInt64)] = [
      (authors[0], 9), (authors[1], 3), (authors[0], 7), (home.device, Version.uncommitted),
    ]
    var random = SeededEntropy(seed: 9)
    var replicas: Set<Replica> = []
    for _ in 0..<20 {
      var replica = Replica(own: home.device)
      for (device, sequence) in random.shuffled(commits) {
        _ = replica.apply(operations, device: device, sequence: sequence, now: home.now)
      }
      #expect(replica.contexts[0].updatedBy == authors[0])
      replicas.insert(replica)
    }
    #expect(replicas.count == 1)
  }

  private static let magic = SnapshotCodec.magic
  /// One device, one context's description begun.
  private static let front = magic + [1] + id + [1] + id
  private static let id = [UInt8](repeating: 7, count: 16)

  static let wrong: [(String, [UInt8])] = [
    ("empty", []), ("another magic", Array("HRP2".utf8) + [0]), ("cut", magic),
    ("a count without its end", magic + [0x80]),
    ("more devices than bytes", magic + [0xff, 0xff, 0xff, 0xff, 0x0f]),
    ("a number over 64 bits", magic + [UInt8](repeating: 0xff, count: 9) + [2]),
    ("a number of eleven bytes", magic + [UInt8](repeating: 0x80, count: 11) + [0]),
    ("no context before it", magic + [0, 0]),
    ("no attribute before it", magic + [0, 1 | 4] + id),
    ("an attribute that is new and not", magic + [0, 1 | 2 | 4] + id + id),
    ("an unknown author", front + id + [5, 0, 1, 1, 0]),
    ("no sequence", front + id + [5, 0, 0, 0, 0]),
    ("a counter over 16 bits", front + id + [5, 0xff, 0xff, 7, 0, 1, 0]),
    ("a huge count of superseded", front + id + [5, 0, 0, 1, 0xff, 0xff, 0xff, 0x7f]),
    ("a byte after it", front + id + [5, 0, 0, 1, 0, 9]),
    ("forgotten with content", magic + [0, 1 | 32 | 64] + id + [0]),
    (
      "a name that is no text", magic + [1] + id + [1 | 64] + id + id + [5, 0, 0, 1, 0, 1, 1, 0xff]
    ),
    (
      "keys that are no object",
      magic + [1] + id + [1 | 64] + id + id + [5, 0, 0, 1, 0, 128, 1, 0x31]
    ),
    ("unknown fields", magic + [1] + id + [1 | 128] + id + id + [5, 0, 0, 1, 0, 16]),
    ("longer than a chunk", magic + [UInt8](repeating: 0, count: Limits.snapshotChunkBytes)),
  ]

  @Test func theFrontOfTheWrongPiecesIsRight() throws {
    #expect(try SnapshotReader.entries(of: Self.front + Self.id + [5, 0, 0, 1, 0]).count == 1)
  }

  @Test(arguments: wrong.map(\.0))
  func whatIsNoPieceIsRefusedAndChangesNothing(name: String) throws {
    let piece = try #require(Self.wrong.first { $0.0 == name }).1
    var replica = Replica(own: Author(1).device)
    #expect(throws: SnapshotError.self) { try replica.merge(piece: piece, now: 0) }
    #expect(replica.root == Replica(own: replica.own).root)
  }

  @Test func everyCutPieceIsRefusedAndAChangedOneNeverTraps() throws {
    let home = try exchanged()
    let pieces = try home.replica.snapshot(now: home.now, coveredByAll: nil).pieces
    let piece = try #require(pieces.last)
    let whole = try SnapshotReader.entries(of: piece).count
    var random = SeededEntropy(seed: 3)
    for _ in 0..<60 {
      let count = Int(random.next() % UInt64(piece.count))
      // A cut between two entries leaves fewer; any other is refused.
      if let cut = try? SnapshotReader.entries(of: Array(piece.prefix(count))) {
        #expect(cut.count < whole)
      }
      var flipped = piece
      flipped[count] ^= UInt8(random.next() % 255 + 1)
      var replica = home.replica
      _ = try? replica.merge(piece: flipped, now: home.now)
      _ = replica.root
      _ = replica.undoable
    }
    for _ in 0..<200 {
      let noise = SnapshotCodec.magic + random.bytes(Int(random.next() % 300))
      _ = try? SnapshotReader.entries(of: noise)
    }
  }
}

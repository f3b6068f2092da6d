import Testing
import Vault
import Wire

@testable import Sync

/// Replicas are unions of versions: whatever a snapshot holds, and in whatever order its pieces and
/// the commits come in.
@Suite struct MergeTests {
  fileprivate struct Commit {
    let device: DeviceID
    let sequence: UInt64
    let operations: [Operation]
  }

  /// Three devices that edit, undo, delete and restore, and hear of each other now and then.
  private static func life(_ seed: UInt64) throws -> [Author] {
    var random = SeededEntropy(seed: seed)
    var authors = [Author(seed &* 5 + 1), Author(seed &* 5 + 2), Author(seed &* 5 + 3)]
    for _ in 0..<40 {
      let number = Int(random.next() % 3)
      if random.next() % 3 == 0 {
        authors[number].hear(authors[Int(random.next() % 3)])
      }
      try? edit(&authors[number], &random)
    }
    return authors
  }

  /// Throws when there is nothing to do it to, which is no matter here.
  private static func edit(_ author: inout Author, _ random: inout SeededEntropy) throws {
    author.now += Int64(random.next() % 4000)
    let attribute = Edit.NewAttribute(
      label: "l\(random.next() % 9)", kind: .password, text: "t\(random.next() % 99)")
    let context = author.replica.contexts.randomElement(&random)
    let choice = random.next() % 12
    guard let context, choice > 1 else {
      try author.make(
        .createContext(name: "c\(author.now)", kind: .account, attributes: [attribute]))
      return
    }
    let target = context.attributes.randomElement(&random)
    switch choice {
    case 2: try author.make(.deleteContext(context.id))
    case 3: try author.replica.undoable.map { _ = try author.make(.undo($0.id)) }
    case 4: try author.replica.redoable.map { _ = try author.make(.redo($0.id)) }
    case 5:
      let trash = author.replica.trash(now: author.now)
      try trash.first.map { _ = try author.make(.restoreContext($0.id)) }
    case 6: try author.make(.renameContext(context.id, name: "n\(random.next() % 9)"))
    case 7: try author.make(.addAttribute(context.id, attribute))
    case 8: try target.map { _ = try author.make(.keepBoth(context.id, $0.id)) }
    case 9: try target.map { _ = try author.make(.removeAttribute(context.id, $0.id, base: nil)) }
    default:
      let text = "v\(random.next() % 99)"
      try target.map { _ = try author.make(.setValue(context.id, $0.id, text: text, base: nil)) }
    }
  }

  private static func commits(of authors: [Author]) -> [Commit] {
    authors.flatMap { author in
      author.written.enumerated().map {
        Commit(device: author.device, sequence: UInt64($0.offset + 1), operations: $0.element)
      }
    }
  }

  private static func fold(_ commits: [Commit]) -> Replica {
    var replica = Replica(own: .zero)
    for commit in commits { replica.add(commit) }
    return replica
  }

  private enum Part {
    case commit(Commit)
    case piece([UInt8])
  }

  @Test(arguments: 1...16 as ClosedRange<UInt64>)
  func anyMixOfCommitsAndPiecesGivesOneReplica(seed: UInt64) throws {
    let authors = try Self.life(seed)
    let commits = Self.commits(of: authors)
    let whole = Self.fold(commits)
    var random = SeededEntropy(seed: seed)
    for _ in 0..<3 {
      // Snapshots of some commits each, and some commits as such: together all of them, most more
      // than once.
      var parts = commits.map(Part.commit).filter { _ in random.next() % 3 == 0 }
      for _ in 0..<2 {
        let part = Self.fold(commits.filter { _ in random.next() % 2 == 0 })
        parts += try part.snapshot(now: 0, coveredByAll: nil).pieces.map(Part.piece)
      }
      let last = random.next() % 2 == 0
      if last {
        parts += try whole.snapshot(now: 0, coveredByAll: nil).pieces.map(Part.piece)
      } else {
        parts += commits.map(Part.commit)
      }
      var replica = Replica(own: .zero)
      for part in random.shuffled(parts) {
        switch part {
        case .commit(let commit): replica.add(commit)
        case .piece(let piece): try replica.merge(piece: piece, now: 0)
        }
      }
      #expect((replica == whole) as Bool)
      #expect((replica.root == whole.root) as Bool)
      #expect((replica.contexts == whole.contexts) as Bool)
      #expect(replica.undoable == whole.undoable && replica.redoable == whole.redoable)
      #expect(replica.conflictCount == whole.conflictCount)
      #expect(replica.trash(now: 0) == whole.trash(now: 0))
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func devicesThatHeardEverythingAgree(seed: UInt64) throws {
    var authors = try Self.life(seed)
    let heard = authors
    for number in authors.indices {
      for other in heard { authors[number].hear(other) }
    }
    #expect(Set(authors.map(\.replica.root)).count == 1)
    #expect(Set(authors.map { $0.replica.contexts.flatMap(\.attributes).map(\.heads) }).count == 1)
    let changes = authors.map { [$0.replica.undoable?.id, $0.replica.redoable?.id] }
    #expect(Set(changes).count == 1)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func givenUpHistoryAndTrashChangeNoRoot(seed: UInt64) throws {
    let authors = try Self.life(seed)
    let whole = Self.fold(Self.commits(of: authors))
    let all = Frontier(
      Dictionary(
        uniqueKeysWithValues: authors.map {
          ($0.device, Head(sequence: UInt64($0.written.count), hash: .zero))
        }))
    let later = whole.clock.milliseconds + 400 * 86_400_000
    let small = try whole.snapshot(now: later, coveredByAll: all)
    var merged = Replica(own: .zero)
    for piece in small.pieces { try merged.merge(piece: piece, now: later) }
    #expect(merged.root == whole.root && small.root == whole.root)
    #expect(merged.contexts == whole.contexts)
    // A device that comes back with everything, and one that has only the old commits again.
    var full = whole
    for piece in small.pieces { try full.merge(piece: piece, now: later) }
    for commit in Self.commits(of: authors) { merged.add(commit) }
    #expect(full.root == whole.root && full.contexts == whole.contexts)
    #expect((merged == full) as Bool)
  }

  @Test func mergingSaysWhatBecameDifferent() throws {
    var home = Author(1)
    try home.make(
      .createContext(
        name: "bank.example", kind: .account,
        attributes: [Edit.NewAttribute(label: "pin", kind: .password, text: "1")]))
    var work = Author(2)
    let pieces = try home.replica.snapshot(now: 0, coveredByAll: nil).pieces
    #expect(
      try pieces.flatMap { try work.replica.merge(piece: $0, now: 0) }.map(\.kind) == [.added])
    #expect(work.replica.takeTouched() == Set(home.replica.contexts.map(\.id)))
    #expect(try pieces.flatMap { try work.replica.merge(piece: $0, now: 0) } == [])
    #expect(work.replica.takeTouched() == [])
    let context = try #require(work.replica.contexts.first)
    try work.make(.setValue(context.id, context.attributes[0].id, text: "2", base: nil))
    let more = try work.replica.snapshot(now: 0, coveredByAll: nil).pieces
    let changes = try more.flatMap { try home.replica.merge(piece: $0, now: 0) }
    #expect(changes.map(\.label) == ["pin"] && changes.map(\.kind) == [.set])
    #expect(changes.map(\.device) == [work.device])
  }
}

extension Replica {
  fileprivate mutating func add(_ commit: MergeTests.Commit) {
    _ = apply(commit.operations, device: commit.device, sequence: commit.sequence, now: 0)
  }
}

extension Array {
  fileprivate func randomElement(_ random: inout SeededEntropy) -> Element? {
    isEmpty ? nil : self[Int(random.next() % UInt64(count))]
  }
}

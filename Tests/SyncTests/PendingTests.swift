import Testing
import Vault
import Wire

@testable import Sync

/// What of this device the server does not hold yet, and what becomes of it under a new identity.
@Suite struct PendingTests {
  private func three() throws -> Author {
    var home = Author(1)
    for name in ["a", "b", "c"] {
      try home.make(.createContext(name: name, kind: .note, attributes: []))
    }
    return home
  }

  private func pending(_ author: Author) -> [String] {
    author.replica.contexts.filter(\.isPending).map(\.name)
  }

  @Test func confirmingTouchesWhatTheCommitsTouched() throws {
    var home = try three()
    #expect(pending(home) == ["a", "b", "c"])
    #expect(home.replica.confirm(2).count == 2)
    #expect(pending(home) == ["c"])
    #expect(home.replica.confirm(2) == [])
    #expect(home.replica.confirm(9).count == 1)
    #expect(pending(home) == [])
    #expect(home.replica.pending.isEmpty)
  }

  @Test func whatTheServerLostWaitsAgain() throws {
    var home = try three()
    home.replica.confirm(3)
    #expect(home.replica.confirm(1).count == 2)
    #expect(pending(home) == ["b", "c"])
    home.replica.confirm(3)
    #expect(pending(home) == [])
  }

  @Test func aFoldThatKnowsWhatIsConfirmedMarksNothing() throws {
    let home = try three()
    var folded = Replica(own: home.device, confirmed: 3)
    for (position, operations) in home.written.enumerated() {
      _ = folded.apply(
        operations, device: home.device, sequence: UInt64(position + 1), now: 0)
    }
    #expect(folded.contexts.allSatisfy { !$0.isPending } && folded.pending.isEmpty)
  }

  @Test func whatIsNotCommittedWaitsUntilItsCommitIsConfirmed() throws {
    var home = try three()
    home.replica.confirm(3)
    let context = try #require(home.context("a")).id
    let operations = try home.replica.operations(
      for: .renameContext(context, name: "z"), now: home.now, entropy: &home.entropy)
    _ = home.replica.apply(
      operations, device: home.device, sequence: Version.uncommitted, now: home.now)
    #expect(pending(home) == ["z"])
    home.replica.place(operations, in: 4)
    #expect(pending(home) == ["z"])
    home.replica.confirm(4)
    #expect(pending(home) == [])
  }

  @Test func givenUpCommitsAreTheNewIdentitysToCommit() throws {
    var home = try three()
    var twin = home.replica
    home.replica.confirm(2)
    let successor = Author(7).device
    let given = home.replica.unplace(commitsOf: home.replica.own, beyond: 2)
    #expect(Set(given) == Set(home.written[2]))
    let proven = try home.replica.snapshot(now: 0, coveredByAll: nil)
    #expect(proven.versions == 2)
    home.replica.own = successor
    #expect(pending(home) == ["c"])
    home.replica.place(home.written[2], in: 1)
    #expect(home.context("c")?.updatedBy == successor)
    home.replica.confirm(1)
    #expect(pending(home) == [])
    // A twin had published it after all: everywhere the smaller author counts.
    _ = home.replica.apply(home.written[2], device: twin.own, sequence: 3, now: 0)
    _ = twin.apply(home.written[2], device: successor, sequence: 1, now: 0)
    #expect(home.replica.root == twin.root)
    #expect(home.context("c")?.updatedBy == min(successor, twin.own))
  }

  @Test func whatAnotherCommitHoldsIsNotGivenUp() throws {
    let home = try three()
    let (first, second) = (Author(7).device, Author(8).device)
    var replica = home.replica
    _ = replica.apply(home.written[2], device: second, sequence: 4, now: 0)
    _ = replica.apply(home.written[2], device: first, sequence: 5, now: 0)
    // A snapshot tells of all of them.
    var other = Replica(own: Author(9).device)
    for piece in try replica.snapshot(now: 0, coveredByAll: nil).pieces {
      try other.merge(piece: piece, now: 0)
    }
    var left = [home.replica.own, first, second].sorted()
    while let author = left.first {
      #expect(other.contexts.first { $0.name == "c" }?.updatedBy == author)
      left.removeFirst()
      let given = other.unplace(commitsOf: author, beyond: 2)
      #expect(Set(given) == (left.isEmpty ? Set(home.written[2]) : []))
    }
  }

  @Test func conflictsAreCountedAsTheyComeAndGo() throws {
    var home = try three()
    var work = Author(2)
    work.hear(home)
    let context = try #require(home.context("a")).id
    try home.make(.renameContext(context, name: "x"))
    try work.make(.renameContext(context, name: "y"))
    home.hear(work)
    #expect(home.replica.conflictCount == 1)
    let kept = try #require(home.replica[context]?.names.first).id
    try home.make(.resolveName(context, keep: kept))
    #expect(home.replica.conflictCount == 0)
    #expect(home.replica.contexts.map(\.conflictCount) == [0, 0, 0])
  }
}

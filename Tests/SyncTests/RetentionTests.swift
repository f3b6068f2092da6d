import Testing
import Vault
import Wire

@testable import Sync

/// What snapshots give up, and that nothing comes back or is lost by it.
@Suite struct RetentionTests {
  private static let day: Int64 = 86_400_000

  /// A context that was edited once and deleted.
  private struct Deleted {
    var home = Author(1)
    let context: ContextID
    let password: AttributeID

    init() throws {
      try home.make(
        .createContext(
          name: "bank.example", kind: .account,
          attributes: [Edit.NewAttribute(label: "pin", kind: .password, text: "first pin")]))
      let record = try #require(home.context("bank.example"))
      context = record.id
      password = try #require(record.attribute("pin")).id
      try home.make(.setValue(context, password, text: "second pin", base: nil))
      try home.make(.deleteContext(context))
    }

    var covered: Frontier {
      Frontier([home.device: Head(sequence: UInt64(home.written.count), hash: .zero)])
    }

    func pieces(afterDays days: Int64, covered: Frontier?) throws -> [[UInt8]] {
      try home.replica.snapshot(now: home.now + days * day, coveredByAll: covered).pieces
    }
  }

  private func contains(_ text: String, _ pieces: [[UInt8]]) -> Bool {
    pieces.contains { String(decoding: $0, as: UTF8.self).contains(text) }
  }

  @Test func contentLeavesTheTrashOnlyWhenOldAndKnownToAll() throws {
    let deleted = try Deleted()
    let before = Frontier([deleted.home.device: Head(sequence: 2, hash: .zero)])
    #expect(contains("second pin", try deleted.pieces(afterDays: 29, covered: deleted.covered)))
    #expect(contains("second pin", try deleted.pieces(afterDays: 31, covered: before)))
    #expect(contains("second pin", try deleted.pieces(afterDays: 31, covered: nil)))
    let small = try deleted.pieces(afterDays: 31, covered: deleted.covered)
    #expect(!contains("pin", small) && !contains("bank.example", small))
  }

  @Test func anOldBackupLearnsOfADeletionWhoseContentIsGone() throws {
    let deleted = try Deleted()
    let small = try deleted.pieces(afterDays: 31, covered: deleted.covered)
    for held in 0...3 {
      var old = Replica(own: Author(2).device)
      for (position, operations) in deleted.home.written.prefix(held).enumerated() {
        _ = old.apply(
          operations, device: deleted.home.device, sequence: UInt64(position + 1), now: 0)
      }
      for piece in small { try old.merge(piece: piece, now: 0) }
      #expect(old[deleted.context] == nil)
      #expect(old.root == deleted.home.replica.root)
    }
  }

  @Test func anOldCommitDeliveredAgainBringsNothingBack() throws {
    let deleted = try Deleted()
    for skipped in 0..<3 {
      var fresh = Replica(own: Author(2).device)
      for piece in try deleted.pieces(afterDays: 31, covered: deleted.covered) {
        try fresh.merge(piece: piece, now: 0)
      }
      for (position, operations) in deleted.home.written.enumerated() where position != skipped {
        let changes = fresh.apply(
          operations, device: deleted.home.device, sequence: UInt64(position + 1), now: 0)
        #expect(changes == [])
        #expect(fresh.count == 0)
      }
    }
  }

  @Test func whatAClockAheadGaveUpComesBackWithTheRestore() throws {
    var deleted = try Deleted()
    var ahead = Replica(own: Author(2).device)
    for piece in try deleted.pieces(afterDays: 4000, covered: deleted.covered) {
      try ahead.merge(piece: piece, now: 0)
    }
    #expect(ahead.trash(now: deleted.home.now) == [])
    try deleted.home.make(.restoreContext(deleted.context))
    let sequence = UInt64(deleted.home.written.count)
    _ = ahead.apply(
      deleted.home.written[Int(sequence) - 1], device: deleted.home.device, sequence: sequence,
      now: 0)
    #expect(ahead[deleted.context]?.attribute("pin")?.text == "second pin")
    #expect(ahead.root == deleted.home.replica.root)
    // The device that restored has merged that snapshot before: it still had the content.
    var both = try Deleted()
    for piece in try both.pieces(afterDays: 4000, covered: both.covered) {
      try both.home.replica.merge(piece: piece, now: both.home.now)
    }
    #expect(both.home.replica.trash(now: both.home.now).map(\.name) == ["bank.example"])
    try both.home.make(.restoreContext(both.context))
    #expect(both.home.context("bank.example")?.attribute("pin")?.text == "second pin")
  }

  @Test func aDeletionThatSomethingWrittenMeanwhileRevivedKeepsItsContent() throws {
    var deleted = try Deleted()
    var work = Author(2)
    for (position, operations) in deleted.home.written.prefix(2).enumerated() {
      _ = work.replica.apply(
        operations, device: deleted.home.device, sequence: UInt64(position + 1), now: 0)
    }
    try work.make(.setValue(deleted.context, deleted.password, text: "still used", base: nil))
    deleted.home.hear(work)
    #expect(contains("still used", try deleted.pieces(afterDays: 90, covered: deleted.covered)))
  }

  /// A register with `count` values a day apart; the last superseded one `days` ago.
  private func register(_ count: Int) -> Register {
    var register = Register()
    var random = SeededEntropy(seed: 5)
    let device: DeviceID = random.identifier()
    var last: [VersionID] = []
    var book = ContentBook()
    for number in 0..<count {
      let version = Version(
        id: random.identifier(), time: HybridTime(milliseconds: Int64(number) * Self.day),
        device: device, sequence: UInt64(number + 1),
        content: Operation.Content(text: "\(number)"), supersedes: last, in: &book)
      _ = register.add(version)
      last = [version.id]
    }
    return register
  }

  @Test(arguments: [
    // values, kept at the least, days since the last, kept altogether (the head included)
    (1, 20, 9999, 1), (21, 20, 9999, 21), (22, 20, 9999, 21), (100, 20, 9999, 21),
    (100, 20, 0, 100), (500, 20, 0, 367), (500, 20, 100, 267), (500, 20, 350, 21),
    (500, 0, 9999, 1),
  ])
  func twentyVersionsAndAYearAreKept(values: Int, least: Int, days: Int64, kept: Int) {
    let register = register(values)
    let now = Int64(values - 1) * Self.day + days * Self.day
    let pruned = register.pruned(keeping: least, since: now - Replica.historyMilliseconds)
    #expect(pruned.versions.count == kept)
    #expect(pruned.heads == register.heads)
    #expect(pruned.forgotten.count == values - kept)
    #expect(Set(pruned.versions.map(\.id)).isDisjoint(with: pruned.forgotten))
  }

  @Test func aValueWhoseSuccessorsAreGivenUpStaysHidden() {
    let register = register(60)
    let pruned = register.pruned(keeping: 20, since: .max)
    for version in register.versions {
      var behind = Register()
      _ = behind.add(version)
      for kept in pruned.versions { _ = behind.add(kept) }
      _ = behind.forget(pruned.forgotten)
      #expect(behind.heads == register.heads)
    }
  }
}

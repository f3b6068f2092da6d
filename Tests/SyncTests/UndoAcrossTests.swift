import Testing
import Vault
import Wire

@testable import Sync

/// Undo where several devices wrote, and of every kind of change.
@Suite struct UndoAcrossTests {
  private static let bank = Edit.createContext(
    name: "bank.example", kind: .account,
    attributes: [
      Edit.NewAttribute(label: "user", kind: .username, text: "ann"),
      Edit.NewAttribute(label: "pin", kind: .password, text: "1"),
    ])

  private func pair() throws -> (Author, Author) {
    var home = Author(1)
    var work = Author(2)
    try home.make(Self.bank)
    work.hear(home)
    work.now = home.now
    return (home, work)
  }

  private func ids(_ author: Author) throws -> (ContextID, AttributeID) {
    let context = try #require(author.context("bank.example"))
    return (context.id, try #require(context.attribute("pin")).id)
  }

  /// What a person sees, without who wrote it and when.
  private func seen(_ replica: Replica) -> [String] {
    replica.contexts.map { context in
      let attributes = context.attributes.map { attribute in
        ([attribute.label] + Set(attribute.labels.compactMap(\.text)).sorted())
          .joined(separator: "~") + "/\(attribute.kind.rawValue)/\(attribute.isConcealed)="
          + Set(attribute.heads.map { $0.text ?? "removed" }).sorted().joined(separator: "|")
      }
      return "\(context.name)(\(context.kind.rawValue)): " + attributes.joined(separator: " ")
    }
  }

  enum Done: CaseIterable {
    case create, rename, delete, restore, add, set, describe, remove, resolve, keepBoth, resolveName
    case resolveLabel
  }

  @Test(arguments: Done.allCases)
  func everyChangeIsTakenBackAndMadeAgain(done: Done) throws {
    var (home, work) = try pair()
    let (context, pin) = try ids(home)
    try home.make(.setValue(context, pin, text: "2", base: nil))
    try work.make(.setValue(context, pin, text: "3", base: nil))
    try work.make(.renameContext(context, name: "bank"))
    try home.make(.renameContext(context, name: "the bank"))
    for (author, label) in [(0, "code"), (1, "pin")] where done == .resolveLabel {
      let edit = Edit.describeAttribute(
        context, pin, label: label, kind: .password, isConcealed: true)
      if author == 0 { try home.make(edit) } else { try work.make(edit) }
    }
    home.hear(work)
    home.now += 10_000
    if done == .restore { try home.make(.deleteContext(context)) }
    let before = seen(home.replica)
    let record = try #require(
      home.replica.asOf(.max)[context] ?? home.replica.asOf(home.now - 1)[context])
    let edit: Edit =
      switch done {
      case .create: Self.bank
      case .rename: .renameContext(context, name: "money")
      case .delete: .deleteContext(context)
      case .restore: .restoreContext(context)
      case .add: .addAttribute(context, Edit.NewAttribute(label: "url", kind: .url, text: "u"))
      case .set: .setValue(context, pin, text: "4", base: nil)
      case .describe:
        .describeAttribute(context, pin, label: "code", kind: .text, isConcealed: false)
      case .remove: .removeAttribute(context, pin, base: nil)
      case .resolve:
        .resolve(context, pin, keep: try #require(record.attribute("pin")?.heads.last).id)
      case .keepBoth: .keepBoth(context, pin)
      case .resolveName: .resolveName(context, keep: try #require(record.names.last).id)
      case .resolveLabel:
        .resolveLabel(
          context, pin,
          keep: try #require(record.attributes.first { $0.id == pin }?.labels.last).id)
      }
    try home.make(edit)
    let after = seen(home.replica)
    #expect(after != before)
    let change = try #require(home.replica.undoable)
    for _ in 0..<2 {
      #expect(home.replica.undoable?.id == change.id)
      try home.make(.undo(change.id))
      #expect(seen(home.replica) == before)
      #expect(home.replica.undoable?.id != change.id)
      try home.make(.redo(try #require(home.replica.redoable).id))
      #expect(seen(home.replica) == after)
      #expect(home.replica.redoable == nil)
    }
    work.hear(home)
    #expect(work.replica.root == home.replica.root)
    #expect(work.replica.undoable == home.replica.undoable)
  }

  static let kinds: [(Done, ChangeSet.Kind, String?)] = [
    (.create, .created, nil), (.rename, .renamed, nil), (.delete, .deleted, nil),
    (.add, .added, "url"), (.set, .set, "pin"), (.describe, .described, "code"),
    (.remove, .removed, "pin"),
  ]

  @Test(arguments: kinds)
  func aChangeSaysWhatItDid(done: Done, kind: ChangeSet.Kind, label: String?) throws {
    var (home, _) = try pair()
    let (context, pin) = try ids(home)
    switch done {
    case .rename: try home.make(.renameContext(context, name: "money"))
    case .delete: try home.make(.deleteContext(context))
    case .add:
      try home.make(
        .addAttribute(context, Edit.NewAttribute(label: "url", kind: .url, text: "u")))
    case .set: try home.make(.setValue(context, pin, text: "4", base: nil))
    case .describe:
      try home.make(
        .describeAttribute(context, pin, label: "code", kind: .text, isConcealed: false))
    case .remove: try home.make(.removeAttribute(context, pin, base: nil))
    default: break
    }
    let change = try #require(home.replica.undoable)
    #expect(change.kind == kind && change.contexts == [context])
    #expect(done == .create || change.label == label)
    #expect(change.contextName == (done == .rename ? "money" : "bank.example"))
  }

  @Test func oneOfTwoConcurrentValuesIsTakenBackAndTheOtherStays() throws {
    var (home, work) = try pair()
    let (context, pin) = try ids(home)
    try home.make(.setValue(context, pin, text: "home", base: nil))
    let change = try #require(home.replica.undoable).id
    try work.make(.setValue(context, pin, text: "work", base: nil))
    home.hear(work)
    home.now += 10_000
    try home.make(.undo(change))
    let attribute = try #require(home.context("bank.example")?.attribute("pin"))
    #expect(attribute.text == "work" && !attribute.hasConflict)
    try home.make(.undo(try #require(home.replica.undoable).id))
    #expect(home.context("bank.example")?.attribute("pin")?.text == "1")
  }

  @Test func undoingOnTwoDevicesAtOnceUndoesOnce() throws {
    var (home, work) = try pair()
    let (context, pin) = try ids(home)
    try home.make(.setValue(context, pin, text: "2", base: nil))
    work.hear(home)
    let change = try #require(home.replica.undoable).id
    try home.make(.undo(change))
    try work.make(.undo(change))
    home.hear(work)
    work.hear(home)
    for author in [home, work] {
      let attribute = try #require(author.context("bank.example")?.attribute("pin"))
      #expect(attribute.text == "1" && !attribute.hasConflict)
    }
    #expect(home.replica.undoable?.kind == .created)
    #expect(throws: EditError.nothingToUndo) { try home.make(.undo(change)) }
  }

  @Test func aContextSomebodyElseEditedIsNotUncreated() throws {
    var (home, work) = try pair()
    let created = try #require(home.replica.undoable).id
    let (context, pin) = try ids(home)
    try work.make(.setValue(context, pin, text: "2", base: nil))
    home.hear(work)
    #expect(throws: EditError.changedSince) { try home.make(.undo(created)) }
    try home.make(.deleteContext(context))
    let set = try #require(work.replica.undoable).id
    #expect(throws: EditError.changedSince) { try home.make(.undo(set)) }
  }

  @Test func aDeletionBeyondTheTrashIsNotUndone() throws {
    var (home, _) = try pair()
    try home.make(.deleteContext(try ids(home).0))
    let deleted = try #require(home.replica.undoable).id
    home.now += 31 * 86_400_000
    #expect(throws: EditError.expired) { try home.make(.undo(deleted)) }
  }

  @Test func anImportIsUndoneWithItsHistory() throws {
    var home = Author(1)
    let pin = Edit.NewAttribute(
      label: "pin", kind: .password, text: "3",
      history: [.init(text: "1", at: 10), .init(text: "2", at: 20)])
    try home.make(.createContext(name: "imported", kind: .account, attributes: [pin]))
    try home.make(.undo(try #require(home.replica.undoable).id))
    #expect(home.replica.count == 0)
    #expect(home.replica.undoable == nil)
  }

  @Test func undoIsKeptUpToADepthOnly() throws {
    var (home, _) = try pair()
    let (context, pin) = try ids(home)
    let first = try #require(home.replica.undoable).id
    for number in 0..<ChangeSetIndex.depth * 2 + 9 {
      try home.make(.setValue(context, pin, text: "\(number)", base: nil))
    }
    #expect(home.replica.changeSets.newest.count == ChangeSetIndex.depth)
    #expect(throws: EditError.nothingToUndo) { try home.make(.undo(first)) }
    try home.make(.undo(try #require(home.replica.undoable).id))
    #expect(home.context("bank.example")?.attribute("pin")?.text == "519")
  }

  @Test func aChangeFromAClockAheadDoesNotStandInTheWay() throws {
    var (home, work) = try pair()
    let (context, pin) = try ids(home)
    work.now += 10 * 365 * 86_400_000
    try work.make(.renameContext(context, name: "from the future"))
    home.hear(work)
    try home.make(.setValue(context, pin, text: "2", base: nil))
    #expect(home.replica.undoable?.kind == .set)
    try home.make(.undo(try #require(home.replica.undoable).id))
    #expect(home.replica[context]?.attribute("pin")?.text == "1")
    #expect(home.replica.redoable?.device == home.device)
  }
}

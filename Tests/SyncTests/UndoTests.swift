import Testing
import Vault
import Wire

@testable import Sync

/// Undo, redo, trash and the past: all computed from the versions, so nothing here is remembered.
@Suite struct UndoTests {
  private static let github = Edit.createContext(
    name: "github.example", kind: .account,
    attributes: [Edit.NewAttribute(label: "password", kind: .password, text: "first")])

  private struct Home {
    var author = Author(1)
    let context: ContextID
    let password: AttributeID

    init() throws {
      try author.make(UndoTests.github)
      let record = try #require(author.context("github.example"))
      context = record.id
      password = try #require(record.attribute("password")).id
    }

    var text: String? { author.context("github.example")?.attribute("password")?.text }

    mutating func set(_ text: String) throws {
      try author.make(.setValue(context, password, text: text, base: nil))
    }

    mutating func undo() throws {
      try author.make(.undo(try #require(author.replica.undoable).id))
    }

    mutating func redo() throws {
      try author.make(.redo(try #require(author.replica.redoable).id))
    }
  }

  @Test func editsUnderAClockThatWasSetBackAreUndoneOneByOne() throws {
    var home = Author(1)
    home.now = 2_000_000_000_000
    try home.make(.createContext(name: "a", kind: .note, attributes: []))
    home.now = 1_700_000_000_000
    try home.make(.createContext(name: "b", kind: .note, attributes: []))
    try home.make(.createContext(name: "c", kind: .note, attributes: []))
    let last = try #require(home.replica.undoable)
    #expect(last.contextName == "c")
    try home.make(.undo(last.id))
    #expect(home.replica.contexts.map(\.name) == ["a", "b"])
  }

  @Test func undoAndRedoWalkTheChanges() throws {
    var home = try Home()
    try home.set("second")
    try home.set("third")
    #expect(home.author.replica.redoable == nil)
    try home.undo()
    #expect(home.text == "second")
    try home.undo()
    #expect(home.text == "first")
    try home.redo()
    #expect(home.text == "second")
    try home.redo()
    #expect(home.text == "third")
    #expect(home.author.replica.redoable == nil)
    try home.undo()
    #expect(home.text == "second")
  }

  @Test func aNewChangeEndsRedoing() throws {
    var home = try Home()
    try home.set("second")
    try home.undo()
    try home.set("other")
    #expect(home.author.replica.redoable == nil)
    try home.undo()
    #expect(home.text == "first")
  }

  @Test func theChangeIsNamed() throws {
    var home = try Home()
    try home.set("second")
    let set = try #require(home.author.replica.undoable)
    #expect(set.contextName == "github.example" && set.label == "password")
    #expect(set.device == home.author.device)
  }

  @Test func creatingAndDeletingAreUndone() throws {
    var home = try Home()
    try home.undo()
    #expect(home.author.context("github.example") == nil)
    try home.redo()
    #expect(home.text == "first")
    try home.author.make(.deleteContext(home.context))
    #expect(home.author.context("github.example") == nil)
    try home.undo()
    #expect(home.text == "first")
    try home.author.make(.renameContext(home.context, name: "hub"))
    try home.undo()
    #expect(home.author.context("github.example") != nil)
    try home.author.make(.removeAttribute(home.context, home.password, base: nil))
    #expect(home.text == nil)
    try home.undo()
    #expect(home.text == "first")
  }

  @Test func aContextIsUncreatedOnceWhatWasAddedToItIsTakenBack() throws {
    var home = try Home()
    let email = Edit.NewAttribute(label: "email", kind: .email, text: "ann@example.test")
    try home.author.make(.addAttribute(home.context, email))
    try home.set("second")
    for _ in 0..<3 { try home.undo() }
    #expect(home.author.replica.contexts.isEmpty && home.author.replica.undoable == nil)
    for _ in 0..<3 { try home.redo() }
    #expect(home.text == "second")
    let record = home.author.context("github.example")
    #expect(record?.attribute("email")?.text == "ann@example.test")
    #expect(record?.attributes.count == 2 && record?.hasConflict == false)
    #expect(home.author.replica.redoable == nil)
  }

  @Test func undoWorksAcrossDevicesAndConverges() throws {
    var home = try Home()
    try home.set("second")
    var work = Author(2)
    work.hear(home.author)
    work.now = home.author.now + 10_000
    try work.make(.undo(try #require(work.replica.undoable).id))
    home.author.hear(work)
    #expect(home.text == "first")
    #expect(home.author.replica.root == work.replica.root)
    home.author.now = work.now + 10_000
    try home.redo()
    #expect(home.text == "second")
  }

  @Test func aValueThatWasChangedSinceIsNotUndone() throws {
    var home = try Home()
    try home.set("second")
    let set = try #require(home.author.replica.undoable).id
    try home.set("third")
    #expect(throws: EditError.changedSince) { try home.author.make(.undo(set)) }
    #expect(throws: EditError.nothingToUndo) {
      try home.author.make(
        .undo(ChangeSet.ID(time: HybridTime(milliseconds: 1), device: home.author.device)))
    }
    #expect(Author(3).replica.undoable == nil)
  }

  @Test func theTrashKeepsThirtyDays() throws {
    var home = try Home()
    try home.author.make(.deleteContext(home.context))
    let now = home.author.now
    let record = try #require(home.author.replica.trash(now: now).first)
    #expect(record.name == "github.example" && record.attributes == 1)
    #expect(record.expiresAt - record.deletedAt == 30 * 86_400_000)
    home.author.now = record.expiresAt
    #expect(home.author.replica.trash(now: record.expiresAt) == [])
    #expect(throws: EditError.expired) { try home.author.make(.restoreContext(home.context)) }
    home.author.now = record.expiresAt - 2000
    try home.author.make(.restoreContext(home.context))
    #expect(home.text == "first")
  }

  @Test func thePastIsShownAsItWas() throws {
    var home = try Home()
    let before = home.author.now
    try home.set("second")
    let middle = home.author.now
    try home.author.make(.deleteContext(home.context))
    #expect(home.author.replica.asOf(before).contexts[0].attribute("password")?.text == "first")
    #expect(home.author.replica.asOf(middle).contexts[0].attribute("password")?.text == "second")
    #expect(home.author.replica.asOf(home.author.now).contexts == [])
    #expect(home.author.replica.asOf(0).contexts == [])
    #expect(home.author.replica.history(of: home.context).map(\.value.text).count == 3)
  }
}

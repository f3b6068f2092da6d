import Testing
import Wire

@testable import Selector
@testable import Sync

/// Undo, earlier values, deleted contexts, and everything as it was.
@Suite struct TimeTests {
  static let versions = [
    Sample.value(2, Sample.password, at: Sample.at(20, 31, 0)),
    Sample.value(
      42, Sample.oldPassword, by: Sample.home, at: Sample.now - 12 * 86_400_000, isHead: false),
    Sample.value(43, nil, by: Sample.home, at: Sample.now - 13 * 86_400_000, isHead: false),
  ]

  private func history() -> Desk {
    var desk = Desk.open()
    desk.press("Enter j H")
    desk.send(.outcome(.history(Sample.github, Sample.attribute(2), Self.versions)))
    return desk
  }

  @Test(arguments: [
    (
      Reversal(isRedo: false, what: "password of bank.example", result: .back(Sample.at(12, 3, 0))),
      "undone: password of bank.example back to the value of 12:03"
    ),
    (
      Reversal(isRedo: true, what: "bank.example", result: .gone),
      "done again: bank.example is gone again"
    ),
    (
      Reversal(isRedo: false, what: "bank.example", result: .there),
      "undone: bank.example is there again"
    ),
    (Reversal(isRedo: false, what: "3 changes", result: .asBefore), "undone: 3 changes"),
  ])
  func undoSaysWhatItDid(_ reversal: Reversal, _ text: String) {
    var desk = Desk.open()
    desk.press("z")
    #expect(desk.effects == [.undo])
    desk.send(.outcome(.reversed(reversal)))
    #expect(desk.message == text)
    #expect(desk.session.log.entries.first?.what == text)
  }

  @Test(arguments: ["Enter", "r"])
  func anOldValueIsUsedAgainAsANewVersion(_ key: String) {
    var desk = history()
    desk.press("j \(key)")
    #expect(
      desk.effects == [
        .save([
          .setValue(
            Sample.github, Sample.attribute(2), text: Sample.oldPassword,
            base: [Sample.version(2)])
        ]), .loadHistory(Sample.github, Sample.attribute(2)),
      ])
  }

  @Test func theValueOfNowAndADeletionAreNotRestored() {
    var desk = history()
    desk.press("Enter")
    #expect(desk.effects.isEmpty && desk.message == "This is the value now.")
    desk.press("j j Enter")
    #expect(desk.effects.isEmpty)
    #expect(desk.message == "This version is a deletion; there is nothing to restore.")
    desk.press("y")
    #expect(desk.effects.isEmpty)
  }

  @Test func anOldValueIsCopiedMasked() {
    var desk = history()
    desk.press("j y")
    #expect(
      desk.effects == [
        .copy(text: Sample.oldPassword, label: "github.example / earlier password", concealed: true)
      ])
    #expect(!desk.text.contains("-secret"))
  }

  @Test func theWholeContextIsOneHistory() {
    var desk = history()
    desk.press("i")
    #expect(
      desk.effects == [1, 3, 4, 5].map { .loadHistory(Sample.github, Sample.attribute($0)) })
    desk.send(
      .outcome(
        .history(
          Sample.github, Sample.attribute(3),
          [Sample.value(3, "ann@example.test", by: Sample.mobile, at: Sample.at(20, 0, 0))])))
    #expect(desk.text.contains("email         ann@example.test"))
    desk.press("j")
    desk.press("y")
    #expect(
      desk.effects == [
        .copy(
          text: "ann@example.test", label: "github.example / earlier email", concealed: false)
      ])
    desk.press("i")
    #expect(desk.effects.isEmpty && !desk.text.contains("email         ann"))
  }

  // MARK: trash

  static let trash = [
    TrashRecord(
      id: Sample.context(30), name: "forum.example", kind: .account, attributes: 3,
      deletedAt: Sample.at(20, 12, 0), deletedBy: Sample.work,
      expiresAt: Sample.at(20, 12, 0) + 30 * 86_400_000),
    TrashRecord(
      id: Sample.context(31), name: "old.example", kind: .account, attributes: 1,
      deletedAt: Sample.now - 29 * 86_400_000 - 3_600_000 * 20, deletedBy: Sample.mobile,
      expiresAt: Sample.now + 4 * 3_600_000),
  ]

  @Test func deletedContextsAreRestoredFor30Days() {
    var desk = Desk.open()
    desk.press("T")
    #expect(desk.effects == [.loadTrash])
    desk.send(.outcome(.trash(Self.trash)))
    for text in [
      "Deleted 2", "forum.example", "30 days left", "deleted 20:12 on work pc, 3 attributes",
      "4 hours left", "on mobile, 1 attribute",
    ] {
      #expect(desk.text.contains(text), "\(text)")
    }
    desk.press("j Enter")
    #expect(desk.effects == [.save([.restoreContext(Sample.context(31))])])
    #expect(!desk.text.contains("old.example"))
    desk.send(.updated([], removed: []))
    #expect(desk.effects == [.loadTrash])
    desk.press("Esc")
    #expect(desk.session.detail == .attributes)
  }

  @Test func anEmptyTrashSaysSo() {
    var desk = Desk.open()
    desk.press("T")
    desk.send(.outcome(.trash([])))
    #expect(desk.text.contains("Nothing was deleted in the last 30 days."))
    desk.press("Enter")
    #expect(desk.effects.isEmpty)
  }

  // MARK: as it was

  private func past() -> Desk {
    var desk = Desk.open()
    desk.send(
      .outcome(
        .past(
          at: Sample.at(12, 3, 0), Sample.records(Sample.attributes(email: "old@example.test")))))
    return desk
  }

  @Test func thePastIsShownWithItsTime() {
    let desk = past()
    #expect(desk.text.contains("read-only, 2026-11-22 12:03"))
    #expect(desk.text.contains("old@example.test"))
    #expect(desk.session.contexts.selectedID == Sample.github)
  }

  @Test(arguments: [
    "o", "a", "r", "d", "c", "z", "Z", "Enter e", "Enter Enter", "Enter r", "Enter d",
    ": i m p o r t Space b i t w a r d e n Space f Enter",
  ])
  func nothingCanBeChangedInThePast(_ keys: String) {
    var desk = past()
    desk.press(keys)
    #expect(desk.effects.isEmpty)
    #expect(
      desk.message
        == "This is 2026-11-22 12:03: nothing can be changed. Esc goes back to now.")
  }

  @Test func copyingFromThePastTakesTheOldValue() {
    var desk = past()
    desk.press("Enter j j y")
    #expect(
      desk.effects == [
        .copy(text: "old@example.test", label: "github.example / email", concealed: false)
      ])
  }

  @Test func escapeGoesBackToWhatIsThereNow() {
    var desk = past()
    desk.send(
      .updated([Sample.records(Sample.attributes(email: "newer@example.test"))[1]], removed: []))
    #expect(!desk.text.contains("newer@example.test"))
    desk.press("Enter Esc Esc")
    #expect(desk.message == "Back to now.")
    #expect(desk.text.contains("newer@example.test"))
    #expect(desk.session.past == nil)
  }

  @Test func lockingForgetsThePast() {
    var desk = past()
    desk.press("L")
    #expect(desk.session.past == nil && desk.session.contexts.isEmpty)
  }

  @Test(arguments: [
    ("20:00", Sample.at(20, 0, 0)), ("8:5:09", Sample.at(8, 5, 9)),
    ("2026-11-22 12:03", Sample.at(12, 3, 0)),
    ("2026-11-21", Sample.at(0, 0, 0) - 1),
    ("2024-02-29 00:00", 1_709_161_200_000), ("1970-01-01 01:00", 0),
    ("20m", Sample.now - 1_200_000), ("2h", Sample.now - 7_200_000),
    ("3d", Sample.now - 3 * 86_400_000),
  ])
  func timesAreReadAsPeopleWriteThem(_ text: String, _ at: Int64) {
    #expect(LocalTime(offsetSeconds: 3600).parse(text, now: Sample.now) == at)
  }

  @Test(arguments: [
    "", "x", "25:00", "12:60", "2026-13-01", "2026-11", "12", "d", "-3d", "2026-11-22 12:03 1",
    "99999999999999999999d", "2026-11-22 x", "1:2:3:4", "١٢:٠٣",
  ])
  func anythingElseIsNoTime(_ text: String) {
    #expect(LocalTime(offsetSeconds: 3600).parse(text, now: Sample.now) == nil)
  }

  @Test func theFutureIsRefused() {
    var desk = Desk.open()
    desk.press(": a t Space 2 3 : 5 9 Enter")
    #expect(desk.effects.isEmpty)
    #expect(desk.message == "2026-11-22 23:59:00 has not come yet.")
  }
}

import Sync
import Testing

@testable import Selector

/// The selector line by line.
@Suite struct PlainTests {
  private func answer(_ lines: String..., from desk: inout Desk) -> [Effect] {
    lines.flatMap { desk.session.update(.line($0)) }
  }

  @Test func contextsAreNumberedAndANumberOpensOne() {
    var desk = Desk.open()
    #expect(
      desk.session.plainLines() == [
        "Contexts 1 to 9 of 9:", "1  bank.example", "2  github.example, marked", "3  home",
        "4  mail.example", "5  router.lan", "6  shop.example", "7  vpn.work.example",
        "8  wiki.work.example", "9  work",
        "A number opens one, /TEXT narrows, ? lists all commands.",
      ])
    _ = answer("2", from: &desk)
    #expect(
      desk.session.plainLines() == [
        "github.example, account:", "1  username: ann, marked", "2  password: concealed",
        "3  email: ann@example.test", "4  totp: concealed",
        "5  notes: recovery codes in the safe",
        "A number marks one; edit, copy, reveal, history, delete; back; ? lists all.",
      ])
  }

  @Test func aValueIsEditedInOneLineAndAnEmptyOneKeepsIt() {
    var desk = Desk.open()
    #expect(answer("2", "edit 3", from: &desk) == [.formOpened(Sample.github)])
    #expect(desk.session.plainPrompt == PlainPrompt(text: "new email: ", isSecret: false))
    let effects = answer("ann.b@example.test", from: &desk)
    #expect(
      effects.contains(
        .save([
          .setValue(
            Sample.github, Sample.attribute(3), text: "ann.b@example.test",
            base: [Sample.version(3)])
        ])))
    var other = Desk.open()
    _ = answer("2", "edit 3", from: &other)
    #expect(!answer("", from: &other).contains { if case .save = $0 { true } else { false } })
    #expect(other.session.overlay == nil)
  }

  @Test func aSecretIsNeitherShownNorEchoed() {
    var desk = Desk.open()
    _ = answer("2", "edit 2", from: &desk)
    #expect(desk.session.plainPrompt.isSecret)
    let text = desk.session.plainLines().joined()
    #expect(!text.contains(Sample.password) && text.contains("concealed"))
    _ = answer(":cancel", "reveal 2", from: &desk)
    #expect(desk.session.plainLines()[2].hasPrefix("2  password: \(Sample.password)"))
  }

  @Test func whatArrivesBeforeItIsOpenDoesNotSayLockedAgain() {
    var desk = Desk(.locked(since: nil, reason: ""))
    let subject = desk.session.plainSubject
    desk.send(.contexts(Sample.records()))
    #expect(desk.session.plainSubject == subject)
  }

  @Test func theFirstStepsAreNumbered() {
    var desk = Desk.open()
    _ = answer(":welcome", from: &desk)
    #expect(desk.session.plainLines()[1] == "1  home             a context for what you have there")
    _ = answer("6", from: &desk)
    #expect(desk.session.place == .start, "there are five")
    _ = answer("4", from: &desk)
    #expect(desk.session.plainPrompt == PlainPrompt(text: "passphrase: ", isSecret: true))
  }

  @Test func unsavedEditsAreNumberedAndStandAlone() {
    var desk = Desk.open()
    desk.send(.drafts([DraftTests.email, DraftTests.library]))
    let lines = desk.session.plainLines()
    #expect(lines.count == 4)
    #expect(lines[1] == "1  new context library.example, 20:09, marked")
    #expect(lines[2] == "2  github.example / email, 20:05")
    _ = answer("3", from: &desk)
    #expect(desk.message == "There is no \"3\" here. ? lists what can be done.")
    _ = answer("delete 2", from: &desk)
    #expect(desk.session.plainPrompt.text.contains("github.example / email"))
  }

  @Test func aDialogIsShownWithoutWhatItCovers() {
    var desk = Desk.open()
    _ = answer("2", "new password", from: &desk)
    #expect(desk.session.place == .generator)
    #expect(desk.session.plainLines().allSatisfy { !$0.contains("ann@example.test") })
    #expect(desk.session.plainLines().contains { $0.contains("bits") })
  }

  @Test func aNoteTakesLinesUntilAFullStop() {
    var desk = Desk.open()
    let effects = answer("2", "edit 5", from: &desk) + answer("one", "", "two", ".", from: &desk)
    #expect(
      effects.contains(
        .save([
          .setValue(
            Sample.github, Sample.attribute(5), text: "one\n\ntwo", base: [Sample.version(5)])
        ])))
  }

  @Test func commandsAreCalledByNameKeyOrColon() {
    var desk = Desk.open()
    #expect(answer("sync", from: &desk) == [.sync])
    #expect(answer("s", from: &desk) == [.sync])
    #expect(answer(":sync", from: &desk) == [.sync])
    #expect(answer("z", from: &desk) == [.undo])
    #expect(answer("fly", from: &desk).isEmpty)
    #expect(desk.message == "There is no \"fly\" here. ? lists what can be done.")
  }

  @Test func aListIsNarrowedAndAFormIsFilledFieldByField() {
    var desk = Desk.open()
    _ = answer("/wk", from: &desk)
    #expect(desk.session.plainLines().first == "Contexts 1 to 3 of 3 that match wk:")
    _ = answer("back", "new", from: &desk)
    #expect(desk.session.plainPrompt.text == "name: ")
    let effects = answer("library", "note", from: &desk)
    #expect(
      effects.contains { if case .save(let edits) = $0 { edits.count == 1 } else { false } })
  }

  @Test func deletingAsksAndOnlyYesDoes() {
    var desk = Desk.open()
    _ = answer("delete", from: &desk)
    #expect(desk.session.plainPrompt.text.hasSuffix("y/N "))
    #expect(answer("maybe", from: &desk).isEmpty)
    _ = answer("delete", from: &desk)
    #expect(!answer("yes", from: &desk).isEmpty)
  }

  @Test func incomingChangesAreOneLineEach() {
    var desk = Desk.open()
    let before = desk.session.plainNews(since: 0).count
    let subject = desk.session.plainSubject
    desk.send(.changed([Sample.change(.set, 2, 2, "password")]))
    #expect(
      desk.session.plainNews(since: before).lines == [
        "work pc changed github.example / password"
      ])
    #expect(desk.session.plainSubject == subject)
  }

  @Test func noStateOfTheScreenIsSilentOrDrawsLines() {
    for state in ScreenTests.states {
      var desk = state.phase == .unlocked ? Desk.open() : Desk(state.phase)
      state.reach(&desk)
      let lines = desk.session.plainLines() + [desk.session.plainPrompt.text]
      #expect(lines.contains { !$0.isEmpty }, "\(state.name)")
      #expect(!lines.joined().contains { "─│┌┐└┘•█".contains($0) }, "\(state.name)")
    }
  }
}

import Sync
import Testing

@testable import Selector

/// The mouse, and the choice to have it.
@Suite struct MouseTests {
  private func press(_ row: Int, _ column: Int, _ desk: inout Desk) {
    desk.send(.mouse(Mouse(.press, row: row, column: column)))
  }

  @Test func aClickMarksTheContextUnderIt() {
    var desk = Desk.open()
    press(4, 6, &desk)
    #expect(desk.session.contexts.selected?.name == "home")
    press(20, 6, &desk)
    #expect(desk.session.focus == .status)
    press(0, 0, &desk)
    #expect(desk.session.focus == .status)
  }

  @Test func aClickMarksTheAttributeUnderItAlsoOnItsLaterRows() {
    var desk = Desk.open(size: Size(columns: 120, rows: 35))
    desk.press("j Enter j v")
    let home = desk.session.view().lines
    let town = home.firstIndex { $0.contains("10000 Example Town") } ?? 0
    desk.press("k")
    press(town, 50, &desk)
    #expect(desk.session.attribute == Sample.attribute(22))
  }

  @Test func aClickOnAnotherAttributeConceals() {
    var desk = Desk.open()
    desk.press("Enter j v")
    #expect(desk.text.contains(Sample.password))
    let row = desk.session.view().lines.firstIndex { $0.contains("username") } ?? 0
    press(row, 40, &desk)
    #expect(!desk.text.contains(Sample.password))
  }

  @Test func theWheelMovesThreeRowsOfThePaneUnderIt() {
    var desk = Desk.open()
    desk.send(.mouse(Mouse(.wheelDown, row: 5, column: 3)))
    #expect(desk.session.contexts.row == 4)
    desk.send(.mouse(Mouse(.wheelUp, row: 5, column: 3)))
    #expect(desk.session.contexts.row == 1)
  }

  @Test func nothingIsClickedWhileSomethingIsAskedOrLocked() {
    var desk = Desk.open()
    desk.press("d")
    press(4, 6, &desk)
    #expect(desk.session.contexts.selected?.name == "github.example")
    var locked = Desk(.locked(since: nil, reason: ""))
    press(4, 6, &locked)
    #expect(locked.effects.isEmpty)
  }

  @Test func theMouseIsAskedForAndTheChoiceKept() {
    var desk = Desk.open()
    desk.type(":set mouse")
    desk.press("Enter")
    var chosen = Preferences()
    chosen.hasMouse = true
    #expect(desk.effects == [.prefer(chosen)])
    desk.type(":set cat")
    desk.press("Enter")
    #expect(desk.message == "There is no setting cat, only mouse, nomouse, links, nolinks.")
  }

  @Test func preferencesAreReadAsTheyAreWrittenAndMistakesNamed() throws {
    var chosen = Preferences()
    chosen.theme = "dark"
    chosen.hasMouse = true
    chosen.hasLinks = true
    #expect(try Preferences(parsing: chosen.text) == chosen)
    #expect(try Preferences(parsing: "") == Preferences())
    #expect(throws: PreferencesError.self) { try Preferences(parsing: "mouse = \"yes\"") }
    do {
      _ = try Preferences(parsing: "theme = \"dark\"\nmose = true\n")
      Issue.record("a misspelt key was taken")
    } catch {
      #expect(error.line == 2)
    }
  }

  @Test func aSiteIsALinkWhereItStands() {
    var desk = Desk.open()
    let site = AttributeRecord(
      id: Sample.attribute(9), label: "url", kind: .url, isConcealed: false,
      text: "https://github.example/login",
      heads: [Sample.value(9, "https://github.example/login")], updatedAt: Sample.now,
      updatedBy: Sample.work)
    desk.send(.contexts(Sample.records([site])))
    #expect(desk.session.view().links == [], "before a person wants them")
    desk.press(":")
    desk.type("set links")
    desk.press("Enter")
    #expect(
      desk.session.view().links == [
        Link(row: 3, column: 39, columns: 28, address: "https://github.example/login")
      ])
    desk.press("D")
    #expect(desk.session.view().links == [])
  }

  @Test(arguments: [
    ("https://a.example/?q=1", "https://a.example/?q=1"), ("a.example", "https://a.example"),
    ("https://\u{E9}.example", "https://%C3%A9.example"),
    ("mailto:a@b.example", "mailto:a@b.example"),
    ("javascript://x", nil), ("file:///etc/passwd", nil), ("not a site", nil), ("", nil),
    ("https://a.example\u{1B}]0;x", nil),
  ])
  func onlyWhatOpensASiteIsALink(text: String, address: String?) {
    #expect(Link.address(of: text) == address)
  }

  @Test func theChosenThemeIsShownFromTheStart() {
    var profile = Sample.profile()
    profile.preferences.theme = "dark"
    let session = Session(profile: profile, size: Size(columns: 80, rows: 24))
    #expect(session.themeName == "dark")
  }
}

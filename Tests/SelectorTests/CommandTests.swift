import Sync
import Testing
import Vault
import Wire

@testable import Selector

/// What keys ask for, command by command.
@Suite struct CommandTests {
  private static let dark: Preferences = {
    var preferences = Preferences()
    preferences.theme = "dark"
    return preferences
  }()

  private static let base = [Sample.version(2)]
  private static let password = "github.example / password"

  /// Keys pressed with github.example marked, and the effects of all of them.
  static let table: [(keys: String, effects: [Effect])] = [
    ("q", [.quit]),
    ("C-c C-c", [.quit]),
    ("L", [.lock]),
    ("s", [.sync]),
    ("z", [.undo]),
    ("Z", [.redo]),
    ("X z", [.undo]),
    ("T", [.loadTrash]),
    (": t r a s h Enter", [.loadTrash]),
    ("A", []),
    (": a t Space 2 0 : 0 0 Enter", [.loadPast(Sample.at(20, 0, 0))]),
    (": a t Space x Enter", []),
    (": d r a f t s Enter", []),
    ("C-l", [.redraw]),
    ("C-z", [.suspend]),
    ("u", [.copy(text: "ann", label: "github.example / username", concealed: false)]),
    ("p", [.copy(text: Sample.password, label: password, concealed: true)]),
    ("t", [.oneTimeCode(Sample.attribute(4), secret: "JBSWY3DPEHPK3PXP")]),
    ("y", [.copy(text: "ann", label: "github.example / username", concealed: false)]),
    ("Enter j y", [.copy(text: Sample.password, label: password, concealed: true)]),
    ("Enter j j j y", [.oneTimeCode(Sample.attribute(4), secret: "JBSWY3DPEHPK3PXP")]),
    ("Enter j j j v", [.oneTimeCode(Sample.attribute(4), secret: "JBSWY3DPEHPK3PXP")]),
    ("d n", []),
    ("d Esc", []),
    ("d x", []),
    ("d y", [.save([.deleteContext(Sample.github)])]),
    ("Enter j d y", [.save([.removeAttribute(Sample.github, Sample.attribute(2), base: base)])]),
    ("Enter e Esc", [.formOpened(Sample.github), .formClosed(Sample.github)]),
    ("Enter e Enter", [.formOpened(Sample.github), .formClosed(Sample.github)]),
    (
      "Enter e x C-s",
      [
        .formOpened(Sample.github),
        .save([
          .setValue(
            Sample.github, Sample.attribute(1), text: "annx", base: [Sample.version(1)])
        ]), .formClosed(Sample.github),
      ]
    ),
    (
      "Enter e x Tab y S-Tab z Enter",
      [
        .formOpened(Sample.github),
        .save([
          .setValue(
            Sample.github, Sample.attribute(1), text: "annxz", base: [Sample.version(1)]),
          .setValue(
            Sample.github, Sample.attribute(2), text: Sample.password + "y", base: base),
        ]), .formClosed(Sample.github),
      ]
    ),
    ("Enter e C-g", [.formOpened(Sample.github), .generate(GeneratorForm())]),
    ("Enter j H", [.loadHistory(Sample.github, Sample.attribute(2))]),
    ("o Esc", []),
    (
      "o a b Tab Right Enter",
      [.save([.createContext(name: "ab", kind: .personal, attributes: [])])]
    ),
    (
      "a Tab Left Tab x C-s",
      [
        .formOpened(Sample.github),
        .save([
          .addAttribute(
            Sample.github, Edit.NewAttribute(label: "email", kind: .email, text: "x"))
        ]), .formClosed(Sample.github),
      ]
    ),
    (
      "a Tab Tab x C-s",
      [
        .formOpened(Sample.github),
        .save([
          .addAttribute(Sample.github, Edit.NewAttribute(label: "url", kind: .url, text: "x"))
        ]), .formClosed(Sample.github),
      ]
    ),
    (
      "a n Tab Tab x C-s",
      [
        .formOpened(Sample.github),
        .save([
          .addAttribute(Sample.github, Edit.NewAttribute(label: "n", kind: .text, text: "x"))
        ]), .formClosed(Sample.github),
      ]
    ),
    (
      "2 J",
      [
        .save([
          .placeAttribute(Sample.github, Sample.attribute(1), before: Sample.attribute(3))
        ])
      ]
    ),
    ("2 K", []),
    (
      "2 G K",
      [
        .save([.placeAttribute(Sample.github, Sample.attribute(5), before: Sample.attribute(4))])
      ]
    ),
    (
      "f",
      [
        .save([
          .addAttribute(
            Sample.github, Edit.NewAttribute(label: "favourite", kind: .boolean, text: "true"))
        ])
      ]
    ),
    (
      "r C-u x Enter",
      [
        .formOpened(Sample.github), .save([.renameContext(Sample.github, name: "x", base: .zero)]),
        .formClosed(Sample.github),
      ]
    ),
    ("r Enter", [.formOpened(Sample.github), .formClosed(Sample.github)]),
    (
      "Enter j r x Enter",
      [
        .formOpened(Sample.github),
        .save([
          .describeAttribute(
            Sample.github, Sample.attribute(2), label: "passwordx", kind: .password,
            isConcealed: true, base: .zero)
        ]), .formClosed(Sample.github),
      ]
    ),
    ("D +", []),
    ("D + Enter Esc", []),
    ("D + p w Enter", [.pair(passphrase: "pw")]),
    ("D + p w Enter Esc", [.pair(passphrase: "pw"), .admit(false)]),
    (": p a i r Enter p w Enter", [.pair(passphrase: "pw")]),
    (": q Enter", [.quit]),
    (": s y n c Enter", [.sync]),
    (": l o c k Enter", [.lock]),
    (": t h e m e Space d a r k Enter", [.prefer(CommandTests.dark)]),
    (": t h Tab d Tab Enter", [.prefer(CommandTests.dark)]),
    (
      ": i m p o r t Space b i t w a r d e n Space a . j s o n Enter",
      [.importFile(format: "bitwarden", path: "a.json")]
    ),
    (": e x p o r t Space x Space y Enter n", []),
    (": e x p o r t Space x Space y Enter y", [.exportFile(format: "x", path: "y")]),
    (": s a v e - s c r e e n Space f Enter", [.saveScreen("f")]),
    (
      ": c o p y - p a s s w o r d Enter",
      [.copy(text: Sample.password, label: password, concealed: true)]
    ),
    (": i m p o r t Enter", []),
    (": z z z Enter", []),
    ("? / q u i t Enter Enter", [.quit]),
    ("? Esc", []),
  ]

  @Test(arguments: CommandTests.table.indices)
  func keysAskFor(_ row: Int) {
    let (keys, effects) = Self.table[row]
    var desk = Desk.open()
    desk.press(keys)
    #expect(desk.effects == effects, "\(keys)")
  }

  /// Keys and the context and pane they lead to.
  static let moves: [(keys: String, name: String, focus: Pane)] = [
    ("j", "home", .contexts), ("Down", "home", .contexts), ("k", "bank.example", .contexts),
    ("k k k", "bank.example", .contexts), ("G", "work", .contexts),
    ("G g", "bank.example", .contexts),
    ("4 j", "shop.example", .contexts), ("4 0 0 j", "work", .contexts),
    ("g 5 G", "router.lan", .contexts), ("C-d", "vpn.work.example", .contexts),
    ("G C-u", "mail.example", .contexts),
    ("Tab", "github.example", .attributes), ("S-Tab", "github.example", .status),
    ("3 1", "github.example", .contexts), ("l l l", "github.example", .contexts),
    ("h", "github.example", .status), ("/ v p n Enter", "vpn.work.example", .contexts),
    ("/ v p n Esc", "vpn.work.example", .contexts),
    ("/ w o r k C-n Enter", "vpn.work.example", .contexts),
    ("/ w o r k Enter n", "vpn.work.example", .contexts),
    ("/ w o r k Enter Esc n", "vpn.work.example", .contexts),
    ("/ w o r k Enter Esc g N", "work", .contexts),
    ("S Esc", "github.example", .contexts), ("2 D Esc", "github.example", .attributes),
    ("3 T Esc", "github.example", .status), ("A X Esc", "github.example", .contexts),
  ]

  @Test(arguments: CommandTests.moves.indices)
  func keysLeadTo(_ row: Int) {
    let (keys, name, focus) = Self.moves[row]
    var desk = Desk.open()
    desk.press(keys)
    #expect(desk.session.contexts.selected?.name == name, "\(keys)")
    #expect(desk.session.focus == focus, "\(keys)")
  }

  @Test func newPasswordIsGeneratedLookedAtAndUsed() {
    var desk = Desk.open()
    desk.press("c")
    #expect(desk.effects == [.formOpened(Sample.github), .generate(GeneratorForm())])
    desk.send(.outcome(.generated("first-secret")))
    #expect(!desk.text.contains("first-secret"))
    desk.press("v")
    #expect(desk.text.contains("first-secret"))
    desk.press("<")
    #expect(desk.effects == [.generate(GeneratorForm(length: 23))])
    desk.press("4")
    #expect(
      desk.effects == [.generate(GeneratorForm(length: 23, classes: [.lower, .upper, .digits]))])
    desk.press("k Space")
    #expect(desk.effects.count == 2)
    desk.press("O")
    #expect(
      desk.effects == [
        .copy(
          text: Sample.password, label: "github.example / old password", concealed: true)
      ])
    desk.press("Enter")
    #expect(
      desk.effects == [
        .save([
          .setValue(
            Sample.github, Sample.attribute(2), text: "first-secret", base: [Sample.version(2)],
            recipe: "kind=words length=23 words=6 classes=lower,upper,digits look-alikes=yes"
              + " separator=-")
        ]), .formClosed(Sample.github),
      ])
  }

  @Test func aPINHasALengthOfItsOwn() {
    var form = GeneratorForm(length: 30)
    form.chooseNextKind()
    form.chooseNextKind()
    #expect(form.kind == .pin && form.length == 6)
    form.lengthen(by: -2)
    form.chooseNextKind()
    #expect(form.kind == .random && form.length == 30)
    form.chooseNextKind()
    form.chooseNextKind()
    #expect(form.length == 4)
    var kept = GeneratorForm(kind: .pin, length: 8)
    kept.chooseNextKind()
    #expect(kept.length == 24)
  }

  @Test func hintsNameNoKeyThatDoesNothing() {
    func hints(_ desk: Desk) -> String { desk.session.view().lines.last ?? "" }
    var desk = Desk.open()
    #expect(hints(desk).contains("Enter open"))
    desk.press("/ q x q x Enter")
    #expect(!hints(desk).contains("Enter") && !hints(desk).contains("copy"))
    #expect(hints(desk).contains("/ find"))
    desk.press("Esc g")
    #expect(!hints(desk).contains("copy") && !hints(desk).contains("reveal"), "it has nothing yet")
    #expect(hints(desk).contains("c new password"))
    desk.press("j c")
    #expect(hints(desk).contains("1-5 classes"))
    desk.press("k")
    #expect(!hints(desk).contains("classes"))
    desk.press("Esc D")
    #expect(!hints(desk).contains("revoke"), "not of this device")
    desk.press("j")
    #expect(hints(desk).contains("x revoke"))
  }

  @Test func hintsOfAFormFollowTheField() {
    func hints(_ desk: Desk) -> String { desk.session.view().lines.last ?? "" }
    var desk = Desk.open(size: Size(columns: 120, rows: 35))
    desk.press("a")
    #expect(hints(desk).contains("Enter next") && hints(desk).contains("Ctrl-U clear"))
    #expect(!hints(desk).contains("choose") && !hints(desk).contains("generate"))
    desk.press("Tab")
    #expect(hints(desk).contains("Left/Right choose") && !hints(desk).contains("clear"))
    #expect(desk.text.contains("empty: url"))
    desk.press("Right")
    #expect(!desk.text.contains("empty: url"))
    desk.press("Left Tab")
    #expect(hints(desk).contains("Ctrl-S/Enter save") && hints(desk).contains("generate"))
    desk.press("Esc r")
    #expect(!hints(desk).contains("Ctrl-R"), "a name is no secret")
    desk.press("Esc 2 e")
    #expect(!hints(desk).contains("Ctrl-R"), "the username is none either")
    desk.press("Esc D j x")
    #expect(hints(desk).contains("Ctrl-S/Enter revoke") && hints(desk).contains("Ctrl-R show"))
    desk.type("pass")
    desk.press("Enter")
    #expect(hints(desk).contains("Esc cancel") && !hints(desk).contains("Enter"))
  }

  @Test func theGeneratorBeginsWithWhatTheContextLastAskedFor() {
    let pin = "kind=pin length=8 words=6 classes=lower look-alikes=no separator=-"
    var desk = Desk.open()
    desk.send(.contexts(Sample.records(Sample.attributes(recipe: pin))))
    desk.press("c")
    let form = GeneratorForm(kind: .pin, length: 8, classes: [.lower], excludesLookAlikes: true)
    #expect(desk.effects == [.formOpened(Sample.github), .generate(form)])
    desk.press("Esc 2 e C-g")
    #expect(desk.effects.last == .generate(form))
    // A later program's recipe is none.
    desk.press("Esc")
    desk.send(.contexts(Sample.records(Sample.attributes(recipe: "kind=runes length=8"))))
    desk.press("c")
    #expect(desk.effects == [.formOpened(Sample.github), .generate(GeneratorForm())])
    desk.press("5")
    #expect(desk.effects == [.generate(GeneratorForm(excludesLookAlikes: true))])
  }

  @Test func enterBeforeTheFirstPasswordDoesNothing() {
    var desk = Desk.open()
    desk.press("c Enter")
    #expect(desk.effects.count == 2)
    desk.press("Esc")
    #expect(desk.effects == [.formClosed(Sample.github)])
  }

  @Test func aContextWithoutPasswordGetsOne() {
    var desk = Desk.open()
    desk.press("j c")
    desk.send(.outcome(.generated("new-secret")))
    desk.press("Enter")
    let expected = Edit.addAttribute(
      Sample.context(3),
      Edit.NewAttribute(
        label: "password", kind: .password, text: "new-secret",
        recipe: GeneratorForm().recipe.text))
    #expect(desk.effects == [.save([expected]), .formClosed(Sample.context(3))])
  }

  @Test func whatIsNoSecretForCodesIsNotSaved() {
    var desk = Desk.open()
    desk.press("2 j j j e C-u 1 C-s")
    #expect(!desk.effects.contains { if case .save = $0 { true } else { false } })
    #expect(desk.text.contains("no secret for one-time codes"))
    desk.press("C-u J B S W Y 3 D P C-s")
    #expect(desk.effects.contains { if case .save = $0 { true } else { false } })
  }

  @Test func anUnlikelyValueIsSavedAndSaidToBe() {
    var desk = Desk.open()
    desk.press("2 j j e C-u x C-s")
    desk.send(.outcome(.saved))
    #expect(desk.text.contains("Saved. email looks like no e-mail address."))
  }

  @Test func copiedCodeIsNotShown() {
    var desk = Desk.open()
    desk.press("t")
    desk.send(
      .outcome(.oneTimeCode(attribute: Sample.attribute(4), code: "123456", secondsLeft: 9)))
    #expect(
      desk.effects == [.copy(text: "123456", label: "github.example / totp", concealed: true)])
    #expect(!desk.text.contains("123 456"))
    #expect(!desk.session.wantsTicks)
  }

  @Test func shownCodeTicksAndIsRenewed() {
    var desk = Desk.open()
    desk.press("Enter j j j v")
    desk.send(
      .outcome(.oneTimeCode(attribute: Sample.attribute(4), code: "123456", secondsLeft: 9)))
    #expect(desk.session.wantsTicks)
    #expect(desk.session.nextDeadline == Sample.now + 9000)
    desk.after(seconds: 9)
    #expect(desk.effects == [.oneTimeCode(Sample.attribute(4), secret: "JBSWY3DPEHPK3PXP")])
    desk.after(seconds: 6)
    #expect(desk.effects.isEmpty)
    #expect(!desk.session.wantsTicks)
  }

  @Test func aNoteTakesNewlinesAndASecretDoesNot() {
    var desk = Desk.open()
    desk.press("Enter G e")
    desk.send(.paste("\na\nb"))
    desk.press("Enter c C-s")
    #expect(
      desk.effects.first
        == .save([
          .setValue(
            Sample.github, Sample.attribute(5), text: "recovery codes in the safe\na\nb\nc",
            base: [Sample.version(5)])
        ]))
    desk.press("g j e")
    desk.send(.paste("a\nb"))
    #expect(desk.message?.contains("one line") == true)
    desk.press("Enter")
    #expect(desk.effects == [.formClosed(Sample.github)])
  }

  @Test func aPasteOutsideAFieldDoesNothing() {
    var desk = Desk.open()
    desk.send(.paste("dyq"))
    #expect(desk.effects.isEmpty)
    #expect(desk.session.overlay == nil)
  }

  @Test func emptyAndTooLongNamesAreRefusedInTheForm() {
    var desk = Desk.open()
    desk.press("o C-s")
    #expect(desk.effects.isEmpty)
    desk.send(.paste(String(repeating: "x", count: Limits.nameCharacters + 1)))
    desk.press("C-s")
    #expect(desk.effects.isEmpty)
    #expect(desk.text.contains("at most 256"))
    desk.press("Backspace C-s")
    #expect(desk.effects.count == 1)
  }

  @Test func whatIsMadeHereIsMarkedWhenItIsThere() {
    var desk = Desk.open()
    desk.press("o x Enter")
    desk.press("Enter")
    let new = ContextRecord(
      id: Sample.context(99), name: "x", kind: .account, attributes: [], updatedAt: Sample.now,
      updatedBy: Sample.home)
    desk.send(.contexts(Sample.records() + [new]))
    #expect(desk.session.contexts.selectedID == new.id)
  }

  @Test func aKeyThatDoesNothingHereSaysSo() {
    var desk = Desk.open()
    desk.press("J")
    #expect(desk.message == "J does nothing here. ? shows what does.")
    desk.press("j")
    #expect(desk.message == nil)
    desk.press("/ J")
    #expect(desk.message == nil, "it is typed")
  }

  @Test func pinningSaysWhatItDoes() {
    var desk = Desk.open()
    desk.press("f")
    desk.send(.outcome(.saved))
    #expect(desk.message == "Saved. It is pinned to the top.")
  }

  @Test func themePreviewEndsWithEscape() {
    var desk = Desk.open()
    desk.press(": t h e m e Space C-n C-n")
    #expect(desk.session.themeName == "light")
    desk.press("Esc")
    #expect(desk.session.themeName == "terminal")
  }

  @Test func messageStaysUntilTheNextKey() {
    var desk = Desk.open()
    desk.send(.outcome(.note("Restored github.example.")))
    desk.after(seconds: 60)
    #expect(desk.text.contains("Restored github.example."))
    desk.press("j")
    #expect(desk.message == nil)
    #expect(desk.session.log.entries.contains { $0.what == "Restored github.example." })
  }
}

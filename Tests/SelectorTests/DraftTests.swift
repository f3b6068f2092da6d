import Sync
import Testing
import Wire

@testable import Selector

/// What is typed and not saved is on disk soon, and comes back.
@Suite struct DraftTests {
  private func keep(_ desk: Desk) -> [Draft] {
    desk.effects.compactMap { if case .keepDraft(let draft) = $0 { draft } else { nil } }
  }

  private func dropped(_ desk: Desk) -> [DraftID] {
    desk.effects.compactMap { if case .dropDraft(let id) = $0 { id } else { nil } }
  }

  private func after(_ milliseconds: Int64, _ desk: inout Desk) {
    desk.send(.clock(desk.session.now + milliseconds))
  }

  @Test func anOpenFormWithoutAKeyIsNotKept() {
    var desk = Desk.open()
    desk.press("Enter e")
    #expect(desk.session.nextDeadline == Sample.now + Session.idleMilliseconds)
    after(2000, &desk)
    #expect(desk.effects.isEmpty)
  }

  @Test func whatIsTypedIsKeptWithWhatItReplaces() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    #expect(desk.session.nextDeadline == Sample.now + 250)
    after(250, &desk)
    let draft = keep(desk).first
    #expect(desk.effects.count == 1)
    #expect(draft?.form == .editValue)
    #expect(draft?.context == Sample.github && draft?.attribute == Sample.attribute(3))
    #expect(draft?.base == [Sample.version(3)])
    #expect(draft?.fields["value"] == "ann@example.testx")
    #expect(draft?.at == Sample.now + 250)
  }

  @Test func typingIsKeptAtMostEvery500Milliseconds() {
    var desk = Desk.open()
    desk.press("Enter j j e")
    var times: [Int64] = []
    var typedAt: [Int64] = []
    for step in 0..<40 {
      desk.send(.clock(Sample.now + Int64(step) * 50))
      if !keep(desk).isEmpty {
        times.append(desk.session.now)
        #expect(keep(desk).first?.fields["value"]?.count == 16 + typedAt.count)
        typedAt = typedAt.map { _ in 0 }
      }
      desk.press("x")
      typedAt.append(desk.session.now)
    }
    #expect(times.count == 4)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 500 })
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= 550 })
  }

  @Test(arguments: [
    Event.suspended, .closing, .key(.control("z")), .clock(Sample.now + Session.idleMilliseconds),
  ])
  func whatIsTypedIsKeptBeforeTheProgramIsGone(_ event: Event) {
    var desk = Desk.open()
    desk.press("Enter j e x")
    desk.send(event)
    #expect(keep(desk).first?.fields["value"] == Sample.password + "x")
    if case .keepDraft = desk.effects.first { return }
    Issue.record("something comes before the draft")
  }

  @Test func theEndClosesTheForm() {
    var desk = Desk.open()
    desk.press("Enter j e x")
    desk.send(.closing)
    #expect(desk.effects.last == .formClosed(Sample.github))
  }

  @Test func lockingKeepsAndForgets() {
    var desk = Desk.open()
    desk.press("Enter j e x Tab y")
    desk.send(.clock(Sample.now + Session.idleMilliseconds))
    #expect(keep(desk).count == 2)
    #expect(Array(desk.effects.suffix(2)) == [.formClosed(Sample.github), .lock])
    #expect(desk.session.drafts.kept.isEmpty)
    #expect(desk.session.overlay == nil)
  }

  @Test func eachFormIsKept() {
    let forms: [(keys: String, form: Draft.Form, fields: [String: String])] = [
      ("o a b Tab Right", .newContext, ["name": "ab", "kind": "personal"]),
      ("r x", .rename, ["name": "github.examplex", "context": "github.example"]),
      (
        "a p h Tab Tab 1", .addAttribute,
        ["label": "ph", "kind": "text", "value": "1", "context": "github.example"]
      ),
      ("Enter j r x", .describe, ["label": "passwordx", "context": "github.example"]),
    ]
    for form in forms {
      var desk = Desk.open()
      desk.press(form.keys)
      after(250, &desk)
      #expect(keep(desk).first?.form == form.form, "\(form.keys)")
      #expect(keep(desk).first?.fields == form.fields, "\(form.keys)")
    }
  }

  @Test func aGeneratedPasswordIsKeptUntilItIsSaved() {
    var desk = Desk.open()
    desk.press("c")
    desk.send(.outcome(.generated("generated-secret")))
    after(250, &desk)
    #expect(keep(desk).first?.fields["value"] == "generated-secret")
    let id = keep(desk).first?.id
    desk.press("Enter")
    #expect(desk.effects.count == 2)
    desk.send(.outcome(.saved))
    #expect(dropped(desk) == [id])
  }

  @Test func savingDropsTheDraftOnlyWhenTheEditIsOnDisk() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    after(250, &desk)
    let id = keep(desk).first?.id
    desk.press("Enter")
    #expect(dropped(desk).isEmpty)
    desk.send(.outcome(.saved))
    #expect(dropped(desk) == [id])
    #expect(desk.message?.hasPrefix("Saved.") == true)
  }

  @Test func anEditThatCannotBeSavedStaysInItsForm() {
    var desk = Desk.open()
    desk.press("Enter j j e x Enter")
    desk.send(.outcome(.notSaved("The disk is full. Nothing was changed.")))
    #expect(desk.effects == [.formOpened(Sample.github)])
    #expect(desk.text.contains("ann@example.testx"))
    #expect(desk.text.contains("The disk is full. Nothing was changed."))
    desk.press("Enter")
    #expect(desk.effects.count == 2)
  }

  @Test func cancellingDropsTheDraft() {
    for keys in ["Enter j j e x", "o a", "r x", "a x"] {
      var desk = Desk.open()
      desk.press(keys)
      after(250, &desk)
      let id = keep(desk).first?.id
      desk.press("Esc")
      #expect(dropped(desk) == [id], "\(keys)")
    }
  }

  @Test func typingItBackDropsTheDraft() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    after(250, &desk)
    let id = keep(desk).first?.id
    desk.press("Backspace")
    after(500, &desk)
    #expect(dropped(desk) == [id])
    #expect(desk.session.drafts.due == nil)
  }

  // MARK: going on

  static func draft(
    _ number: UInt8, _ form: Draft.Form = .editValue, _ fields: [String: String],
    context: ContextID? = Sample.github, attribute: UInt8? = 3, base: [VersionID]? = nil
  ) -> Draft {
    Draft(
      id: Sample.id(DraftID.self, number), form: form, context: context,
      attribute: attribute.map(Sample.attribute), base: base, fields: fields,
      at: Sample.at(20, Int(number), 0))
  }

  static let email = draft(
    5, .editValue, ["value": "ann@typed.example", "context": "github.example", "label": "email"],
    base: [Sample.version(3)])
  static let library = draft(
    9, .newContext, ["name": "library.example", "kind": "account"], context: nil, attribute: nil)

  @Test func unsavedEditsAreOfferedAtUnlock() {
    var desk = Desk.open()
    desk.send(.drafts([Self.email, Self.library]))
    #expect(desk.session.place == .drafts)
    for text in [
      "Unsaved edits 2", "new context library.example", "20:09", "github.example / email", "20:05",
    ] {
      #expect(desk.text.contains(text), "\(text)")
    }
    desk.press("Esc")
    #expect(desk.effects.isEmpty)
    #expect(desk.text.contains("2 unsaved edits, :drafts"))
    desk.press(": d r a f t s Enter")
    #expect(desk.session.place == .drafts)
  }

  @Test func goingOnOpensTheFormWithTextAndBaseOfThen() {
    var desk = Desk.open()
    var attributes = Sample.attributes()
    attributes[2] = AttributeRecord(
      id: Sample.attribute(3), label: "email", kind: .email, isConcealed: false, text: "new",
      heads: [Sample.value(60, "new")], updatedAt: Sample.now, updatedBy: Sample.work)
    desk.send(.contexts(Sample.records(attributes)))
    desk.send(.drafts([Self.email]))
    desk.press("Enter")
    #expect(desk.effects == [.formOpened(Sample.github)])
    #expect(desk.text.contains("ann@typed.example"))
    #expect(
      desk.text.contains("email was changed on work pc since you typed this; saving keeps both."))
    desk.press("Enter")
    #expect(
      desk.effects == [
        .save([
          .setValue(
            Sample.github, Sample.attribute(3), text: "ann@typed.example",
            base: [Sample.version(3)])
        ]), .formClosed(Sample.github),
      ])
    desk.send(.outcome(.saved))
    #expect(desk.effects == [.dropDraft(Self.email.id)])
  }

  @Test func goingOnWithADeletedContextBringsItBack() {
    var desk = Desk.open()
    desk.send(.contexts(Sample.records().filter { $0.id != Sample.github }))
    desk.send(.drafts([Self.email]))
    desk.press("Enter")
    #expect(
      desk.text.contains(
        "github.example was deleted since you typed this; saving brings it back."))
    #expect(desk.text.contains("ann@typed.example"))
    desk.press("Enter")
    desk.send(.contexts(Sample.records()))
    #expect(desk.session.contexts.selectedID == Sample.github)
    #expect(desk.session.attribute == Sample.attribute(3))
  }

  @Test func goingOnWithADeletedAttributeSaysSo() {
    var desk = Desk.open()
    var attributes = Sample.attributes()
    attributes.remove(at: 2)
    desk.send(.contexts(Sample.records(attributes)))
    desk.send(.drafts([Self.email]))
    desk.press("Enter")
    #expect(
      desk.text.contains("email was deleted since you typed this; saving brings it back."))
  }

  @Test(arguments: [
    (draft(5, .rename, ["name": "git"], attribute: nil), "Rename  github.example", "git"),
    (
      draft(6, .addAttribute, ["label": "phone", "kind": "phone", "value": "+1"], attribute: nil),
      "New attribute  github.example", "< phone >"
    ),
    (draft(7, .describe, ["label": "mail"]), "Rename  github.example / email", "mail"),
    (library, "New context", "library.example"),
  ])
  func goingOnFillsTheForm(_ draft: Draft, _ title: String, _ text: String) {
    var desk = Desk.open()
    desk.send(.drafts([draft]))
    desk.press("Enter")
    #expect(desk.text.contains(title) && desk.text.contains(text))
    desk.press("C-s")
    desk.send(.outcome(.saved))
    #expect(dropped(desk) == [draft.id])
  }

  @Test func discardingAsksFirst() {
    var desk = Desk.open()
    desk.send(.drafts([Self.email, Self.library]))
    desk.press("d")
    #expect(desk.text.contains("Discard the unsaved edit of new context library.example? y/N"))
    desk.press("n")
    #expect(desk.effects.isEmpty && desk.session.place == .drafts)
    desk.press("d y")
    #expect(desk.effects == [.dropDraft(Self.library.id)])
    #expect(desk.session.waitingDrafts == [Self.email])
    desk.press("d y")
    #expect(desk.session.overlay == nil)
  }

  @Test func anEditThatWasSavedAfterAllIsNotOffered() {
    var desk = Desk.open()
    desk.send(.drafts([Self.draft(5, .editValue, ["value": "ann@example.test"])]))
    #expect(desk.effects == [.dropDraft(Sample.id(DraftID.self, 5))])
    #expect(desk.session.overlay == nil)
  }

  @Test func thatIsSeenWhenTheContextsComeLater() {
    var desk = Desk()
    desk.send(.drafts([Self.draft(5, .editValue, ["value": "ann@example.test"])]))
    #expect(desk.session.place == .drafts)
    desk.send(.contexts(Sample.records()))
    #expect(desk.effects == [.dropDraft(Sample.id(DraftID.self, 5))])
    #expect(desk.session.overlay == nil)
  }

  @Test func aSecondEditOfTheSameSaysThereIsOneAlready() {
    var desk = Desk.open()
    desk.send(.drafts([Self.email]))
    desk.press("Esc Enter j j e")
    #expect(desk.message == "There is an unsaved edit of email already; :drafts shows it.")
  }

  @Test func draftsAreLoadedOnlyWhenUnlocked() {
    var desk = Desk(.locked(since: nil, reason: ""))
    desk.send(.drafts([Self.email]))
    #expect(desk.session.drafts.kept.isEmpty && desk.session.overlay == nil)
  }
}

/// A form is rebased while it is open.
@Suite struct RebaseTests {
  private static func attribute(_ number: UInt8, _ label: String, _ text: String) -> AttributeRecord
  {
    AttributeRecord(
      id: Sample.attribute(number), label: label, kind: .text, isConcealed: false, text: text,
      heads: [Sample.value(number + 100, text)], updatedAt: Sample.now, updatedBy: Sample.work)
  }

  @Test func otherFieldsFollowAndTheEditedOneStays() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    var attributes = Sample.attributes()
    attributes[0] = Self.attribute(1, "username", "ann.new")
    desk.send(
      .updated([Sample.records(attributes)[1]], removed: []))
    desk.send(.changed([Sample.change(.set, 2, 1, "username")]))
    #expect(desk.text.contains("ann.new") && desk.text.contains("ann@example.testx"))
    #expect(desk.text.contains("username was changed on work pc while you edit"))
    #expect(!desk.text.contains("saving keeps both"))
  }

  @Test func aRemovedAttributeStaysUnderTheCursor() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    var attributes = Sample.attributes()
    attributes.remove(at: 2)
    desk.send(.updated([Sample.records(attributes)[1]], removed: []))
    desk.send(.changed([Sample.change(.removed, 2, 3, "email")]))
    #expect(desk.text.contains("ann@example.testx"))
    #expect(
      desk.text.contains("email was deleted on work pc while you edit; saving brings it back"))
  }

  @Test(arguments: ["r x", "a x"])
  func aDialogSaysWhatChangedToo(_ keys: String) {
    var desk = Desk.open()
    desk.press(keys)
    desk.send(.changed([Sample.change(.removed, 2)]))
    #expect(
      desk.text.contains(
        "github.example was deleted on work pc while you edit; saving brings it back"))
  }

  @Test func theNewsStaysWhileTypingGoesOn() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    desk.send(.changed([Sample.change(.set, 2, 3, "email")]))
    desk.press("y z")
    #expect(
      desk.text.contains("email was changed on work pc while you edit; saving keeps both"))
  }

  @Test func whatIsTypedOverMattersMoreThanItsNeighbours() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    desk.send(
      .changed([Sample.change(.set, 2, 3, "email"), Sample.change(.set, 2, 1, "username")]))
    #expect(desk.text.contains("email was changed on work pc"))
  }
}

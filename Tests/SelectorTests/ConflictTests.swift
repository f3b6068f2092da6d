import Sync
import Testing
import Wire

@testable import Selector

/// The list of what waits for a choice, and choosing.
@Suite struct ConflictTests {
  @Test func aConflictRingsTheBellOnceAndNothingElseDoes() {
    var desk = Desk.open()
    desk.send(.changed([Sample.change(.set, 2, 2, "password")]))
    #expect(desk.effects.isEmpty)
    desk.send(.changed([Sample.change(.conflict, 2, 2, "password")]))
    #expect(desk.effects == [.bell])
    #expect(desk.message == "! conflict with work pc: github.example / password  X shows it")
  }

  private func conflicted() -> Desk {
    var desk = Desk.open()
    desk.send(.contexts(Sample.conflicted))
    return desk
  }

  @Test func bothValuesAreShownMaskedThenRevealed() {
    var desk = conflicted()
    desk.press("X Enter")
    #expect(desk.effects == [.loadHistory(Sample.github, Sample.attribute(2))])
    #expect(!desk.text.contains("-secret"))
    desk.press("v")
    #expect(desk.text.contains("one-secret") && desk.text.contains("two-secret"))
    desk.after(seconds: 15)
    #expect(!desk.text.contains("-secret"))
  }

  @Test(arguments: [
    ("1 Enter", Edit.resolve(Sample.github, Sample.attribute(2), keep: Sample.version(40))),
    ("2 Enter", Edit.resolve(Sample.github, Sample.attribute(2), keep: Sample.version(41))),
    ("Enter", Edit.resolve(Sample.github, Sample.attribute(2), keep: Sample.version(41))),
    ("k Enter", Edit.resolve(Sample.github, Sample.attribute(2), keep: Sample.version(40))),
    ("m", Edit.keepBoth(Sample.github, Sample.attribute(2))),
  ])
  func theChoiceIsSaved(_ keys: String, _ edit: Edit) {
    var desk = conflicted()
    desk.press("Enter j Enter")
    desk.press(keys)
    #expect(desk.effects == [.save([edit])])
  }

  @Test func anotherValueIsTypedOverAllOfThem() throws {
    var desk = conflicted()
    desk.press("X Enter")
    desk.press("e")
    #expect(desk.effects == [.formOpened(Sample.github)])
    desk.press("C-u t h i r d")
    desk.press("Enter")
    let record = try #require(Sample.conflicted.first { $0.id == Sample.github })
    let edit = Edit.setValue(
      Sample.github, Sample.attribute(2), text: "third", base: record.attributes[1].heads.map(\.id))
    #expect(desk.effects.first == .save([edit]))
  }

  @Test func laterChangesNothing() {
    var desk = conflicted()
    desk.press("X Enter Esc")
    #expect(desk.effects == [.loadHistory(Sample.github, Sample.attribute(2))])
    #expect(desk.session.detail == .conflicts(row: 0))
    desk.press("Esc Enter Esc")
    #expect(desk.session.detail == .attributes)
  }

  @Test func aConflictSettledElsewhereLeavesTheScreen() {
    var desk = conflicted()
    desk.press("X Enter")
    desk.send(.contexts(Sample.records()))
    #expect(desk.session.detail == .conflicts(row: 0))
    #expect(desk.message == "This conflict was settled.")
  }

  @Test func namesInConflictAreChosenToo() {
    var desk = Desk.open()
    let names = [
      Sample.value(70, "github", by: Sample.home, at: Sample.now - 5000),
      Sample.value(71, "hub", by: Sample.work),
    ]
    let record = ContextRecord(
      id: Sample.github, name: "hub", kind: .account, attributes: Sample.attributes(),
      updatedAt: Sample.now, updatedBy: Sample.work, names: names)
    desk.send(.contexts([record]))
    desk.press("Enter")
    #expect(desk.text.contains("the name was changed on two devices"))
    desk.press("1 Enter")
    #expect(desk.effects == [.save([.resolveName(Sample.github, keep: Sample.version(70))])])
  }

  @Test func labelsInConflictAreChosenFromTheList() {
    var desk = Desk.open()
    let labels = [
      Sample.value(80, "pin", by: Sample.home, at: Sample.now - 5000),
      Sample.value(81, "code", by: Sample.work),
    ]
    let attribute = AttributeRecord(
      id: Sample.attribute(2), label: "code", kind: .password, isConcealed: true, text: "secret",
      heads: [Sample.value(40, "secret", by: Sample.home)], labels: labels,
      updatedAt: Sample.now, updatedBy: Sample.work)
    let record = ContextRecord(
      id: Sample.github, name: "github.example", kind: .account, attributes: [attribute],
      updatedAt: Sample.now, updatedBy: Sample.work)
    desk.send(.contexts([record]))
    desk.press("X")
    #expect(desk.text.contains("github.example / the label of code"))
    desk.press("Enter")
    #expect(desk.text.contains("the label of code was changed on two devices"))
    #expect(desk.text.contains("pin") && !desk.text.contains("secret"))
    desk.press("m")
    #expect(desk.effects == [] && desk.message == "Both cannot be kept here. Choose 1 or 2.")
    desk.press("1 Enter")
    #expect(
      desk.effects
        == [
          .save([
            .resolveLabel(Sample.github, Sample.attribute(2), keep: Sample.version(80))
          ])
        ])
  }

  @Test func theListNamesContextAttributeDevicesAndTimes() {
    var desk = Desk.open(size: Size(columns: 160, rows: 35))
    desk.send(.contexts(Sample.contested))
    desk.press("X")
    for text in [
      "bank.example / its name", "home pc 20:30, work pc 20:31",
      "github.example / password", "home pc 20:33, work pc 20:33",
      "github.example / email", "mobile deleted it 17:20, work pc changed it 20:31",
      "work / deleted and edited", "mobile deleted it; a later edit brought it back",
    ] {
      #expect(desk.text.contains(text), "\(text)")
    }
  }

  @Test func eachChoiceOpensTheNextUntilNoneIsLeft() {
    var desk = Desk.open()
    desk.send(.contexts(Sample.contested))
    desk.press("X Enter 1 Enter")
    #expect(
      desk.effects == [
        .save([.resolveName(Sample.context(1), keep: Sample.version(70))]),
        .loadHistory(Sample.github, Sample.attribute(2)),
      ])
    desk.press("2 Enter")
    #expect(
      desk.effects == [
        .save([.resolve(Sample.github, Sample.attribute(2), keep: Sample.version(41))]),
        .loadHistory(Sample.github, Sample.attribute(3)),
      ])
    #expect(desk.text.contains("email was deleted on mobile while work pc changed"))
    #expect(desk.text.contains("(deleted)"))
    desk.send(.contexts([Sample.contested[8]]))
    #expect(desk.message == "This conflict was settled.")
    desk.press("Enter")
    #expect(desk.text.contains("> 2  keep it"))
    desk.press("Enter")
    #expect(desk.effects == [.save([.restoreContext(Sample.context(9))])])
    desk.send(.contexts(Sample.records()))
    #expect(desk.text.contains("No conflicts. Nothing waits for you."))
  }

  @Test(arguments: [
    ("1 Enter", Edit.deleteContext(Sample.context(9))),
    ("2 Enter", .restoreContext(Sample.context(9))),
    ("k Enter", .deleteContext(Sample.context(9))),
    ("k j Enter", .restoreContext(Sample.context(9))),
  ])
  func aContextThatCameBackIsKeptOrDeleted(_ keys: String, _ edit: Edit) {
    var desk = Desk.open()
    desk.send(.contexts([Sample.contested[8]]))
    desk.press("X Enter")
    desk.press(keys)
    #expect(desk.effects == [.save([edit])])
  }

  @Test func enterAloneNeverTakesADeletion() {
    var desk = Desk.open()
    var attributes = Sample.attributes()
    attributes[2] = AttributeRecord(
      id: Sample.attribute(3), label: "email", kind: .email, isConcealed: false, text: "new",
      heads: [
        Sample.value(60, "new", by: Sample.work, at: Sample.at(17, 20, 0)),
        Sample.value(61, nil, by: Sample.mobile, at: Sample.at(20, 31, 7)),
      ], updatedAt: Sample.now, updatedBy: Sample.work)
    desk.send(.contexts(Sample.records(attributes)))
    desk.press("X Enter")
    desk.press("Enter")
    #expect(
      desk.effects.first
        == .save([.resolve(Sample.github, Sample.attribute(3), keep: Sample.version(60))]))
  }

  @Test func moreThanTwoValuesAreNotCalledBoth() {
    var desk = Desk.open()
    let heads = [UInt8(40), 41, 42].map { number in
      Sample.value(number, "secret \(number)", by: Sample.work, at: Sample.at(20, 31, 7))
    }
    desk.send(.contexts(Sample.records(Sample.attributes(heads: heads))))
    desk.press("X Enter")
    #expect(desk.text.contains("All 3 values are kept until you choose."))
    desk.press("Esc")
    #expect(desk.message == "All 3 values are kept until you choose. X shows this again.")
  }

  @Test func aDeletionAndAnEditCannotBothBeKept() {
    var desk = Desk.open()
    desk.send(.contexts(Sample.contested))
    desk.press("X j j Enter m")
    #expect(desk.message == "One side deleted it: both cannot be kept. Choose 1 or 2.")
    desk.press("1 Enter")
    #expect(
      desk.effects.first
        == .save([.resolve(Sample.github, Sample.attribute(3), keep: Sample.version(50))]))
  }
}

extension Sample {
  static let nameValues = [
    value(70, "bank", by: home, at: at(20, 30, 0)),
    value(71, "bank.example", by: work, at: at(20, 31, 0)),
  ]

  static let deletedEmail = [
    value(50, nil, by: mobile, at: at(17, 20, 0)),
    value(51, "ann@new.example", by: work, at: at(20, 31, 7)),
  ]

  /// Every kind of conflict there is.
  static var contested: [ContextRecord] {
    var attributes = attributes(password: "two-secret", heads: Array(conflictValues.reversed()))
    attributes[2] = AttributeRecord(
      id: attribute(3), label: "email", kind: .email, isConcealed: false, text: "ann@new.example",
      heads: deletedEmail, updatedAt: now, updatedBy: work)
    return records(attributes).map { record in
      ContextRecord(
        id: record.id, name: record.name, kind: record.kind, attributes: record.attributes,
        updatedAt: record.updatedAt, updatedBy: record.updatedBy,
        names: record.id == context(1) ? nameValues : [],
        deletedOn: record.id == context(9) ? mobile : nil)
    }
  }
}

import Sync
import Testing
import Vault

@testable import Selector

@Suite struct LineEditorTests {
  private func editor(_ text: String, cursor: Int? = nil, lines: Bool = false) -> LineEditor {
    var editor = LineEditor(text, isMultiline: lines)
    if let cursor {
      editor.move(.lineStart)
      for _ in 0..<cursor { editor.move(.right) }
    }
    return editor
  }

  private func expect(
    _ refusal: LineEditor.Refusal?, _ expected: LineEditor.Refusal?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(refusal == expected, sourceLocation: sourceLocation)
  }

  /// Not inside `#expect`, which cannot change a variable.
  private func undo(_ editor: inout LineEditor) -> Bool { editor.undo() }

  @Test func killedTextComesBackWithYank() {
    var editor = editor("bank example", cursor: 4)
    editor.remove(.toLineEnd)
    #expect(editor.text == "bank")
    editor.move(.lineStart)
    expect(editor.yank(), nil)
    #expect(editor.text == " examplebank")
  }

  @Test func wordsAreMovedOverAndDeleted() {
    var editor = editor("one two.three")
    editor.remove(.wordBefore)
    #expect(editor.text == "one two.")
    editor.move(.wordLeft)
    #expect(editor.cursor == 4)
    editor.move(.wordRight)
    #expect(editor.cursor == 7)
  }

  @Test func typingInARowIsOneStepAndPasteAnother() {
    var editor = LineEditor()
    for character in "ann" { expect(editor.type(character), nil) }
    expect(editor.paste(" b\n"), nil)
    #expect(editor.text == "ann b")
    #expect(undo(&editor))
    #expect(editor.text == "ann")
    #expect(undo(&editor))
    #expect(editor.text == "")
    #expect(!undo(&editor))
  }

  @Test func oneLineRefusesInnerNewlinesAndKeepsItsText() {
    var editor = LineEditor("ann")
    expect(editor.paste("a\nb"), .newline)
    expect(editor.paste("a\r\nb"), .newline)
    expect(editor.type("\n"), .newline)
    #expect(editor.text == "ann")
  }

  @Test func severalLinesKeepNewlinesAndTheColumn() {
    var editor = LineEditor("", isMultiline: true)
    expect(editor.paste("first\r\nsecond\nx"), nil)
    #expect(editor.text == "first\nsecond\nx")
    editor.move(.up)
    #expect(editor.layout.line == 1)
    #expect(editor.layout.column == 1)
    editor.move(.up)
    editor.move(.up)
    #expect(editor.layout.line == 0)
    editor.remove(.toLineEnd)
    #expect(editor.text == "f\nsecond\nx")
  }

  @Test func tooLongIsRefusedWhole() {
    var editor = LineEditor()
    expect(editor.paste(String(repeating: "x", count: LineEditor.limitBytes)), nil)
    expect(editor.paste("y"), .tooLong)
    #expect(editor.characters.count == LineEditor.limitBytes)
  }

  @Test func aCombiningMarkJoinsTheCharacterBefore() {
    var editor = LineEditor("e")
    expect(editor.type("\u{301}"), nil)
    #expect(editor.characters.count == 1)
    #expect(editor.cursor == 1)
    editor.remove(.before)
    #expect(editor.isEmpty)
  }

  @Test func removalsAtTheEndsDoNothing() {
    var editor = LineEditor()
    for removal in [LineEditor.Removal.before, .under, .wordBefore, .toLineStart, .toLineEnd] {
      editor.remove(removal)
    }
    #expect(editor.isEmpty)
    #expect(!undo(&editor))
  }
}

@Suite struct NameIndexTests {
  private let names = ["bank.example", "GitHub.example", "work", "wiki.work.example", "Öffi"]

  private func found(_ query: String) -> [String] {
    NameIndex(names).matches(query).map { names[$0] }
  }

  @Test func anEmptyQueryKeepsAllInOrder() {
    #expect(found("") == names)
    #expect(found("  ") == names)
  }

  @Test func prefixGoesBeforeWordStartBeforeScattered() {
    #expect(found("work") == ["work", "wiki.work.example"])
    #expect(found("ex").count == 3)
    #expect(found("be") == ["bank.example", "GitHub.example"])
  }

  @Test func caseIsIgnoredBeyondASCIIToo() {
    #expect(found("GITHUB") == ["GitHub.example"])
    #expect(found("öff") == ["Öffi"])
  }

  @Test func everyWordOfAQueryHasToMatch() {
    #expect(found("work wiki") == ["wiki.work.example"])
    #expect(found("work zebra").isEmpty)
  }

  @Test func hitsAreWhatTheQueryFound() {
    #expect(NameIndex.hits("wk", in: "wiki.work") == [0, 2])
    #expect(NameIndex.hits("work", in: "wiki.work") == [5, 6, 7, 8])
    #expect(NameIndex.hits("z", in: "wiki").isEmpty)
  }

  @Test func narrowedListKeepsTheMarkedContext() {
    var list = ContextList()
    list.replace(with: Sample.records())
    list.select(Sample.github)
    list.narrow(to: "example", marksBest: false)
    #expect(list.selectedID == Sample.github)
    list.narrow(to: "", marksBest: false)
    #expect(list.selected?.name == "github.example")
  }
}

@Suite struct GeneratorFormTests {
  @Test func bitsCountWhatCanComeOut() {
    #expect(GeneratorForm(kind: .pin, length: 4).bits == 13)
    #expect(GeneratorForm(kind: .words, words: 6).bits == 60)
    #expect(GeneratorForm(length: 24, classes: [.lower]).bits == 112)
    #expect(GeneratorForm().bits == 152)
  }

  @Test func limitsHoldAndOneClassStays() {
    var form = GeneratorForm(length: 128, classes: [.digits])
    form.lengthen(by: 1)
    form.toggle(.digits)
    #expect(form.length == 128)
    #expect(form.classes == [.digits])
    form.chooseNextKind()
    form.lengthen(by: 100)
    #expect(form.words == 20)
  }
}

@Suite struct LocalTimeTests {
  @Test func datesAreThoseOfTheCalendar() {
    let utc = LocalTime(offsetSeconds: 0)
    #expect(utc.date(0) == "1970-01-01")
    #expect(utc.clock(-1000) == "23:59:59")
    #expect(utc.date(-1000) == "1969-12-31")
    #expect(utc.date(951_782_400_000) == "2000-02-29")
    #expect(LocalTime(offsetSeconds: 3600).clock(Sample.now) == "20:31:07")
    #expect(LocalTime(offsetSeconds: -5 * 3600).short(Sample.now, now: Sample.now) == "14:31")
    #expect(utc.short(0, now: Sample.now) == "1970-01-01")
  }
}

import Testing

@testable import Selector

/// What a script's lines mean, and which are refused.
@Suite struct ScriptTests {
  private func steps(_ text: String) throws -> [Script.Step] {
    try Script(parsing: text).lines.map(\.step)
  }

  private func refusal(_ text: String) -> ScriptError? {
    do {
      _ = try Script(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func everyStepIsRead() throws {
    let read = try steps(
      """
      # A remark, then an empty line.

      press j Enter C-a 5j
      type a b
      paste x
        wait github.example
      gone ...
      pause 1.5
      say Hello.
      size 120x35
      save a b.txt
      """)
    #expect(
      read == [
        .press([
          .character("j"), .named(.enter), .control("a"), .character("5"), .character("j"),
        ]), .type("a b"), .paste("x"), .wait("github.example"), .gone("..."),
        .pause(milliseconds: 1500), .say("Hello."), .size(Size(columns: 120, rows: 35)),
        .save("a b.txt"),
      ])
  }

  @Test func mistakesAreNamedWithTheirLine() {
    #expect(refusal("\n\njump j") == ScriptError(line: 3, what: .unknown("jump")))
    #expect(refusal("type") == ScriptError(line: 1, what: .incomplete("type")))
    #expect(refusal("press C-quit") == ScriptError(line: 1, what: .key("C-quit")))
    #expect(refusal("size 0x5") == ScriptError(line: 1, what: .size("0x5")))
    #expect(refusal("size 80x") == ScriptError(line: 1, what: .size("80x")))
    #expect(refusal("pause 61") == ScriptError(line: 1, what: .pause("61")))
    #expect(refusal("pause -1") == ScriptError(line: 1, what: .pause("-1")))
  }

  @Test func aPictureHoldsEveryVisibleCharacterAndEscapesMarkup() {
    var frame = Frame(size: Size(columns: 20, rows: 2))
    frame.put("<a> & b", row: 0, column: 0)
    frame.put("bold", row: 1, column: 3, style: .headingFocused)
    let picture = Picture.svg(frame, theme: .terminal)
    #expect(picture.contains("&lt;a&gt;\u{A0}&amp;\u{A0}b"))
    #expect(picture.contains("font-weight=\"bold\">bold</text>"))
    #expect(picture.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"192\""))
  }

  @Test func aCaptionStaysUntilTheNextKey() {
    var desk = Desk.open()
    desk.send(.caption("Now a password."))
    desk.after(seconds: 3)
    #expect(desk.message == "Now a password.")
    desk.press("j")
    #expect(desk.message == nil)
  }

  @Test func theCommandLinePlaysAScript() {
    var desk = Desk.open()
    desk.type(":script my tour.txt")
    desk.press("Enter")
    #expect(desk.effects == [.playScript("my tour.txt")])
  }
}

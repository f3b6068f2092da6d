import Selector
import Testing

@Suite struct KeyTests {
  @Test(arguments: [
    ("j", Key.character("j")), ("G", .character("G")), ("Space", .character(" ")),
    ("C-n", .control("n")), ("M-b", .alt("b")), ("M-B", .alt("B")),
    ("C-M-x", Key(.character("x"), [.control, .alt])),
    ("Tab", .named(.tab)), ("S-Tab", .named(.backTab)), ("Enter", .named(.enter)),
    ("Esc", .named(.escape)), ("PgUp", .named(.pageUp)), ("F12", .named(.f(12))),
    ("C-Left", Key(.named(.left), .control)), ("M-Enter", Key(.named(.enter), .alt)),
    ("-", .character("-")), ("C--", .control("-")), ("C-_", .control("_")), ("é", .character("é")),
    ("C-Space", .control(" ")), ("F", .character("F")), ("C", .character("C")),
  ])
  func theTextualFormGoesBothWays(text: String, key: Key) {
    #expect(Key(text) == key)
    #expect(key.description == text)
  }

  @Test(arguments: [
    ("Ctrl-r", "C-r"), ("alt-x", "M-x"), ("c-N", "C-n"), ("M-C-x", "C-M-x"), ("PageDown", "PgDn"),
    ("escape", "Esc"), ("Return", "Enter"), ("Shift-Tab", "S-Tab"), (" ", "Space"), ("C-i", "Tab"),
    ("C-m", "Enter"), ("C-j", "Enter"), ("C-[", "Esc"), ("f5", "F5"),
  ])
  func otherSpellingsAreUnderstood(text: String, usual: String) {
    #expect(Key(text)?.description == usual)
  }

  @Test(arguments: ["", "xy", "C-C-x", "F0", "F64", "S-Up", "\n", "\u{1B}", "C-Foo", "Up Down"])
  func whatNamesNoKeyIsRefused(text: String) {
    #expect(Key(text) == nil)
  }

  @Test func onlyAPlainCharacterTypes() {
    #expect(Key.character("ä").typed == "ä")
    #expect(Key.alt("ä").typed == nil)
    #expect(Key.named(.enter).typed == nil)
  }
}

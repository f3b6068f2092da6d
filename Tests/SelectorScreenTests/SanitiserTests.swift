import Selector
import Testing

@Suite struct SanitiserTests {
  @Test(arguments: [
    ("github.example", "github.example"),
    ("a\tb\nc\u{0}\u{7F}", "a␉b␊c␀␡"),
    ("\u{9B}31m", "‹U+009B›31m"),
    ("bank\u{202E}elpmaxe", "bank‹U+202E›elpmaxe"),
    ("a\u{200B}b\u{2060}c\u{FEFF}", "a‹U+200B›b‹U+2060›c‹U+FEFF›"),
    ("a\u{2028}b", "a‹U+2028›b"),
    ("so\u{AD}ft", "so‹U+00AD›ft"),
    ("\u{E0041}", "‹U+E0041›"),
    ("❤\u{FE0F}", "❤"),
    ("👨\u{200D}👩\u{200D}👧", "👨👩👧"),
    ("👍\u{1F3FD}", "👍"),
    ("a\u{200D}b", "a‹U+200D›b"),
    ("1\u{FE0F}", "1‹U+FE0F›"),
    ("a\u{200D}\u{200D}b", "a‹U+200D›‹U+200D›b"),
    ("\u{301}x", "◌\u{301}x"),
    ("a \u{301}", "a ◌\u{301}"),
    ("e\u{301}", "e\u{301}"),
    ("\u{E000}\u{10FFFF}", "??"),
    ("\u{3164}", "‹U+3164›"),
    ("漢字 한글 ελ", "漢字 한글 ελ"),
  ])
  func whatCannotBeSeenIsShownAsAMark(stored: String, shown: String) {
    // Scalars are compared: strings are equal also when they only look alike.
    #expect(Array(Sanitiser.display(stored).unicodeScalars) == Array(shown.unicodeScalars))
  }

  @Test func whatIsShownIsShownAgainUnchanged() {
    for value in UInt32(0)..<0x3100 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let once = Sanitiser.display("a\(String(scalar))b")
      #expect(Sanitiser.display(once) == once, "U+\(String(value, radix: 16))")
    }
  }

  @Test func aPileOfMarksIsCut() {
    let pile = "a" + String(repeating: "\u{301}", count: 50)
    #expect(Sanitiser.display(pile).unicodeScalars.count == 5)
  }

  @Test func nothingShownIsAControlOrFormatCharacter() {
    let planes = [0..<0x3_0000, 0xE_0000..<0xE_0200, 0x10_FF00..<0x11_0000] as [Range<UInt32>]
    for value in planes.joined() where !(0x3400..<0xD800).contains(value) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let shown = Sanitiser.display(String(scalar)).unicodeScalars
      let isSafe = shown.allSatisfy {
        switch $0.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
          false
        default: true
        }
      }
      if !isSafe { Issue.record("U+\(String(value, radix: 16))") }
    }
  }
}

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("한글", 4), ("ｱ", 1), ("Ａ", 2),
    ("😀", 2), ("✅", 2), ("❤\u{FE0F}", 1), ("🇩🇪", 2), ("│─•", 3), ("\u{1100}\u{1161}", 2),
    ("\n", 1), ("\u{202E}", 8), ("👨‍👩‍👧", 6), ("𠀀", 2), ("㊙", 2), ("…", 1),
  ])
  func columnsAreThoseOfTheTerminal(text: String, columns: Int) {
    #expect(DisplayWidth.columns(of: text) == columns)
  }
}

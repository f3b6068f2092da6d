import Selector
import Testing

@Suite struct FrameTests {
  @Test func textIsClippedAtBothEndsAndTheLimit() {
    var frame = Frame(size: Size(columns: 6, rows: 2))
    #expect(frame.put("abcdefgh", row: 0, column: 4) == 2)
    #expect(frame.put("uvwxyz", row: 0, column: -4) == 2)
    #expect(frame.put("123456", row: 1, column: 1, limit: 3) == 3)
    #expect(frame.lines == ["yz  ab", " 123"])
  }

  @Test func nothingIsWrittenOutside() {
    var frame = Frame(size: Size(columns: 3, rows: 1))
    #expect(frame.put("x", row: 1, column: 0) == 0)
    #expect(frame.put("x", row: -1, column: 0) == 0)
    #expect(frame.put("x", row: 0, column: 3) == 0)
    #expect(frame.put("x", row: 0, column: .max, limit: .max) == 0)
    #expect(frame.put("x", row: 0, column: .min) == 0)
    #expect(frame.put("x", row: 0, column: 0, limit: -1) == 0)
    frame.fill(row: 5, column: .min, columns: .max, with: "x")
    #expect(frame.lines == [""])
  }

  @Test func aWideCharacterInTheLastColumnBecomesASpace() {
    var frame = Frame(size: Size(columns: 5, rows: 1))
    frame.fill(row: 0, with: "-")
    #expect(frame.put("漢字漢", row: 0, column: 0) == 5)
    #expect(frame.lines == ["漢字"])
    #expect(frame.put("漢", row: 0, column: 1, limit: 1) == 1)
    #expect(frame.put("字", row: 0, column: -1) == 1)
    #expect(frame.lines == ["  字"])
  }

  @Test func overwritingHalfOfAWideCharacterLeavesASpace() {
    var frame = Frame(size: Size(columns: 4, rows: 1))
    frame.put("漢字", row: 0, column: 0)
    frame.put("a", row: 0, column: 1)
    #expect(frame.lines == [" a字"])
    frame.put("b", row: 0, column: 2)
    #expect(frame.lines == [" ab"])
    frame.put("漢字", row: 0, column: 0)
    frame.put("中", row: 0, column: 1)
    #expect(frame.lines == [" 中"])
  }

  @Test func combiningMarksShareTheCell() {
    var frame = Frame(size: Size(columns: 4, rows: 1))
    #expect(frame.put("e\u{301}x", row: 0, column: 0) == 2)
    #expect(frame.glyph(row: 0, column: 0)?.glyph.text == "e\u{301}")
    #expect(frame.glyph(row: 0, column: 1)?.glyph.text == "x")
  }

  @Test func controlCharactersNeverReachACell() {
    var frame = Frame(size: Size(columns: 20, rows: 1))
    frame.put("a\u{1B}[31mb\n", row: 0, column: 0)
    #expect(frame.lines == ["a␛[31mb␊"])
    frame.fill(row: 0, with: "\u{1B}")
    #expect(frame.lines == [String(repeating: "␛", count: 20)])
  }

  @Test func fillWithAWideCharacterEndsInASpace() {
    var frame = Frame(size: Size(columns: 5, rows: 1))
    frame.put("xxxxx", row: 0, column: 0)
    frame.fill(row: 0, with: "漢")
    #expect(frame.lines == ["漢漢"])
  }

  @Test func restyleKeepsTheText() {
    var frame = Frame(size: Size(columns: 5, rows: 1))
    frame.put("abc", row: 0, column: 0)
    frame.restyle(row: 0, column: 1, columns: 1, style: .match)
    #expect(frame.lines == ["abc"])
    #expect(frame.glyph(row: 0, column: 1)?.style == .match)
    #expect(frame.glyph(row: 0, column: 2)?.style == .text)
  }

  @Test func aFrameOfNoSizeTakesEverything() {
    var frame = Frame(size: Size(columns: 0, rows: -1))
    frame.put("漢", row: 0, column: 0)
    frame.fill(row: 0)
    #expect(frame.lines.isEmpty)
    #expect(frame.runs(from: nil).isEmpty)
  }

  @Test func framesAreEqualWhateverTheOrderOfPainting() {
    var one = Frame(size: Size(columns: 8, rows: 1))
    var other = one
    one.put("e\u{301}", row: 0, column: 0)
    one.put("a\u{308}", row: 0, column: 1)
    other.put("a\u{308}", row: 0, column: 1)
    other.put("e\u{301}", row: 0, column: 0)
    #expect(one == other)
    other.put("e\u{300}", row: 0, column: 0)
    #expect(one != other)
  }
}

@Suite struct RunTests {
  @Test func onlyChangedCellsAreInRuns() {
    var old = Frame(size: Size(columns: 10, rows: 2))
    old.put("abc", row: 0, column: 0)
    var new = old
    new.put("aXc", row: 0, column: 0)
    new.put("yes", row: 1, column: 4, style: .error)
    let runs = new.runs(from: old)
    #expect(runs.map(\.row) == [0, 1])
    #expect(runs.map(\.column) == [1, 4])
    #expect(runs.map { $0.glyphs.map(\.text).joined() } == ["X", "yes"])
    #expect(runs.map(\.style) == [.text, .error])
  }

  @Test func aRunEndsWhereTheStyleChanges() {
    var frame = Frame(size: Size(columns: 4, rows: 1))
    frame.put("ab", row: 0, column: 0, style: .title)
    frame.put("cd", row: 0, column: 2, style: .titleMark)
    #expect(frame.runs(from: nil).map(\.columns) == [2, 2])
  }

  @Test func anotherSizeRepaintsEverything() {
    let old = Frame(size: Size(columns: 4, rows: 2))
    let new = Frame(size: Size(columns: 3, rows: 2))
    #expect(new.runs(from: old).map(\.columns) == [3, 3])
    #expect(old.runs(from: old).isEmpty)
  }

  /// Random painting at random sizes: rows keep their width, nothing traps, and the runs applied to
  /// what a terminal shows make it show the new frame.
  @Test func runsTurnTheOldScreenIntoTheNew() {
    for seed in UInt64(1)...300 {
      var random = Random(state: seed)
      let size = Size(
        columns: Int.random(in: 1...30, using: &random), rows: Int.random(in: 1...6, using: &random)
      )
      var frame = Frame(size: size)
      var screen = FakeScreen(size: size)
      var shown: Frame?
      for _ in 0..<6 {
        paint(&frame, &random)
        screen.apply(frame.runs(from: shown))
        shown = frame
        #expect(screen.lines == frame.lines, "seed \(seed)")
        for row in frame.lines {
          #expect(DisplayWidth.columns(of: row) <= size.columns, "seed \(seed)")
        }
      }
    }
  }

  private func paint(_ frame: inout Frame, _ random: inout Random) {
    let texts = [
      "plain", "漢字漢字", "e\u{301}a\u{308}", "😀👨‍👩‍👧", "\u{202E}x", "│ a 漢", "\u{1B}[2J", "🇩🇪 ✅",
      "", "\u{301}", "각\u{1100}\u{1161}",
    ]
    let row = Int.random(in: -1...frame.size.rows, using: &random)
    let column = Int.random(in: -4...frame.size.columns, using: &random)
    let style = StyleKey.allCases.randomElement(using: &random) ?? .text
    let text = texts.randomElement(using: &random) ?? ""
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      frame.fill(
        row: row, column: column, columns: Int.random(in: 0...9, using: &random), style: style,
        with: text.first ?? "漢")
    case 1:
      frame.put(
        text, row: row, column: column, limit: Int.random(in: 0...9, using: &random), style: style)
    default:
      frame.put(text, row: row, column: column, style: style)
    }
  }
}

/// What a terminal does with runs: each glyph takes its columns and blanks what it cuts in half.
private struct FakeScreen {
  private var rows: [[String]]

  init(size: Size) {
    rows = Array(repeating: Array(repeating: "?", count: size.columns), count: size.rows)
  }

  mutating func apply(_ runs: [Run]) {
    for run in runs {
      var column = run.column
      for glyph in run.glyphs {
        rows[run.row][column] = glyph.text
        if glyph.columns == 2 { rows[run.row][column + 1] = "" }
        column += glyph.columns
      }
    }
  }

  var lines: [String] {
    rows.map { row in
      var line = row.joined()
      while line.unicodeScalars.last == " " {
        line.unicodeScalars.removeLast()
      }
      return line
    }
  }
}

/// Marsaglia's xorshift64: the same numbers in every run.
private struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

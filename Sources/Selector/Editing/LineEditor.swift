/// Text being typed, with readline's movements, one kill buffer and undo.
///
/// Positions are characters as a person counts them. In a one-line editor no newline can get in.
struct LineEditor: Hashable, Sendable {
  /// 60,000 bytes: what an attribute's value may have, with room for its description.
  static let limitBytes = 60_000
  /// Steps that can be taken back.
  static let undoLimit = 200

  enum Movement: Sendable {
    case left, right, wordLeft, wordRight, lineStart, lineEnd, up, down
  }

  enum Removal: Sendable {
    case before, under, wordBefore, toLineStart, toLineEnd
  }

  /// Why text was not taken in.
  enum Refusal: Hashable, Sendable {
    case newline, tooLong
  }

  private struct Snapshot: Hashable {
    var characters: [Character]
    var cursor: Int
  }

  private(set) var characters: [Character]
  /// 0 to the number of characters.
  private(set) var cursor: Int
  let isMultiline: Bool
  private var killed: [Character] = []
  private var undoSteps: [Snapshot] = []
  /// Typing in a row is one step to take back.
  private var isTyping = false

  init(_ text: String = "", isMultiline: Bool = false) {
    characters = Array(text)
    cursor = characters.count
    self.isMultiline = isMultiline
  }

  var text: String { String(characters) }
  var isEmpty: Bool { characters.isEmpty }

  /// Types one character.
  mutating func type(_ character: Character) -> Refusal? {
    let wasTyping = isTyping
    let refusal = insert([character], remember: !wasTyping)
    isTyping = refusal == nil
    return refusal
  }

  /// Takes in pasted text as one step. Newlines at its ends are left out of a one-line editor,
  /// because a copied line carries one; a newline inside is refused.
  mutating func paste(_ text: String) -> Refusal? {
    isTyping = false
    var pasted = Array(text.map { $0 == "\r\n" || $0 == "\r" ? "\n" : $0 })
    if !isMultiline {
      while pasted.last?.isNewline == true { pasted.removeLast() }
      while pasted.first?.isNewline == true { pasted.removeFirst() }
    }
    return pasted.isEmpty ? nil : insert(pasted, remember: true)
  }

  /// Puts `text` in the place of all, as one step.
  mutating func replace(with text: String) {
    isTyping = false
    remember()
    characters = Array(text)
    cursor = characters.count
  }

  mutating func move(_ movement: Movement) {
    isTyping = false
    switch movement {
    case .left: cursor = max(0, cursor - 1)
    case .right: cursor = min(characters.count, cursor + 1)
    case .wordLeft: cursor = wordStart
    case .wordRight: cursor = wordEnd
    case .lineStart: cursor = lineStart
    case .lineEnd: cursor = lineEnd
    case .up: moveLine(to: lineStart - 1)
    case .down: moveLine(to: lineEnd + 1)
    }
  }

  mutating func remove(_ removal: Removal) {
    isTyping = false
    switch removal {
    case .before: cut(max(0, cursor - 1)..<cursor)
    case .under: cut(cursor..<min(characters.count, cursor + 1))
    case .wordBefore: kill(wordStart..<cursor)
    case .toLineStart: kill(lineStart..<cursor)
    case .toLineEnd: kill(cursor..<lineEnd)
    }
  }

  /// Puts back what was last killed.
  mutating func yank() -> Refusal? {
    isTyping = false
    return killed.isEmpty ? nil : insert(killed, remember: true)
  }

  /// Takes back one step; false when there is none.
  mutating func undo() -> Bool {
    isTyping = false
    guard let last = undoSteps.popLast() else { return false }
    characters = last.characters
    cursor = last.cursor
    return true
  }

  /// The lines, and where the cursor stands: its line and the characters before it there.
  var layout: (lines: [String], line: Int, column: Int) {
    let lines = characters.split(separator: "\n", omittingEmptySubsequences: false).map {
      String($0)
    }
    let line = characters[..<cursor].count { $0 == "\n" }
    return (lines.isEmpty ? [""] : lines, line, cursor - lineStart)
  }

  private mutating func insert(_ new: [Character], remember: Bool) -> Refusal? {
    if !isMultiline && new.contains(where: \.isNewline) { return .newline }
    let bytes = (characters + new).reduce(0) { $0 + $1.utf8.count }
    guard bytes <= Self.limitBytes else { return .tooLong }
    if remember { self.remember() }
    // A combining mark joins the character before it, so positions are counted anew.
    let head = Array(String(characters[..<cursor]) + String(new))
    characters = Array(String(head) + String(characters[cursor...]))
    cursor = min(head.count, characters.count)
    return nil
  }

  private mutating func remember() {
    undoSteps.append(Snapshot(characters: characters, cursor: cursor))
    if undoSteps.count > Self.undoLimit { undoSteps.removeFirst() }
  }

  private mutating func cut(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    remember()
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  private mutating func kill(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    killed = Array(characters[range])
    cut(range)
  }

  private var lineStart: Int {
    (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1
  }

  private var lineEnd: Int {
    characters[cursor...].firstIndex(of: "\n") ?? characters.count
  }

  private var wordStart: Int {
    var place = cursor
    while place > 0, !characters[place - 1].isWordPart { place -= 1 }
    while place > 0, characters[place - 1].isWordPart { place -= 1 }
    return place
  }

  private var wordEnd: Int {
    var place = cursor
    while place < characters.count, !characters[place].isWordPart { place += 1 }
    while place < characters.count, characters[place].isWordPart { place += 1 }
    return place
  }

  /// Moves to the line that holds `place`, staying in the same column where it has one.
  private mutating func moveLine(to place: Int) {
    guard place >= 0, place <= characters.count else { return }
    let column = cursor - lineStart
    cursor = place
    let start = lineStart
    cursor = min(start + column, lineEnd)
  }
}

extension Character {
  fileprivate var isWordPart: Bool { isLetter || isNumber }
}

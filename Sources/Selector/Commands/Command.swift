/// One thing a person can do somewhere: feeds the key map, the footer and the help, so that they
/// cannot disagree.
public struct Command: Hashable, Sendable {
  /// The raw value is the name in `keys.toml` and on the command line.
  public enum ID: String, CaseIterable, Hashable, Sendable {
    case cancel, redraw, suspend
    case help, commandLine = "command-line", quit, lock, sync
    case nextPane = "next-pane", previousPane = "previous-pane"
    case contextsPane = "contexts-pane", attributesPane = "attributes-pane"
    case statusPane = "status-pane"
    case grow, shrink
    case signals, devices, conflicts, alarms, trash
    case down, up, first, last
    case halfPageDown = "half-page-down", halfPageUp = "half-page-up"
    case pageDown = "page-down", pageUp = "page-up"
    case find, nextHit = "next-hit", previousHit = "previous-hit"
    case copyUsername = "copy-username", copyPassword = "copy-password", copyCode = "copy-code"
    case newContext = "new-context", addAttribute = "add-attribute", rename, delete
    case changePassword = "change-password", whatChanged = "what-changed"
    case undo, redo
    case open, back, edit, copy, reveal, history, restore
    case wholeContext = "whole-context"
    case chooseFirst = "choose-first", chooseSecond = "choose-second", keepBoth = "keep-both"
    case apply, pair, revoke
    case left, right, wordLeft = "word-left", wordRight = "word-right"
    case lineStart = "line-start", lineEnd = "line-end", lineUp = "line-up"
    case lineDown = "line-down"
    case deleteBefore = "delete-before", deleteUnder = "delete-under"
    case deleteWord = "delete-word", deleteToStart = "delete-to-start"
    case deleteToEnd = "delete-to-end", yank, undoTyping = "undo-typing"
    case moveDown = "move-down", moveUp = "move-up", pin
    case lookAlikes = "look-alikes"
    case save, next, previous, generate, show, newline
    case choosePrevious = "choose-previous", chooseNext = "choose-next"
    case another, longer, shorter, kind, copyOld = "copy-old"
    case lower, upper, digits, symbols
    case complete, run, yes, no
  }

  /// A heading of the help.
  public enum Group: String, CaseIterable, Hashable, Sendable {
    case move, find, use, change, sync, other
  }

  /// The footer's word for it. Neighbours with the same word share one entry; when a row is too
  /// short, the entries with the greatest rank go first.
  public struct Hint: Hashable, Sendable {
    public let word: String
    public let rank: Int
  }

  public let id: ID
  public let place: Place
  public internal(set) var keys: [Key]
  /// What the help says.
  public let text: String
  public let group: Group
  public let hint: Hint?

  init(
    _ id: ID, _ place: Place, _ keys: String, _ text: String, _ group: Group,
    hint: String? = nil, rank: Int = 5
  ) {
    self.id = id
    self.place = place
    self.keys = keys.split(separator: " ").compactMap { Key(String($0)) }
    self.text = text
    self.group = group
    self.hint = hint.map { Hint(word: $0, rank: rank) }
  }
}

extension Key {
  /// As footer and help name it: `Ctrl-D` where the key map says `C-d`.
  var caption: String {
    guard !modifiers.isEmpty, case .character(let character) = symbol else {
      return self == .named(.backTab) ? "Shift-Tab" : description
    }
    let control = modifiers.contains(.control) ? "Ctrl-" : ""
    let alt = modifiers.contains(.alt) ? "Alt-" : ""
    return control + alt + (character == " " ? "Space" : character.uppercased())
  }
}

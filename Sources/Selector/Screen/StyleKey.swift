/// What a cell means. A theme says how it looks; the text never depends on it.
///
/// The raw value is the name in a theme file's `[style]` and `[mono]` tables.
public enum StyleKey: String, CaseIterable, Hashable, Sendable {
  /// Everything that has no other meaning, and the screen's background.
  case text
  /// What is there to be found when looked for: explanations, dates, empty places.
  case dim
  /// A command or field that cannot be used now.
  case disabled

  /// Row 0, and the word in it that changes (sync state, lock).
  case title
  case titleMark = "title-mark"
  /// A pane's heading row, without and with the focus.
  case heading
  case headingFocused = "heading-focused"
  /// Rules between panes and other line work.
  case bar

  /// The marked row of the focused pane, and of a pane without focus.
  case selected
  case selectedUnfocused = "selected-unfocused"
  /// The part of a name that a search found.
  case match

  /// An attribute's name and its value.
  case label
  case value
  /// A secret behind its mask, and in plain sight.
  case masked
  case revealed
  /// The field that takes what is typed.
  case editing

  /// The marks of column 1: changed by a peer, new, conflict, not sent yet.
  case changedMark = "changed-mark"
  case addedMark = "added-mark"
  case conflictMark = "conflict-mark"
  case pendingMark = "pending-mark"
  case online
  case offline

  /// The message row: news, a failure, a question.
  case message
  case error
  case prompt
  /// The last row, and the keys in it.
  case hint
  case hintKey = "hint-key"

  /// A modal dialog's inside, its frame's title.
  case dialog
  case dialogTitle = "dialog-title"

  /// Position in `allCases`: what a cell stores. At most 255 keys.
  public var index: UInt8 {
    Self.indices[self] ?? 0
  }

  /// The key with this `index`; `text` for a number no key has.
  public init(index: UInt8) {
    let all = Self.keys
    self = Int(index) < all.count ? all[Int(index)] : .text
  }

  private static let keys = Array(allCases)
  private static let indices = Dictionary(
    uniqueKeysWithValues: keys.enumerated().map { ($1, UInt8($0)) })
}

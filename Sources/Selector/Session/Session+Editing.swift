// Typing, wherever it goes.
extension Session {
  /// Line editing; nil when the command is another.
  mutating func performEditing(_ command: Command.ID) -> [Effect]? {
    if let movement = Self.movements[command] {
      return withEditor {
        $0.move(movement)
        return nil
      }
    }
    if let removal = Self.removals[command] {
      return withEditor {
        $0.remove(removal)
        return nil
      }
    }
    switch command {
    case .yank: return withEditor { $0.yank() }
    case .newline: return withEditor { $0.type("\n") }
    case .undoTyping:
      return withEditor {
        _ = $0.undo()
        return nil
      }
    default: return nil
    }
  }

  private static let movements: [Command.ID: LineEditor.Movement] = [
    .left: .left, .right: .right, .wordLeft: .wordLeft, .wordRight: .wordRight,
    .lineStart: .lineStart, .lineEnd: .lineEnd, .lineUp: .up, .lineDown: .down,
  ]

  private static let removals: [Command.ID: LineEditor.Removal] = [
    .deleteBefore: .before, .deleteUnder: .under, .deleteWord: .wordBefore,
    .deleteToStart: .toLineStart, .deleteToEnd: .toLineEnd,
  ]

  /// Changes the text that has the cursor, and follows what depends on it.
  mutating func withEditor(_ change: (inout LineEditor) -> LineEditor.Refusal?) -> [Effect] {
    let refusal = changeEditor(change)
    switch refusal {
    case .newline: complain("This field has one line; the text has several. Nothing was pasted.")
    case .tooLong: complain("A value has at most 60,000 bytes. Nothing was added.")
    case nil: break
    }
    return []
  }

  private mutating func changeEditor(
    _ change: (inout LineEditor) -> LineEditor.Refusal?
  ) -> LineEditor.Refusal? {
    switch overlay {
    case .find(var editor):
      let refusal = change(&editor)
      overlay = .find(editor)
      contexts.narrow(to: editor.text, marksBest: true)
      return refusal
    case .command(var line):
      let refusal = change(&line.editor)
      line.row = nil
      overlay = .command(line)
      previewTheme()
      return refusal
    case .values(var form):
      let refusal = change(&form.editor)
      overlay = .values(form)
      return refusal
    case .form(var form):
      guard !form.isWaiting, var editor = form.editor else { return nil }
      let refusal = change(&editor)
      form.editor = editor
      form.notice = nil
      overlay = .form(form)
      return refusal
    case .help(var help):
      let refusal = change(&help.filter)
      help.row = 0
      overlay = .help(help)
      return refusal
    case nil: return changePassphrase(change)
    default: return nil
    }
  }

  private mutating func changePassphrase(
    _ change: (inout LineEditor) -> LineEditor.Refusal?
  ) -> LineEditor.Refusal? {
    guard case .locked = profile.phase, !lockScreen.isChecking, !isPaused else { return nil }
    lockScreen.notice = nil
    return change(&lockScreen.editor)
  }
}

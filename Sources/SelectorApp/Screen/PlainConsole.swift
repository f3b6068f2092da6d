import Foundation
import Selector
import Synchronization
import Terminal

/// The selector line by line: a question, an answer, and what peers do as one line each. It moves
/// no cursor and takes no screen, so that what was said stays where it was said.
final class PlainConsole: Surface {
  private struct State {
    var subject = ""
    var lines: [String] = []
    var message: String?
    var title = ""
    var newsCount = 0
    /// Whether the prompt stands at the end of the output.
    var isPrompting = false
    var isEchoing = true
  }

  let size = Size(columns: 78, rows: 60)
  private let state = Mutex(State())
  private let output: @Sendable (String) -> Void

  init(output: @escaping @Sendable (String) -> Void = PlainConsole.write) {
    self.output = output
  }

  /// Hands over each line of standard input; its end is the selector's.
  func read(into inbox: Inbox) {
    let thread = Thread {
      while let line = readLine() { inbox.post(.line(line)) }
      inbox.post([.quit])
    }
    thread.name = "lines"
    thread.start()
  }

  /// Lines come by themselves: ``read(into:)``.
  func deliver(to sink: @escaping @Sendable ([TerminalEvent]?) -> Void) {}
  func show(_ frame: Frame, theme: Theme) {}
  func redraw() {}
  func suspend() async {}

  /// A terminal that only prints is none of those that have a clipboard.
  func sendToClipboard(_ bytes: [UInt8]) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    guard isatty(STDOUT_FILENO) == 1,
      let sequence = ClipboardSequence.bytes(bytes, environment: environment)
    else { return false }
    output(String(decoding: sequence, as: UTF8.self))
    return true
  }

  func close() async {
    state.withLock { setEcho(true, &$0) }
    output("\n")
  }

  /// Says what is new: all of a place that was not there before, else news alone.
  func tell(_ session: Session, isAnswer: Bool) {
    let text = state.withLock { words(session, isAnswer: isAnswer, &$0) }
    if !text.isEmpty { output(text) }
  }

  private func words(_ session: Session, isAnswer: Bool, _ state: inout State) -> String {
    var lines: [String] = []
    let news = session.plainNews(since: state.newsCount)
    state.newsCount = news.count
    if session.plainTitle != state.title {
      state.title = session.plainTitle
      if isAnswer || session.plainSubject != state.subject { lines.append(state.title) }
    }
    let place = session.plainLines()
    if session.plainSubject != state.subject || isAnswer && place != state.lines {
      lines += place
    } else {
      lines += news.lines.map { "* \($0)" }
    }
    if let message = session.plainMessage, isAnswer || message != state.message {
      lines.append(message)
    }
    (state.subject, state.lines, state.message) = (
      session.plainSubject, place, session.plainMessage
    )
    guard isAnswer || !lines.isEmpty else { return "" }
    let start = state.isPrompting && !isAnswer ? "\n" : ""
    state.isPrompting = true
    let prompt = session.plainPrompt
    setEcho(!prompt.isSecret, &state)
    return start + (lines + [prompt.text]).joined(separator: "\n")
  }

  /// Shows what is typed, or not; a secret's own line end is then not shown either.
  private func setEcho(_ isShown: Bool, _ state: inout State) {
    guard isShown != state.isEchoing else { return }
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
    if isShown {
      settings.c_lflag |= tcflag_t(ECHO)
    } else {
      settings.c_lflag &= ~tcflag_t(ECHO)
      settings.c_lflag |= tcflag_t(ECHONL)
    }
    if tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 { state.isEchoing = isShown }
  }

  private static func write(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }
}

import Foundation
import Glibc
import Selector
import Testing

@testable import Terminal

/// The real terminal on a pseudo terminal. One after the other: a process has one screen.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TerminalTests {
  private static let end = "\u{1B}[?2026l"

  private func open(
    _ line: PseudoTerminal, term: String = "xterm-256color", more: [String: String] = [:]
  ) throws -> Terminal {
    try Terminal.open(
      environment: more.merging(["TERM": term]) { $1 }, descriptor: line.program)
  }

  private func frame(_ text: String, size: Size, row: Int = 0) -> Frame {
    var frame = Frame(size: size)
    frame.put(text, row: row, column: 0)
    frame.cursor = Position(row: row, column: 0)
    return frame
  }

  @Test func aFrameArrivesWholeAndTheLineIsGivenBack() async throws {
    let line = try PseudoTerminal(columns: 40, rows: 10)
    #expect(line.echoes)
    let terminal = try open(line)
    #expect(!line.echoes)
    #expect(terminal.size == Size(columns: 40, rows: 10))
    #expect(terminal.depth == .indexed256)
    var first = frame("hello 漢字 e\u{301}", size: terminal.size)
    first.title = "higgins: locked"
    terminal.show(first, theme: .terminal)
    let output = try line.output(until: "locked\u{1B}\\")
    #expect(output.hasPrefix("\u{1B}[?2026h"))
    #expect(output.contains("\u{1B}[?1049h"))
    #expect(output.contains("hello 漢字 e\u{301}"))
    #expect(output.contains("\u{1B}[?2004h"))
    #expect(output.contains("\u{1B}]2;higgins: locked\u{1B}\\"))
    await terminal.close()
    let farewell = try line.output(until: "\u{1B}[?1049l")
    #expect(farewell.contains("\u{1B}[?2004l"))
    #expect(line.echoes)
  }

  @Test func onlyChangesAreWrittenAndNothingForTheSameFrame() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    let text = String(repeating: "abcdefgh ", count: 8)
    terminal.show(frame(text, size: terminal.size), theme: .terminal)
    _ = try line.output(until: Self.end)
    terminal.show(frame(text, size: terminal.size), theme: .terminal)
    var changed = frame(text, size: terminal.size)
    changed.put("X", row: 0, column: 9)
    terminal.show(changed, theme: .terminal)
    let output = try line.output(until: Self.end)
    #expect(output.contains("X"))
    #expect(!output.contains("abc"))
    #expect(output.utf8.count < 60)
    await terminal.close()
  }

  /// Its cells stand between the marks, and nothing else.
  @Test func sitesAreMarkedOnRequestAndWhenTheyAreWrittenAnew() async throws {
    let line = try PseudoTerminal(columns: 60, rows: 4)
    let terminal = try open(line)
    let mark = "\u{1B}]8;;"
    func screen(_ word: String) -> Frame {
      var frame = frame("\(word) https://a.example", size: terminal.size, row: 1)
      frame.link(row: 1, column: 4, columns: 17, address: "https://a.example/%C3%A9")
      return frame
    }
    terminal.show(screen("one"), theme: .terminal)
    #expect(try !line.output(until: Self.end).contains(mark))
    terminal.setLinks(true)
    terminal.show(screen("one"), theme: .terminal)
    let marked = try line.output(until: Self.end)
    let parts = marked.components(separatedBy: mark)
    try #require(parts.count == 3)
    #expect(!parts[0].contains("https"))
    #expect(parts[1].hasPrefix("https://a.example/%C3%A9\u{1B}\\"))
    #expect(parts[1].hasSuffix("https://a.example"))
    terminal.show(screen("two"), theme: .terminal)
    #expect(try !line.output(until: Self.end).contains(mark), "it was not written anew")
    terminal.setLinks(false)
    terminal.show(screen("two"), theme: .terminal)
    let plain = try line.output(until: Self.end)
    #expect(plain.contains("https://a.example") && !plain.contains(mark))
    await terminal.close()
  }

  @Test func keysOfOneWriteArriveAsOneBatch() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    line.type(String(repeating: "j", count: 200) + "\u{1B}[200~a\nb\u{1B}[201~")
    var events = terminal.events.makeAsyncIterator()
    let batch = await events.next()
    let expected = Array(repeating: TerminalEvent.key(.character("j")), count: 200)
    #expect(batch == expected + [.paste("a\nb")])
    line.type("\u{1B}")
    #expect(await events.next() == [.key(.named(.escape))])
    await terminal.close()
    #expect(await events.next() == nil)
  }

  @Test func aResizeIsReportedAndRepainted() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    terminal.show(frame("before", size: terminal.size), theme: .terminal)
    _ = try line.output(until: Self.end)
    line.resize(columns: 50, rows: 12)
    kill(getpid(), SIGWINCH)
    var events = terminal.events.makeAsyncIterator()
    let size = Size(columns: 50, rows: 12)
    #expect(await events.next() == [.resize(size)])
    #expect(terminal.size == size)
    terminal.show(frame("after", size: size, row: 11), theme: .terminal)
    #expect(try line.output(until: "after").contains("\u{1B}[12d"))
    await terminal.close()
  }

  @Test func everySizeIsPaintedAlsoAFrameOfAnother() async throws {
    for (columns, rows) in [(1, 1), (2, 1), (1, 5), (3, 2), (250, 80), (7, 3)] {
      let line = try PseudoTerminal(columns: columns, rows: rows)
      let terminal = try open(line)
      for size in [Size(columns: columns, rows: rows), Size(columns: 100, rows: 30)] {
        var full = Frame(size: size)
        for row in 0..<size.rows {
          full.fill(row: row, with: row.isMultiple(of: 2) ? "x" : "漢")
        }
        full.cursor = Position(row: size.rows - 1, column: size.columns - 1)
        terminal.show(full, theme: .terminal)
        _ = try line.output(until: Self.end)
      }
      await terminal.close()
    }
  }

  @Test func aLostTerminalIsReportedAndEverythingEnds() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    line.hangUp()
    var all: [TerminalEvent] = []
    for await batch in terminal.events {
      all += batch
    }
    #expect(all == [.lost])
    // It comes after the loss where two processors race, while what was typed is still being kept.
    receiveHangup()
    terminal.show(frame("x", size: terminal.size), theme: .terminal)
    await terminal.suspend()
    await terminal.close()
  }

  /// Has this thread receive it now: blocked everywhere, it would wait for the next terminal.
  private func receiveHangup() {
    var (hangup, before) = (sigset_t(), sigset_t())
    sigemptyset(&hangup)
    sigaddset(&hangup, SIGHUP)
    pthread_sigmask(SIG_UNBLOCK, &hangup, &before)
    raise(SIGHUP)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  @Test func aTerminalThatTakesNothingCanStillBeClosed() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    line.fill()
    let terminal = try open(line)
    terminal.show(frame("never seen", size: terminal.size), theme: .terminal)
    var events = terminal.events.makeAsyncIterator()
    kill(getpid(), SIGTERM)
    #expect(await events.next() == [.terminate(signal: SIGTERM)])
    await terminal.close()
    #expect(line.echoes)
  }

  @Test func signalsFromOutsideAreReported() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    var events = terminal.events.makeAsyncIterator()
    for (signal, event) in [
      (SIGTERM, TerminalEvent.terminate(signal: SIGTERM)), (SIGHUP, .hangup),
      (SIGTSTP, .suspendRequested), (SIGINT, .terminate(signal: SIGINT)),
    ] {
      kill(getpid(), signal)
      #expect(await events.next() == [event])
    }
    await terminal.close()
  }

  @Test func theClipboardIsWrittenByTheTerminalsThread() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    #expect(terminal.sendToClipboard(Array("abc".utf8)))
    #expect(try line.output(until: "\u{1B}\\").hasSuffix("\u{1B}]52;c;YWJj\u{1B}\\"))
    #expect(!terminal.sendToClipboard(Array(repeating: 0, count: 80_000)))
    await terminal.close()
  }

  @Test func insideScreenTheClipboardGoesThroughInPiecesItHolds() throws {
    let secret = Array(repeating: UInt8(ascii: "s"), count: 500)
    let raw = try #require(ClipboardSequence.bytes(secret, environment: ["TERM": "xterm"]))
    for environment in [["TERM": "screen"], ["TERM": "screen-256color", "STY": "1.pts"]] {
      let bytes = try #require(ClipboardSequence.bytes(secret, environment: environment))
      let pieces = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\u{1B}\\")
      #expect(pieces.count == 4 && pieces.last == "")
      #expect(pieces.dropLast().allSatisfy { $0.hasPrefix("\u{1B}P") && $0.utf8.count <= 254 })
      let inner = pieces.dropLast().map { $0.dropFirst(2) }.joined()
      #expect(inner == String(decoding: raw, as: UTF8.self).dropLast(2) + "\u{7}")
    }
    #expect(ClipboardSequence.bytes(secret, environment: ["TERM": "linux"]) == nil)
    #expect(ClipboardSequence.bytes(secret, environment: [:]) == nil)
  }

  @Test func aBareTerminalGetsNoSequenceItDoesNotKnow() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line, term: "vt100")
    #expect(terminal.depth == .mono)
    #expect(!terminal.sendToClipboard([65]))
    var titled = frame("bare", size: terminal.size)
    titled.title = "higgins"
    titled.put("red", row: 1, column: 0, style: .error)
    titled.bell = true
    terminal.show(titled, theme: .terminal)
    let output = try line.output(until: "\u{7}")
    #expect(!output.contains("\u{1B}]") && !output.contains("\u{1B}[?2026"))
    #expect(!output.contains("\u{1B}[31"))
    await terminal.close()
  }

  @Test(arguments: [("linux", ColourDepth.ansi8), ("tmux-256color", .indexed256)])
  func coloursAreThoseOfTheDescription(term: String, depth: ColourDepth) async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line, term: term)
    #expect(terminal.depth == depth)
    var red = Frame(size: terminal.size)
    red.put("red", row: 1, column: 0, style: .error)
    terminal.show(red, theme: .terminal)
    #expect(try line.output(until: "red").contains("31m"))
    await terminal.close()
  }

  @Test func noColorEmitsNoColour() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line, more: ["NO_COLOR": "1"])
    var styled = Frame(size: terminal.size)
    for (row, style) in StyleKey.allCases.prefix(24).enumerated() {
      styled.put("\(style)", row: row, column: 0, style: style)
    }
    terminal.show(styled, theme: .terminal)
    let output = try line.output(until: Self.end)
    #expect(output.firstMatch(of: /\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]/) == nil)
    await terminal.close()
  }

  @Test func whatCannotShowAScreenIsRefused() throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    #expect(throws: TerminalError.dumb(term: "dumb")) { try open(line, term: "dumb") }
    #expect(throws: TerminalError.dumb(term: "")) { try open(line, term: "") }
    #expect(throws: TerminalError.unknownTerminal(term: "nosuch")) {
      try open(line, term: "nosuch")
    }
    #expect(line.echoes)
  }

  @Test func aSecondScreenIsRefused() async throws {
    let line = try PseudoTerminal(columns: 80, rows: 24)
    let terminal = try open(line)
    #expect(throws: TerminalError.alreadyOpen) { try open(line) }
    await terminal.close()
    await terminal.close()
    let again = try open(line)
    await again.close()
  }
}

extension Terminal {
  fileprivate var events: AsyncStream<[TerminalEvent]> {
    AsyncStream { continuation in
      deliver { batch in
        if let batch { continuation.yield(batch) } else { continuation.finish() }
      }
    }
  }
}

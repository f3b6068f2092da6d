import Foundation
import Selector
import Synchronization
import Terminal
import Testing

@testable import SelectorApp

/// The clipboard, with programs in the place of a desktop's that behave as the real ones, or worse.
@Suite(.serialized) struct ClipboardTests {
  /// A folder with programs by name, and the environment that finds them alone.
  final class Desk {
    let folder: String
    var environment: [String: String] {
      ["PATH": folder, "DISPLAY": ":9", "TERM": "linux", "FOLDER": folder]
    }

    init(_ programs: [String: String]) throws {
      folder = NSTemporaryDirectory() + "clipboard-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (name, body) in programs {
        try "#!/bin/sh\nPATH=/usr/bin:/bin\n\(body)\n".write(
          toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        chmod("\(folder)/\(name)", 0o700)
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What a program wrote there; nil as long as there is no such file.
    func text(_ name: String) -> String? {
      try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }

    func clipboard(_ tool: Clipboard.Tool) -> Clipboard {
      Clipboard(tool: tool, environment: environment, clearing: "\(folder)/clearing")
    }

    func failure(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "no failure"
      } catch {
        return Failure(error).sentence
      }
    }
  }

  /// As xclip: a copy goes on serving in the background, with everything it inherited.
  static let xclip = """
    case "$*" in
    *-in) cat >$FOLDER/clip; sleep 20 & echo $! >$FOLDER/pid;;
    *-out) cat $FOLDER/clip;;
    esac
    """
  static let clearing = "echo \"$@\" >$FOLDER/left; cat >$FOLDER/told"

  @Test func aToolThatServesInTheBackgroundIsNotWaitedFor() throws {
    let desk = try Desk(["xclip": Self.xclip, "clearing": Self.clearing])
    let start = Date()
    try desk.clipboard(.xclip).copy("pässword", clearAfter: 7)
    #expect(desk.text("clip") == "pässword")
    #expect(-start.timeIntervalSinceNow < AskedProgram.limitSeconds)
    // It served twice, and none of it outlives the test.
    try desk.clipboard(.xclip).clear("pässword")
    #expect(desk.text("clip") == "")
    if let pid = desk.text("pid").flatMap({ pid_t($0.dropLast()) }) { kill(pid, SIGTERM) }
  }

  @Test func whatSomebodyElseCopiedStays() throws {
    let desk = try Desk(["xclip": Self.xclip, "clearing": Self.clearing])
    try "theirs".write(toFile: "\(desk.folder)/clip", atomically: true, encoding: .utf8)
    try desk.clipboard(.xclip).clear("their")
    try desk.clipboard(.xclip).clear("theirs, longer")
    #expect(desk.text("clip") == "theirs")
  }

  @Test func theClearingProgramIsToldTheTextOnItsInputAlone() throws {
    let desk = try Desk(["xclip": Self.xclip, "clearing": Self.clearing])
    try desk.clipboard(.xclip).copy("hunter2", clearAfter: 7)
    let deadline = Date(timeIntervalSinceNow: 5)
    while desk.text("told")?.isEmpty != false, Date() < deadline { usleep(2000) }
    #expect(desk.text("told") == "hunter2")
    #expect(desk.text("left") == "clear-clipboard --tool xclip --after 7\n")
  }

  @Test func aToolThatHangsIsEndedAndSaidSo() throws {
    let desk = try Desk(["xclip": "echo $$ >$FOLDER/pid; exec sleep 60"])
    let start = Date()
    let sentence = desk.failure { try desk.clipboard(.xclip).copy("a", clearAfter: 7) }
    #expect(sentence == "xclip did not answer within 3 s.")
    #expect(-start.timeIntervalSinceNow < 2 * AskedProgram.limitSeconds)
    let pid = try #require(desk.text("pid").flatMap { pid_t($0.dropLast()) })
    #expect(kill(pid, 0) == -1)
  }

  @Test func aToolThatReadsNothingAndFailsIsAnErrorLine() throws {
    let desk = try Desk(["xclip": "exec <&-; exit 3", "wl-copy": "kill -9 $$"])
    // More than a pipe holds, so that writing it meets a reader that is gone.
    let text = String(repeating: "x", count: 200_000)
    #expect(
      desk.failure { try desk.clipboard(.xclip).copy(text, clearAfter: 7) }
        == "xclip ended with status 3.")
    #expect(
      desk.failure { try desk.clipboard(.wlCopy).copy("a", clearAfter: 7) }
        == "wl-copy was ended by a signal.")
    #expect(
      desk.failure { try desk.clipboard(.tmux).copy("a", clearAfter: 7) }
        == "tmux is not installed.")
  }

  @Test func nothingIsLeftWhenNobodyCouldClearIt() throws {
    let desk = try Desk(["xclip": Self.xclip])
    let sentence = desk.failure { try desk.clipboard(.xclip).copy("hunter2", clearAfter: 7) }
    #expect(sentence == "clearing could not be started: No such file or directory.")
    #expect(desk.text("clip") == "")
  }

  @Test func anOlderWlCopyThatKnowsNoMarkForSecretsServes() throws {
    let desk = try Desk([
      "wl-copy": "test $# = 0 || exit 1; cat >$FOLDER/clip", "clearing": Self.clearing,
    ])
    try desk.clipboard(.wlCopy).copy("a", clearAfter: 7)
    #expect(desk.text("clip") == "a")
  }

  @Test func theNextWayIsTakenWhenOneFails() async throws {
    let desk = try Desk(["xclip": "exit 1"])
    var environment = desk.environment
    environment["TERM"] = "xterm"
    let surface = Receiver()
    let copied = try await ClipboardRoute.copy(
      "a", by: .screen(surface), clearAfter: 3600, environment: environment)
    #expect(copied.words == "sent to terminal")
    await copied.clear()
    await copied.clear()
    #expect(surface.received == [[0x61], [0x20]])
    environment["TERM"] = "linux"
    await #expect(
      throws: Failure(.failed, "xclip ended with status 1. Nothing was copied.")
    ) {
      try await ClipboardRoute.copy(
        "a", by: .screen(surface), clearAfter: 3600, environment: environment)
    }
  }

  @Test func theTerminalComesFirstFromFarAndTheDesktopFirstAtHome() throws {
    let desk = try Desk(["xclip": "", "wl-copy": "", "tmux": ""])
    func routes(_ settings: [String: String]) -> [ClipboardRoute] {
      ClipboardRoute.all(settings.merging(["PATH": desk.folder]) { $1 })
    }
    let ssh = ["SSH_CONNECTION": "::1 1 ::1 2", "TERM": "xterm-256color"]
    #expect(routes(ssh) == [.terminal])
    #expect(routes(ssh.merging(["DISPLAY": ":10"]) { $1 }) == [.terminal, .tool(.xclip)])
    let inTmux = ["TMUX": "/tmp/t,1,0", "TERM": "screen"]
    #expect(routes(ssh.merging(inTmux) { $1 }) == [.tool(.tmux), .terminal])
    #expect(routes(["TERM": "xterm"]) == [.terminal])
    let desktop = ["TERM": "foot", "WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"]
    #expect(routes(desktop) == [.tool(.wlCopy), .tool(.xclip), .terminal])
    #expect(
      routes(inTmux.merging(["DISPLAY": ":0"]) { $1 })
        == [.tool(.xclip), .tool(.tmux), .terminal])
    #expect(routes(["TERM": "linux"]).isEmpty)
    #expect(ClipboardRoute.all(inTmux.merging(["PATH": "/nowhere"]) { $1 }) == [.terminal])
  }
}

extension ClipboardTests {
  /// A screen whose terminal takes everything.
  final class Receiver: Surface {
    let size = Size(columns: 80, rows: 24)
    private let state = Mutex<[[UInt8]]>([])

    var received: [[UInt8]] { state.withLock(\.self) }

    func deliver(to sink: @escaping @Sendable ([TerminalEvent]?) -> Void) { sink(nil) }
    func show(_ frame: Frame, theme: Theme) {}
    func redraw() {}
    func suspend() async {}
    func close() async {}

    func sendToClipboard(_ bytes: [UInt8]) -> Bool {
      state.withLock { $0.append(bytes) }
      return true
    }
  }

  /// tmux itself, with a server of its own.
  @Test func tmuxTakesItHandsItBackAndForgets() throws {
    let desk = try Desk(["clearing": Self.clearing])
    let socket = "\(desk.folder)/socket"
    let environment = ["PATH": "/usr/bin:/bin", "TERM": "screen", "TMUX": "\(socket),1,0"]
    let tmux = AskedProgram(
      path: "/usr/bin/tmux",
      arguments: ["-S", socket, "-f", "/dev/null", "new-session", "-d", "exec sleep 60"],
      environment: environment)
    try tmux.run(input: [])
    defer {
      _ = try? AskedProgram(
        path: "/usr/bin/tmux", arguments: ["-S", socket, "kill-server"], environment: environment
      ).run(input: [])
    }
    let clipboard = Clipboard(
      tool: .tmux, environment: environment.merging(["FOLDER": desk.folder]) { $1 },
      clearing: "\(desk.folder)/clearing")
    func buffer() throws -> String {
      String(
        decoding: try AskedProgram(
          path: "/usr/bin/tmux", arguments: ["-S", socket, "list-buffers", "-F", "#{buffer_name}"],
          environment: environment
        ).run(input: [], limitBytes: 100), as: UTF8.self)
    }
    let text = "hünter\t2\nline\u{1}"
    try clipboard.copy(text, clearAfter: 9)
    #expect(try buffer() == "higgins\n")
    try clipboard.clear("something else")
    #expect(try buffer() == "higgins\n")
    try clipboard.clear(text)
    #expect(try buffer() == "")
  }
}

import Foundation

/// The clipboard a person pastes from, through the tool their desktop or multiplexer has for it.
struct Clipboard: Hashable, Sendable {
  enum Tool: String, CaseIterable, Sendable {
    case wlCopy = "wl-copy"
    case xclip
    case tmux
  }

  let tool: Tool

  /// The clipboard this process's environment names.
  static func system(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Clipboard {
    let wanted: [(String, Tool)] = [
      ("WAYLAND_DISPLAY", .wlCopy), ("DISPLAY", .xclip), ("TMUX", .tmux),
    ]
    for (variable, tool) in wanted where environment[variable]?.isEmpty == false {
      if find(tool.rawValue, in: environment) != nil { return Clipboard(tool: tool) }
    }
    throw Failure(
      .failed,
      "There is no clipboard here: install wl-clipboard or xclip, or use tmux. Nothing was copied.")
  }

  static func find(_ program: String, in environment: [String: String]) -> String? {
    (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
      .map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  private var copying: [String] {
    switch tool {
    case .wlCopy: ["wl-copy", "--sensitive"]
    case .xclip: ["xclip", "-selection", "clipboard", "-in"]
    // -w passes it on to the terminal's own clipboard.
    case .tmux: ["tmux", "load-buffer", "-w", "-b", "higgins", "-"]
    }
  }

  private var pasting: [String] {
    switch tool {
    case .wlCopy: ["wl-paste", "--no-newline"]
    case .xclip: ["xclip", "-selection", "clipboard", "-out"]
    case .tmux: ["tmux", "show-buffer", "-b", "higgins"]
    }
  }

  /// Copies, and leaves a process behind that clears after `seconds` what is still there then.
  func copy(_ text: String, clearAfter seconds: Int) async throws {
    try put(text)
    try Self.start(
      ["/proc/self/exe", "clear-clipboard", "--tool", tool.rawValue, "--after", "\(seconds)"],
      input: Array(text.utf8), waits: false)
  }

  func put(_ text: String) throws {
    do {
      try Self.start(copying, input: Array(text.utf8), waits: true)
    } catch {
      // Older versions of wl-copy know no mark for secrets.
      guard tool == .wlCopy else { throw error }
      try Self.start(["wl-copy"], input: Array(text.utf8), waits: true)
    }
  }

  /// Takes `text` away if it is still what would be pasted.
  func clear(_ text: String) throws {
    guard try Self.start(pasting, input: [], waits: true) == Array(text.utf8) else { return }
    switch tool {
    case .wlCopy: try Self.start(["wl-copy", "--clear"], input: [], waits: true)
    case .xclip: try put("")
    case .tmux:
      // tmux takes no empty text, and hands on a space to the terminal's own clipboard.
      try put(" ")
      try Self.start(["tmux", "delete-buffer", "-b", "higgins"], input: [], waits: true)
    }
  }

  /// Runs a program and gives it `input`; its output when it `waits` for the end.
  @discardableResult
  private static func start(
    _ command: [String], input: [UInt8], waits: Bool
  ) throws -> [UInt8] {
    let environment = ProcessInfo.processInfo.environment
    guard let name = command.first,
      let program = name.hasPrefix("/") ? name : find(name, in: environment)
    else { throw Failure(.failed, "A program for the clipboard is missing.") }
    let process = Process()
    // The link names this program only from inside this process.
    process.executableURL = URL(fileURLWithPath: program).resolvingSymlinksInPath()
    process.arguments = Array(command.dropFirst())
    let writing = Pipe()
    let reading = Pipe()
    process.standardInput = writing
    process.standardOutput = waits ? reading : FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    try writing.fileHandleForWriting.write(contentsOf: Data(input))
    try writing.fileHandleForWriting.close()
    guard waits else { return [] }
    let output = Array(try readAll(reading))
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(.failed, "\(name) failed, so nothing was copied.")
    }
    return output
  }

  private static func readAll(_ pipe: Pipe) throws -> Data {
    try pipe.fileHandleForReading.readToEnd() ?? Data()
  }
}

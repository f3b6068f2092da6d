import Foundation

/// Runs Python, which shares no code with this program.
enum Python {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  static let reader = tests.appending(path: "Reader/reader.py").path()
  static let golden = tests.appending(path: "VaultTests/Golden").path()
  static let cases = tests.appending(path: "VaultTests/MustFail/cases.json").path()

  /// Whether it is there, with these modules.
  static func has(_ modules: String) async -> Bool {
    await run(["-c", "import \(modules)"])?.status == 0
  }

  /// Its exit status and what it wrote; nil where there is none.
  ///
  /// Waits on a thread of its own: the pool's few belong to all tests.
  static func run(_ arguments: [String]) async -> (status: Int32, output: String)? {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: output(of: arguments)) }
    }
  }

  private static func output(of arguments: [String]) -> (status: Int32, output: String)? {
    let process = Process()
    let output = Pipe()
    let named = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "python3"
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [named, "-B"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    do {
      try process.run()
    } catch {
      return nil
    }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }
}

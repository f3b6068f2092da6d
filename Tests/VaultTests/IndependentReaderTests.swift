import Foundation
import Testing

/// `Tests/Reader/reader.py` was written from the text of `Formats.md` and shares no code with this
/// program: what it opens, a stranger can open.
@Suite struct IndependentReaderTests {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Runs Python with these arguments; nil where there is none.
  private static func python(
    _ arguments: [String]
  ) async -> (status: Int32, output: String)? {
    let process = Process()
    let output = Pipe()
    let named = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "python3"
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [named, "-B"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    let (ends, end) = AsyncStream<Int32>.makeStream()
    // No waitUntilExit: it runs this thread's run loop, and this thread belongs to many tests.
    process.terminationHandler = {
      end.yield($0.terminationStatus)
      end.finish()
    }
    do {
      try process.run()
    } catch {
      return nil
    }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    guard let status = await ends.first(where: { _ in true }) else { return nil }
    return (status, String(decoding: text, as: UTF8.self))
  }

  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks PyNaCl, argon2-cffi or cryptography") {
      await python(["-c", "import nacl.bindings, argon2, cryptography"])?.status == 0
    }, .timeLimit(.minutes(1)))
  func recordedFilesOpenWithAReaderWrittenFromTheText() async throws {
    let script = Self.tests.appending(path: "Reader/reader.py").path()
    let golden = Self.tests.appending(path: "VaultTests/Golden").path()
    let (status, output) = try #require(await Self.python([script, golden]))
    #expect(status == 0, "\(output)")
    #expect(
      output.split(separator: "\n") == [
        "slot: opens with passphrase and kit",
        "genesis: verifies, and the device's name opens",
        "addition: verifies",
        "replacement: verifies",
        "commit: verifies and opens",
        "row: opens",
        "snapshot: verifies and opens",
        "changed and rearranged snapshots: refused",
      ])
  }
}

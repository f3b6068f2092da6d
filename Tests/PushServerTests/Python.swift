import Foundation

/// Programs of others that speak to the service: `python3`, or what HIGGINS_PYTHON names.
enum Python {
  struct Output: Sendable {
    let status: Int32
    let text: String
  }

  /// Waits on a thread of its own: two that wait on the pool's would leave the service under test
  /// none to check tokens on.
  static func run(_ arguments: [String]) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try output(of: arguments) })
      }
    }
  }

  private static func output(of arguments: [String]) throws -> Output {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let named = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "python3"
    process.arguments = [named, "-B"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus, text: String(decoding: text, as: UTF8.self))
  }
}

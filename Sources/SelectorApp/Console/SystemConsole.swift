import Foundation
import Storage
import Synchronization

/// The terminal, the streams and the files of this process.
struct SystemConsole: Console {
  var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  func write(_ bytes: [UInt8], to stream: ConsoleStream) async throws {
    let descriptor = stream == .output ? STDOUT_FILENO : STDERR_FILENO
    try await Self.waiting { _ in
      do throws(Descriptor.Errno) {
        try Descriptor.write(bytes, to: descriptor)
      } catch {
        throw error.code == EPIPE
          ? ConsoleError.closed
          : ConsoleError.file("the output", operation: "Writing", code: error.code)
      }
    }
  }

  func readSecret(_ prompt: String) async throws -> [UInt8] {
    try await onTerminal("a secret") { try $0.secret(prompt) }
  }

  func ask(_ question: String) async throws -> String {
    try await onTerminal("an answer") { try $0.shown(question) }
  }

  func read(_ source: ConsoleSource, limitBytes: Int) async throws -> [UInt8] {
    try await Self.waiting { isCancelled in
      if case .passwordStore(let folder) = source {
        return try PasswordStore(folder: folder, asks: true).read(
          limitBytes: limitBytes, isCancelled: isCancelled)
      }
      let reader = try SourceReader(source)
      var bytes: [UInt8] = []
      while case let chunk = try reader.next(isCancelled: isCancelled), !chunk.isEmpty {
        bytes += chunk
        guard bytes.count <= limitBytes else {
          throw ConsoleError.tooLong(source.name, limit: limitBytes)
        }
      }
      return bytes
    }
  }

  func writeFile(_ path: String, _ bytes: [UInt8], replacing: Bool) async throws {
    try await Self.waiting { _ in
      guard replacing || !SecureFile.exists(path) else { throw ConsoleError.exists(path) }
      try SecureFile.write(bytes, to: path)
    }
  }

  func copy(_ text: String, clearAfter seconds: Int) async throws -> String {
    try await ClipboardRoute.copy(text, by: .command, clearAfter: seconds).words
  }

  private func onTerminal<Answer: Sendable>(
    _ what: String, _ body: @escaping @Sendable (TerminalLine) throws -> Answer
  ) async throws -> Answer {
    guard let descriptor = TerminalLine.openTerminal() else {
      throw ConsoleError.noTerminal(what)
    }
    defer { close(descriptor) }
    return try await Self.waiting { isCancelled in
      try body(TerminalLine(descriptor: descriptor, isCancelled: isCancelled))
    }
  }

  /// Runs `body`, which may wait for a person, on a thread of its own; it is told when the task was
  /// cancelled.
  static func waiting<Answer: Sendable>(
    _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Answer
  ) async throws -> Answer {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
          continuation.resume(with: Result { try body { flag.isSet } })
        }
      }
    } onCancel: {
      flag.set()
    }
  }
}

/// Goes up once: tells a blocking call that nobody waits for it any more.
final class CancellationFlag: Sendable {
  private let state = Mutex(false)

  var isSet: Bool { state.withLock(\.self) }

  func set() { state.withLock { $0 = true } }

  /// Sets it; false when it was set before.
  func setFirst() -> Bool {
    state.withLock { isSet in
      defer { isSet = true }
      return !isSet
    }
  }
}

/// Standard input or a file, chunk by chunk.
final class SourceReader: Sendable {
  private let source: ConsoleSource
  private let descriptor: Int32

  init(_ source: ConsoleSource) throws {
    self.source = source
    switch source {
    case .input: descriptor = STDIN_FILENO
    case .file(let path), .passwordStore(let path):
      let opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
      guard opened >= 0 else {
        throw ConsoleError.file(path, operation: "Opening", code: errno)
      }
      descriptor = opened
    }
  }

  deinit {
    if source != .input { close(descriptor) }
  }

  /// Empty at the end.
  func next(isCancelled: () -> Bool = { false }) throws -> [UInt8] {
    try Descriptor.waitForInput(descriptor, isCancelled: isCancelled)
    do {
      return try Descriptor.read(descriptor, upTo: Descriptor.chunkBytes)
    } catch {
      throw ConsoleError.file(source.name, operation: "Reading", code: error.code)
    }
  }
}

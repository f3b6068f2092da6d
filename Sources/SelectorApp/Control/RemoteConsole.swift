import Foundation

/// The console of a person whose command runs here, in the process that uses the profile.
///
/// It asks one thing at a time; ``deliver(_:)`` brings the answers.
actor RemoteConsole: Console {
  nonisolated let isTerminal: Bool
  nonisolated let isInputTerminal: Bool
  private let channel: ControlChannel
  private var waiting: CheckedContinuation<ControlMessage, any Error>?
  private var isGone = false

  init(channel: ControlChannel, request: ControlMessage.Request) {
    self.channel = channel
    isTerminal = request.isTerminal
    isInputTerminal = request.isInputTerminal
  }

  /// An answer from the other side.
  ///
  /// - Throws: ``ControlError/malformed`` when nothing was asked.
  func deliver(_ message: ControlMessage) throws {
    guard let asked = waiting else { throw ControlError.malformed }
    waiting = nil
    asked.resume(returning: message)
  }

  /// The other side is no longer there.
  func end() {
    isGone = true
    waiting?.resume(throwing: ConsoleError.closed)
    waiting = nil
  }

  func write(_ bytes: [UInt8], to stream: ConsoleStream) async throws {
    for chunk in Self.chunks(bytes) { try await send(.write(chunk, to: stream)) }
  }

  func readSecret(_ prompt: String) async throws -> [UInt8] {
    try await collect(.readSecret(prompt: prompt), limitBytes: TerminalLine.limitBytes)
  }

  func ask(_ question: String) async throws -> String {
    let bytes = try await collect(.ask(question: question), limitBytes: TerminalLine.limitBytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  func read(_ source: ConsoleSource, limitBytes: Int) async throws -> [UInt8] {
    do {
      return try await collect(
        .read(source, limitBytes: limitBytes), limitBytes: limitBytes)
    } catch ControlError.tooLarge {
      throw ConsoleError.tooLong(source.name, limit: limitBytes)
    }
  }

  func writeFile(_ path: String, _ bytes: [UInt8], replacing: Bool) async throws {
    try await confirm(.openFile(path: path, replacing: replacing))
    for chunk in Self.chunks(bytes) { try await confirm(.append(chunk)) }
    try await confirm(.closeFile)
  }

  func copy(_ text: String, clearAfter seconds: Int) async throws -> String {
    let words = try await collect(
      .copy(text: text, clearAfterSeconds: seconds), limitBytes: TerminalLine.limitBytes)
    return String(decoding: words, as: UTF8.self)
  }

  private static func chunks(_ bytes: [UInt8]) -> [Data] {
    stride(from: 0, to: bytes.count, by: ControlLimits.chunkBytes).map { start in
      Data(bytes[start..<min(start + ControlLimits.chunkBytes, bytes.count)])
    }
  }

  private func send(_ message: ControlMessage) async throws {
    guard !isGone else { throw ConsoleError.closed }
    do {
      try await channel.send(message)
    } catch ControlError.gone {
      throw ConsoleError.closed
    }
  }

  private func answer(to message: ControlMessage) async throws -> ControlMessage {
    guard waiting == nil else { throw ControlError.malformed }
    guard !isGone else { throw ConsoleError.closed }
    // The continuation stands before the question leaves, so that no answer finds nobody.
    let channel = channel
    let answer = try await withCheckedThrowingContinuation { continuation in
      waiting = continuation
      Task {
        do {
          try await channel.send(message)
        } catch {
          self.end()
        }
      }
    }
    if case .failed(let code, let sentence) = answer {
      throw Failure(Failure.Code(rawValue: code) ?? .failed, sentence)
    }
    return answer
  }

  private func confirm(_ message: ControlMessage) async throws {
    guard case .done = try await answer(to: message) else { throw ControlError.malformed }
  }

  private func collect(_ question: ControlMessage, limitBytes: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    var next = question
    while true {
      guard case .bytes(let chunk, let isLast) = try await answer(to: next) else {
        throw ControlError.malformed
      }
      guard bytes.count + chunk.count <= limitBytes else {
        throw ControlError.tooLarge(bytes: bytes.count + chunk.count)
      }
      bytes += chunk
      if isLast { return bytes }
      next = .more
    }
  }
}

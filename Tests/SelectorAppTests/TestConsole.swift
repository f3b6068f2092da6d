import Foundation
import Synchronization

@testable import SelectorApp

/// A console whose person answers from a script and whose screen is kept.
final class TestConsole: Console {
  struct State {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var secrets: [String]
    var answers: [String]
    var prompts: [String] = []
    var files: [String: [UInt8]] = [:]
    var copied: String?
  }

  let isTerminal: Bool
  let isInputTerminal: Bool
  private let input: [UInt8]
  /// Happens while the person types what is piped in.
  private let meanwhile: @Sendable () async throws -> Void
  private let state: Mutex<State>

  init(
    isTerminal: Bool = false, secrets: [String] = [], answers: [String] = [],
    input: [UInt8] = [], files: [String: [UInt8]] = [:],
    meanwhile: @escaping @Sendable () async throws -> Void = {}
  ) {
    self.meanwhile = meanwhile
    self.isTerminal = isTerminal
    isInputTerminal = isTerminal
    self.input = input
    state = Mutex(State(secrets: secrets, answers: answers, files: files))
  }

  var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
  var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }
  var prompts: [String] { state.withLock(\.prompts) }
  var copied: String? { state.withLock(\.copied) }

  func file(_ path: String) -> [UInt8]? { state.withLock { $0.files[path] } }

  func write(_ bytes: [UInt8], to stream: ConsoleStream) async throws {
    state.withLock {
      switch stream {
      case .output: $0.output += bytes
      case .errors: $0.errors += bytes
      }
    }
  }

  func readSecret(_ prompt: String) async throws -> [UInt8] {
    try state.withLock {
      $0.prompts.append(prompt)
      guard !$0.secrets.isEmpty else { throw ConsoleError.noTerminal("a secret") }
      return Array($0.secrets.removeFirst().utf8)
    }
  }

  func ask(_ question: String) async throws -> String {
    try state.withLock {
      $0.prompts.append(question)
      guard !$0.answers.isEmpty else { throw ConsoleError.noTerminal("an answer") }
      return $0.answers.removeFirst()
    }
  }

  func read(_ source: ConsoleSource, limitBytes: Int) async throws -> [UInt8] {
    let bytes: [UInt8]
    switch source {
    case .input:
      try await meanwhile()
      bytes = input
    case .file(let path), .passwordStore(let path):
      guard let found = file(path) else {
        throw ConsoleError.file(path, operation: "Opening", code: ENOENT)
      }
      bytes = found
    }
    guard bytes.count <= limitBytes else {
      throw ConsoleError.tooLong(source.name, limit: limitBytes)
    }
    return bytes
  }

  func writeFile(_ path: String, _ bytes: [UInt8], replacing: Bool) async throws {
    try state.withLock {
      guard replacing || $0.files[path] == nil else { throw ConsoleError.exists(path) }
      $0.files[path] = bytes
    }
  }

  func copy(_ text: String, clearAfter seconds: Int) async throws -> String {
    state.withLock { $0.copied = text }
    return "copied with a pencil"
  }
}

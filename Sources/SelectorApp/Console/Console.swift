/// Where a command reads and writes: this process's terminal, or that of a person whose command was
/// handed to the process that uses the profile. Files named on a command line are opened here, too:
/// by the process the person started, in the folder they stand in, with their rights.
protocol Console: Sendable {
  /// Whether a person sees standard output.
  var isTerminal: Bool { get }
  /// Whether standard input is a person.
  var isInputTerminal: Bool { get }

  /// Writes at once; nothing is kept in a buffer.
  ///
  /// - Throws: ``ConsoleError/closed`` when nobody reads any more.
  func write(_ bytes: [UInt8], to stream: ConsoleStream) async throws

  /// A line typed on the terminal without being shown, without its newline.
  func readSecret(_ prompt: String) async throws -> [UInt8]

  /// A line typed on the terminal, shown.
  func ask(_ question: String) async throws -> String

  /// Everything of `source`; ``ConsoleError/tooLong(_:limit:)`` above `limitBytes`.
  func read(_ source: ConsoleSource, limitBytes: Int) async throws -> [UInt8]

  /// Writes a file only its owner may read; ``ConsoleError/exists(_:)`` unless `replacing`.
  func writeFile(_ path: String, _ bytes: [UInt8], replacing: Bool) async throws

  /// Puts `text` where the person pastes from, and takes it away after `seconds`; says by which
  /// way: "copied with tmux", "sent to terminal".
  func copy(_ text: String, clearAfter seconds: Int) async throws -> String
}

enum ConsoleStream: String, Codable, Sendable {
  case output, errors
}

enum ConsoleSource: Codable, Hashable, Sendable {
  case input
  case file(String)
  /// The entries of the `pass` store in a folder, decrypted: ``/Sync/PassImport``.
  case passwordStore(String)

  /// What `-` and everything else mean as an argument.
  init(argument: String) {
    self = argument == "-" ? .input : .file(argument)
  }

  var name: String {
    switch self {
    case .input: "Standard input"
    case .file(let path), .passwordStore(let path): path
    }
  }

  /// The folder of a store in place of the file.
  var asPasswordStore: ConsoleSource {
    if case .file(let path) = self { .passwordStore(path) } else { self }
  }
}

/// Why a console cannot do it.
enum ConsoleError: Error, Hashable {
  /// `what` was to be asked for.
  case noTerminal(String)
  /// Whoever read the output went away.
  case closed
  case tooLong(String, limit: Int)
  /// `code` is `errno`.
  case file(String, operation: String, code: Int32)
  case exists(String)
}

extension Console {
  /// One line of output, made safe to show: names come from other devices.
  func line(_ text: String) async throws {
    try await write(Array((Lines.safe(text) + "\n").utf8), to: .output)
  }

  /// A remark beside the output.
  func note(_ text: String) async throws {
    try await write(Array((Lines.safe(text) + "\n").utf8), to: .errors)
  }

  /// A question answered with y or yes; everything else is no.
  func confirm(_ question: String) async throws -> Bool {
    let answer = try await ask("\(question) [y/N] ").lowercased()
    return answer == "y" || answer == "yes"
  }
}

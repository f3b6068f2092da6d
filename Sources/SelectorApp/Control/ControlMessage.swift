import Foundation

/// The limits of the conversation between a command and the process that uses its profile.
enum ControlLimits {
  /// 1 MiB: a chunk in base 64 and much room; a longer message is refused unread.
  static let messageBytes = 1024 * 1024
  /// 256 KiB of a file or an output in one message.
  static let chunkBytes = 256 * 1024
  /// 64 KiB: more arguments than a person types; files and secrets never travel in them.
  static let argumentBytes = 64 * 1024
  /// Commands served at once; a person's scripts need a few.
  static let connections = 16
  /// An owner that is alive answers a greeting at once; a suspended one never does.
  static let greetingSeconds = 5
  /// A command that takes no more output for so long is given up.
  static let writeSeconds = 30
}

/// What the two sides of a control socket tell each other: JSON behind a length of four bytes, most
/// significant first. After the greeting one side asks and the other answers, message by message.
enum ControlMessage: Codable, Hashable, Sendable {
  /// The number of this conversation's form; another one is refused.
  static let version = 2

  // From the command.
  case run(Request)
  /// The next piece of what was to be read; `isLast` with the last one, which may be empty.
  case bytes(Data, isLast: Bool)
  /// What was asked for is done.
  case done
  case failed(code: Int32, sentence: String)

  // From the owner.
  case welcome(version: Int, pid: Int32)
  case write(Data, to: ConsoleStream)
  case readSecret(prompt: String)
  case ask(question: String)
  case read(ConsoleSource, limitBytes: Int)
  /// Another piece of the same.
  case more
  case openFile(path: String, replacing: Bool)
  case append(Data)
  case closeFile
  /// Answered with the way it took.
  case copy(text: String, clearAfterSeconds: Int)
  case exit(code: Int32)

  /// A command as it was typed.
  struct Request: Codable, Hashable, Sendable {
    var version = ControlMessage.version
    let arguments: [String]
    let isTerminal: Bool
    let isInputTerminal: Bool
  }
}

/// Why a conversation over the control socket failed.
enum ControlError: Error, Hashable {
  /// Nobody answers at the socket, but `pid` holds the profile.
  case notAnswering(pid: Int32?)
  case foreignPeer(user: UInt32)
  case otherVersion
  case malformed
  case tooLarge(bytes: Int)
  /// The other side ended in the middle.
  case gone
  case tooManyCommands(limit: Int)
  /// The command is for the process that has the profile, and there is none.
  case noHolder
  /// The command cannot be handed over.
  case notForwarded(command: String)
  case failed(path: String, operation: String, code: Int32)
}

import Foundation

/// Hands a command to the process that uses the profile, and does at this console what it asks for.
struct ControlClient {
  let channel: ControlChannel
  let console: any Console

  /// Runs the command over there.
  ///
  /// - Returns: its exit code.
  func run(_ arguments: [String]) async throws -> Int32 {
    try channel.checkPeer()
    guard arguments.reduce(0, { $0 + $1.utf8.count }) <= ControlLimits.argumentBytes else {
      throw Failure(.usage, "The command line is too long. Nothing was changed.")
    }
    channel.limitWait(seconds: ControlLimits.greetingSeconds)
    try await channel.send(
      .run(
        ControlMessage.Request(
          arguments: arguments, isTerminal: console.isTerminal,
          isInputTerminal: console.isInputTerminal)))
    try await expectWelcome()
    channel.limitWait(seconds: 0)
    let channel = channel
    return try await withTaskCancellationHandler {
      try await converse()
    } onCancel: {
      channel.shut()
    }
  }

  private func expectWelcome() async throws {
    let greeting: ControlMessage?
    do {
      greeting = try await channel.receive()
    } catch ControlError.gone {
      throw ControlError.notAnswering(pid: nil)
    }
    switch greeting {
    case .welcome(let version, _):
      guard version == ControlMessage.version else { throw ControlError.otherVersion }
    case .failed(let code, let sentence):
      throw Failure(Failure.Code(rawValue: code) ?? .failed, sentence)
    case nil: throw ControlError.gone
    default: throw ControlError.otherVersion
    }
  }

  private func converse() async throws -> Int32 {
    var work = ClientWork(console: console)
    while let message = try await receive() {
      if case .exit(let code) = message { return code }
      if case .write(let data, let stream) = message {
        try await console.write(Array(data), to: stream)
        continue
      }
      do {
        try await channel.send(try await work.answer(message))
      } catch let error as ControlError {
        throw error
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        let failure = Failure(error)
        try await channel.send(.failed(code: failure.code.rawValue, sentence: failure.sentence))
      }
    }
    try Task.checkCancellation()
    throw ControlError.gone
  }

  private func receive() async throws -> ControlMessage? {
    do {
      return try await channel.receive()
    } catch {
      try Task.checkCancellation()
      throw error
    }
  }
}

/// What the command's side does between two messages.
private struct ClientWork {
  let console: any Console
  private var source: (bytes: [UInt8], sent: Int)?
  private var file: (path: String, replacing: Bool, bytes: [UInt8])?

  init(console: any Console) { self.console = console }

  mutating func answer(_ message: ControlMessage) async throws -> ControlMessage {
    switch message {
    case .readSecret(let prompt): return begin(try await console.readSecret(prompt))
    case .ask(let question): return begin(Array(try await console.ask(question).utf8))
    case .read(let source, let limit):
      return begin(try await console.read(source, limitBytes: limit))
    case .more: return next()
    case .openFile(let path, let replacing):
      file = (path, replacing, [])
      return .done
    case .append(let data):
      guard file != nil else { throw ControlError.malformed }
      file?.bytes += data
      return .done
    case .closeFile:
      guard let whole = file else { throw ControlError.malformed }
      file = nil
      try await console.writeFile(whole.path, whole.bytes, replacing: whole.replacing)
      return .done
    case .copy(let text, let seconds):
      return begin(Array(try await console.copy(text, clearAfter: seconds).utf8))
    default: throw ControlError.malformed
    }
  }

  private mutating func begin(_ bytes: [UInt8]) -> ControlMessage {
    source = (bytes, 0)
    return next()
  }

  private mutating func next() -> ControlMessage {
    guard let (bytes, sent) = source else { return .bytes(Data(), isLast: true) }
    let end = min(sent + ControlLimits.chunkBytes, bytes.count)
    let isLast = end == bytes.count
    source = isLast ? nil : (bytes, end)
    return .bytes(Data(bytes[sent..<end]), isLast: isLast)
  }
}

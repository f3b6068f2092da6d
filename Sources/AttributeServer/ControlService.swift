import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization

/// What commands ask of a running server, through a socket in its data folder that only its own
/// user reaches: `POST /backup`.
struct ControlService: Service {
  /// `sockaddr_un` holds 107 bytes and a zero.
  static let longestPath = 107

  let database: ServerDatabase
  let path: String
  let logger: Logger

  func run() async throws {
    guard path.utf8.count <= Self.longestPath else {
      logger.warning("The data folder's path is too long for a socket: stop the server to back up")
      return try await gracefulShutdown()
    }
    let router = Router()
    let turn = Turn()
    router.post("/backup") { request, _ in try await backup(request, turn: turn) }
    var quiet = logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    let application = Application(
      router: router,
      configuration: ApplicationConfiguration(
        address: .unixDomainSocket(path: path), serverName: nil),
      logger: quiet)
    try await application.run()
    unlink(path)
  }

  private func backup(_ request: Request, turn: Turn) async throws -> JSONAnswer {
    let body = try await request.read(ControlRequest.self, limitBytes: 16 * 1024)
    guard turn.take() else {
      return try JSONAnswer(ControlAnswer(error: "another backup is being made"))
    }
    defer { turn.release() }
    do throws(AttributeServerError) {
      try Self.requireEmpty(body.path)
      try await database.copy(to: body.path)
    } catch {
      logger.warning("A backup failed", metadata: ["reason": "\(error)"])
      return try JSONAnswer(ControlAnswer(error: Self.reason(error)))
    }
    logger.info("A backup was made")
    return try JSONAnswer(ControlAnswer(error: nil))
  }

  /// Only the file that the command has just made is written.
  private static func requireEmpty(_ path: String) throws(AttributeServerError) {
    let refusal = AttributeServerError.backupFailed(
      path: path, reason: "it is no empty file of the server's user")
    let facts: [FileAttributeKey: Any]
    do {
      facts = try FileManager.default.attributesOfItem(atPath: path)
    } catch {
      throw refusal
    }
    guard path.hasPrefix("/"), facts[.type] as? FileAttributeType == .typeRegular,
      facts[.size] as? Int == 0, facts[.ownerAccountID] as? UInt32 == getuid()
    else { throw refusal }
  }

  private static func reason(_ error: AttributeServerError) -> String {
    switch error {
    case .backupFailed(_, let reason): reason
    case .diskFull: "no space is left"
    default: "\(error)"
    }
  }
}

/// One copy at a time.
private final class Turn: Sendable {
  private let isTaken = Mutex(false)

  func take() -> Bool {
    isTaken.withLock { isTaken in
      defer { isTaken = true }
      return !isTaken
    }
  }

  func release() {
    isTaken.withLock { $0 = false }
  }
}

struct ControlRequest: Codable {
  let path: String
}

struct ControlAnswer: Codable {
  let error: String?
}

/// Asks the server that has a data folder.
struct ControlClient {
  /// 256 GiB at 20 MiB/s: nobody waits in vain longer than a server that is gone stays silent.
  private static let timeout = TimeAmount.hours(4)

  let folder: String

  func copy(to path: String) async throws(AttributeServerError) {
    let answer: ControlAnswer
    do {
      answer = try await ask(ControlRequest(path: path))
    } catch let error as AttributeServerError {
      throw error
    } catch {
      throw .backupFailed(path: path, reason: "the server of \(folder) does not answer")
    }
    if let reason = answer.error { throw .backupFailed(path: path, reason: reason) }
  }

  private func ask(_ body: ControlRequest) async throws -> ControlAnswer {
    let socket = DataFolder.control(folder)
    guard FileManager.default.fileExists(atPath: socket),
      let url = URL(httpURLWithSocketPath: socket, uri: "/backup")
    else {
      throw AttributeServerError.folderUnusable(
        path: folder, reason: "a process that answers no commands has it")
    }
    // One attempt: a socket without a server behind it would be tried for minutes.
    var configuration = HTTPClient.Configuration(
      timeout: HTTPClient.Configuration.Timeout(connect: .seconds(5)))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
    let bytes: ByteBuffer
    do {
      let response = try await client.execute(request, timeout: Self.timeout)
      bytes = try await response.body.collect(upTo: 64 * 1024)
    } catch {
      try await client.shutdown()
      throw error
    }
    try await client.shutdown()
    return try JSONDecoder().decode(ControlAnswer.self, from: Data(bytes.readableBytesView))
  }
}

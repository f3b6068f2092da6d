import AttributeServer
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Logging
import Synchronization
import Wire

/// One request and its answer on the way through a server that lies.
struct Exchange: Sendable {
  let method: String
  let path: String
  var request: [UInt8]
  var status: Int
  var body: [UInt8]

  /// The answer as a value.
  func read<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(body))
  }

  mutating func write(_ value: some Encodable) throws {
    body = Array(try JSONEncoder().encode(value))
  }
}

/// What a server does to what passes through it. Everything passes unchanged until told otherwise.
final class Script: Sendable {
  typealias Change = @Sendable (inout Exchange) throws -> Void

  private struct State {
    /// Before the honest server sees it.
    var asking: Change = { _ in }
    /// Before the client does.
    var answering: Change = { _ in }
    var seen: [String] = []
    var changes = 0
  }

  private let state = Mutex(State())

  /// Paths that were asked for, with their methods.
  var seen: [String] { state.withLock(\.seen) }
  /// How many exchanges were changed.
  var changes: Int { state.withLock(\.changes) }

  func asking(_ change: @escaping Change) { state.withLock { $0.asking = change } }
  func answering(_ change: @escaping Change) { state.withLock { $0.answering = change } }

  func beHonest() {
    state.withLock {
      $0.asking = { _ in }
      $0.answering = { _ in }
    }
  }

  func ask(_ exchange: Exchange) throws -> Exchange {
    let change = state.withLock { state in
      state.seen.append("\(exchange.method) \(exchange.path)")
      return state.asking
    }
    var changed = exchange
    try change(&changed)
    if changed.request != exchange.request { state.withLock { $0.changes += 1 } }
    return changed
  }

  func answer(_ exchange: Exchange) throws -> Exchange {
    var changed = exchange
    try state.withLock(\.answering)(&changed)
    if changed.body != exchange.body || changed.status != exchange.status {
      state.withLock { $0.changes += 1 }
    }
    return changed
  }
}

/// An honest Attribute Server behind one that changes what its script says.
struct HostileServer {
  let script = Script()

  /// Serves the data in `folder` on loopback while `body` runs, which is given the URL.
  func run(_ folder: URL, _ body: @escaping @Sendable (String) async throws -> Void) async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let held = try DataFolder(path: folder.path)
    let database = try ServerDatabase(path: held.database, logger: logger)
    let honest = try buildApplication(
      ServerArguments(
        database: database, invites: Invites(dataPath: folder.path), registration: .open,
        limits: ServerLimits(
          device: Rate(perSecond: 1000, burst: 1000), address: Rate(perSecond: 1000, burst: 1000),
          quotaBytes: 1 << 30),
        logger: logger))
    try await honest.test(.router) { client in
      let router = Router()
      router.add(middleware: Liar(honest: client, script: script))
      let front = Application(
        router: router,
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        logger: logger)
      try await front.test(.live) { client in
        try await body("http://127.0.0.1:\(client.port ?? 0)")
      }
    }
    try database.close()
    withExtendedLifetime(held) {}
  }
}

private struct Liar: RouterMiddleware {
  let honest: any TestClientProtocol
  let script: Script

  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let body = try await request.body.collect(upTo: 16 << 20)
    let asked = try script.ask(
      Exchange(
        method: request.method.rawValue, path: "\(request.uri)",
        request: Array(body.readableBytesView), status: 0, body: []))
    let given = try await honest.execute(
      uri: asked.path, method: request.method, headers: request.headers,
      body: ByteBuffer(bytes: asked.request)
    ) { response in (response.status.code, Array(response.body.readableBytesView)) }
    var exchange = asked
    (exchange.status, exchange.body) = given
    let answer = try script.answer(exchange)
    return Response(
      status: .init(code: answer.status), headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
  }
}

import Foundation
import Hummingbird
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import Testing

/// A vendor's push service, as far as its documents describe it: HTTP/2 over TLS on localhost, each
/// request answered with the next of the answers laid ready.
final class Vendor: Sendable {
  struct Asked: Sendable {
    let path: String
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]
  }

  struct Answer: Sendable {
    var status = 200
    var location: String?
    var retryAfter: String?
    var body = ""
  }

  private let answers = Mutex<[Answer]>([])
  private let asked: AsyncStream<Asked>
  private let ask: AsyncStream<Asked>.Continuation
  private let port = Mutex(0)

  /// The folder of the certificates for tests.
  static let certificates = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Certificates")

  static func certificate() throws -> String {
    try String(contentsOf: certificates.appending(path: "first.pem"), encoding: .utf8)
  }

  private init() {
    (asked, ask) = AsyncStream.makeStream()
  }

  var url: String { "https://localhost:\(port.withLock { $0 })" }

  func answer(_ answer: Answer) { answers.withLock { $0.append(answer) } }

  /// The next request; waits for it.
  func next() async throws -> Asked {
    for await request in asked { return request }
    throw CancellationError()
  }

  static func running(_ body: @escaping @Sendable (Vendor) async throws -> Void) async throws {
    let vendor = Vendor()
    let router = Router()
    router.post("**") { request, _ in try await vendor.serve(request) }
    let key = certificates.appending(path: "first.key").path()
    let tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(try certificate().utf8))
        .map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
    let (ready, listening) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: router, server: try .http2Upgrade(tlsConfiguration: tls),
      configuration: .init(address: .hostname("localhost", port: 0)),
      onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
      logger: Logger(label: "vendor") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await application.run() }
      var ports = ready.makeAsyncIterator()
      let port = await ports.next()
      vendor.port.withLock { $0 = port ?? 0 }
      defer { tasks.cancelAll() }
      try await body(vendor)
    }
  }

  private func serve(_ request: Request) async throws -> Response {
    var headers: [String: String] = [:]
    for field in request.headers { headers[field.name.rawName.lowercased()] = field.value }
    let body = try await request.body.collect(upTo: 10_000)
    ask.yield(
      Asked(path: request.uri.path, headers: headers, body: Array(body.readableBytesView)))
    let answer = answers.withLock { $0.isEmpty ? Answer() : $0.removeFirst() }
    var response = Response(
      status: .init(code: answer.status), body: .init(byteBuffer: ByteBuffer(string: answer.body)))
    response.headers[.retryAfter] = answer.retryAfter
    response.headers[.location] = answer.location
    return response
  }
}

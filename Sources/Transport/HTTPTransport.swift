import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Sync
import Synchronization
import Wire

/// Sends one request and reads one answer: JSON both, or bytes where a request says so.
final class HTTPTransport: Sendable {
  struct Timing: Sendable {
    /// 5 s: a server that can be reached at all answers within one.
    var connect = Duration.seconds(5)
    /// 30 s: 2.5 MiB over 1 Mbit/s takes 21 s, and a mailbox waits 25 s for a letter.
    var request = Duration.seconds(30)
  }

  struct Request: Sendable {
    var method: HTTPMethod
    /// Path and query.
    var path: String
    var body: [UInt8]?
    /// Of ``body``.
    var mediaType = Self.json
    /// Of the answer; problems come as JSON all the same.
    var answerType = Self.json
    var token: String?
    var answerLimitBytes = 64 * 1024

    static let json = "application/json"
    static let bytes = "application/octet-stream"
  }

  typealias Body = HTTPClientResponse.Body

  /// 30 days: a stream ends when its reader wants, or the server does.
  private static let streamLife = Duration.seconds(30 * 86_400)
  /// 64 KiB: no problem says more.
  private static let problemLimitBytes = 64 * 1024

  let address: ServerAddress
  let key: ServerKey
  let trust: ServerTrust
  private let client: HTTPClient
  let timing: Timing
  /// SHA-256.
  let digest: @Sendable ([UInt8]) -> Digest32
  /// Which of a loopback name's addresses took the last connection.
  private let preferred = Mutex<ServerAddress?>(nil)

  init(
    address: ServerAddress, trust: ServerTrust, timing: Timing,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws {
    self.address = address
    self.trust = trust
    self.timing = timing
    self.digest = digest
    let key = ServerKey(trust: trust, digest: digest)
    self.key = key
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: address.isSecure ? try trust.tlsConfiguration(pinned: .none) : nil,
      redirectConfiguration: .disallow,
      timeout: .init(connect: .init(timing.connect)), decompression: .disabled)
    configuration.httpVersion = .http1Only
    // A refused connection is told at once; when to try again is decided above.
    configuration.connectionPool.retryConnectionEstablishment = false
    if address.isSecure {
      configuration.http1_1ConnectionDebugInitializer = { key.check($0) }
    }
    client = HTTPClient(
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
      configuration: configuration)
  }

  /// For other connections to the same host; nil where authorities are trusted.
  var pinnedKey: ServerKey? {
    if case .pin = trust.rule { key } else { nil }
  }

  deinit {
    // Nothing is left to tell a failure to: requests under way keep this object.
    client.shutdown { _ in }
  }

  /// The body of a 2xx answer; nil for 204.
  ///
  /// A failure crosses from one executor to another as a value: thrown there as a typed error, it
  /// lets the caller go on outside its actor (Swift 6.3).
  func send(_ request: Request) async throws(ServiceFailure) -> [UInt8]? {
    try await outcome(of: request).get()
  }

  /// The same as ``send(_:)`` as a value.
  @concurrent
  func outcome(of request: Request) async -> Result<[UInt8]?, ServiceFailure> {
    do {
      let answer = try await sendToAnyAddress(request)
      return .success(try await read(answer, limitBytes: request.answerLimitBytes))
    } catch let failure as ServiceFailure {
      return .failure(failure)
    } catch is NIOTooManyBytesError {
      return .failure(
        .unintelligible("the answer is longer than \(request.answerLimitBytes) bytes"))
    } catch let error as HTTPParserError where error != .invalidEOFState {
      return .failure(.unintelligible("the answer is not HTTP"))
    } catch {
      return .failure(.unreachable(reason: FailureReason.text(error)))
    }
  }

  /// The body of a 2xx answer of the asked type as it comes, however long that takes.
  @concurrent
  func stream(_ request: Request) async -> Result<Body, ServiceFailure> {
    do {
      let answer = try await sendToAnyAddress(request, timeout: Self.streamLife)
      guard answer.status == .ok else {
        _ = try await read(answer, limitBytes: Self.problemLimitBytes)
        throw ServiceFailure.unintelligible("status \(answer.status.code) instead of a stream")
      }
      guard answer.headers.first(name: "content-type")?.hasPrefix(request.answerType) == true else {
        throw ServiceFailure.unintelligible("the answer is no stream of events")
      }
      return .success(answer.body)
    } catch let failure as ServiceFailure {
      return .failure(failure)
    } catch let error as HTTPParserError where error != .invalidEOFState {
      return .failure(.unintelligible("the answer is not HTTP"))
    } catch {
      return .failure(.unreachable(reason: FailureReason.text(error)))
    }
  }

  private func sendToAnyAddress(
    _ request: Request, timeout: Duration? = nil
  ) async throws -> HTTPClientResponse {
    // A name is looked up each time: where it leads may have changed.
    var targets = try await LoopbackNames.addresses(of: address)
    let last = preferred.withLock { $0 }
    if let last, let place = targets.firstIndex(of: last) { targets.swapAt(0, place) }
    var failure: any Error = TransportError.noSuchHost(address.host)
    for target in targets {
      do {
        let answer = try await send(request, to: target, timeout: timeout ?? timing.request)
        preferred.withLock { $0 = target }
        return answer
      } catch  where FailureReason.isBeforeConnection(error) {
        failure = error
      }
    }
    throw failure
  }

  private func send(
    _ request: Request, to target: ServerAddress, timeout: Duration
  ) async throws -> HTTPClientResponse {
    var message = HTTPClientRequest(url: target.base + request.path)
    message.method = request.method
    message.headers.add(name: "host", value: address.authority)
    message.headers.add(name: "accept", value: request.answerType)
    message.headers.add(
      name: ServerInfo.protocolHeader, value: String(ServerInfo.protocolVersion))
    if let token = request.token {
      message.headers.add(name: "authorization", value: "Bearer \(token)")
    }
    if let body = request.body {
      message.headers.add(name: "content-type", value: request.mediaType)
      message.body = .bytes(body)
    }
    return try await client.execute(message, timeout: TimeAmount(timeout))
  }

  private func read(_ answer: HTTPClientResponse, limitBytes: Int) async throws -> [UInt8]? {
    switch answer.status.code {
    case 204:
      return nil
    case 200...299:
      return Array(buffer: try await answer.body.collect(upTo: limitBytes))
    case 300...399:
      throw ServiceFailure.unintelligible("the server sends elsewhere, which is not followed")
    default:
      let body = try await answer.body.collect(upTo: Self.problemLimitBytes)
      throw Self.failure(status: answer.status, body: Data(body.readableBytesView))
    }
  }

  /// The problem in the body; without one, the answer comes from something in between.
  private static func failure(status: HTTPResponseStatus, body: Data) -> ServiceFailure {
    do {
      return .refused(try JSONDecoder().decode(Problem.self, from: body))
    } catch {
      switch status.code {
      case 502, 503, 504:
        return .unreachable(reason: "a proxy answers for the server (\(status.code))")
      default:
        return .unintelligible("status \(status.code) without a problem")
      }
    }
  }
}

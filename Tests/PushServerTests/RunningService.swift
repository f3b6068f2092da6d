import Access
import Crypto
import Foundation
import Logging
@testable import PushServer
import Testing
import Wire

/// Takes the text `ACCOUNT:DEVICE` for a token.
struct PlainTokens: TokenChecker {
  func check(_ token: String, now: Int64) async throws(AccessError) -> AccessClaims {
    let parts = token.split(separator: ":")
    guard parts.count == 2, let account = AccountID(parts[0]), let device = DeviceID(parts[1])
    else { throw .badSignature }
    return AccessClaims(
      instance: .zero, audience: .push, account: account, device: device, scope: .sync,
      issuedAt: 0, expiresAt: now / 1000 + 600, id: "x")
  }

  /// Takes the page itself for its signed form; `forged` is what nobody signed.
  func read(_ signed: SignedRevocations, now: Int64) async throws(AccessError) -> RevocationPage {
    do {
      return try JSONDecoder().decode(RevocationPage.self, from: Data(signed.page.utf8))
    } catch {
      throw .badSignature
    }
  }
}

/// What is posted, or read, when these devices were revoked after the entry `after`.
func revocations(
  _ devices: [DeviceID], account: AccountID = someone, after: UInt64 = 0, newest: UInt64? = nil,
  at: Int64? = nil
) throws -> SignedRevocations {
  let now = Int64(Date().timeIntervalSince1970)
  let page = RevocationPage(
    after: after,
    entries: devices.map { RevocationPage.Entry(account: account, device: $0, at: at ?? now) },
    newest: newest ?? after + UInt64(devices.count), at: now)
  return SignedRevocations(
    page: String(decoding: try JSONEncoder().encode(page), as: UTF8.self))
}

func json(_ signed: SignedRevocations) throws -> String {
  String(decoding: try JSONEncoder().encode(signed), as: UTF8.self)
}

/// The account of devices under test.
let someone: AccountID = id(1)
let key = "0123456789abcdef0123456789abcdef"
let empty = Digest32(bytes: Array(SHA256.hash(data: [UInt8]()))) ?? .zero

func running(
  origins: Set<String> = [], connections: Int = 100, perAddress: Int? = nil,
  uptime: (@Sendable () -> Duration)? = nil, chat: PushConfiguration.Chat? = nil,
  gateways: GatewayConfiguration? = nil, requestWait: Duration? = nil, echoes: Bool = false,
  absence: Duration? = nil,
  feed: (@Sendable (UInt64?) async throws -> SignedRevocations)? = nil,
  _ body: (PushService) async throws -> Void
) async throws {
  let start = ContinuousClock.now
  var configuration = PushConfiguration(
    serviceKey: key, tokens: PlainTokens(), allowedOrigins: origins,
    maximumConnections: connections, connectionsPerAddress: perAddress, echoes: echoes,
    chat: chat,
    now: { Int64(Date().timeIntervalSince1970 * 1000) },
    uptime: uptime ?? { ContinuousClock.now - start },
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    gateways: gateways)
  configuration.revocations = feed
  if let requestWait { configuration.requestWait = requestWait }
  if let absence { configuration.absence = absence }
  let service = try await PushService.start(configuration)
  do {
    try await body(service)
  } catch {
    try await service.drain(limit: .zero)
    throw error
  }
  try await service.drain(limit: .zero)
}

func device(
  _ device: DeviceID, at service: PushService
) async throws -> (socket: RawSocket, welcome: PushFrame?) {
  let socket = try await RawSocket.webSocket(port: service.devicePort)
  try await socket.send(.hello(token: "\(someone):\(device)", frontier: empty))
  return (socket, try await socket.receivePush())
}

func post(
  _ body: String, at service: PushService, key: String = key, path: String = "/v1/signals"
) async throws -> String {
  let socket = try await RawSocket(port: service.signalPort)
  return try await socket.request(
    """
    POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r
    Content-Length: \(body.utf8.count)\r\n\r\n\(body)
    """)
}

func json(_ signal: Signal) throws -> String {
  String(decoding: try JSONEncoder().encode(signal), as: UTF8.self)
}

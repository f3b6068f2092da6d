import Foundation
import Sync
import Synchronization
import Wire

@testable import Transport

/// Stands in for SHA-256: 32 bytes that differ when the input does.
@Sendable func digest(_ bytes: [UInt8]) -> Digest32 {
  var lanes: [UInt64] = [1, 2, 3, 4]
  for (place, byte) in bytes.enumerated() {
    lanes[place % 4] = (lanes[place % 4] ^ UInt64(byte)) &* 0x100_0000_01b3
    lanes[(place + 1) % 4] ^= lanes[place % 4] >> 7
  }
  var writer = ByteWriter()
  for lane in lanes { writer.write(lane) }
  return Digest32(bytes: writer.bytes)!
}

func id<Kind>(_ number: UInt8) -> Identifier<Kind> {
  Identifier(bytes: [UInt8](repeating: number, count: 16))!
}

/// "Signs" with the digest of what is to be signed.
struct TestProver: DeviceProver {
  let device: DeviceID = id(2)

  func prove(_ bytes: [UInt8]) throws -> Blob {
    Blob(digest(bytes).bytes + digest(bytes).bytes)
  }
}

/// A clock the test moves.
final class TestClock: Sendable {
  private let offset = Mutex(Duration.zero)
  private let origin = ContinuousClock.now

  @Sendable func now() -> ContinuousClock.Instant {
    origin + offset.withLock { $0 }
  }

  func advance(_ span: Duration) {
    offset.withLock { $0 += span }
  }
}

/// The answers of a well-behaved Attribute Server; `tokens` counts up in the tokens it grants.
final class TestAttributeServer: Sendable {
  let tokens = Mutex(0)
  let refuses = Mutex<Set<String>>([])
  let push: Mutex<String?>

  init(push: String? = nil) {
    self.push = Mutex(push)
  }

  static let sync = SyncResponse(
    generation: "g", outcomes: [], membership: [], frames: [], serverFrontier: Frontier(),
    memberHead: .zero, more: false)

  @Sendable func answer(_ request: TestServer.Request) -> TestServer.Answer? {
    switch request.path {
    case Route.info:
      return .json(
        ServerInfo(
          instance: id(7), generation: "g", push: push.withLock { $0 }, registration: "open",
          serverTime: 0))
    case Route.challenge:
      return .json(
        ChallengeResponse(
          challenge: Blob([UInt8](repeating: 5, count: 32)), instance: id(7), hashing: nil))
    case Route.token:
      guard let body = try? request.decoded(TokenRequest.self) else {
        return .problem(Problem(.malformed))
      }
      let number = tokens.withLock {
        $0 += 1
        return $0
      }
      return .json(
        TokenResponse(
          account: id(1),
          grants: body.audiences.map {
            .init(audience: $0, token: "\($0.rawValue)-\(number)", expiresAt: 0, expiresIn: 600)
          }))
    case Route.sync:
      let token = request.headers["authorization"] ?? ""
      guard token.hasPrefix("Bearer attr-"), !refuses.withLock({ $0.contains(token) }) else {
        return .problem(Problem(.authenticationExpired))
      }
      return .json(Self.sync)
    default:
      return .problem(Problem(.notFound))
    }
  }
}

extension AttributeClient {
  static func test(
    port: Int, scheme: String = "http", host: String = "127.0.0.1",
    trust: ServerTrust = .authorities(), prover: (any DeviceProver)? = TestProver(),
    instance: InstanceID? = nil, clock: TestClock = TestClock(),
    timing: HTTPTransport.Timing = .init()
  ) throws -> AttributeClient {
    try AttributeClient(
      address: try ServerAddress("\(scheme)://\(host):\(port)"), trust: trust, prover: prover,
      instance: instance, digest: digest, timing: timing, now: clock.now)
  }
}

let emptySync = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization
import Wire

/// A server on 127.0.0.1 whose answers the test chooses.
final class TestServer: Sendable {
  struct Request: Sendable {
    let method: String
    let path: String
    let headers: [String: String]
    let body: [UInt8]

    func decoded<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
      try JSONDecoder().decode(Body.self, from: Data(body))
    }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    static func json(_ value: some Encodable, status: Int = 200) -> Answer {
      Answer(
        status: status, headers: ["content-type": "application/json"],
        body: (try? JSONEncoder().encode(value)).map(Array.init) ?? [])
    }

    static func problem(_ problem: Problem) -> Answer {
      .json(problem, status: problem.status)
    }
  }

  let port: Int
  /// WebSockets that were accepted.
  let peers: AsyncStream<TestPeer>
  private let channel: any Channel
  private let seen: Requests

  final class Requests: Sendable {
    let list = Mutex<[Request]>([])
  }

  var requests: [Request] { seen.list.withLock { $0 } }

  func count(_ path: String) -> Int {
    requests.count { $0.path == path }
  }

  /// - Parameter answer: nil never answers.
  init(
    isSecure: Bool = false, host: String = "127.0.0.1", context: NIOSSLContext? = nil,
    answer: @escaping @Sendable (Request) -> Answer?
  ) async throws {
    let seen = Requests()
    let (peers, arrivals) = AsyncStream<TestPeer>.makeStream()
    let tls = try context ?? (isSecure ? TestCertificate.context() : nil)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          let http = TestHTTPHandler(seen: seen, answer: answer)
          let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
              channel.eventLoop.makeCompletedFuture {
                let peer = TestPeer(channel: channel)
                try channel.pipeline.syncOperations.addHandler(TestPeerHandler(peer: peer))
                arrivals.yield(peer)
              }
            })
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
              upgraders: [upgrader],
              completionHandler: {
                $0.pipeline.syncOperations.removeHandler(name: "http", promise: nil)
              }
            ))
          try channel.pipeline.syncOperations.addHandler(http, name: "http")
        }
      }
      .bind(host: host, port: 0).get()
    self.seen = seen
    self.peers = peers
    port = channel.localAddress!.port!
  }

  /// Takes no more connections; those that are open stay.
  func stop() async throws {
    try await channel.close()
  }

  deinit {
    channel.close(promise: nil)
  }
}

private final class TestHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let seen: TestServer.Requests
  private let answer: @Sendable (TestServer.Request) -> TestServer.Answer?
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(
    seen: TestServer.Requests,
    answer: @escaping @Sendable (TestServer.Request) -> TestServer.Answer?
  ) {
    self.seen = seen
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
    case .body(let part):
      body.append(contentsOf: part.readableBytesView)
    case .end:
      let head = head!
      let request = TestServer.Request(
        method: head.method.rawValue, path: head.uri,
        headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { $1 },
        body: body)
      seen.list.withLock { $0.append(request) }
      guard let answer = answer(request) else { return }
      var headers = HTTPHeaders(answer.headers.map { ($0.key, $0.value) })
      headers.add(name: "content-length", value: "\(answer.body.count)")
      context.write(
        wrapOutboundOut(
          .head(
            HTTPResponseHead(
              version: .http1_1, status: .init(statusCode: answer.status), headers: headers))),
        promise: nil)
      context.write(
        wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// The server's end of a WebSocket.
final class TestPeer: Sendable {
  let channel: any Channel
  /// Frames of the device; ends with the connection.
  let frames: AsyncStream<WebSocketFrame>
  fileprivate let arrivals: AsyncStream<WebSocketFrame>.Continuation

  fileprivate init(channel: any Channel) {
    self.channel = channel
    (frames, arrivals) = AsyncStream<WebSocketFrame>.makeStream()
  }

  func send(_ frame: PushFrame) async throws {
    try await send(.text, try frame.encoded())
  }

  func send(_ opcode: WebSocketOpcode, _ bytes: [UInt8], isFinal: Bool = true) async throws {
    try await send(
      WebSocketFrame(fin: isFinal, opcode: opcode, data: ByteBuffer(bytes: bytes)))
  }

  func send(_ frame: WebSocketFrame) async throws {
    try await channel.writeAndFlush(frame)
  }

  /// Ends the connection without a word.
  func cut() async throws {
    try await channel.close()
  }
}

private final class TestPeerHandler: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame

  private let peer: TestPeer

  init(peer: TestPeer) {
    self.peer = peer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    peer.arrivals.yield(unwrapInboundIn(data))
  }

  func channelInactive(context: ChannelHandlerContext) {
    peer.arrivals.finish()
  }
}

/// A server that answers each connection's first bytes with `answer` and then closes it.
final class RawServer: Sendable {
  let port: Int
  private let channel: any Channel

  init(answer: [UInt8]) async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RawHandler(answer: answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress!.port!
  }

  deinit {
    channel.close(promise: nil)
  }
}

private final class RawHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let answer: [UInt8]

  init(answer: [UInt8]) {
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.writeAndFlush(NIOAny(ByteBuffer(bytes: answer)), promise: nil)
    context.close(promise: nil)
  }
}

/// A certificate for `localhost` and 127.0.0.1, signed by itself, good until 2120. Its key is
/// public: it protects nothing.
enum TestCertificate {
  static let pem = """
    -----BEGIN CERTIFICATE-----
    MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
    c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
    CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMmvbt8etaub1vh4
    qLKG1vL/uc9GvtZTBLlcjm/MneR0GJfaMzYoIjmOsVaNkujRTW7jjtsbuuUa0xrg
    m282SQKjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
    hwR/AAABMB0GA1UdDgQWBBQFmXZid46a2baMmKnhcMPeN71I4TAKBggqhkjOPQQD
    AgNIADBFAiEAhCTAj681yVN6bR6R9oVlkLxqRAG6lWRiSAPDbX3C808CIDcc8KGd
    OTYwOGeaEvD63wErmCCXod9v+lCZpHaRcApO
    -----END CERTIFICATE-----
    """

  /// Another certificate, for its key.
  static let otherPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBdzCCAR2gAwIBAgIUNknCmkIhH/ShwThkcbGuj2pIOdIwCgYIKoZIzj0EAwIw
    EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIyMjMyMzM4WhgPMjEyNjEwMjkyMzIz
    MzhaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
    xCP0seQThiP7oYwowwcEmk6nTLb/ZZ4sOBaRDYn5//WO2GbBFRXLMvTEb5YzdekK
    NY78b52BlDTeJ0x0gh+qtaNTMFEwHQYDVR0OBBYEFH35HFEepgpM/q6DxaKyocKS
    nl3KMB8GA1UdIwQYMBaAFH35HFEepgpM/q6DxaKyocKSnl3KMA8GA1UdEwEB/wQF
    MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhANxOc94G79xWjg1mSq3vKI5TSDVpsvkZ
    H8ZK0a5rvU+BAiA3nZskCYVsCpT0pu+1Pa9+P+/f0HWehY7bo+SmpVrr4w==
    -----END CERTIFICATE-----
    """

  static func certificate(_ pem: String) throws -> NIOSSLCertificate {
    try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8))[0]
  }

  private static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBiTZD4k/wzpBCM3Z
    Z3uzsv+Hmsj9c2xgg05vIDRxtnqhRANCAATJr27fHrWrm9b4eKiyhtby/7nPRr7W
    UwS5XI5vzJ3kdBiX2jM2KCI5jrFWjZLo0U1u447bG7rlGtMa4JtvNkkC
    -----END PRIVATE KEY-----
    """

  /// The digest of its SubjectPublicKeyInfo.
  static let keyHash = digest(
    Hex.decode(
      "3059301306072a8648ce3d020106082a8648ce3d03010703420004c9af6edf1eb5ab9bd6f878a8b286d6f2ff"
        + "b9cf46bed65304b95c8e6fcc9de4741897da33362822398eb1568d92e8d14d6ee38edb1bbae51ad31ae09b"
        + "6f364902")!)

  static func context() throws -> NIOSSLContext {
    let certificates = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8))
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: certificates.map { .certificate($0) },
        privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))))
  }
}

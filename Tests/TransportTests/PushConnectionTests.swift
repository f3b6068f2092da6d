import Foundation
import NIOCore
import NIOWebSocket
import Sync
import Synchronization
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct PushConnectionTests {
  /// A device that is connected to a server of its own.
  private final class Scene {
    let server: TestServer
    let connection: PushConnection
    var events: AsyncStream<PushEvent>.Iterator
    var peers: AsyncStream<TestPeer>.Iterator
    var frames: AsyncStream<WebSocketFrame>.Iterator?

    init(
      isSecure: Bool = false, host: String = "127.0.0.1", trust: ServerTrust = .authorities(),
      random: Double = 0
    ) async throws {
      let answers = TestAttributeServer()
      server = try await TestServer(
        isSecure: isSecure, host: host.filter { !"[]".contains($0) }, answer: answers.answer)
      answers.push.withLock { [port = server.port] in $0 = ":\(port)/push" }
      let client = try AttributeClient.test(
        port: server.port, scheme: isSecure ? "https" : "http", host: host, trust: trust)
      let (events, told) = AsyncStream<PushEvent>.makeStream()
      connection = PushConnection(
        client: client, frontier: { digest([1]) }, random: { random }
      ) { told.yield($0) }
      self.events = events.makeAsyncIterator()
      peers = server.peers.makeAsyncIterator()
    }

    func event() async -> PushEvent? { await events.next(isolation: #isolation) }

    /// Accepts the next connection and reads its hello.
    func peer() async throws -> TestPeer {
      let peer = try #require(await peers.next(isolation: #isolation))
      frames = peer.frames.makeAsyncIterator()
      return peer
    }

    /// The next text frame of the device.
    func frame() async throws -> PushFrame {
      while let frame = await frames?.next(isolation: #isolation) {
        guard frame.opcode == .text else { continue }
        #expect(frame.maskKey != nil)
        return try PushFrame(text: Array(frame.unmaskedData.readableBytesView))
      }
      throw TransportError.timedOut
    }

    func control(_ opcode: WebSocketOpcode) async -> WebSocketFrame? {
      while let frame = await frames?.next(isolation: #isolation) {
        if frame.opcode == opcode { return frame }
      }
      return nil
    }

    func connect() async throws -> TestPeer {
      connection.start()
      #expect(await event() == .connecting(transport: .webSocket))
      return try await welcomed()
    }

    func welcomed() async throws -> TestPeer {
      let peer = try await peer()
      guard case .hello = try await frame() else {
        Issue.record("hello is not the first frame")
        return peer
      }
      try await peer.send(.welcome(behind: false, presence: [], pingSeconds: 25))
      guard case .connected = await event() else {
        Issue.record("not connected")
        return peer
      }
      return peer
    }

    func reason() async -> String? {
      guard case .down(let reason, _, _) = await event() else { return nil }
      return reason
    }
  }

  private let signal = PushFrame.signal(.init(device: id(3), sequence: 4, at: 5, trace: "x"))

  @Test func helloWelcomeSignalAcknowledgement() async throws {
    let scene = try await Scene()
    scene.connection.start()
    #expect(await scene.event() == .connecting(transport: .webSocket))
    let peer = try await scene.peer()
    #expect(try await scene.frame() == .hello(token: "push-1", frontier: digest([1])))
    let presence = PushFrame.Presence(device: id(3), online: true, at: 9)
    try await peer.send(.welcome(behind: true, presence: [presence], pingSeconds: 25))
    guard case .connected(let since, [presence], true, .webSocket, []) = await scene.event() else {
      Issue.record("not connected")
      return
    }
    #expect(abs(since - Int64(Date().timeIntervalSince1970 * 1000)) < 10_000)
    try await peer.send(signal)
    #expect(await scene.event() == .frame(signal))
    scene.connection.acknowledge(device: id(3), sequence: 4)
    #expect(
      try await scene.frame() == .acknowledgement(device: id(3), sequence: 4, by: nil))
    await scene.connection.close()
    #expect(await scene.control(.connectionClose) != nil)
  }

  @Test func pingsOfBothLayersAreAnswered() async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    try await peer.send(.ping, Array("abc".utf8))
    #expect(await scene.control(.pong)?.unmaskedData == ByteBuffer(string: "abc"))
    try await peer.send(.ping)
    #expect(try await scene.frame() == .pong)
    scene.connection.reconnectNow()
    #expect(await scene.control(.ping) != nil)
    await scene.connection.close()
  }

  @Test func aMessageInPartsIsPutTogether() async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    let text = try signal.encoded()
    try await peer.send(.text, Array(text[..<5]), isFinal: false)
    try await peer.send(.ping, [])
    try await peer.send(.continuation, Array(text[5..<9]), isFinal: false)
    try await peer.send(.continuation, Array(text[9...]))
    #expect(await scene.event() == .frame(signal))
    await scene.connection.close()
  }

  @Test func aCutConnectionComesBack() async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    try await peer.cut()
    #expect(await scene.reason() == "the server closed the connection")
    #expect(await scene.event() == .connecting(transport: .webSocket))
    let next = try await scene.welcomed()
    try await next.send(.signal(nil))
    #expect(await scene.event() == .frame(.signal(nil)))
    // The token was still good.
    #expect(scene.server.count(Route.token) == 1)
    await scene.connection.close()
  }

  @Test func aByeSaysWhyAndARefusedTokenIsReplaced() async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    try await peer.send(.bye(reason: .expired, retryAfterMilliseconds: 0))
    #expect(await scene.reason() == "the access token expired")
    #expect(await scene.event() == .connecting(transport: .webSocket))
    _ = try await scene.peer()
    let hello = try await scene.frame()
    #expect(hello == .hello(token: "push-2", frontier: digest([1])))
    await scene.connection.close()
  }

  @Test func aServerThatAsksForPatienceIsGivenIt() async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    try await peer.send(.bye(reason: .draining, retryAfterMilliseconds: 60_000))
    guard case .down("the server is stopping", let retryAt, []) = await scene.event() else {
      Issue.record("not down")
      return
    }
    #expect(abs(retryAt - Int64(Date().timeIntervalSince1970 * 1000) - 60_000) < 10_000)
    scene.connection.reconnectNow()
    #expect(await scene.event() == .connecting(transport: .webSocket))
    _ = try await scene.welcomed()
    await scene.connection.close()
  }

  @Test(arguments: [
    (WebSocketOpcode.text, "{", "the server sent a frame that does not read"),
    (.text, "{\"type\":\"unknown\"}", "the server sent a frame that does not read"),
    (.text, "{\"type\":\"signal\",\"device\":7}", "the server sent a frame that does not read"),
    (.text, String(repeating: "[", count: 60_000), "the server sent a frame that does not read"),
    (.text, String(repeating: " ", count: 65_537), "the server sent a frame that is too long"),
    (.binary, "{}", "the server sent what is not text"),
    (.continuation, "{}", "the server broke the WebSocket's rules"),
    (.connectionClose, "", "the server closed the connection"),
  ])
  func aWrongFrameEndsTheConnectionAndTheNextOneWorks(
    _ opcode: WebSocketOpcode, _ text: String, _ reason: String
  ) async throws {
    let scene = try await Scene()
    let peer = try await scene.connect()
    try await peer.send(opcode, Array(text.utf8))
    #expect(await scene.reason() == reason)
    #expect(await scene.event() == .connecting(transport: .webSocket))
    _ = try await scene.welcomed()
    await scene.connection.close()
  }

  @Test func reservedBitsMasksAndEndlessMessagesAreRefused() async throws {
    let text = ByteBuffer(bytes: try signal.encoded())
    let wrong = [
      WebSocketFrame(fin: true, rsv1: true, opcode: .text, data: text),
      WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: text),
    ]
    let scene = try await Scene()
    var peer = try await scene.connect()
    for frame in wrong {
      try await peer.send(frame)
      #expect(await scene.reason() == "the server broke the WebSocket's rules")
      _ = await scene.event()
      peer = try await scene.welcomed()
    }
    try await peer.send(.text, [0x20], isFinal: false)
    for _ in 0..<3 {
      try await peer.send(
        .continuation, [UInt8](repeating: 0x20, count: 30_000), isFinal: false)
    }
    #expect(await scene.reason() == "the server sent a frame that is too long")
    await scene.connection.close()
  }

  @Test func aServerWithoutPushIsTold() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let (events, told) = AsyncStream<PushEvent>.makeStream()
    let connection = PushConnection(
      client: try .test(port: server.port), frontier: { .zero }, random: { 0.99 }
    ) { told.yield($0) }
    connection.start()
    var iterator = events.makeAsyncIterator()
    _ = await iterator.next()
    guard case .down("the server has no Push Service", _, []) = await iterator.next() else {
      Issue.record("not down")
      return
    }
    await connection.close()
  }

  @Test(arguments: [
    (
      "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
      "the server, or a proxy before it, answered 403 to Upgrade"
    ),
    ("SSH-2.0-nonsense\r\n", "the answer is not HTTP"),
    ("", "the server closed the connection"),
  ])
  func whatIsNoWebSocketIsTold(_ answer: String, _ reason: String) async throws {
    let raw = try await RawServer(answer: Array(answer.utf8))
    let server = try await TestServer(
      answer: TestAttributeServer(push: ":\(raw.port)/push").answer)
    let (events, told) = AsyncStream<PushEvent>.makeStream()
    let connection = PushConnection(
      client: try .test(port: server.port), frontier: { .zero }, random: { 0.99 }
    ) { told.yield($0) }
    connection.start()
    for await event in events {
      guard case .down(_, _, let refusals) = event else { continue }
      #expect(refusals.first { $0.transport == "websocket" }?.reason == reason)
      break
    }
    await connection.close()
  }

  @Test func theServerThatStopsIsFoundAgainWhenItIsBack() async throws {
    let scene = try await Scene(random: 0.02)
    let peer = try await scene.connect()
    try await scene.server.stop()
    try await peer.cut()
    #expect(await scene.reason() == "the server closed the connection")
    _ = await scene.event()
    #expect(await scene.reason() == "connection refused")
    await scene.connection.close()
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/net/if_inet6")))
  func versionSixWorksThroughout() async throws {
    let scene = try await Scene(host: "[::1]")
    let peer = try await scene.connect()
    try await peer.send(signal)
    #expect(await scene.event() == .frame(signal))
    #expect(scene.server.requests.first?.headers["host"] == "[::1]:\(scene.server.port)")
    await scene.connection.close()
  }

  @Test func anEncryptedSocketIsPinned() async throws {
    let scene = try await Scene(isSecure: true, trust: .pin(TestCertificate.keyHash))
    let peer = try await scene.connect()
    try await peer.send(signal)
    #expect(await scene.event() == .frame(signal))
    await scene.connection.close()
  }

  @Test func anEncryptedSocketWithAWrongKeyIsNotOpened() async throws {
    let server = try await TestServer(isSecure: true, answer: { _ in nil })
    let address = try ServerAddress("https://127.0.0.1:\(server.port)")
    let push = try PushAddress(":\(server.port)/push", attributes: address)
    for trust in [ServerTrust.pin(digest([1])), .authorities()] {
      let key = ServerKey(trust: trust, digest: digest)
      var isPin = false
      if case .pin = trust.rule { isPin = true }
      await #expect(throws: (any Error).self) {
        try await PushSocket.open(push, trust: trust, key: isPin ? key : nil) { _ in }
      }
    }
  }

  @Test func closingDuringAnAttemptTellsNothingMore() async throws {
    let scene = try await Scene()
    scene.connection.start()
    #expect(await scene.event() == .connecting(transport: .webSocket))
    await scene.connection.close()
    scene.connection.reconnectNow()
    scene.connection.start()
    // Anything that came would be before this: the queue is one order.
    await scene.connection.close()
  }
}

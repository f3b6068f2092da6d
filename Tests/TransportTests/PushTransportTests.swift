import Access
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import PushServer
import Sync
import Synchronization
import Testing
import Wire

@testable import Transport

/// The way down and up again through the transports, against a real Push Service behind a proxy
/// that lets through what it wants.
@Suite(.serialized, .timeLimit(.minutes(1))) struct PushTransportTests {
  /// Every token is this device's.
  private struct AnyToken: TokenChecker {
    func check(_ token: String, now: Int64) async throws(AccessError) -> AccessClaims {
      AccessClaims(
        instance: .zero, audience: .push, account: id(1), device: id(2), scope: .sync,
        issuedAt: 0, expiresAt: now / 1000 + 600, id: "x")
    }

    func read(_ signed: SignedRevocations, now: Int64) async throws(AccessError) -> RevocationPage {
      let entry = RevocationPage.Entry(account: id(1), device: id(2), at: now / 1000)
      return RevocationPage(after: 0, entries: [entry], newest: 1, at: now / 1000)
    }
  }

  private struct Scene {
    let service: PushService
    let proxy: PickyProxy
    let connection: PushConnection
    let events: AsyncStream<PushEvent>

    /// Sends a signal of another device of the account, as the Attribute Server would.
    func signal(_ sequence: UInt64) async throws {
      try await post(
        Signal(account: id(1), device: id(3), sequence: sequence), to: Route.signals)
    }

    /// Revokes the device that is connected.
    func revoke() async throws {
      try await post(SignedRevocations(page: "device 2"), to: Route.revocations)
    }

    private func post(_ value: some Encodable, to path: String) async throws {
      let http = try HTTPTransport(
        address: try ServerAddress("http://127.0.0.1:\(service.signalPort)"),
        trust: .authorities(), timing: .init(), digest: digest)
      let body = Array(try JSONEncoder().encode(value))
      _ = try await http.send(
        .init(method: .POST, path: path, body: body, token: PushTransportTests.key))
    }
  }

  fileprivate static let key = "0123456789abcdef0123456789abcdef"

  private func scene(
    refusing refused: Set<PickyProxy.Refusal>,
    timing: PushMachine.Timing = .init(connect: .seconds(15), best: .seconds(300)),
    _ body: (Scene) async throws -> Void
  ) async throws {
    let start = ContinuousClock.now
    let service = try await PushService.start(
      PushConfiguration(
        serviceKey: Self.key, tokens: AnyToken(),
        now: { Int64(Date().timeIntervalSince1970 * 1000) },
        uptime: { ContinuousClock.now - start },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    let proxy = try await PickyProxy(to: service.devicePort, refusing: refused)
    let server = try await TestServer(
      answer: TestAttributeServer(push: ":\(proxy.port)/push").answer)
    let (events, told) = AsyncStream<PushEvent>.makeStream()
    let connection = PushConnection(
      client: try .test(port: server.port), frontier: { digest([1]) }, random: { 0 },
      timing: timing
    ) { told.yield($0) }
    connection.start()
    try await body(
      Scene(service: service, proxy: proxy, connection: connection, events: events))
    await connection.close()
    proxy.close()
    try await service.drain(limit: .zero)
  }

  /// Passes events over until the device is connected.
  private func connected(
    _ events: inout AsyncStream<PushEvent>.Iterator
  ) async -> (over: PushTransport, refusals: [String])? {
    while let event = await events.next(isolation: #isolation) {
      guard case .connected(_, _, _, let transport, let refusals) = event else { continue }
      return (transport, refusals.map { "\($0.transport): \($0.reason)" })
    }
    return nil
  }

  private func sequence(_ events: inout AsyncStream<PushEvent>.Iterator) async -> UInt64? {
    while let event = await events.next(isolation: #isolation) {
      if case .frame(.signal(let update?)) = event { return update.sequence }
      if case .down = event { return nil }
    }
    return nil
  }

  private static let noUpgrade =
    "websocket: the server, or a proxy before it, answered 400 to Upgrade"

  @Test func aProxyThatRefusesTheUpgradeLeavesEvents() async throws {
    try await scene(refusing: [.upgrades]) { scene in
      var events = scene.events.makeAsyncIterator()
      let state = try #require(await connected(&events))
      #expect(state.over == .events)
      #expect(state.refusals == [Self.noUpgrade])
      for sequence in 1...3 as ClosedRange<UInt64> {
        try await scene.signal(sequence)
        #expect(await self.sequence(&events) == sequence)
      }
    }
  }

  @Test func aProxyThatKeepsStreamsBackLeavesPolling() async throws {
    let timing = PushMachine.Timing(connect: .seconds(2), best: .seconds(300))
    try await scene(refusing: [.upgrades, .streams], timing: timing) { scene in
      var events = scene.events.makeAsyncIterator()
      let state = try #require(await connected(&events))
      #expect(state.over == .polling)
      #expect(state.refusals == [Self.noUpgrade, "events: no answer to hello"])
      for sequence in 1...3 as ClosedRange<UInt64> {
        try await scene.signal(sequence)
        #expect(await self.sequence(&events) == sequence)
      }
    }
  }

  @Test(arguments: [Set([PickyProxy.Refusal.upgrades]), [.upgrades, .streams]])
  func framesOfTheDeviceArePostedAndAnswered(_ refused: Set<PickyProxy.Refusal>) async throws {
    let timing = PushMachine.Timing(connect: .seconds(2), best: .seconds(300))
    try await scene(refusing: refused, timing: timing) { scene in
      var events = scene.events.makeAsyncIterator()
      _ = try #require(await connected(&events))
      // The probe after a wake wants an answer within 5 s; without one the connection is given up.
      scene.connection.reconnectNow()
      try await Task.sleep(for: .seconds(6))
      try await scene.signal(7)
      #expect(await sequence(&events) == 7, "no .down came before it")
    }
  }

  @Test(arguments: [Set<PickyProxy.Refusal>(), [.upgrades], [.upgrades, .streams]])
  func aRevokedDeviceSaysSoWhateverCarriesIt(_ refused: Set<PickyProxy.Refusal>) async throws {
    let timing = PushMachine.Timing(connect: .seconds(2), best: .seconds(300))
    try await scene(refusing: refused, timing: timing) { scene in
      var events = scene.events.makeAsyncIterator()
      _ = try #require(await connected(&events))
      try await scene.revoke()
      // When it was sent away, and when it was not let in again.
      var reasons: [String] = []
      while reasons.count < 2, let event = await events.next(isolation: #isolation) {
        if case .down(let reason, _, _) = event { reasons.append(reason) }
      }
      #expect(reasons == [PushEvent.revoked, PushEvent.revoked])
    }
  }

  @Test func nothingComesThroughAndAllReasonsAreTold() async throws {
    try await scene(refusing: [.upgrades, .everything]) { scene in
      for await event in scene.events {
        guard case .down(let reason, _, let refusals) = event else { continue }
        #expect(reason.hasPrefix("no transport comes through: "))
        #expect(refusals.map(\.transport) == ["websocket", "events", "polling"])
        return
      }
    }
  }

  @Test func theWebSocketIsTakenAgainWhenItComesThrough() async throws {
    let timing = PushMachine.Timing(connect: .seconds(15), best: .milliseconds(300))
    try await scene(refusing: [.upgrades], timing: timing) { scene in
      var events = scene.events.makeAsyncIterator()
      #expect(await connected(&events)?.over == .events)
      scene.proxy.refuse([])
      let state = try #require(await connected(&events))
      #expect(state.over == .webSocket)
      #expect(state.refusals.isEmpty)
      try await scene.signal(4)
      #expect(await sequence(&events) == 4)
    }
  }
}

/// Passes bytes between a client and a server, except what it does not like.
final class PickyProxy: Sendable {
  enum Refusal: Hashable, Sendable {
    /// Answers 400 to `Upgrade`.
    case upgrades
    /// Keeps back what answers a request for events, as a proxy does that waits for the end.
    case streams
    /// Answers 403 to whatever is not an upgrade.
    case everything
  }

  let port: Int
  private let channel: any Channel
  private let refused: Shared

  final class Shared: Sendable {
    let set: Mutex<Set<Refusal>>

    init(_ set: Set<Refusal>) {
      self.set = Mutex(set)
    }
  }

  init(to server: Int, refusing set: Set<Refusal>) async throws {
    let refused = Shared(set)
    self.refused = refused
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            PickyHandler(server: server, refused: refused))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress!.port!
  }

  func refuse(_ set: Set<Refusal>) {
    refused.set.withLock { $0 = set }
  }

  func close() {
    channel.close(promise: nil)
  }
}

private final class PickyHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let server: Int
  private let refused: PickyProxy.Shared
  private var upstream: EventLoopFuture<any Channel>?

  init(server: Int, refused: PickyProxy.Shared) {
    self.server = server
    self.refused = refused
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    let text = String(decoding: bytes.readableBytesView, as: UTF8.self).lowercased()
    let set = refused.set.withLock { $0 }
    let isUpgrade = text.contains("upgrade: websocket")
    if isUpgrade, set.contains(.upgrades) { return refuse(context, "400 Bad Request") }
    if !isUpgrade, set.contains(.everything) { return refuse(context, "403 Forbidden") }
    let keepsBack = set.contains(.streams) && text.hasPrefix("post /push/events ")
    let upstream = upstream ?? connect(for: context.channel, keepsBack: keepsBack)
    self.upstream = upstream
    upstream.whenSuccess { $0.writeAndFlush(bytes, promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    upstream?.whenSuccess { $0.close(promise: nil) }
  }

  private func refuse(_ context: ChannelHandlerContext, _ status: String) {
    let channel = context.channel
    let answer = "HTTP/1.1 \(status)\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in
      channel.close(promise: nil)
    }
  }

  private func connect(
    for client: any Channel, keepsBack: Bool
  ) -> EventLoopFuture<any Channel> {
    ClientBootstrap(group: client.eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            BackHandler(client: client, keepsBack: keepsBack))
        }
      }
      .connect(host: "127.0.0.1", port: server)
  }
}

private final class BackHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let client: any Channel
  private let keepsBack: Bool

  init(client: any Channel, keepsBack: Bool) {
    self.client = client
    self.keepsBack = keepsBack
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !keepsBack { client.writeAndFlush(unwrapInboundIn(data), promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    client.close(promise: nil)
  }
}

import Foundation
import Logging
@testable import PushServer
import Synchronization
import Testing
import Wire

/// A clock that a test moves.
private final class Clock: Sendable {
  private let time = Mutex<Int64>(1_700_000_000_000)
  var now: Int64 { time.withLock { $0 } }
  func move(_ duration: Duration) { time.withLock { $0 += duration.milliseconds } }
}

/// Answers with the outcomes laid ready, then with `delivered`.
private final class ScriptedGateway: Gateway, Sendable {
  let interval: Duration
  private let outcomes = Mutex<[GatewayOutcome]>([])
  private let sent = Mutex<[GatewayMessage]>([])
  let meanwhile = Mutex<(@Sendable () async -> Void)?>(nil)

  init(interval: Duration = .seconds(1)) {
    self.interval = interval
  }

  func fault(in registration: ChannelRegistration) -> String? { nil }

  func answer(_ outcome: GatewayOutcome) { outcomes.withLock { $0.append(outcome) } }
  var messages: [GatewayMessage] { sent.withLock { $0 } }

  func send(_ message: GatewayMessage) async -> GatewayOutcome {
    sent.withLock { $0.append(message) }
    let body = meanwhile.withLock { $0 }
    await body?()
    return outcomes.withLock { $0.isEmpty ? .delivered : $0.removeFirst() }
  }
}

@Suite(.timeLimit(.minutes(1))) struct GatewayQueueTests {
  private let clock = Clock()
  private let gateway = ScriptedGateway()
  private let store: ChannelStore
  private let queue: GatewayQueue

  private static let phone: DeviceID = id(3)
  private static let home: DeviceID = id(2)

  init() throws {
    store = try ChannelStore(path: nil)
    queue = Self.queue(store, gateway, clock)
  }

  private static func queue(
    _ store: ChannelStore, _ gateway: ScriptedGateway, _ clock: Clock
  ) -> GatewayQueue {
    GatewayQueue(
      store: store, gateways: [.fcm: gateway], metrics: GatewayMetrics(MetricsRegistry()),
      now: { clock.now }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func register(
    _ token: String = "t", device: DeviceID = phone, account: AccountID = someone
  ) async throws -> PushChannel {
    let channel = try await queue.register(
      ChannelRegistration(kind: .fcm, token: token), account: account, device: device)
    #expect(
      try await queue.confirm(channel.challenge, account: account, device: device))
    return channel
  }

  private func signal(_ sequence: UInt64, connected: Set<DeviceID> = []) async throws {
    try await queue.offer([
      (Signal(account: someone, device: Self.home, sequence: sequence), connected)
    ])
  }

  @Test func aRevokedDeviceHasNoChannelAndGetsNoneUntilItsTokensHaveEnded() async throws {
    _ = try await register()
    _ = try await register("u", device: id(4))
    try await signal(1)
    #expect(try store.waiting() == 2)
    try await queue.revoke([Revocation(account: someone, device: Self.phone)])
    #expect(try await queue.channel(account: someone, device: Self.phone) == nil)
    #expect(try store.waiting() == 1, "the other device's wake stays")
    // After a restart, too, and for nobody else.
    let restarted = Self.queue(store, gateway, clock)
    let registration = ChannelRegistration(kind: .fcm, token: "t")
    await #expect(throws: Problem(.authenticationRevoked)) {
      _ = try await restarted.register(registration, account: someone, device: Self.phone)
    }
    _ = try await restarted.register(registration, account: id(9), device: Self.phone)
    try await signal(2)
    clock.move(.seconds(20))
    _ = await queue.work()
    let woken = gateway.messages.map(\.channel).filter { $0.account == someone }.map(\.device)
    #expect(woken == [id(4)])
    clock.move(RevokedDevices.life)
    #expect(
      try await queue.register(registration, account: someone, device: Self.phone).device
        == Self.phone)
  }

  @Test func aThousandSignalsAreOneWake() async throws {
    _ = try await register()
    for sequence in UInt64(1)...1000 { try await signal(sequence) }
    #expect(try store.waiting() == 1)
    #expect(await queue.work() == clock.now + 2_000)
    #expect(gateway.messages.isEmpty)
    clock.move(.seconds(2))
    #expect(await queue.work() == nil)
    #expect(gateway.messages.count == 1)
  }

  @Test func theAuthorAndAStrangerAreNotWoken() async throws {
    _ = try await register("a", device: Self.home)
    _ = try await register("b", device: Self.phone, account: id(9))
    try await signal(1)
    #expect(try store.waiting() == 0)
  }

  @Test func aConnectedDeviceIsWokenOnlyWhenItDoesNotAcknowledge() async throws {
    _ = try await register()
    try await signal(5, connected: [Self.phone])
    clock.move(.seconds(9))
    _ = await queue.work()
    #expect(gateway.messages.isEmpty)
    await queue.acknowledged(
      account: someone, device: Self.phone, author: Self.home, sequence: 4)
    #expect(try store.waiting() == 1)
    await queue.acknowledged(
      account: someone, device: Self.phone, author: Self.home, sequence: 5)
    #expect(try store.waiting() == 0)
    try await signal(6, connected: [Self.phone])
    clock.move(.seconds(10))
    _ = await queue.work()
    #expect(gateway.messages.count == 1)
  }

  @Test func aDeviceThatConnectsIsNotWoken() async throws {
    _ = try await register()
    try await signal(1)
    await queue.joined(account: someone, device: Self.phone)
    #expect(try store.waiting() == 0)
  }

  @Test func theVendorsWaitIsKept() async throws {
    _ = try await register()
    try await signal(1)
    clock.move(.seconds(2))
    gateway.answer(.retry(after: .seconds(100), reason: "status 429"))
    #expect(await queue.work() == clock.now + 100_000)
    // A newer signal does not shorten it.
    try await signal(2)
    clock.move(.seconds(99))
    _ = await queue.work()
    #expect(gateway.messages.count == 1)
    clock.move(.seconds(1))
    #expect(await queue.work() == nil)
    #expect(gateway.messages.count == 2)
  }

  @Test func waitsGrowAndADayEndsThem() async throws {
    _ = try await register()
    try await signal(1)
    clock.move(.seconds(2))
    let start = clock.now
    var waits: [Int64] = []
    for _ in 0..<4000 {
      gateway.answer(.retry(after: nil, reason: "unreachable"))
      guard let next = await queue.work() else { break }
      waits.append(next - clock.now)
      clock.move(.milliseconds(next - clock.now))
    }
    #expect(waits.allSatisfy { (1_000...900_000).contains($0) })
    for (index, wait) in waits.enumerated().prefix(8) { #expect(wait <= 2_000 << index) }
    #expect((86_390_000...88_000_000).contains(clock.now - start))
    #expect(try store.deadLetters().map(\.reason) == ["unreachable"])
    #expect(try store.list().count == 1)
  }

  @Test func aForgottenChannelIsGoneAndToldOf() async throws {
    let channel = try await register()
    try await signal(1)
    clock.move(.seconds(2))
    gateway.answer(.forget(reason: "status 410"))
    #expect(await queue.work() == nil)
    #expect(try store.list().isEmpty)
    let letters = try store.deadLetters()
    #expect(letters.map(\.channel) == [channel.id] && letters.map(\.reason) == ["status 410"])
  }

  @Test func aRefusedWakeIsNotTriedAgainButTheNextOneIs() async throws {
    _ = try await register()
    try await signal(1)
    clock.move(.seconds(2))
    gateway.answer(.refused(reason: "status 400"))
    #expect(await queue.work() == nil)
    try await signal(2)
    clock.move(.seconds(2))
    _ = await queue.work()
    #expect(gateway.messages.count == 2)
  }

  @Test func whatComesWhileOneIsSentIsSentToo() async throws {
    _ = try await register()
    try await signal(1)
    clock.move(.seconds(2))
    gateway.meanwhile.withLock { [queue] in
      $0 = {
        let signal = Signal(account: someone, device: Self.home, sequence: 2)
        try? await queue.offer([(signal, [])])
      }
    }
    #expect(await queue.work() == clock.now + 1_000)
    gateway.meanwhile.withLock { $0 = nil }
    clock.move(.seconds(1))
    #expect(await queue.work() == nil)
    #expect(gateway.messages.count == 2)
  }

  @Test func theVendorsRateIsKept() async throws {
    let slow = ScriptedGateway(interval: .seconds(1200))
    let queue = Self.queue(store, slow, clock)
    _ = try await register()
    for _ in 0..<2 {
      try await queue.offer([(Signal(account: someone, device: Self.home, sequence: 1), [])])
      clock.move(.seconds(2))
      _ = await queue.work()
    }
    #expect(slow.messages.count == 1)
    clock.move(.seconds(1198))
    _ = await queue.work()
    #expect(slow.messages.count == 2)
  }

  @Test func whatWaitsOutlivesTheProcess() async throws {
    let folder = URL.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "push.sqlite").path()
    let channel: PushChannel
    do {
      let queue = Self.queue(try ChannelStore(path: path), gateway, clock)
      channel = try await queue.register(
        ChannelRegistration(kind: .fcm, token: "t"), account: someone, device: Self.phone)
      _ = try await queue.confirm(channel.challenge, account: someone, device: Self.phone)
      try await queue.offer([(Signal(account: someone, device: Self.home, sequence: 1), [])])
    }
    let list = try ChannelList(path: path)
    #expect(list.channels.map(\.channel) == [channel.id] && list.channels[0].dueAt != nil)
    clock.move(.seconds(2))
    let queue = Self.queue(try ChannelStore(path: path), gateway, clock)
    #expect(await queue.work() == nil)
    #expect(gateway.messages.map(\.channel.id) == [channel.id])
  }

  @Test func aPlaceBelongsToWhoeverShowedLastThatItReadsThere() async throws {
    let first = try await register("t")
    let other: AccountID = id(9)
    let second = try await queue.register(
      ChannelRegistration(kind: .fcm, token: "t"), account: other, device: Self.phone)
    #expect(try store.list().map(\.channel).sorted() == [first.id, second.id].sorted())
    #expect(
      try await !queue.confirm(first.challenge, account: other, device: Self.phone))
    #expect(
      try await queue.confirm(second.challenge, account: other, device: Self.phone))
    #expect(try store.list().map(\.channel) == [second.id])
  }

  @Test func aDeviceCannotFloodStrangersWithChallenges() async throws {
    for number in 0..<50 {
      _ = try await queue.register(
        ChannelRegistration(kind: .fcm, token: "\(number)"), account: someone, device: Self.phone)
      _ = await queue.work()
    }
    #expect(gateway.messages.count == 1)
    clock.move(.seconds(60))
    _ = await queue.work()
    #expect(gateway.messages.count <= 2)
  }

  @Test func registeringAgainKeepsTheChannel() async throws {
    let first = try await register()
    let again = try await queue.register(
      ChannelRegistration(kind: .fcm, token: "t"), account: someone, device: Self.phone)
    #expect(again.id == first.id && again.isConfirmed)
    clock.move(.seconds(61 * 86_400))
    _ = await queue.work()
    #expect(try store.list().isEmpty)
  }
}

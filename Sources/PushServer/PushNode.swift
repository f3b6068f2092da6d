import Access
import Logging
import NIOCore
import Wire

/// The hub, the connections and the clock of one event loop.
///
/// Unchecked: every member but the constants is touched on `loop` only, which `preconditionInLoop`
/// checks at each entrance.
final class PushNode: @unchecked Sendable {
  let loop: any EventLoop
  let configuration: PushConfiguration
  var hub: Hub
  var revoked = RevokedDevices()
  var feed: RevocationFeed
  var reading: Task<Void, Never>?
  var connections: [Hub.ConnectionID: Peer] = [:]
  /// Sessions that several requests belong to, by the name that stands in their address.
  private var named: [String: Peer] = [:]
  private var polls: [String: PollCarrier] = [:]
  private var bayeux: [String: BayeuxCarrier] = [:]
  /// Connections to the listener, whatever they do.
  private(set) var openChannels = 0
  private var crowd = Crowd()
  private var wheel = TimerWheel()
  private var tickedAt: Duration?
  private var secondEnds = Duration.zero
  private var nextID: Hub.ConnectionID = 1
  private var ticks: RepeatedTask?
  private var draining = false
  /// The demo chat, where it is wanted.
  let room: ChatRoom?
  let metrics: PushMetrics
  /// The roads to sleeping devices, where they are wanted.
  let gateways: Gateways?

  init(loop: any EventLoop, configuration: PushConfiguration) throws(PushServerError) {
    self.loop = loop
    self.configuration = configuration
    hub = Hub(absence: configuration.absence)
    metrics = PushMetrics(configuration.metrics)
    gateways = try configuration.gateways.map { given throws(PushServerError) in
      try Gateways(given, configuration)
    }
    room = configuration.chat.map { ChatRoom(secret: $0.secret) }
    feed = RevocationFeed(
      start: configuration.revocations == nil ? nil : configuration.now() / 1000)
  }

  func start() {
    loop.preconditionInEventLoop()
    let wait = TimeAmount(TimerWheel.slotLength)
    ticks = loop.scheduleRepeatedTask(initialDelay: wait, delay: wait) { _ in self.tick() }
    startReading()
  }

  /// Time passed, about ``TimerWheel/slotLength``.
  func tick() {
    loop.preconditionInEventLoop()
    let uptime = configuration.uptime()
    if let tickedAt { metrics.lagged(max(.zero, uptime - tickedAt - TimerWheel.slotLength)) }
    tickedAt = uptime
    for id in wheel.take(until: uptime) {
      guard let peer = connections[id] else { continue }
      if let deadline = peer.deadline, deadline <= uptime { peer.handle(.tick) }
      watch(peer)
    }
    guard uptime >= secondEnds else { return }
    secondEnds = uptime + .seconds(1)
    apply(hub.depart(uptime: uptime))
    room?.tick()
    crowd.tick(uptime: uptime)
  }

  private func watch(_ peer: Peer) {
    if let deadline = peer.deadline { wheel.add(peer.id, at: deadline) }
  }

  var connectionCount: Int {
    loop.preconditionInEventLoop()
    return connections.count
  }

  /// Whether one more connection is welcome.
  var hasRoom: Bool {
    loop.preconditionInEventLoop()
    return !draining && openChannels < configuration.maximumConnections
  }

  /// Counts a connection in; false when its address has enough of them.
  func opened(from origin: Crowd.Origin?) -> Bool {
    loop.preconditionInEventLoop()
    openChannels += 1
    return crowd.enter(origin, limit: configuration.connectionsPerAddress)
  }

  func ended(from origin: Crowd.Origin?) {
    loop.preconditionInEventLoop()
    openChannels -= 1
    crowd.leave(origin)
  }

  /// A session for what came with a carrier; it says hello next.
  func join(_ carrier: any Carrier) -> Peer {
    loop.preconditionInEventLoop()
    defer { nextID += 1 }
    let peer = Peer(id: nextID, node: self, carrier: carrier)
    connections[nextID] = peer
    watch(peer)
    metrics.connected(connections.count)
    metrics.joined(carrier.transport)
    return peer
  }

  /// A name for the session that nobody can guess.
  func name(_ peer: Peer) -> String {
    loop.preconditionInEventLoop()
    var random = SystemRandomNumberGenerator()
    let name = [random.next(), random.next()].map { (word: UInt64) in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    named[name] = peer
    return name
  }

  func name(_ carrier: PollCarrier) { polls[carrier.name] = carrier }
  func name(_ carrier: BayeuxCarrier) { bayeux[carrier.name] = carrier }
  func peer(named name: String) -> Peer? { named[name] }
  func poll(named name: String) -> PollCarrier? { polls[name] }

  func bayeux(named name: String) -> BayeuxCarrier? { bayeux[name] }

  func forget(name: String) {
    loop.preconditionInEventLoop()
    named[name] = nil
    bayeux[name] = nil
    polls[name] = nil
  }

  func remove(_ id: Hub.ConnectionID, _ transport: Transport) {
    loop.preconditionInEventLoop()
    guard connections.removeValue(forKey: id) != nil else { return }
    metrics.left(transport)
    metrics.connected(connections.count)
    leave(id)
  }

  /// Takes a connection out of its account while it still says goodbye.
  func leave(_ id: Hub.ConnectionID, isForGood: Bool = false) {
    loop.preconditionInEventLoop()
    apply(
      hub.leave(
        id, isForGood: isForGood, now: configuration.now(), uptime: configuration.uptime()))
  }

  func check(_ token: String, for id: Hub.ConnectionID) {
    let tokens = configuration.tokens
    let now = configuration.now()
    let start = configuration.uptime()
    Task {
      let result: Result<AccessClaims, AccessError>
      do throws(AccessError) {
        result = .success(try await tokens.check(token, now: now))
      } catch {
        result = .failure(error)
      }
      self.loop.execute {
        self.metrics.checked(result, took: self.configuration.uptime() - start)
        self.connections[id]?.handle(.checked(self.trusted(result)))
      }
    }
  }

  func join(
    _ id: Hub.ConnectionID, account: AccountID, device: DeviceID, frontier: Digest32
  ) {
    loop.preconditionInEventLoop()
    guard crowd.greets(account) else {
      connections[id]?.handle(.dismiss(.busy))
      return
    }
    let uptime = configuration.uptime()
    // The token was checked before the revocation came, or is one the device had kept.
    if revoked.contains(Revocation(account: account, device: device), uptime: uptime) {
      connections[id]?.handle(.dismiss(.revoked))
      return
    }
    apply(
      hub.join(
        id, account: account, device: device, frontier: frontier, now: configuration.now()))
    if let queue = gateways?.queue {
      Task { await queue.joined(account: account, device: device) }
    }
  }

  func rejoin(_ id: Hub.ConnectionID, frontier: Digest32) {
    loop.preconditionInEventLoop()
    apply(hub.rejoin(id, frontier: frontier, now: configuration.now()))
  }

  func acknowledge(_ id: Hub.ConnectionID, device: DeviceID, sequence: UInt64) {
    loop.preconditionInEventLoop()
    metrics.acknowledged(
      after: hub.age(of: sequence, by: device, toldTo: id, now: configuration.now()))
    if let queue = gateways?.queue, let place = hub.place(of: id) {
      Task {
        await queue.acknowledged(
          account: place.account, device: place.device, author: device, sequence: sequence)
      }
    }
    apply(hub.acknowledge(id, device: device, sequence: sequence))
  }

  func publish(_ signals: [Signal]) {
    loop.preconditionInEventLoop()
    let start = configuration.uptime()
    let now = configuration.now()
    for signal in signals { apply(hub.publish(signal, now: now)) }
    metrics.came(signals: signals.count, took: configuration.uptime() - start)
  }

  /// Keeps the signals for devices that are not connected; nil when there is no road to them. None
  /// is woken for a record, which is there when it wakes for a commit.
  func offer(_ signals: [Signal]) -> EventLoopFuture<Void>? {
    loop.preconditionInEventLoop()
    guard let queue = gateways?.queue else { return nil }
    let offers = signals.filter { !$0.isOfRecord }.map {
      ($0, connected: hub.connectedDevices(of: $0.account))
    }
    return loop.makeFutureWithTask { try await queue.offer(offers) }
  }

  /// Forgets the roads to the devices when they sleep; nil when there are none.
  func forget(_ revocations: [Revocation]) -> EventLoopFuture<Void>? {
    loop.preconditionInEventLoop()
    guard let queue = gateways?.queue else { return nil }
    return loop.makeFutureWithTask { try await queue.revoke(revocations) }
  }

  /// Sends everyone away, each with another wait, so that they do not come back all at once.
  func drain() {
    loop.preconditionInEventLoop()
    draining = true
    room?.drain()
    // A handful of devices come back within half a second, thousands spread over half a minute.
    let spread = min(30_000, 500 + 10 * connections.count)
    for connection in connections.values {
      connection.handle(.drain(retryAfterMilliseconds: Int.random(in: 0...spread)))
    }
  }

  func stop() {
    loop.preconditionInEventLoop()
    ticks?.cancel()
    reading?.cancel()
    for connection in connections.values { connection.abandon() }
  }

  func outgoing(_ frame: PushFrame) -> OutgoingFrame {
    OutgoingFrame(frame, logger: configuration.logger)
  }

  private func apply(_ deliveries: [Hub.Delivery]) {
    for delivery in deliveries {
      switch delivery {
      case .send(let frame, let ids):
        metrics.delivered(frame, to: ids.count)
        let frame = outgoing(frame)
        for id in ids { connections[id]?.deliver(frame) }
      case .dismiss(let id, let reason):
        connections[id]?.handle(.dismiss(reason))
      }
    }
  }
}

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
  private var hub = Hub()
  private var connections: [Hub.ConnectionID: DeviceConnection] = [:]
  private var nextID: Hub.ConnectionID = 1
  private var ticks: RepeatedTask?
  private var draining = false
  private var encoded: (frame: PushFrame, bytes: [UInt8])?

  init(loop: any EventLoop, configuration: PushConfiguration) {
    self.loop = loop
    self.configuration = configuration
  }

  func start() {
    loop.preconditionInEventLoop()
    ticks = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      for connection in self.connections.values { connection.handle(.tick) }
    }
  }

  var connectionCount: Int {
    loop.preconditionInEventLoop()
    return connections.count
  }

  /// Whether one more connection is welcome.
  var hasRoom: Bool {
    loop.preconditionInEventLoop()
    return !draining && connections.count < configuration.maximumConnections
  }

  func add(_ connection: DeviceConnection) -> Hub.ConnectionID {
    loop.preconditionInEventLoop()
    defer { nextID += 1 }
    connections[nextID] = connection
    return nextID
  }

  func remove(_ id: Hub.ConnectionID) {
    loop.preconditionInEventLoop()
    connections[id] = nil
    leave(id)
  }

  /// Takes a connection out of its account while it still says goodbye.
  func leave(_ id: Hub.ConnectionID) {
    loop.preconditionInEventLoop()
    apply(hub.leave(id, now: configuration.now()))
  }

  func check(_ token: String, for id: Hub.ConnectionID) {
    let tokens = configuration.tokens
    let now = configuration.now()
    Task {
      let result: Result<AccessClaims, AccessError>
      do throws(AccessError) {
        result = .success(try await tokens.check(token, now: now))
      } catch {
        result = .failure(error)
      }
      self.loop.execute { self.connections[id]?.handle(.checked(result)) }
    }
  }

  func join(
    _ id: Hub.ConnectionID, account: AccountID, device: DeviceID, frontier: Digest32
  ) {
    loop.preconditionInEventLoop()
    apply(
      hub.join(
        id, account: account, device: device, frontier: frontier, now: configuration.now()))
  }

  func rejoin(_ id: Hub.ConnectionID, frontier: Digest32) {
    loop.preconditionInEventLoop()
    apply(hub.rejoin(id, frontier: frontier, now: configuration.now()))
  }

  func acknowledge(_ id: Hub.ConnectionID, device: DeviceID, sequence: UInt64) {
    loop.preconditionInEventLoop()
    apply(hub.acknowledge(id, device: device, sequence: sequence))
  }

  func publish(_ signals: [Signal]) {
    loop.preconditionInEventLoop()
    for signal in signals { apply(hub.publish(signal, now: configuration.now())) }
  }

  /// Sends everyone away, each with another wait, so that they do not come back all at once.
  func drain() {
    loop.preconditionInEventLoop()
    draining = true
    // A handful of devices come back within half a second, thousands spread over half a minute.
    let spread = min(30_000, 500 + 10 * connections.count)
    for connection in connections.values {
      connection.handle(.drain(retryAfterMilliseconds: Int.random(in: 0...spread)))
    }
  }

  func stop() {
    loop.preconditionInEventLoop()
    ticks?.cancel()
    for connection in connections.values { connection.abandon() }
  }

  /// The frame's bytes; fan-out asks for the same frame once a receiver.
  func bytes(of frame: PushFrame) -> [UInt8]? {
    loop.preconditionInEventLoop()
    if let encoded, encoded.frame == frame { return encoded.bytes }
    do {
      let bytes = try frame.encoded()
      encoded = (frame, bytes)
      return bytes
    } catch {
      configuration.logger.error("A push frame could not be written")
      return nil
    }
  }

  private func apply(_ deliveries: [Hub.Delivery]) {
    for delivery in deliveries {
      switch delivery {
      case .send(let frame, let id): connections[id]?.deliver(frame)
      case .dismiss(let id, let reason): connections[id]?.handle(.dismiss(reason))
      }
    }
  }
}

import Dispatch
import Foundation
import NIOCore
import NIOHTTP1
import Sync
public import Wire

/// Keeps one connection to the Push Service open, on a background Dispatch queue of its own.
///
/// ``PushMachine`` decides; here its effects are done. Start it once; it goes on until ``close()``.
public actor PushConnection {
  private let executor: DispatchQueueExecutor
  private let client: AttributeClient
  private let frontier: @Sendable () async -> Digest32
  private let events: @Sendable (PushEvent) -> Void
  private var machine: PushMachine
  private var socket: (any PushCarrier)?
  private var opening: Task<Void, Never>?
  private var renewing: Task<Void, Never>?
  private var looking: Task<Void, Never>?
  /// For the transports made of requests; made when one is needed.
  private var requests: HTTPTransport?
  private var timer: DispatchWorkItem?
  /// Where the Push Service is; forgotten when it does not answer.
  private var address: PushAddress?
  /// The token in use, to be named when it was refused.
  private var token: String?
  private let origin = ContinuousClock.now

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// - Parameters:
  ///   - frontier: the digest of `Frontier.digestInput` of what this device holds.
  ///   - events: called on the connection's queue, in order; must not block.
  ///   - random: from 0 to 1, without 1; chooses how long to wait between attempts.
  public init(
    client: AttributeClient, frontier: @escaping @Sendable () async -> Digest32,
    random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
    events: @escaping @Sendable (PushEvent) -> Void
  ) {
    self.init(
      client: client, frontier: frontier, random: random, timing: .init(), events: events)
  }

  init(
    client: AttributeClient, frontier: @escaping @Sendable () async -> Digest32,
    random: @escaping @Sendable () -> Double, timing: PushMachine.Timing,
    events: @escaping @Sendable (PushEvent) -> Void
  ) {
    executor = DispatchQueueExecutor(label: "push", qos: .utility)
    self.client = client
    self.frontier = frontier
    self.events = events
    machine = PushMachine(random: random, timing: timing)
  }

  deinit {
    socket?.close()
  }

  public nonisolated func start() {
    submit(.start)
  }

  /// Tries at once when it is waiting; checks within 5 s that the other side still answers when it
  /// is connected. For when the machine woke up, the network came back, or a sync worked again.
  public nonisolated func reconnectNow() {
    submit(.reconnectNow)
  }

  /// Tells the other devices that this one holds `device`'s commit; kept until there is a
  /// connection.
  public nonisolated func acknowledge(device: DeviceID, sequence: UInt64) {
    submit(.acknowledge(device, sequence))
  }

  /// Ends the connection for good; no event follows once this returns.
  public func close() {
    handle(.close)
  }

  private nonisolated func submit(_ event: PushMachine.Event) {
    executor.queue.async { [weak self] in
      self?.assumeIsolated { $0.handle(event) }
    }
  }

  private var now: Duration { origin.duration(to: .now) }

  private func handle(_ event: PushMachine.Event) {
    for effect in machine.handle(event, now: now) { perform(effect) }
    setTimer()
  }

  private func perform(_ effect: PushMachine.Effect) {
    switch effect {
    case .connect(let attempt, let transport, let renewsToken):
      connect(attempt, transport, renewsToken: renewsToken)
    case .tryBest(let attempt):
      tryBest(attempt)
    case .send(let frame):
      send(frame)
    case .ping:
      socket?.ping()
    case .drop:
      drop()
    case .renew(let attempt):
      renew(attempt)
    case .connecting:
      events(.connecting(transport: machine.transport))
    case .connected(let presence, let behind):
      events(
        .connected(
          since: Self.wallClock(), presence: presence, behind: behind, over: machine.transport,
          refusals: refusals))
    case .tell(let frame):
      events(.frame(frame))
    case .down(let reason, let wait):
      events(.down(reason: reason, retryAt: Self.wallClock(in: wait), refusals: refusals))
    }
  }

  private var refusals: [RefusedTransport] {
    PushTransport.allCases.compactMap { transport in
      machine.refusals[transport].map {
        RefusedTransport(transport: transport.rawValue, reason: $0)
      }
    }
  }

  private static func wallClock(in wait: Duration = .zero) -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000) + Int64(wait / .milliseconds(1))
  }

  private func send(_ frame: PushFrame) {
    do {
      socket?.send(try frame.encoded())
    } catch {
      // The loss is told by the socket.
      socket?.close()
    }
  }

  private func drop() {
    opening?.cancel()
    renewing?.cancel()
    looking?.cancel()
    opening = nil
    renewing = nil
    looking = nil
    socket?.close()
    socket = nil
  }

  /// One timer for whatever the machine waits for.
  private func setTimer() {
    timer?.cancel()
    timer = nil
    guard let deadline = machine.deadline else { return }
    let item = DispatchWorkItem { [weak self] in
      self?.assumeIsolated { $0.handle(.tick) }
    }
    timer = item
    let wait = max(deadline - now, .zero)
    // Rounded up: a timer that comes early would only be set again.
    executor.queue.asyncAfter(
      deadline: .now() + .milliseconds(Int(wait / .milliseconds(1)) + 1), execute: item)
  }

  // MARK: Connecting

  private func connect(_ attempt: Int, _ transport: PushTransport, renewsToken: Bool) {
    let refused = renewsToken ? token : nil
    opening = Task {
      do {
        try await open(attempt, transport, replacing: refused)
      } catch is CancellationError {
        // Somebody else has ended this attempt and told why.
      } catch {
        address = nil
        requests = nil
        handle(Self.event(error, attempt: attempt))
      }
    }
  }

  private func open(
    _ attempt: Int, _ transport: PushTransport, replacing refused: String?
  ) async throws {
    let address = try await pushAddress()
    let credentials = try await credentials(replacing: refused)
    let opened = try await carrier(transport, address) { [weak self] event in
      self?.submit(Self.event(event, attempt: attempt))
    }
    guard !Task.isCancelled else { return opened.close() }
    socket = opened
    handle(.opened(attempt, credentials))
  }

  private func carrier(
    _ transport: PushTransport, _ address: PushAddress,
    events: @escaping @Sendable (PushCarrierEvent) -> Void
  ) async throws -> any PushCarrier {
    switch transport {
    case .webSocket:
      return try await PushSocket.open(
        address, trust: client.pushTrust(address), key: client.pushKey(address), events: events)
    case .events:
      let http = try pushRequests(address)
      return RequestCarrier(
        PushRequests(http: http, path: address.path + "/events"), events: events,
        run: PushEvents.run)
    case .polling:
      let http = try pushRequests(address)
      return RequestCarrier(
        PushRequests(http: http, path: address.path + "/poll"), events: events,
        run: PushPolling.run)
    }
  }

  private func pushRequests(_ address: PushAddress) throws -> HTTPTransport {
    if let requests { return requests }
    let made = try client.pushRequests(address)
    requests = made
    return made
  }

  /// Only the upgrade is tried, without a token; the connection in use goes on meanwhile.
  private func tryBest(_ attempt: Int) {
    looking = Task {
      do {
        let address = try await pushAddress()
        let socket = try await PushSocket.open(
          address, trust: client.pushTrust(address), key: client.pushKey(address), events: { _ in })
        socket.close()
        handle(.triedBest(attempt, refusal: nil))
      } catch {
        handle(.triedBest(attempt, refusal: Self.reason(error)))
      }
    }
  }

  private func pushAddress() async throws -> PushAddress {
    if let address { return address }
    guard let text = try await client.info().push else {
      throw TransportError.protocolViolation(reason: "the server has no Push Service")
    }
    let found = try PushAddress(text, attributes: client.address)
    address = found
    return found
  }

  private func credentials(replacing refused: String?) async throws -> PushMachine.Credentials {
    let access = try await client.pushAccess(replacing: refused)
    token = access.text
    return PushMachine.Credentials(
      token: access.text, expiresAt: origin.duration(to: access.expiresAt),
      frontier: await frontier())
  }

  private func renew(_ attempt: Int) {
    let old = token
    renewing = Task {
      do {
        handle(.renewed(attempt, try await credentials(replacing: old)))
      } catch {
        handle(.renewalFailed(attempt))
      }
    }
  }

  /// An answer that is no upgrade is in the way of WebSockets only; so is a connection that was
  /// made and then closed. Everything else is in the way of all transports.
  private static func event(_ error: any Error, attempt: Int) -> PushMachine.Event {
    let isBlocked =
      switch error {
      case TransportError.upgradeRefused, is HTTPParserError, is ChannelError: true
      default: (error as? IOError)?.errnoCode == ECONNRESET
      }
    return isBlocked
      ? .blocked(attempt, reason: reason(error)) : .lost(attempt, reason: reason(error))
  }

  private static func event(_ event: PushCarrierEvent, attempt: Int) -> PushMachine.Event {
    switch event {
    case .frame(let frame):
      return .frame(attempt, frame)
    case .blocked(let reason):
      return .blocked(attempt, reason: reason)
    case .heard:
      return .heard(attempt)
    case .lost(let reason):
      return .lost(attempt, reason: reason)
    case .text(let text):
      do {
        return .frame(attempt, try PushFrame(text: text, limitBytes: PushSocket.frameLimitBytes))
      } catch {
        return .lost(attempt, reason: "the server sent a frame that does not read")
      }
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? ServiceFailure {
    case .unreachable(let reason): reason
    case .refused(let problem): problem.detail ?? problem.title
    case .unintelligible(let reason): reason
    case nil: FailureReason.text(error)
    }
  }
}

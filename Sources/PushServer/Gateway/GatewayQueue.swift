import Foundation
import Logging
import Wire

/// Wakes sleeping devices: keeps what is to be sent, sends it when it is due, and again with
/// growing waits until a gateway took it, refused it, or a day has passed.
///
/// At least once: a row goes only after the gateway's answer, and a wake too many does no harm.
actor GatewayQueue {
  /// Sent at once; one endpoint that does not answer holds the others of its round up for 10 s.
  private static let roundLimit = 32
  /// The first wait after a failure, doubled each time, drawn anew between nothing and that.
  private static let firstWait: Int64 = 1_000
  private static let longestWait: Int64 = 15 * 60_000
  private static let pruneInterval: Int64 = 3_600_000
  /// A connected device has 10 s to acknowledge; one that just left 2 s to come back.
  static let patience: (connected: Int64, away: Int64) = (10_000, 2_000)

  private let store: ChannelStore
  private let gateways: [ChannelRegistration.Kind: any Gateway]
  private let now: @Sendable () -> Int64
  private let logger: Logger
  private let metrics: GatewayMetrics
  private let intervals: [ChannelRegistration.Kind: Int64]
  private var sleeper: Task<Void, Never>?
  private var prunedAt: Int64 = 0

  init(
    store: ChannelStore, gateways: [ChannelRegistration.Kind: any Gateway],
    metrics: GatewayMetrics, now: @escaping @Sendable () -> Int64, logger: Logger
  ) {
    self.store = store
    self.gateways = gateways
    self.metrics = metrics
    self.now = now
    self.logger = logger
    intervals = gateways.mapValues { $0.interval.milliseconds }
  }

  nonisolated var kinds: [ChannelRegistration.Kind] {
    ChannelRegistration.Kind.allCases.filter { gateways[$0] != nil }
  }

  // MARK: registration

  func register(
    _ registration: ChannelRegistration, account: AccountID, device: DeviceID
  ) throws -> PushChannel {
    guard let gateway = gateways[registration.kind] else {
      throw Problem(.malformed, detail: "This server has no gateway of that kind.")
    }
    if let fault = registration.fault ?? gateway.fault(in: registration) {
      throw Problem(.malformed, detail: fault)
    }
    let channel = try store.register(registration, account: account, device: device, now: now())
    logger.info(
      "A channel was registered",
      metadata: ["channel": "\(channel.id)", "kind": "\(registration.kind.rawValue)"])
    poke()
    return channel
  }

  func confirm(_ challenge: String, account: AccountID, device: DeviceID) throws -> Bool {
    try store.confirm(challenge, account: account, device: device, now: now())
  }

  func channel(account: AccountID, device: DeviceID) throws -> PushChannel? {
    try store.channel(account: account, device: device)
  }

  func unregister(account: AccountID, device: DeviceID) throws {
    try store.unregister(account: account, device: device)
  }

  /// Forgets the devices' channels for good.
  func revoke(_ revocations: [Revocation]) throws {
    try store.revoke(revocations, now: now())
  }

  // MARK: what happens to the account's devices

  /// Queues a signal for the devices that are not there, and for those that may not notice.
  func offer(_ signals: [(signal: Signal, connected: Set<DeviceID>)]) throws {
    let now = now()
    for (signal, connected) in signals {
      try store.offer(
        signal, connected: connected, now: now, patience: Self.patience, intervals: intervals)
    }
    poke()
  }

  func acknowledged(
    account: AccountID, device: DeviceID, author: DeviceID, sequence: UInt64
  ) {
    note {
      try store.acknowledged(
        account: account, device: device, author: author, sequence: sequence)
    }
  }

  func joined(account: AccountID, device: DeviceID) {
    note { try store.joined(account: account, device: device) }
  }

  /// A row that stays costs one wake too many, so the operator is told and nobody else.
  private func note(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      logger.error("The channels' database cannot be written")
    }
  }

  // MARK: sending

  /// Sends what is due as long as the task lives.
  func run() async {
    while !Task.isCancelled {
      let next = await work()
      let wait = min(60_000, max(0, next.map { $0 - now() } ?? 60_000))
      let sleeper = Task {
        // Woken early when something new is due.
        do { try await Task.sleep(for: .milliseconds(wait)) } catch {}
      }
      self.sleeper = sleeper
      await withTaskCancellationHandler {
        await sleeper.value
      } onCancel: {
        sleeper.cancel()
      }
    }
  }

  private func poke() { sleeper?.cancel() }

  /// Sends what is due now; answers when the next is.
  func work() async -> Int64? {
    do {
      let start = now()
      if start - prunedAt > Self.pruneInterval {
        try store.prune(now: start)
        prunedAt = start
      }
      let due = try store.due(start, limit: Self.roundLimit)
      let gateways = gateways
      await withTaskGroup(of: (ChannelStore.Wake, GatewayOutcome).self) { tasks in
        for wake in due {
          tasks.addTask {
            let gateway = gateways[wake.channel.registration.kind]
            let message = GatewayMessage(channel: wake.channel, now: start)
            // The operator took the gateway away; it may come back.
            return (wake, await gateway?.send(message) ?? .retry(after: nil, reason: "no gateway"))
          }
        }
        for await (wake, outcome) in tasks { note { try record(outcome, of: wake) } }
      }
      metrics.waiting(try store.waiting())
      return try store.nextDue()
    } catch {
      logger.error("The channels' database cannot be read")
      return now() + 60_000
    }
  }

  private func record(_ outcome: GatewayOutcome, of wake: ChannelStore.Wake) throws {
    let now = now()
    let kind = wake.channel.registration.kind
    metrics.came(outcome, kind: kind)
    let facts: Logger.Metadata = [
      "channel": "\(wake.channel.id)", "kind": "\(kind.rawValue)", "reason": "\(outcome.reason)",
    ]
    switch outcome {
    case .delivered:
      try store.delivered(wake, now: now, next: now + (intervals[kind] ?? 0))
    case .retry(let after, let reason):
      guard now - wake.since < GatewayMessage.life.milliseconds else {
        logger.warning("A wake was given up", metadata: facts)
        return try store.bury(wake, reason: reason, now: now, forgetting: false)
      }
      let wait = after?.milliseconds ?? Self.backoff(wake.attempts)
      try store.postpone(wake, to: now + wait)
    case .forget(let reason):
      logger.info("A channel was forgotten", metadata: facts)
      try store.bury(wake, reason: reason, now: now, forgetting: true)
    case .refused(let reason):
      logger.warning("A wake was refused", metadata: facts)
      try store.bury(wake, reason: reason, now: now, forgetting: false)
    }
  }

  /// Full jitter: between the first wait and twice as much each time, at most ``longestWait``.
  private static func backoff(_ attempts: Int) -> Int64 {
    Int64.random(in: firstWait...min(longestWait, firstWait << Int64(min(attempts, 20) + 1)))
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}

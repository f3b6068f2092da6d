import Wire

/// By what a session's frames are carried.
enum Transport: String, CaseIterable {
  case webSocket = "websocket"
  case events
  case polling
  case bayeux
}

/// What carries a session's frames to a device: a WebSocket, a stream of events, a waiting poll.
protocol Carrier: AnyObject {
  var transport: Transport { get }
  /// Whether a frame can be sent now without piling up.
  var takesMore: Bool { get }

  func send(_ frame: OutgoingFrame)
  /// Asks for a sign of life.
  func ping()
  /// Says goodbye and ends; nothing follows.
  func close(_ code: CloseCode, after bye: OutgoingFrame)
  /// Ends without a word.
  func abandon()
}

/// One device's session with what it could not be told yet, whatever carries it.
///
/// Lives on the node's event loop. Nothing queues here but the newest of each kind, so a device
/// that reads slowly holds nobody up.
final class Peer {
  /// After this long without taking anything a device is sent away; it will sync when it is back.
  private static let stallLimit = Duration.seconds(30)

  let id: Hub.ConnectionID
  private let node: PushNode
  private var session: Session
  private var carrier: (any Carrier)?
  /// nil for a device that takes what comes, which nearly all do nearly always.
  private var backlog: Backlog?

  private final class Backlog {
    let since: Duration
    var frames = PendingFrames()

    init(since: Duration) {
      self.since = since
    }
  }

  init(id: Hub.ConnectionID, node: PushNode, carrier: any Carrier) {
    self.id = id
    self.node = node
    self.carrier = carrier
    session = Session(uptime: node.configuration.uptime(), lead: .random(in: 0...0.5))
  }

  /// When the tick should come next; nil once it need not.
  var deadline: Duration? {
    session.deadline.map { deadline in
      backlog.map { min(deadline, $0.since + Self.stallLimit) } ?? deadline
    }
  }

  func handle(_ event: Session.Event) {
    var event = event
    let uptime = node.configuration.uptime()
    if case .tick = event, let backlog, uptime - backlog.since >= Self.stallLimit {
      event = .dismiss(.slow)
    }
    for effect in session.handle(event, uptime: uptime, now: node.configuration.now()) {
      perform(effect)
    }
  }

  private func perform(_ effect: Session.Effect) {
    switch effect {
    case .check(let token): node.check(token, for: id)
    case .join(let account, let device, let frontier):
      node.join(id, account: account, device: device, frontier: frontier)
    case .rejoin(let frontier): node.rejoin(id, frontier: frontier)
    case .acknowledge(let device, let sequence):
      node.acknowledge(id, device: device, sequence: sequence)
    case .send(let frame): deliver(node.outgoing(frame))
    case .ping: carrier?.ping()
    case .close(let code, let bye):
      var isRevoked = false
      if case .bye(let reason, _) = bye {
        node.metrics.dismissed(reason)
        isRevoked = reason == .revoked
      }
      node.leave(id, isForGood: isRevoked)
      carrier?.close(code, after: node.outgoing(bye))
    case .abandon: carrier?.abandon()
    }
  }

  /// Sends the frame, or keeps the newest of its kind while the carrier takes no more.
  func deliver(_ frame: OutgoingFrame) {
    guard !session.isClosed else { return }
    if backlog == nil, let carrier, carrier.takesMore { return carrier.send(frame) }
    let backlog = backlog ?? Backlog(since: node.configuration.uptime())
    if self.backlog == nil { node.metrics.stallBegan() }
    self.backlog = backlog
    if !backlog.frames.add(frame.frame) { node.metrics.supersededSignal() }
    flush()
  }

  /// Sends what waits, as far as the carrier takes it.
  func flush() {
    guard let carrier, let backlog, !session.isClosed else { return }
    while carrier.takesMore, let frame = backlog.frames.next() {
      carrier.send(node.outgoing(frame))
    }
    if backlog.frames.isEmpty { caughtUp() }
  }

  private func caughtUp() {
    guard let backlog else { return }
    node.metrics.stallEnded(after: node.configuration.uptime() - backlog.since)
    self.backlog = nil
  }

  func abandon() { carrier?.abandon() }

  /// The carrier is gone, and the session with it.
  func end() {
    caughtUp()
    if let carrier { node.remove(id, carrier.transport) }
    carrier = nil
  }
}

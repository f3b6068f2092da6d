import Wire

/// What carries a session's frames to a device: a WebSocket, a stream of events, a waiting poll.
protocol Carrier: AnyObject {
  /// Whether a frame can be sent now without piling up.
  var takesMore: Bool { get }

  func send(_ frame: PushFrame)
  /// Asks for a sign of life.
  func ping()
  /// Says goodbye and ends; nothing follows.
  func close(_ code: CloseCode, after bye: PushFrame)
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
  private var pending = PendingFrames()
  private var carrier: (any Carrier)?
  private var stalledSince: Duration?

  init(id: Hub.ConnectionID, node: PushNode, carrier: any Carrier) {
    self.id = id
    self.node = node
    self.carrier = carrier
    session = Session(uptime: node.configuration.uptime())
  }

  var isClosed: Bool { session.isClosed }

  func handle(_ event: Session.Event) {
    var event = event
    let uptime = node.configuration.uptime()
    if case .tick = event, let stalledSince, uptime - stalledSince >= Self.stallLimit {
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
    case .send(let frame): deliver(frame)
    case .ping: carrier?.ping()
    case .close(let code, let bye):
      node.leave(id)
      carrier?.close(code, after: bye)
    case .abandon: carrier?.abandon()
    }
  }

  /// Sends the frame, or keeps the newest of its kind while the carrier takes no more.
  func deliver(_ frame: PushFrame) {
    guard !session.isClosed else { return }
    // The usual case: nothing waits and there is room.
    if pending.isEmpty, let carrier, carrier.takesMore {
      carrier.send(frame)
      return
    }
    pending.add(frame)
    flush()
  }

  /// Sends what waits, as far as the carrier takes it.
  func flush() {
    guard let carrier, !session.isClosed else { return }
    while carrier.takesMore, let frame = pending.next() { carrier.send(frame) }
    stalledSince = pending.isEmpty ? nil : stalledSince ?? node.configuration.uptime()
  }

  func abandon() { carrier?.abandon() }

  /// The carrier is gone, and the session with it.
  func end() {
    carrier = nil
    node.remove(id)
  }
}

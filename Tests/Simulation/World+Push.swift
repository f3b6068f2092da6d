import Access
import PushServer
import Sync
import Vault
import Wire

/// The Push Service: the real hub and sessions, without sockets.
struct PushSide {
  var hub = Hub()
  var sessions: [Hub.ConnectionID: (session: Session, device: SimulatedDevice)] = [:]
  var nextID: Hub.ConnectionID = 1
}

extension World {
  /// Ten minutes, as real tokens live; a bad one has expired when it is shown.
  private static let tokenLife: Int64 = 600

  private var serverSeconds: Int64 { wall / 1000 }

  func connect(_ device: SimulatedDevice) throws {
    guard device.isUp, device.connection == nil, !weather.isPushOff, !device.core.isEnded else {
      return
    }
    guard cutOff[device.number] == nil else {
      return schedule(.connect(device), at: now + Int64(entropy.pick(500...3000)))
    }
    let id = push.nextID
    push.nextID += 1
    push.sessions[id] = (Session(uptime: .milliseconds(now)), device)
    device.connection = id
    device.connectedAt = now
    let expiry = serverSeconds + (entropy.chance(weather.expiries) ? -600 : Self.tokenLife)
    let hello = PushFrame.hello(
      token: "\(device.number) \(expiry)",
      frontier: Digest32.sha256(device.core.frontier.digestInput))
    sendToPush(hello, from: device)
  }

  func sendToPush(_ frame: PushFrame, from device: SimulatedDevice) {
    guard let id = device.connection, cutOff[device.number] == nil,
      let text = try? frame.encoded()
    else { return }
    schedule(.toPush(id, text), at: now + Int64(entropy.pick(1...20)))
  }

  func pushHears(_ text: [UInt8], from id: Hub.ConnectionID) throws {
    try handle(.text(text), on: id)
  }

  func handle(_ event: Session.Event, on id: Hub.ConnectionID) throws {
    guard
      let effects = push.sessions[id]?.session.handle(
        event, uptime: .milliseconds(now), now: wall)
    else { return }
    for effect in effects { try carryOut(effect, on: id) }
  }

  private func carryOut(_ effect: Session.Effect, on id: Hub.ConnectionID) throws {
    switch effect {
    case .check(let token): try handle(.checked(claims(of: token)), on: id)
    case .join(let account, let device, let frontier):
      try deliver(
        push.hub.join(id, account: account, device: device, frontier: frontier, now: wall))
    case .rejoin(let frontier):
      try deliver(push.hub.rejoin(id, frontier: frontier, now: wall))
    case .acknowledge(let device, let sequence):
      try deliver(push.hub.acknowledge(id, device: device, sequence: sequence))
    case .send(let frame): sendToDevice(frame, on: id)
    case .ping:
      if let device = push.sessions[id]?.device, device.connection == id,
        cutOff[device.number] == nil
      {
        try handle(.heard, on: id)
      }
    case .close(_, let bye):
      sendToDevice(bye, on: id)
      try leave(id)
    case .abandon: try leave(id)
    }
  }

  /// Tokens are "number expiry"; only their time is checked here, their signatures elsewhere.
  private func claims(of token: String) -> Result<AccessClaims, AccessError> {
    let parts = token.split(separator: " ")
    guard parts.count == 2, let number = Int(parts[0]), let expiry = Int64(parts[1]),
      devices.indices.contains(number)
    else { return .failure(.malformed) }
    guard expiry + 60 > serverSeconds else {
      count(.expiredToken)
      return .failure(.expired)
    }
    return .success(
      AccessClaims(
        instance: .zero, audience: .push, account: family.account,
        device: devices[number].keyring.device, scope: .sync, issuedAt: expiry - Self.tokenLife,
        expiresAt: expiry, id: token))
  }

  private func deliver(_ deliveries: [Hub.Delivery]) throws {
    for delivery in deliveries {
      switch delivery {
      case .send(let frame, let ids):
        for (number, id) in ids.enumerated() {
          if case .signal = frame, bug == .signalOneDeviceOnly, number > 0 { continue }
          sendToDevice(frame, on: id)
        }
      case .dismiss(let id, let reason): try handle(.dismiss(reason), on: id)
      }
    }
  }

  private func sendToDevice(_ frame: PushFrame, on id: Hub.ConnectionID) {
    guard let device = push.sessions[id]?.device, cutOff[device.number] == nil else { return }
    if case .signal = frame, entropy.chance(weather.signalLoss) { return }
    guard let text = try? frame.encoded() else { return }
    schedule(.fromPush(device, id, text), at: now + delay())
  }

  private func leave(_ id: Hub.ConnectionID) throws {
    try deliver(push.hub.leave(id, now: wall, uptime: .milliseconds(now)))
    push.sessions[id] = nil
  }

  /// The device's end is gone, without a word.
  func hangUp(_ device: SimulatedDevice) {
    guard let id = device.connection else { return }
    device.connection = nil
    _ = push.hub.leave(id, now: wall, uptime: .milliseconds(now))
    push.sessions[id] = nil
  }

  func publish(_ signal: Signal) {
    guard !weather.isPushOff else { return }
    // What the hub cannot deliver it drops: the next welcome says that something was missed.
    try? deliver(push.hub.publish(signal, now: wall))
  }

  func tickPush() throws {
    try deliver(push.hub.depart(uptime: .milliseconds(now)))
    for id in push.sessions.keys.sorted() { try handle(.tick, on: id) }
  }

  /// The service forgets everybody; devices come back one by one.
  func restartPush() throws {
    let connected = push.sessions.sorted { $0.key < $1.key }.map(\.value.device)
    push.hub = Hub()
    push.sessions = [:]
    for device in connected where device.connection != nil {
      device.connection = nil
      if device.isUp { try take(.push(isUp: false), by: device) }
      schedule(.connect(device), at: now + Int64(entropy.pick(10...2000)))
    }
  }

  // MARK: the device's end

  func hear(_ text: [UInt8], on id: Hub.ConnectionID, by device: SimulatedDevice) throws {
    guard device.isUp, device.connection == id, bug != .ignoreSignals,
      let frame = try? PushFrame(text: text)
    else { return }
    switch frame {
    case .welcome(let behind, _, _):
      try take(.push(isUp: true), by: device)
      if behind { try take(.behind, by: device) }
    case .signal(let update?): try take(.signal(update.device, update.sequence), by: device)
    case .signal(nil): try take(.behind, by: device)
    case .bye: try disconnect(device)
    case .hello, .acknowledgement, .presence, .ping, .pong: break
    }
  }

  func disconnect(_ device: SimulatedDevice) throws {
    hangUp(device)
    try take(.push(isUp: false), by: device)
    // As the shell does: longer and longer, until a connection has stood for a while.
    if now - device.connectedAt > 30_000 { device.hangUps = 0 }
    let most = min(30_000, 500 << min(device.hangUps, 6))
    device.hangUps += 1
    schedule(.connect(device), at: now + Int64(entropy.pick((most / 4)...most)))
  }

  // MARK: what a push service does that lies or floods

  func flood(_ device: SimulatedDevice) throws {
    guard let id = device.connection else { return }
    count(.flood)
    record("flood \(device.number)")
    for _ in 0..<entropy.pick(5...40) {
      let author = devices[entropy.pick(0...(devices.count - 1))].keyring.device
      let sequence = UInt64(entropy.pick(1...3))
      sendToDevice(
        .signal(PushFrame.Update(device: author, sequence: sequence, at: wall)), on: id)
    }
  }

  func lie(to device: SimulatedDevice) throws {
    guard let id = device.connection else { return }
    count(.lie)
    record("lie to \(device.number)")
    let stranger: DeviceID = entropy.identifier()
    let author = entropy.chance(50) ? stranger : family.keyrings[0].device
    switch entropy.pick(0...3) {
    case 0:
      sendToDevice(
        .signal(PushFrame.Update(device: author, sequence: .max, at: -1)), on: id)
    case 1: sendToDevice(.signal(nil), on: id)
    case 2: sendToDevice(.bye(reason: .revoked, retryAfterMilliseconds: 1), on: id)
    default: schedule(.fromPush(device, id, Array("{\"type\":\"sig".utf8)), at: now + 1)
    }
  }
}

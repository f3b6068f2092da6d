import Storage
import Sync
import Transport
import Vault
import Wire

/// What the push connection brings. A signal does one thing only: it starts a sync.
extension Device {
  func startPush() {
    guard push == nil, !core.isEnded else { return }
    let (stream, continuation) = AsyncStream.makeStream(of: PushEvent.self)
    let connection = PushConnection(
      client: client, frontier: { await self.frontierDigest() },
      events: { continuation.yield($0) })
    push = connection
    pushTask = Task {
      connection.start()
      for await event in stream { self.heard(event) }
    }
  }

  /// At once after a suspension, or when a person asks.
  func wake() {
    attempt(.requested)
    if pushState != .connected { push?.reconnectNow() }
  }

  private func frontierDigest() -> Digest32 { Digest32.sha256(core.frontier.digestInput) }

  private func heard(_ event: PushEvent) {
    switch event {
    case .connecting:
      pushState = .connecting
      pushTransport = nil
      publishStatus()
    case .connected(let since, let present, let isBehind, let transport, let refusals):
      pushState = .connected
      pushTransport = transport
      pushRefusals = refusals
      pushSince = since
      // Of those it does not name, what was known still holds.
      presence = whoWasSeen.merging(present.map { ($0.device, $0) }) { $1 }
      for peer in present { compare(peer) }
      attempt(.push(isUp: true))
      if isBehind { attempt(.behind) }
    case .frame(let frame): heard(frame)
    case .down(let reason, _, let refusals):
      if reason == PushEvent.revoked { attempt(.requested) }
      if reason == PushEvent.replaced { attempt(.displaced) }
      pushState = .down
      pushTransport = nil
      pushRefusals = refusals
      pushSince = Self.wallClock
      presence = whoWasSeen
      keepPeerBook()
      attempt(.push(isUp: false))
    }
    publishStatus()
  }

  /// Presence as it stays when nobody tells of it.
  private var whoWasSeen: [DeviceID: PushFrame.Presence] {
    presence.mapValues { known in
      PushFrame.Presence(
        device: known.device, online: false,
        at: known.online ? Self.wallClock : known.at, frontier: known.frontier)
    }
  }

  /// A peer that said hello with what is held here holds all of this device's commits, also if it
  /// has gone since.
  ///
  /// One that holds something else was perhaps not there when this device said what it holds of it.
  private func compare(_ peer: PushFrame.Presence) {
    if peer.frontier == frontierDigest() {
      acknowledged[peer.device] = core.frontier.sequence(of: settings.device)
    } else if peer.online, peer.device != settings.device {
      let held = core.frontier.sequence(of: peer.device)
      if held > 0 { push?.acknowledge(device: peer.device, sequence: held) }
    }
  }

  private func heard(_ frame: PushFrame) {
    switch frame {
    case .signal(let update?): attempt(.signal(update.device, update.sequence))
    case .signal(nil): attempt(.behind)
    case .acknowledgement(let author, let sequence, let by?):
      guard author == settings.device else { return }
      acknowledged[by] = max(acknowledged[by] ?? 0, sequence)
    case .presence(let change):
      presence[change.device] = change
      compare(change)
    default: return
    }
  }
}

import Sync
import Wire

/// What `status` prints, and its device lines what `devices` does.
struct StatusRecord: Encodable {
  struct Push: Encodable {
    let state: String
    /// Null while down.
    let transport: String?
    let since: Int64?
    /// Better transports that do not come through.
    let refused: [RefusedTransport]

    private enum Key: String, CodingKey {
      case state, transport, since, refused
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(state, forKey: .state)
      try container.encode(transport, forKey: .transport)
      try container.encode(since, forKey: .since)
      try container.encode(refused, forKey: .refused)
    }
  }

  struct Device: Encodable {
    let peer: SyncStatus.Peer

    private enum Key: String, CodingKey {
      case id, name, platform, online, lastSeen, behind, current
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(peer.id, forKey: .id)
      try container.encode(peer.name, forKey: .name)
      try container.encode(peer.platform, forKey: .platform)
      try container.encode(peer.isOnline, forKey: .online)
      try container.encode(peer.lastSeen, forKey: .lastSeen)
      try container.encode(peer.behind, forKey: .behind)
      try container.encode(peer.isThisDevice, forKey: .current)
    }
  }

  struct Former: Encodable {
    let device: SyncStatus.Former

    private enum Key: String, CodingKey {
      case id, name, revoked, erased
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(device.id, forKey: .id)
      try container.encode(device.name, forKey: .name)
      try container.encode(true, forKey: .revoked)
      try container.encode(device.hasErased, forKey: .erased)
    }
  }

  /// Null while locked: the account's name is sealed, too.
  let account: String?
  let device: String
  let server: String
  let status: SyncStatus
  var alarms: [Notice] = []
  /// Whether this device is about to take another identity, having been restored or cloned.
  var isReplacing = false
  /// Whether the store was salvaged and waits for the server.
  var isUncertain = false
  /// Who changed the account's passphrase since this device took its own.
  var passphraseChangedBy: String?
  /// What is being counted at the moment.
  var progress: SyncProgress?

  private enum Key: String, CodingKey {
    case account, device, server, state, waiting, conflicts, alarms, push, devices, progress
    case replacing, uncertain, passphraseChangedBy
  }

  private struct Progress: Encodable {
    let what: String
    let done: Int
    let total: Int
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(account, forKey: .account)
    try container.encode(device, forKey: .device)
    try container.encode(server, forKey: .server)
    try container.encode(status.state.rawValue, forKey: .state)
    try container.encode(status.waiting, forKey: .waiting)
    try container.encode(status.conflicts, forKey: .conflicts)
    try container.encode(alarms.map(AlarmRecord.init), forKey: .alarms)
    try container.encode(
      Push(
        state: status.push.rawValue, transport: status.pushTransport, since: status.pushSince,
        refused: status.pushRefusals),
      forKey: .push)
    try container.encode(status.peers.map(Device.init), forKey: .devices)
    try container.encode(
      progress.map { Progress(what: $0.what, done: $0.done, total: $0.total) }, forKey: .progress)
    try container.encode(isReplacing, forKey: .replacing)
    try container.encode(isUncertain, forKey: .uncertain)
    try container.encodeIfPresent(passphraseChangedBy, forKey: .passphraseChangedBy)
  }

  /// The same for a person.
  var text: String {
    var rows = [
      ["account", account ?? "(locked)"], ["device", device], ["server", server],
      ["sync", sync],
      ["push", push],
      ["conflicts", "\(status.conflicts)"],
    ]
    if let progress {
      rows.append(["progress", "\(progress.what) \(progress.done) of \(progress.total)"])
    }
    if isReplacing {
      rows.append([
        "identity",
        "this device was restored or copied and takes a new one; nothing is sent before",
      ])
    }
    if isUncertain {
      rows.append([
        "store", "salvaged after damage; nothing is committed until the server answered",
      ])
    }
    if let passphraseChangedBy {
      rows.append([
        "passphrase", "changed by \(passphraseChangedBy); run `higgins passphrase` here, too",
      ])
    }
    rows += alarms.map { ["ALARM", "\(Lines.time($0.at))  \($0.text) (\($0.code))"] }
    return Lines.table(rows) + "\n\n" + StatusRecord.devices(of: status)
  }

  private var sync: String {
    let waiting = status.waiting > 0 ? ", \(Lines.count(status.waiting, "change")) waiting" : ""
    let reason = status.failure.map { ". \($0)" } ?? ""
    return status.state.rawValue + waiting + reason
  }

  private var push: String {
    let since = status.pushSince.map { " since \(Lines.time($0))" } ?? ""
    let transport = status.pushTransport.map { " by \($0)" } ?? ""
    let refused = status.pushRefusals.map { ". Not by \($0.transport): \($0.reason)" }.joined()
    return status.push.rawValue + transport + since + refused
  }

  private static func lag(of peer: SyncStatus.Peer) -> String {
    guard let behind = peer.behind else { return "has not said what it holds" }
    return behind > 0 ? "\(Lines.count(behind, "change")) behind" : ""
  }

  /// One line a device. Who is online is known only over a push connection.
  static func devices(of status: SyncStatus) -> String {
    Lines.table(
      status.peers.map { peer in
        let presence =
          status.push == .connected ? (peer.isOnline ? "online" : "offline") : "presence unknown"
        return [
          peer.isThisDevice ? "*" : " ", peer.name, peer.platform,
          peer.isThisDevice ? "this device" : presence,
          lag(of: peer),
          peer.lastSeen.map { "seen \(Lines.time($0))" } ?? "",
        ]
      }
        + status.former.map {
          ["", $0.name, "", "revoked", $0.hasErased ? "has erased itself" : "not heard from", ""]
        })
  }
}

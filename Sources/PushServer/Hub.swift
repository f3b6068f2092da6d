import Crypto
public import Wire

/// Who is connected, and what each of them is to be told. A value without sockets: every change
/// answers with the deliveries it causes.
///
/// Coalescing is `max`: for a receiver only the newest sequence of each author matters, so signals
/// that come twice or out of order do no harm.
public struct Hub: Sendable {
  /// Names a connection for as long as it lives; never used twice.
  public typealias ConnectionID = UInt64

  public enum Delivery: Hashable, Sendable {
    case send(PushFrame, to: ConnectionID)
    case dismiss(ConnectionID, PushFrame.Reason)
  }

  struct Account: Sendable {
    /// The newest sequence of each device that a signal named.
    var sequences: [DeviceID: UInt64] = [:]
    var connections: [DeviceID: ConnectionID] = [:]
    /// Every device that was here since the start, with its coming or going.
    var presence: [DeviceID: PushFrame.Presence] = [:]
    var touched: UInt64 = 0
  }

  struct Place: Sendable {
    let account: AccountID
    let device: DeviceID
  }

  /// Accounts remembered without a connection. One forgotten costs its devices one sync each.
  public let accountLimit: Int
  private(set) var accounts: [AccountID: Account] = [:]
  private var places: [ConnectionID: Place] = [:]
  private var clock: UInt64 = 0

  public init(accountLimit: Int = 100_000) {
    self.accountLimit = accountLimit
  }

  public var connectionCount: Int { places.count }

  /// Joins a device. It is subscribed before its frontier is compared, so that no signal falls
  /// between; a connection it had before is sent away without the others noticing. `now` is in
  /// milliseconds since 1970.
  public mutating func join(
    _ id: ConnectionID, account: AccountID, device: DeviceID, frontier: Digest32, now: Int64
  ) -> [Delivery] {
    var entry = take(account)
    defer { put(entry, account) }
    let previous = entry.connections[device]
    guard previous != nil || entry.connections.count < Limits.pushConnectionsPerAccount else {
      return [.dismiss(id, .busy)]
    }
    entry.connections[device] = id
    places[id] = Place(account: account, device: device)
    var deliveries = [welcome(id, device: device, frontier: frontier, entry: entry)]
    if let previous {
      places[previous] = nil
      deliveries.append(.dismiss(previous, .replaced))
    }
    let presence = PushFrame.Presence(device: device, online: true, at: now, frontier: frontier)
    entry.presence[device] = presence
    Self.bound(&entry.presence)
    if previous == nil {
      deliveries += others(than: device, in: entry).map { .send(.presence(presence), to: $0) }
    }
    return deliveries
  }

  /// Answers a device that said hello again.
  public mutating func rejoin(_ id: ConnectionID, frontier: Digest32, now: Int64) -> [Delivery] {
    guard let place = places[id], var entry = accounts[place.account] else { return [] }
    let since = entry.presence[place.device]?.at ?? now
    entry.presence[place.device] = PushFrame.Presence(
      device: place.device, online: true, at: since, frontier: frontier)
    put(entry, place.account)
    return [welcome(id, device: place.device, frontier: frontier, entry: entry)]
  }

  /// Takes a connection out; the others learn that the device is gone, unless it was replaced.
  public mutating func leave(_ id: ConnectionID, now: Int64) -> [Delivery] {
    guard let place = places.removeValue(forKey: id), var entry = accounts[place.account] else {
      return []
    }
    entry.connections[place.device] = nil
    let gone = PushFrame.Presence(
      device: place.device, online: false, at: now, frontier: entry.presence[place.device]?.frontier
    )
    entry.presence[place.device] = gone
    put(entry, place.account)
    return others(than: place.device, in: entry).map { .send(.presence(gone), to: $0) }
  }

  /// The device's connection, if it has one.
  func connection(of device: DeviceID, account: AccountID) -> ConnectionID? {
    accounts[account]?.connections[device]
  }

  /// Passes a signal on to every other device of the account. An old one is dropped.
  ///
  /// `now`, in milliseconds since 1970, stands in the frame.
  public mutating func publish(_ signal: Signal, now: Int64) -> [Delivery] {
    var entry = take(signal.account)
    defer { put(entry, signal.account) }
    guard signal.sequence > entry.sequences[signal.device] ?? 0 else { return [] }
    guard entry.sequences[signal.device] != nil || entry.sequences.count < Limits.devices else {
      return []
    }
    entry.sequences[signal.device] = signal.sequence
    let frame = PushFrame.signal(
      PushFrame.Update(
        device: signal.device, sequence: signal.sequence, at: now, trace: signal.trace))
    return others(than: signal.device, in: entry).map { .send(frame, to: $0) }
  }

  /// Passes on that a device holds a commit.
  public func acknowledge(
    _ id: ConnectionID, device: DeviceID, sequence: UInt64
  ) -> [Delivery] {
    guard let place = places[id], let entry = accounts[place.account] else { return [] }
    let frame = PushFrame.acknowledgement(device: device, sequence: sequence, by: place.device)
    return others(than: place.device, in: entry).map { .send(frame, to: $0) }
  }

  func place(of id: ConnectionID) -> Place? { places[id] }

  func connectedDevices(of account: AccountID) -> Set<DeviceID> {
    accounts[account].map { Set($0.connections.keys) } ?? []
  }

  private func welcome(
    _ id: ConnectionID, device: DeviceID, frontier: Digest32, entry: Account
  ) -> Delivery {
    let known = Digest32(
      bytes: Array(SHA256.hash(data: Frontier.digestInput(entry.sequences))))
    let presence = entry.presence.values.filter { $0.device != device }
      .sorted { $0.device < $1.device }
    return .send(
      .welcome(
        behind: known != frontier, presence: presence,
        pingSeconds: Int(Limits.pingInterval.components.seconds)), to: id)
  }

  private func others(than device: DeviceID, in entry: Account) -> [ConnectionID] {
    entry.connections.filter { $0.key != device }.map(\.value)
  }

  private mutating func take(_ account: AccountID) -> Account {
    if let entry = accounts[account] { return entry }
    if accounts.count >= accountLimit { forget() }
    return Account()
  }

  private mutating func put(_ entry: Account, _ account: AccountID) {
    clock += 1
    var entry = entry
    entry.touched = clock
    accounts[account] = entry
  }

  /// Forgets the tenth of the accounts nobody is connected to that was quiet longest.
  private mutating func forget() {
    let idle = accounts.filter { $0.value.connections.isEmpty }
      .sorted { $0.value.touched < $1.value.touched }
    for (account, _) in idle.prefix(max(1, accountLimit / 10)) { accounts[account] = nil }
  }

  private static func bound(_ presence: inout [DeviceID: PushFrame.Presence]) {
    guard presence.count > Limits.devices,
      let oldest = presence.values.filter({ !$0.online }).min(by: { $0.at < $1.at })
    else { return }
    presence[oldest.device] = nil
  }
}

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
    /// The same frame for each of the connections.
    case send(PushFrame, to: [ConnectionID])
    case dismiss(ConnectionID, PushFrame.Reason)
  }

  struct Place: Sendable {
    let account: AccountID
    let device: DeviceID
  }

  private struct Departure: Sendable {
    let place: Place
    let connection: ConnectionID
    /// In milliseconds since 1970.
    let at: Int64
    /// When the others are told, by a clock that never goes back.
    let due: Duration
  }

  /// Accounts remembered without a connection. One forgotten costs its devices one sync each.
  public let accountLimit: Int
  private(set) var accounts: [AccountID: HubAccount] = [:]
  /// The account each connection belongs to; which device it is stands in that account's list.
  private var owners: [ConnectionID: AccountID] = [:]
  private var clock: UInt64 = 0
  /// How long a device that lost its connection may be away before the others are told.
  private let absence: Duration
  /// Who may be gone, in the order of ``Departure/due``.
  private var departures: [Departure] = []

  public static let usualAbsence = Duration.seconds(10)

  /// - Parameters:
  ///   - absence: How long a device may be away before the others are told that it is gone: a
  ///   connection that broke is mostly there again within it.
  ///   - accountLimit: See ``accountLimit``.
  public init(accountLimit: Int = 100_000, absence: Duration = usualAbsence) {
    self.accountLimit = accountLimit
    self.absence = absence
  }

  public var connectionCount: Int { owners.count }

  /// Joins a device. It is subscribed before its frontier is compared, so that no signal falls
  /// between; a connection it had before is sent away without the others noticing, and they notice
  /// as little of one that broke a moment ago. `now` is in milliseconds since 1970.
  public mutating func join(
    _ id: ConnectionID, account: AccountID, device: DeviceID, frontier: Digest32, now: Int64
  ) -> [Delivery] {
    let joined = change(account) {
      $0.join(id, device: device, frontier: frontier, now: now)
    }
    guard let (replaced, presence) = joined else { return [.dismiss(id, .busy)] }
    owners[id] = account
    var deliveries = welcome(id, to: account, device: device, frontier: frontier)
    if let replaced {
      owners[replaced] = nil
      deliveries.append(.dismiss(replaced, .replaced))
    }
    if let presence {
      deliveries += tell(.presence(presence), to: account, exceptOf: device)
    }
    return deliveries
  }

  /// Answers a device that said hello again.
  public mutating func rejoin(_ id: ConnectionID, frontier: Digest32, now: Int64) -> [Delivery] {
    guard let place = place(of: id) else { return [] }
    change(place.account) { $0.renew(place.device, frontier: frontier) }
    return welcome(id, to: place.account, device: place.device, frontier: frontier)
  }

  /// Takes a connection out. The others learn from ``depart(uptime:)`` that the device is gone, at
  /// once if it will not be back, and never if it was replaced.
  public mutating func leave(
    _ id: ConnectionID, isForGood: Bool = false, now: Int64, uptime: Duration
  ) -> [Delivery] {
    guard let place = place(of: id), owners.removeValue(forKey: id) != nil else { return [] }
    change(place.account) { $0.lose(place.device) }
    let departure = Departure(place: place, connection: id, at: now, due: uptime + absence)
    if isForGood { return depart(departure) }
    departures.append(departure)
    return []
  }

  /// Tells of the devices that are away for longer than a connection takes that broke.
  public mutating func depart(uptime: Duration) -> [Delivery] {
    let due = departures.prefix { $0.due <= uptime }
    departures.removeFirst(due.count)
    return due.flatMap { depart($0) }
  }

  private mutating func depart(_ departure: Departure) -> [Delivery] {
    let place = departure.place
    guard accounts[place.account] != nil,
      let gone = change(
        place.account, { $0.depart(place.device, from: departure.connection, at: departure.at) })
    else { return [] }
    return tell(.presence(gone), to: place.account, exceptOf: place.device)
  }

  /// The device's connection, if it has one.
  func connection(of device: DeviceID, account: AccountID) -> ConnectionID? {
    accounts[account]?.connection(of: device)
  }

  /// Passes a signal on to every other device of the account. An old one is dropped.
  ///
  /// `now`, in milliseconds since 1970, stands in the frame.
  public mutating func publish(_ signal: Signal, now: Int64) -> [Delivery] {
    // A record has no place among its author's commits: the others are told that they are behind.
    guard !signal.isOfRecord else {
      return tell(.signal(nil), to: signal.account, exceptOf: signal.device)
    }
    let receivers = change(signal.account) { account -> [ConnectionID] in
      guard account.advance(signal.device, to: signal.sequence, now: now) else { return [] }
      return account.connections(exceptOf: signal.device)
    }
    guard !receivers.isEmpty else { return [] }
    let update = PushFrame.Update(
      device: signal.device, sequence: signal.sequence, at: now, trace: signal.trace)
    return [.send(.signal(update), to: receivers)]
  }

  /// Passes on that a device holds a commit.
  public func acknowledge(
    _ id: ConnectionID, device: DeviceID, sequence: UInt64
  ) -> [Delivery] {
    guard let place = place(of: id) else { return [] }
    return tell(
      .acknowledgement(device: device, sequence: sequence, by: place.device), to: place.account,
      exceptOf: place.device)
  }

  /// How long ago the signal came, if it is the newest of its author.
  func age(
    of sequence: UInt64, by author: DeviceID, toldTo id: ConnectionID, now: Int64
  ) -> Duration? {
    owners[id].flatMap { accounts[$0]?.toldAt(sequence, by: author) }
      .map { .milliseconds(max(0, now - $0)) }
  }

  func place(of id: ConnectionID) -> Place? {
    guard let account = owners[id], let device = accounts[account]?.device(of: id) else {
      return nil
    }
    return Place(account: account, device: device)
  }

  func connectedDevices(of account: AccountID) -> Set<DeviceID> {
    accounts[account]?.connectedDevices ?? []
  }

  private func welcome(
    _ id: ConnectionID, to account: AccountID, device: DeviceID, frontier: Digest32
  ) -> [Delivery] {
    guard let entry = accounts[account] else { return [] }
    let welcome = PushFrame.welcome(
      behind: entry.differs(from: frontier), presence: entry.presence(exceptOf: device),
      pingSeconds: Int(Limits.pingInterval.components.seconds))
    return [.send(welcome, to: [id])]
  }

  private func tell(
    _ frame: PushFrame, to account: AccountID, exceptOf device: DeviceID
  ) -> [Delivery] {
    let others = accounts[account]?.connections(exceptOf: device) ?? []
    return others.isEmpty ? [] : [.send(frame, to: others)]
  }

  /// Changes the account where it lies: a copy would cost as much as all its devices take.
  private mutating func change<Result>(
    _ account: AccountID, _ body: (inout HubAccount) -> Result
  ) -> Result {
    clock += 1
    if accounts.count >= accountLimit, accounts[account] == nil { forget() }
    accounts[account, default: HubAccount()].touched = clock
    return body(&accounts[account, default: HubAccount()])
  }

  /// Forgets the tenth of the accounts nobody is connected to that was quiet longest.
  private mutating func forget() {
    let idle = accounts.filter { !$0.value.isConnected }
      .sorted { $0.value.touched < $1.value.touched }
    for (account, _) in idle.prefix(max(1, accountLimit / 10)) { accounts[account] = nil }
  }
}

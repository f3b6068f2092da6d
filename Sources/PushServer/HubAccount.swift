import Crypto
import Wire

/// One account as the hub knows it: its devices, in a list.
///
/// A list and no dictionaries, because most accounts have a handful of devices and there are ten
/// thousand accounts: one device takes a hundred bytes so, and looking through 64 takes less time
/// than hashing one id.
struct HubAccount: Sendable {
  private struct Member: Sendable {
    let device: DeviceID
    /// The newest commit that a signal named; 0 for none.
    var sequence: UInt64 = 0
    /// When that signal came, in milliseconds since 1970.
    var toldAt: Int64 = 0
    /// ``nobody`` while it is not connected.
    var connection = HubAccount.nobody
    /// The connection it lost and may be back from; ``nobody`` otherwise.
    var lost = HubAccount.nobody
    /// When it came or went; nil for one that only signals named.
    var at: Int64?
    /// The digest it said hello with, in four words: an array takes twice as much.
    private var digest: Words?
    private typealias Words = (UInt64, UInt64, UInt64, UInt64)

    init(device: DeviceID) {
      self.device = device
    }

    var frontier: Digest32? {
      get {
        guard let digest else { return nil }
        return Digest32(bytes: withUnsafeBytes(of: digest) { Array($0) })
      }
      set {
        digest = newValue.map { frontier in
          frontier.bytes.withUnsafeBytes { $0.loadUnaligned(as: Words.self) }
        }
      }
    }

    var isConnected: Bool { connection != HubAccount.nobody }
    /// What the others are told: one that may be back is not gone yet.
    var isOnline: Bool { isConnected || lost != HubAccount.nobody }

    var presence: PushFrame.Presence? {
      at.map {
        PushFrame.Presence(device: device, online: isOnline, at: $0, frontier: frontier)
      }
    }
  }

  /// No connection has this number: they are counted from 1.
  private static let nobody: Hub.ConnectionID = 0
  /// All that may be connected, and as many that were.
  static let memberLimit = 2 * Limits.devices

  private var members: [Member] = []
  /// The count of changes of all accounts when this one was changed last.
  var touched: UInt64 = 0

  var isConnected: Bool { members.contains(where: \.isConnected) }
  var connectedDevices: Set<DeviceID> { Set(members.filter(\.isConnected).map(\.device)) }

  private var connectionCount: Int { members.reduce(0) { $0 + ($1.isConnected ? 1 : 0) } }

  func connection(of device: DeviceID) -> Hub.ConnectionID? {
    guard let member = members.first(where: { $0.device == device }), member.isConnected else {
      return nil
    }
    return member.connection
  }

  func device(of connection: Hub.ConnectionID) -> DeviceID? {
    members.first { $0.connection == connection }?.device
  }

  /// Notes the connection; what it replaces, and what the others are to be told unless they know it
  /// already. Nil where the account has connections enough.
  mutating func join(
    _ id: Hub.ConnectionID, device: DeviceID, frontier: Digest32, now: Int64
  ) -> (replaced: Hub.ConnectionID?, presence: PushFrame.Presence?)? {
    let replaced = connection(of: device)
    guard replaced != nil || connectionCount < Limits.pushConnectionsPerAccount else { return nil }
    let place = place(of: device)
    let isKnown = members[place].isOnline && members[place].frontier == frontier
    members[place].connection = id
    members[place].lost = Self.nobody
    members[place].at = now
    members[place].frontier = frontier
    return (replaced, isKnown ? nil : members[place].presence)
  }

  mutating func renew(_ device: DeviceID, frontier: Digest32) {
    members[place(of: device)].frontier = frontier
  }

  /// Notes that the device lost its connection, which it may soon be back from.
  mutating func lose(_ device: DeviceID) {
    guard let place = members.firstIndex(where: { $0.device == device }) else { return }
    members[place].lost = members[place].connection
    members[place].connection = Self.nobody
  }

  /// Notes that the device is gone since `time`; nil if it has come back from losing `connection`.
  mutating func depart(
    _ device: DeviceID, from connection: Hub.ConnectionID, at time: Int64
  ) -> PushFrame.Presence? {
    guard let place = members.firstIndex(where: { $0.device == device }),
      members[place].lost == connection
    else { return nil }
    members[place].lost = Self.nobody
    members[place].at = time
    return members[place].presence
  }

  /// Notes the sequence; false for one that is no newer.
  mutating func advance(_ device: DeviceID, to sequence: UInt64, now: Int64) -> Bool {
    let place = place(of: device)
    guard sequence > members[place].sequence else { return false }
    members[place].sequence = sequence
    members[place].toldAt = now
    return true
  }

  /// When that signal came; nil for another than the author's newest.
  func toldAt(_ sequence: UInt64, by author: DeviceID) -> Int64? {
    members.first { $0.device == author && $0.sequence == sequence }?.toldAt
  }

  /// The connections of all other devices.
  func connections(exceptOf device: DeviceID) -> [Hub.ConnectionID] {
    var others: [Hub.ConnectionID] = []
    others.reserveCapacity(members.count)
    for member in members where member.isConnected && member.device != device {
      others.append(member.connection)
    }
    return others
  }

  /// Whether somebody with this frontier holds anything else than what signals named.
  func differs(from frontier: Digest32) -> Bool {
    let known = members.filter { $0.sequence > 0 }.map { ($0.device, $0.sequence) }
    let input = Frontier.digestInput(Dictionary(known) { max($0, $1) })
    return !SHA256.hash(data: input).elementsEqual(frontier.bytes)
  }

  /// The others, with when they came or went, in the order of their ids.
  func presence(exceptOf device: DeviceID) -> [PushFrame.Presence] {
    members.filter { $0.device != device }.compactMap(\.presence)
      .sorted { $0.device < $1.device }
  }

  /// Where the device stands. A new one takes, if it must, the place of the one that is gone
  /// longest; whoever comes back then is told that it is behind.
  private mutating func place(of device: DeviceID) -> Int {
    if let place = members.firstIndex(where: { $0.device == device }) { return place }
    if members.count >= Self.memberLimit,
      let oldest = members.indices.filter({ !members[$0].isConnected })
        .min(by: { members[$0].at ?? .min < members[$1].at ?? .min })
    {
      members.remove(at: oldest)
    }
    members.append(Member(device: device))
    return members.count - 1
  }
}

import NIOCore
import Wire

/// How many come from where: connections by address, and hellos by account.
struct Crowd {
  /// All devices of an account, twice in a minute: more is a device that does not wait.
  static let hellosPerMinute = 2 * Limits.devices
  private static let minute = Duration.seconds(60)

  /// Whence a connection comes: an IPv4 address, or of IPv6 the network, since whoever has one has
  /// all its addresses.
  struct Origin: Hashable {
    private let isNetwork: Bool
    private let number: UInt64

    /// nil for a socket without an address.
    init?(_ address: SocketAddress?) {
      // Where the address stands in sockaddr_in and sockaddr_in6.
      let place: Range<Int>
      switch address {
      case .v4: place = 4..<8
      case .v6: place = 8..<16
      case .unixDomainSocket, nil: return nil
      }
      isNetwork = place.count == 8
      number =
        address?.withSockAddr { pointer, size in
          UnsafeRawBufferPointer(start: pointer, count: size)[place]
            .reduce(0) { $0 << 8 | UInt64($1) }
        } ?? 0
    }
  }

  private var connections: [Origin: Int] = [:]
  private var hellos: [AccountID: Int] = [:]
  private var minuteEnds: Duration?

  /// Counts a connection, and says whether the limit, where there is one, allows it.
  mutating func enter(_ origin: Origin?, limit: Int?) -> Bool {
    guard let origin else { return true }
    connections[origin, default: 0] += 1
    return limit.map { connections[origin, default: 0] <= $0 } ?? true
  }

  mutating func leave(_ origin: Origin?) {
    guard let origin, let count = connections[origin] else { return }
    connections[origin] = count > 1 ? count - 1 : nil
  }

  /// Counts a hello whose token was good; false when the account had enough for this minute.
  mutating func greets(_ account: AccountID) -> Bool {
    hellos[account, default: 0] += 1
    return hellos[account, default: 0] <= Self.hellosPerMinute
  }

  mutating func tick(uptime: Duration) {
    guard let end = minuteEnds else {
      minuteEnds = uptime + Self.minute
      return
    }
    guard uptime >= end else { return }
    minuteEnds = uptime + Self.minute
    hellos.removeAll(keepingCapacity: true)
  }
}

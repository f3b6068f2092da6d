import Foundation
import Glibc
@testable import PushServer
import Synchronization
import Testing
import Wire

/// Clients that do what none should: slowly, half, too much, or nonsense. They go, and nobody else
/// notices.
@Suite(.serialized, .timeLimit(.minutes(1))) struct AbuseTests {
  /// A clock that is put forward by hand.
  private final class Clock: Sendable {
    private let time = Mutex(Duration.zero)

    var now: Duration { time.withLock { $0 } }
    func advance(_ span: Duration) { time.withLock { $0 += span } }
  }

  private static func upgrade(_ path: String = "/push") -> [UInt8] {
    Array(
      """
      GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """.utf8)
  }

  /// What an abuser writes, and nothing else.
  private static let abuses: [(name: String, bytes: [UInt8])] = [
    ("nothing", []),
    ("half a head", Array(upgrade().prefix(40))),
    (
      "a head without end",
      Array("GET / HTTP/1.1\r\nx: ".utf8) + Array(repeating: 0x61, count: 9000)
    ),
    ("no HTTP", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    (
      "a body that does not come",
      Array(
        "POST /push/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n{".utf8)
    ),
    (
      "a body of a terabyte",
      Array(
        "POST /push/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 1099511627776\r\n\r\n".utf8)
    ),
    (
      "two lengths",
      Array(
        "POST /bayeux HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]".utf8)
    ),
    (
      "chunks",
      Array(
        "POST /bayeux HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".utf8)
    ),
    ("an unmasked frame", upgrade() + RawSocket.frame(1, Array("{}".utf8), masked: false)),
    ("a frame of exabytes", upgrade() + [0x81, 0xff, 0x7f] + Array(repeating: 0xff, count: 7)),
    ("bad UTF-8", upgrade() + RawSocket.frame(1, [0xc3, 0x28])),
    ("a reserved bit", upgrade() + RawSocket.frame(1, Array("{}".utf8), rsv: 4)),
    ("a long ping", upgrade() + RawSocket.frame(9, Array(repeating: 0, count: 126))),
    ("half a frame", upgrade() + [0x81, 0xfe, 0x01]),
    (
      "fragments without end",
      upgrade() + RawSocket.frame(1, [0x7b], fin: false)
        + Array((0..<500).map { _ in RawSocket.frame(0, [0x20, 0x20, 0x20], fin: false) }.joined())
    ),
    ("nests", upgrade() + RawSocket.frame(1, Array(repeating: 0x5b, count: 4000))),
    (
      "nests of Bayeux",
      upgrade("/bayeux") + RawSocket.frame(1, Array(repeating: 0x5b, count: 4000))
    ),
    (
      "pings that nobody reads the answers of",
      upgrade()
        + Array((0..<2000).map { _ in RawSocket.frame(9, [1, 2, 3]) }.joined())
    ),
  ]

  @Test func abusersGoAndNobodyElseNotices() async throws {
    let clock = Clock()
    try await running(
      connections: 2000, uptime: { clock.now }, requestWait: .seconds(2)
    ) { service in
      let home = try await device(id(2), at: service).socket
      let work = try await device(id(3), at: service).socket
      _ = try await home.receivePush()
      var abusers: [(name: String, socket: RawSocket)] = []
      for round in 1...20 as ClosedRange<UInt64> {
        for abuse in Self.abuses {
          let socket = try await RawSocket(port: service.devicePort)
          // The server may have had enough of it before all is written.
          try? await socket.send(abuse.bytes)
          abusers.append((abuse.name, socket))
        }
        let signal = Signal(account: someone, device: id(2), sequence: round)
        _ = try await post(try json(signal), at: service)
        guard case .signal(let update?) = try await work.receivePush() else {
          Issue.record("no signal in round \(round)")
          return
        }
        #expect(update.sequence == round)
      }
      // Whoever opened a WebSocket and said no hello is left; then its five seconds are over.
      clock.advance(.seconds(6))
      // Once more for those the service had not got to by then.
      try await Task.sleep(for: .milliseconds(1500))
      clock.advance(.seconds(6))
      let end = ContinuousClock.now + .seconds(10)
      while try await service.openChannels() > 2 || abusers.contains(where: \.socket.isOpen),
        ContinuousClock.now < end
      {
        try await Task.sleep(for: .milliseconds(20))
      }
      let left = (try await service.openChannels(), try await service.connectionCount())
      #expect(left == (2, 2))
      #expect(abusers.filter { $0.socket.isOpen }.map(\.name) == [])
    }
  }

  @Test func oneThatTricklesItsRequestIsCutOff() async throws {
    try await running(requestWait: .milliseconds(300)) { service in
      let socket = try await RawSocket(port: service.devicePort)
      let start = ContinuousClock.now
      for byte in Self.upgrade() {
        do { try await socket.send([byte]) } catch { break }
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(await socket.bytes(1) == nil)
      #expect(ContinuousClock.now - start < .seconds(3), "each byte did not win it more time")
    }
  }

  @Test func idleDevicesAreManyAndEachHearsOfItsAccount() async throws {
    try await running(connections: 1000) { service in
      var sockets: [(account: AccountID, socket: RawSocket)] = []
      for number in 0..<500 {
        let account = try #require(
          AccountID(
            bytes: Array(repeating: 0, count: 14) + [UInt8(number >> 8), UInt8(number & 255)]))
        let socket = try await RawSocket.webSocket(port: service.devicePort)
        let token = "\(account):\(id(3) as DeviceID)"
        try await socket.send(.hello(token: token, frontier: empty))
        _ = try await socket.receivePush()
        sockets.append((account, socket))
      }
      #expect(try await service.connectionCount() == 500)
      let signals = sockets.enumerated().map { number, place in
        Signal(account: place.account, device: id(2), sequence: UInt64(number) + 1)
      }
      for part in [signals[..<250], signals[250...]] {
        let body = String(decoding: try JSONEncoder().encode(Array(part)), as: UTF8.self)
        #expect(try await post(body, at: service).hasPrefix("HTTP/1.1 200"))
      }
      for (number, place) in sockets.enumerated() {
        guard case .signal(let update?) = try await place.socket.receivePush() else {
          Issue.record("no signal for \(number)")
          return
        }
        #expect(update.sequence == UInt64(number) + 1)
      }
    }
  }

  /// Ten thousand ends in this process, and as many in another.
  private static let manySockets = 10_000

  private static func allowManyFiles() -> Bool {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit.rlim_cur > UInt(manySockets) + 500
  }

  @Test(.enabled(if: allowManyFiles(), "10,000 sockets need a higher `ulimit -Hn`"))
  func tenThousandThatSayNothingAreCutOffAndNobodyElseNotices() async throws {
    let count = Self.manySockets
    try await running(connections: count + 100, requestWait: .seconds(12)) { service in
      let (home, _) = try await device(id(2), at: service)
      let (work, _) = try await device(id(3), at: service)
      _ = try await home.receivePush()
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Conformance/idle_sockets.py").path
      async let idle = Python.run([script, "\(service.devicePort)", "\(count)"])
      let end = ContinuousClock.now + .seconds(40)
      var most = 0
      while ContinuousClock.now < end {
        most = max(most, try await service.openChannels())
        if most >= count { break }
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(most >= count)
      let signal = Signal(account: someone, device: id(2), sequence: 1)
      #expect(try await post(try json(signal), at: service).hasPrefix("HTTP/1.1 200"))
      guard case .signal(let update?) = try await work.receivePush() else {
        Issue.record("no signal among the idle")
        return
      }
      #expect(update.sequence == 1)
      #expect(try await idle.text == "opened \(count), closed \(count)\n")
      #expect(try await service.openChannels() == 2)
    }
  }

  @Test func aPeerThatIsGoneWithoutAWordIsNoticedByItsSilence() async throws {
    let clock = Clock()
    try await running(uptime: { clock.now }) { service in
      let (socket, _) = try await device(id(2), at: service)
      // Two pings are missed, the third finds nobody.
      for _ in 0..<3 {
        clock.advance(Limits.pingInterval)
        // The service looks at its clock once a second.
        try await Task.sleep(for: .milliseconds(1200))
      }
      #expect(try await service.connectionCount() == 0)
      #expect(try await socket.receive()?.opcode == 9)
    }
  }
}

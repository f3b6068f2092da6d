import NIOCore
@testable import PushServer
import Testing
import Wire

/// No address and no account takes the service for itself.
@Suite(.timeLimit(.minutes(1))) struct CrowdTests {
  private final class Door {
    var crowd = Crowd()

    func lets(_ address: String, in limit: Int?) throws -> Bool {
      crowd.enter(Crowd.Origin(try SocketAddress(ipAddress: address, port: 1)), limit: limit)
    }

    func leave(_ address: String) throws {
      crowd.leave(Crowd.Origin(try SocketAddress(ipAddress: address, port: 1)))
    }

    func greets(_ account: AccountID) -> Bool { crowd.greets(account) }
  }

  @Test func anAddressHasItsShareAndGetsItBack() throws {
    let door = Door()
    let home = "192.0.2.1"
    for _ in 0..<2 { #expect(try door.lets(home, in: 2)) }
    #expect(try !door.lets(home, in: 2))
    #expect(try door.lets("192.0.2.2", in: 2))
    try door.leave(home)
    #expect(try !door.lets(home, in: 2), "the one that was refused is still counted")
    for _ in 0..<2 { try door.leave(home) }
    #expect(try door.lets(home, in: 2))
    #expect(try door.lets(home, in: nil))
  }

  @Test func aNetworkOfIPv6IsOneAddress() throws {
    let door = Door()
    #expect(try door.lets("2001:db8::1", in: 1))
    #expect(try !door.lets("2001:db8::ffff:2", in: 1))
    #expect(try door.lets("2001:db8:0:1::1", in: 1))
  }

  @Test func anAccountThatKeepsComingIsToldToWaitUntilTheMinuteEnds() {
    let door = Door()
    door.crowd.tick(uptime: .zero)
    for _ in 0..<Crowd.hellosPerMinute { #expect(door.greets(id(1))) }
    #expect(!door.greets(id(1)))
    #expect(door.greets(id(2)))
    door.crowd.tick(uptime: .seconds(59))
    #expect(!door.greets(id(1)))
    door.crowd.tick(uptime: .seconds(60))
    #expect(door.greets(id(1)))
  }

  @Test func oneAddressDoesNotTakeAllConnections() async throws {
    try await running(perAddress: 2) { service in
      let first = try await RawSocket.webSocket(port: service.devicePort)
      let second = try await RawSocket.webSocket(port: service.devicePort)
      let third = try await RawSocket(port: service.devicePort)
      #expect(await third.bytes(1) == nil)
      try await first.close()
      while try await service.openChannels() > 1 { try await Task.sleep(for: .milliseconds(5)) }
      let fourth = try await RawSocket.webSocket(port: service.devicePort)
      try await fourth.close()
      try await second.close()
    }
  }

  @Test func anAccountThatReconnectsWithoutEndIsSentAway() async throws {
    try await running { service in
      for _ in 0..<Crowd.hellosPerMinute {
        let (socket, welcome) = try await device(id(2), at: service)
        guard case .welcome? = welcome else {
          Issue.record("not welcomed: \(String(describing: welcome))")
          return
        }
        try await socket.close()
      }
      let (_, answer) = try await device(id(2), at: service)
      #expect(answer == .bye(reason: .busy, retryAfterMilliseconds: 1000))
    }
  }
}

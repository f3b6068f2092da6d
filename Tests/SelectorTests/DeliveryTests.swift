import Sync
import Testing

@testable import Selector

/// Proof of arrival: who has what was last sent, and how long it took.
@Suite struct DeliveryTests {
  /// What was sent at `Sample.now` is on its way to both peers.
  private func sending() -> Desk {
    var desk = Desk.open()
    var status = Sample.status()
    status.waiting = 1
    status.lastSent = Sample.at(20, 12, 41)
    desk.send(.status(status))
    desk.send(.clock(Sample.now + 20))
    desk.send(.status(Self.status(work: 1, mobile: 1)))
    return desk
  }

  private static func status(work: Int, mobile: Int) -> SyncStatus {
    var status = Sample.status()
    status.lastSent = Sample.now
    status.peers = status.peers.map { peer in
      SyncStatus.Peer(
        id: peer.id, name: peer.name, platform: peer.platform, isThisDevice: peer.isThisDevice,
        isOnline: peer.isOnline, lastSeen: peer.lastSeen,
        behind: peer.id == Sample.work ? work : peer.id == Sample.mobile ? mobile : 0)
    }
    return status
  }

  @Test func eachPeerIsTimedFromTheServersAnswerToItsAcknowledgement() {
    var desk = sending()
    #expect(desk.session.delivery?.words(desk.session.status.peers) == "on 1 of 3 devices")
    desk.send(.clock(Sample.now + 180))
    desk.send(.status(Self.status(work: 0, mobile: 1)))
    #expect(
      desk.session.delivery?.words(desk.session.status.peers)
        == "on 2 of 3 devices, slowest 180 ms")
    #expect(desk.session.log.entries.contains { $0.what == "on 2 of 3 devices, slowest 180 ms" })
    desk.send(.clock(Sample.now + 3_700_000))
    desk.send(.status(Self.status(work: 0, mobile: 0)))
    #expect(
      desk.session.delivery?.words(desk.session.status.peers)
        == "on all 3 devices, slowest 61 min")
  }

  @Test func theNextChangeIsProvedAnew() {
    var desk = sending()
    desk.send(.status(Self.status(work: 0, mobile: 0)))
    var status = Self.status(work: 1, mobile: 1)
    status.waiting = 1
    desk.send(.status(status))
    status.waiting = 0
    status.lastSent = Sample.now + 5000
    desk.send(.status(status))
    #expect(desk.session.delivery == Delivery(sentAt: Sample.now + 5000))
  }

  @Test func whatWasSentBeforeTheStartProvesNothing() {
    let desk = Desk.open()
    #expect(desk.session.delivery == nil)
  }
}

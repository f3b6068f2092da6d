import Crypto
@testable import PushServer
import Testing
import Wire

private let account: AccountID = id(1)
private let home: DeviceID = id(2)
private let work: DeviceID = id(3)
private let mobile: DeviceID = id(4)

private func digest(_ sequences: [DeviceID: UInt64]) -> Digest32 {
  Digest32(bytes: Array(SHA256.hash(data: Frontier.digestInput(sequences)))) ?? .zero
}

private func signal(_ device: DeviceID, _ sequence: UInt64) -> Signal {
  Signal(account: account, device: device, sequence: sequence, trace: "t")
}

private func frame(_ device: DeviceID, _ sequence: UInt64, at: Int64 = 0) -> PushFrame {
  .signal(PushFrame.Update(device: device, sequence: sequence, at: at, trace: "t"))
}

private func online(_ device: DeviceID, _ sequences: [DeviceID: UInt64] = [:], at: Int64 = 0)
  -> PushFrame.Presence
{
  PushFrame.Presence(device: device, online: true, at: at, frontier: digest(sequences))
}

extension Hub {
  fileprivate mutating func join(_ id: ConnectionID, _ device: DeviceID) -> [Delivery] {
    join(id, account: account, device: device, frontier: digest([:]), now: 0)
  }
}

@Test func aSignalReachesEveryDeviceButItsAuthor() {
  var hub = Hub()
  for (connection, device) in [(1, home), (2, work), (3, mobile)] as [(UInt64, DeviceID)] {
    _ = hub.join(connection, device)
  }
  #expect(
    hub.publish(signal(home, 1), now: 5) == [.send(frame(home, 1, at: 5), to: [2, 3])])
}

@Test func aRecordTellsAllButWhoBroughtItThatTheyAreBehind() {
  var hub = Hub()
  for (connection, device) in [(1, home), (2, work), (3, mobile)] as [(UInt64, DeviceID)] {
    _ = hub.join(connection, device)
  }
  let record = Signal(account: account, recordBy: work)
  for _ in 0..<2 {
    #expect(hub.publish(record, now: 5) == [.send(.signal(nil), to: [1, 3])])
  }
  #expect(hub.publish(Signal(account: id(9), recordBy: work), now: 5) == [])
  // It is no commit: nobody is behind one afterwards.
  let others = [online(home), online(work), online(mobile)]
  #expect(
    hub.join(4, id(5)).contains(
      .send(.welcome(behind: false, presence: others, pingSeconds: 25), to: [4])))
}

@Test func anOldOrRepeatedSignalIsDropped() {
  var hub = Hub()
  _ = hub.join(1, work)
  #expect(hub.publish(signal(home, 3), now: 0) == [.send(frame(home, 3), to: [1])])
  #expect(hub.publish(signal(home, 3), now: 0) == [])
  #expect(hub.publish(signal(home, 2), now: 0) == [])
  #expect(hub.publish(signal(home, 4), now: 0) == [.send(frame(home, 4), to: [1])])
}

@Test func nothingCrossesAccounts() {
  var hub = Hub()
  _ = hub.join(1, work)
  let foreign = Signal(account: id(9), device: home, sequence: 1)
  #expect(hub.publish(foreign, now: 0) == [])
  #expect(
    hub.join(2, account: id(9), device: mobile, frontier: digest([home: 1]), now: 0) == [
      .send(.welcome(behind: false, presence: [], pingSeconds: 25), to: [2])
    ])
}

@Test func welcomeTellsWhetherSignalsWereMissed() {
  var hub = Hub()
  _ = hub.publish(signal(home, 3), now: 0)
  _ = hub.publish(signal(work, 1), now: 0)
  for (held, behind) in [
    ([home: 3, work: 1], false), ([home: 2, work: 1], true), ([:], true),
    ([home: 3, work: 1, mobile: 1], true),
  ] as [([DeviceID: UInt64], Bool)] {
    var copy = hub
    let deliveries = copy.join(
      1, account: account, device: mobile, frontier: digest(held), now: 0)
    #expect(
      deliveries == [.send(.welcome(behind: behind, presence: [], pingSeconds: 25), to: [1])])
  }
}

@Test func devicesSeeEachOtherComeAndGo() {
  var hub = Hub()
  _ = hub.join(1, home)
  let joined = hub.join(2, account: account, device: work, frontier: digest([:]), now: 7)
  #expect(
    joined == [
      .send(.welcome(behind: false, presence: [online(home)], pingSeconds: 25), to: [2]),
      .send(.presence(online(work, at: 7)), to: [1]),
    ])
  let gone = PushFrame.Presence(device: work, online: false, at: 9, frontier: digest([:]))
  #expect(hub.leave(2, now: 9, uptime: .seconds(1)) == [])
  #expect(hub.leave(2, now: 10, uptime: .seconds(1)) == [])
  #expect(hub.depart(uptime: .milliseconds(10_999)) == [])
  #expect(hub.depart(uptime: .seconds(11)) == [.send(.presence(gone), to: [1])])
  #expect(hub.depart(uptime: .seconds(60)) == [], "it is said once")
  let back = hub.join(3, mobile)
  #expect(
    back.first
      == .send(.welcome(behind: false, presence: [online(home), gone], pingSeconds: 25), to: [3]))
}

@Test func theNewestConnectionOfADeviceWinsUnnoticed() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.join(2, work)
  let again = hub.join(3, work)
  #expect(
    again == [
      .send(.welcome(behind: false, presence: [online(home)], pingSeconds: 25), to: [3]),
      .dismiss(2, .replaced),
    ])
  #expect(hub.leave(2, now: 1, uptime: .zero) == [])
  #expect(
    hub.depart(uptime: .seconds(60)) == [], "the old one's end says nothing about the device")
  #expect(hub.publish(signal(home, 1), now: 0) == [.send(frame(home, 1), to: [3])])
}

@Test func aConnectionThatBreaksForAMomentIsNotNoticed() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.join(2, work)
  for (connection, uptime) in [(3, 1), (4, 9), (5, 14)] as [(UInt64, Int64)] {
    #expect(hub.leave(connection - 1, now: 1, uptime: .seconds(uptime)) == [])
    #expect(hub.depart(uptime: .seconds(uptime + 4)) == [])
    #expect(hub.join(connection, work).count == 1, "nobody else is told")
  }
  #expect(hub.depart(uptime: .seconds(60)) == [], "it is here")
  #expect(hub.publish(signal(home, 1), now: 0) == [.send(frame(home, 1), to: [5])])
}

@Test func whoComesBackHoldingMoreIsNoticed() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.join(2, work)
  _ = hub.leave(2, now: 1, uptime: .zero)
  let back = hub.join(3, account: account, device: work, frontier: digest([home: 1]), now: 2)
  #expect(back.last == .send(.presence(online(work, [home: 1], at: 2)), to: [1]))
}

@Test func whoIsAwayForAMomentIsStillShownToWhoComes() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.leave(1, now: 1, uptime: .zero)
  #expect(
    hub.join(2, work) == [
      .send(.welcome(behind: false, presence: [online(home)], pingSeconds: 25), to: [2])
    ])
  let gone = PushFrame.Presence(device: home, online: false, at: 1, frontier: digest([:]))
  #expect(hub.depart(uptime: .seconds(10)) == [.send(.presence(gone), to: [2])])
}

@Test func whoIsSentAwayForGoodIsGoneAtOnce() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.join(2, work)
  let gone = PushFrame.Presence(device: work, online: false, at: 9, frontier: digest([:]))
  #expect(
    hub.leave(2, isForGood: true, now: 9, uptime: .zero) == [.send(.presence(gone), to: [1])])
  #expect(hub.depart(uptime: .seconds(60)) == [])
}

@Test func aRenewedHelloIsComparedAgain() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.publish(signal(work, 1), now: 0)
  #expect(
    hub.rejoin(1, frontier: digest([:]), now: 3) == [
      .send(.welcome(behind: true, presence: [], pingSeconds: 25), to: [1])
    ])
  #expect(
    hub.rejoin(1, frontier: digest([work: 1]), now: 3) == [
      .send(.welcome(behind: false, presence: [], pingSeconds: 25), to: [1])
    ])
}

@Test func acknowledgementsReachTheOthersWithTheirSender() {
  var hub = Hub()
  _ = hub.join(1, home)
  _ = hub.join(2, work)
  #expect(
    hub.acknowledge(2, device: home, sequence: 4) == [
      .send(.acknowledgement(device: home, sequence: 4, by: work), to: [1])
    ])
  #expect(hub.acknowledge(99, device: home, sequence: 4) == [])
}

@Test func anAccountHasAtMostSixtyFourConnections() {
  var hub = Hub()
  for byte in UInt8(1)...64 { _ = hub.join(UInt64(byte), id(byte)) }
  #expect(hub.join(65, id(65)) == [.dismiss(65, .busy)])
  #expect(hub.connectionCount == 64)
  #expect(hub.join(66, id(64)).contains(.dismiss(64, .replaced)))
}

@Test func quietAccountsAreForgottenAndConnectedOnesAreNot() {
  var hub = Hub(accountLimit: 10)
  _ = hub.join(1, work)
  _ = hub.publish(signal(home, 1), now: 0)
  for byte in UInt8(100)...150 {
    _ = hub.publish(Signal(account: id(byte), device: home, sequence: 1), now: 0)
  }
  #expect(hub.accounts.count <= 10)
  #expect(hub.publish(signal(home, 2), now: 0) == [.send(frame(home, 2), to: [1])])
}

struct PendingFramesTests {
  private func drained(_ pending: inout PendingFrames) -> [PushFrame] {
    var frames: [PushFrame] = []
    while let frame = pending.next() { frames.append(frame) }
    return frames
  }

  @Test func onlyTheNewestOfEachKindIsKept() {
    var pending = PendingFrames()
    for sequence in UInt64(1)...1000 { pending.add(frame(home, sequence)) }
    pending.add(frame(home, 999))
    pending.add(frame(work, 2))
    pending.add(.presence(online(work)))
    let gone = PushFrame.Presence(device: work, online: false, at: 1)
    pending.add(.presence(gone))
    for sequence in [5, 9, 7] as [UInt64] {
      pending.add(.acknowledgement(device: home, sequence: sequence, by: work))
    }
    pending.add(.pong)
    pending.add(.pong)
    #expect(
      drained(&pending) == [
        frame(home, 1000), frame(work, 2), .presence(gone),
        .acknowledgement(device: home, sequence: 9, by: work), .pong,
      ])
    #expect(pending.isEmpty)
  }

  @Test func moreAuthorsThanFitBecomeYouAreBehind() {
    var pending = PendingFrames()
    for byte in UInt8(1)...65 { pending.add(frame(id(byte), 1)) }
    pending.add(frame(id(66), 1))
    #expect(drained(&pending) == [.signal(nil)])
    pending.add(frame(home, 1))
    #expect(drained(&pending) == [frame(home, 1)])
  }

  @Test func aWelcomeComesFirst() {
    var pending = PendingFrames()
    pending.add(frame(home, 1))
    let welcome = PushFrame.welcome(behind: true, presence: [], pingSeconds: 25)
    pending.add(welcome)
    #expect(drained(&pending) == [welcome, frame(home, 1)])
  }
}

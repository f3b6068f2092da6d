@testable import AttributeServer
import Foundation
import Testing
import Wire

struct MailboxTests {
  private let clock = TestClock()
  private let place: RendezvousID = id(40)

  private func code(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? Problem)?.code.rawValue
    }
  }

  @Test func twoLettersAndTheMailboxIsGone() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    #expect(try await boxes.take(from: .offer, of: place, wait: .zero) == nil)
    try await boxes.put([1], in: .offer, of: place)
    #expect(try await boxes.take(from: .offer, of: place, wait: .zero) == [1])
    try await boxes.put([2], in: .answer, of: place)
    #expect(try await boxes.take(from: .answer, of: place, wait: .zero) == [2])
    #expect(
      await code { _ = try await boxes.take(from: .answer, of: place, wait: .zero) }
        == "mailbox_gone")
    #expect(await code { try await boxes.put([3], in: .offer, of: place) } == "mailbox_gone")
    #expect(await code { try await boxes.open(place, by: id(1)) } == "mailbox_gone")
  }

  @Test func aLetterIsGivenOutOnce() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    try await boxes.put([1], in: .offer, of: place)
    _ = try await boxes.take(from: .offer, of: place, wait: .zero)
    #expect(
      await code { _ = try await boxes.take(from: .offer, of: place, wait: .zero) }
        == "mailbox_gone")
  }

  @Test func aSecondOfferIsRefusedAndARepetitionIsNot() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    try await boxes.put([1], in: .offer, of: place)
    try await boxes.put([1], in: .offer, of: place)
    #expect(await code { try await boxes.put([2], in: .offer, of: place) } == "mailbox_gone")
  }

  @Test func aMailboxNobodyOpenedIsGone() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    #expect(await code { try await boxes.put([1], in: .offer, of: place) } == "mailbox_gone")
    #expect(
      await code { _ = try await boxes.take(from: .offer, of: place, wait: .seconds(5)) }
        == "mailbox_gone")
  }

  @Test func afterFiveMinutesItIsGone() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    clock.advance(.seconds(299))
    try await boxes.put([1], in: .offer, of: place)
    clock.advance(.seconds(1))
    #expect(
      await code { _ = try await boxes.take(from: .offer, of: place, wait: .zero) }
        == "mailbox_gone")
  }

  @Test func whoWaitsGetsTheLetterWhenItComes() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    async let letter = boxes.take(from: .offer, of: place, wait: .seconds(25))
    try await boxes.put([5], in: .offer, of: place)
    #expect(try await letter == [5])
  }

  @Test func aStoppingServerLetsNobodyWait() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    try await boxes.open(place, by: id(1))
    async let letter = boxes.take(from: .offer, of: place, wait: .seconds(25))
    await boxes.drain()
    #expect(try await letter == nil)
  }

  @Test func aLetterHasALimitAndAnAccountHasFourMailboxes() async throws {
    let boxes = Mailboxes(clock: clock.clock)
    for byte in UInt8(1)...4 { try await boxes.open(id(byte), by: id(1)) }
    #expect(await code { try await boxes.open(id(5), by: id(1)) } == "too_many")
    try await boxes.open(id(5), by: id(2))
    let letter = [UInt8](repeating: 0, count: Limits.mailboxBytes + 1)
    #expect(await code { try await boxes.put(letter, in: .offer, of: id(1)) } == "too_large")
  }

  @Test func onlyADeviceOpensAMailbox() async throws {
    let server = try TestServer()
    let place = place
    try await server.run { caller in
      let device = try TestDevice(1)
      _ = try await caller.post(Route.accounts, try TestAccount(200, device: device).request())
      let path = "\(Route.enrol)/\(place)"
      #expect(try await caller.post(path, MailboxRequest(box: .open)).code == "auth_failed")
      let token = try await caller.token(for: device)
      #expect(try await caller.post(path, MailboxRequest(box: .open), token: token).status == 204)
      #expect(try await caller.get(path + "/offer").status == 204)
      let offer = MailboxRequest(box: .offer, letter: Blob([1, 2]))
      #expect(try await caller.post(path, offer).status == 204)
      let letter: MailboxResponse = try await caller.get(path + "/offer?wait=25").read()
      #expect(letter.letter == Blob([1, 2]))
      #expect(try await caller.get(path + "/offer").code == "mailbox_gone")
      #expect(try await caller.get(path + "/open").code == "not_found")
      #expect(try await caller.get(path + "/answer?wait=-1").code == "malformed")
      #expect(try await caller.get("\(Route.enrol)/xyz/offer").code == "malformed")
      #expect(try await caller.post(path, MailboxRequest(box: .offer)).code == "malformed")
    }
  }
}

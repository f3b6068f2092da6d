import Access
import Foundation
import Testing
import Wire

@testable import AttributeServer

/// Somebody asks without end from the address that devices of an account share with them.
struct FloodTests {
  private static let places: RendezvousID = id(40)

  /// A server whose one address is spent by the time `body` runs, and stays so.
  private static func flooded(
    _ device: Rate = Rate(perSecond: 1, burst: 10),
    _ body: @Sendable (TestServer, TestCaller, TestDevice, TestAccount) async throws -> Void
  ) async throws {
    let server = try TestServer(
      limits: ServerLimits(device: device, address: Rate(perSecond: 0.001, burst: 6)))
    try await server.run { caller in
      let device = try TestDevice(1)
      let account = try TestAccount(200, device: device)
      _ = try await caller.post(Route.accounts, account.request())
      try await body(server, caller, device, account)
    }
  }

  private static func flood(_ caller: TestCaller) async throws {
    let request = ChallengeRequest(handle: hash([1]))
    var codes: Set<String?> = []
    for _ in 0..<20 { codes.insert(try await caller.post(Route.challenge, request).code) }
    #expect(codes.contains("rate_limited"))
  }

  @Test func anEnrolledDeviceIsNotLockedOut() async throws {
    try await Self.flooded { server, caller, device, _ in
      let old = try await caller.token(for: device)
      try await Self.flood(caller)
      let token = try await caller.token(for: device)
      #expect(try await caller.get(Route.membership, token: token).status == 200)
      // That the old token is over is said, too: else the device would not ask for the next.
      server.clock.advance(Limits.tokenLife + .seconds(61))
      #expect(try await caller.get(Route.membership, token: old).code == "auth_expired")
    }
  }

  /// A server whose signing key was changed: its devices ask for the next token when they hear it.
  @Test func aTokenThatNoLongerVerifiesIsNamedSo() async throws {
    try await Self.flooded { server, caller, device, account in
      try await Self.flood(caller)
      let other = try TokenIssuer(
        instance: server.database.identity.instance, seed: [UInt8](repeating: 7, count: 32))
      let token = try await other.issue(
        account: account.id, device: device.id, audience: .attributes, scope: .sync,
        now: server.clock.clock.now(), life: Limits.tokenLife, id: "1")
      let answer = try await caller.get(Route.membership, token: token.text)
      #expect(answer.code == "auth_failed")
      #expect(answer.status == 401)
    }
  }

  @Test func aDeviceIsPaired() async throws {
    try await Self.flooded { _, caller, device, _ in
      try await Self.flood(caller)
      let path = "\(Route.enrol)/\(Self.places)"
      let offer = MailboxRequest(box: .offer, letter: Blob([1]))
      // Nobody has opened it yet: it is one of those that are guessed.
      #expect(try await caller.post(path, offer).code == "rate_limited")
      #expect(try await caller.get(path + "/offer").code == "rate_limited")
      #expect(try await caller.post(path, MailboxRequest(box: .open)).code == "auth_failed")
      let token = try await caller.token(for: device)
      #expect(try await caller.post(path, MailboxRequest(box: .open), token: token).status == 204)
      #expect(try await caller.post(path, offer).status == 204)
      let offered: MailboxResponse = try await caller.get(path + "/offer").read()
      #expect(offered.letter == Blob([1]))
      let answer = MailboxRequest(box: .answer, letter: Blob([2]))
      #expect(try await caller.post(path, answer).status == 204)
      let answered: MailboxResponse = try await caller.get(path + "/answer").read()
      #expect(answered.letter == Blob([2]))
      // It is closed again.
      #expect(try await caller.get(path + "/answer").code == "rate_limited")
    }
  }

  @Test func aPairingIsLimitedToo() async throws {
    try await Self.flooded(Rate(perSecond: 0.5, burst: 3)) { server, caller, device, _ in
      let path = "\(Route.enrol)/\(Self.places)"
      let token = try await caller.token(for: device)
      #expect(try await caller.post(path, MailboxRequest(box: .open), token: token).status == 204)
      for _ in 0..<3 { #expect(try await caller.get(path + "/offer").status == 204) }
      let refused = try await caller.get(path + "/offer")
      #expect(refused.code == "rate_limited" && refused.retryAfter == "2")
      server.clock.advance(.seconds(2))
      #expect(try await caller.get(path + "/offer").status == 204)
    }
  }

  /// Whoever got as far as a token with passphrase and kit gets to the end.
  @Test func aRecoveryThatHasBegunIsFinished() async throws {
    try await Self.flooded { _, caller, _, account in
      let request = try await caller.slotRequest(of: account)
      let slot: SlotResponse = try await caller.post(Route.slot, request).read()
      try await Self.flood(caller)
      #expect(try await caller.get(Route.membership, token: slot.token).status == 200)
      let mobile = try TestDevice(3)
      let addition = MembershipRequest(
        expectedHead: account.head, record: Blob(try account.addition(of: mobile, by: nil)))
      #expect(try await caller.post(Route.membership, addition, token: slot.token).status == 200)
      let token = try await caller.token(for: mobile)
      #expect(try await caller.get(Route.membership, token: token).status == 200)
    }
  }

  @Test func proofsAreLimitedByTheDeviceThatMakesThem() async throws {
    try await Self.flooded(Rate(perSecond: 0.5, burst: 3)) { server, caller, device, _ in
      try await Self.flood(caller)
      // Who knows its id and has not its key spends nothing of it.
      for _ in 0..<10 {
        let guess = try await caller.tokenRequest(for: device, signedFor: [.push])
        #expect(try await caller.post(Route.token, guess).code == "rate_limited")
      }
      for _ in 0..<3 { _ = try await caller.token(for: device) }
      let fourth = try await caller.tokenRequest(for: device)
      let refused = try await caller.post(Route.token, fourth)
      #expect(refused.code == "rate_limited" && refused.retryAfter == "2")
      server.clock.advance(.seconds(2))
      _ = try await caller.token(for: device)
    }
  }

  @Test func aChallengeIsNotPushedOutByOthers() async throws {
    let challenges = Challenges()
    let mine = try challenges.make(for: .device(id(1)), now: .zero)
    for _ in 0..<20_000 { _ = try challenges.make(for: .device(id(2)), now: .zero) }
    let changed = mine.enumerated().map { $0.offset == 31 ? $0.element ^ 1 : $0.element }
    for (challenge, subject) in [
      (mine, Challenges.Subject.device(id(2))), (changed, .device(id(1))),
      (Array(mine.dropLast()), .device(id(1))), (mine + [0], .device(id(1))),
    ] {
      #expect(!challenges.isGood(challenge, for: subject, now: .zero))
      #expect(!challenges.use(challenge, by: subject, now: .zero))
    }
    #expect(challenges.isGood(mine, for: .device(id(1)), now: .seconds(59)))
    #expect(challenges.use(mine, by: .device(id(1)), now: .seconds(59)))
    #expect(!challenges.isGood(mine, for: .device(id(1)), now: .seconds(59)))
    #expect(!challenges.use(mine, by: .device(id(1)), now: .seconds(59)))
    #expect(!Challenges().isGood(mine, for: .device(id(1)), now: .seconds(59)))
  }

  /// Those that were used are kept until they are over, and no longer.
  @Test func usedChallengesStayUsedWhileOthersAreForgotten() async throws {
    let challenges = Challenges()
    func made(at now: Duration, _ count: Int) throws -> [[UInt8]] {
      try (0..<count).map { _ in
        let challenge = try challenges.make(for: .device(id(1)), now: now)
        #expect(challenges.use(challenge, by: .device(id(1)), now: now))
        return challenge
      }
    }
    let first = try made(at: .zero, 1500)
    let second = try made(at: .seconds(30), 10)
    _ = try made(at: .seconds(61), 10)
    for challenge in first + second {
      #expect(!challenges.use(challenge, by: .device(id(1)), now: .seconds(61)))
    }
  }
}

import Access
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing
import Wire

@testable import AttributeServer

/// Whoever has no key learns from no answer whether a device or an account is known: status,
/// headers and body are compared whole, over real connections, at an address that is flooded and at
/// one that is not.
struct IdenticalAnswerTests {
  /// What somebody asks about a device or an account.
  enum Question: String, CaseIterable, CustomTestStringConvertible {
    case challengeOfDevice, challengeOfHandle, token, slot, provenSlot, ending, account, sync
    case takenLetter, putLetter

    var testDescription: String { rawValue }
  }

  /// An answer without what is random in it; that it has its usual size shows in the length.
  private struct Shape: Hashable {
    let status: Int
    let headers: [String]
    let body: String

    init(_ answer: TestCaller.Answer) throws {
      status = answer.status
      headers = answer.headers.filter { $0.name != .date }.map { "\($0)" }.sorted()
      let text = String(decoding: answer.body, as: UTF8.self)
      body = text.replacing(/"(challenge|salt)":"([^"]*)"/) { "\"\($0.1)\":\($0.2.utf8.count)" }
    }
  }

  /// An account with a device and a revoked one, and what might have been another.
  private struct World: Sendable {
    let server: TestServer
    let caller: TestCaller
    let known: TestAccount
    let unknown: TestAccount
    let home: TestDevice
    let revoked: TestDevice
    let nobody: TestDevice
    let expired: RendezvousID = id(41)
    /// Signed by another key, for challenges as good as any.
    private(set) var slotRequests: [SlotRequest] = []

    init(_ server: TestServer, _ caller: TestCaller) async throws {
      self.server = server
      self.caller = caller
      (home, revoked, nobody) = (try TestDevice(1), try TestDevice(2), try TestDevice(3))
      known = try TestAccount(200, device: home)
      unknown = try TestAccount(201, device: nobody)
      // What every selector writes.
      let request = known.request(
        invite: try server.arguments.invites.make(), memoryKibibytes: 256 * 1024, passes: 3)
      #expect(try await caller.post(Route.accounts, request).status == 201)
      try await revokeAnother()
      let path = "\(Route.enrol)/\(expired)"
      let token = try await caller.token(for: home)
      #expect(try await caller.post(path, MailboxRequest(box: .open), token: token).status == 204)
      server.clock.advance(.seconds(300))
      for account in [known, unknown] {
        slotRequests.append(try await caller.slotRequest(of: account, by: try key(9)))
      }
    }

    /// In an account of its own, since a revocation writes the slot anew.
    private func revokeAnother() async throws {
      let signer = try TestDevice(4)
      var account = try TestAccount(202, device: signer)
      let founding = account.request(invite: try server.arguments.invites.make())
      #expect(try await caller.post(Route.accounts, founding).status == 201)
      let token = try await caller.token(for: signer)
      for step in 0..<2 {
        let record =
          step == 0
          ? try account.addition(of: revoked, by: signer)
          : try account.rotation(without: [revoked.id], by: signer, cut: Frontier())
        let request = MembershipRequest(expectedHead: account.head, record: Blob(record))
        #expect(try await caller.post(Route.membership, request, token: token).status == 200)
        account.extended(by: record)
      }
    }

    /// The answers to the question, asked of each that is known and each that is not.
    func answers(to question: Question) async throws -> [TestCaller.Answer] {
      let devices = [home, revoked, nobody]
      let accounts = [known, unknown]
      switch question {
      case .challengeOfDevice:
        return try await each(devices) {
          try await caller.post(Route.challenge, ChallengeRequest(device: $0.id))
        }
      case .challengeOfHandle:
        return try await each(accounts) {
          try await caller.post(Route.challenge, ChallengeRequest(handle: $0.handle))
        }
      case .token:
        return try await each(devices) {
          let request = try await caller.tokenRequest(for: $0, signedFor: [.push])
          return try await caller.post(Route.token, request)
        }
      case .slot:
        return try await each(accounts) {
          let request = SlotRequest(
            handle: $0.handle, challenge: Blob([UInt8](repeating: 1, count: 32)),
            signature: Blob([UInt8](repeating: 1, count: 64)))
          return try await caller.post(Route.slot, request)
        }
      case .provenSlot:
        return try await each(slotRequests) { try await caller.post(Route.slot, $0) }
      case .ending:
        return try await each(accounts) {
          try await caller.get("\(Route.accounts)/\($0.id)/ending")
        }
      case .account:
        return try await each(accounts) { try await caller.post(Route.accounts, copy(of: $0)) }
      case .sync:
        return try await each(devices) {
          let request = SyncRequest(
            generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
          return try await caller.post(Route.sync, request, token: try await forged(for: $0))
        }
      case .takenLetter:
        return try await each([expired, id(42)]) {
          try await caller.get("\(Route.enrol)/\($0)/answer")
        }
      case .putLetter:
        return try await each([expired, id(42)]) {
          let letter = MailboxRequest(box: .offer, letter: Blob([1]))
          return try await caller.post("\(Route.enrol)/\($0)", letter)
        }
      }
    }

    private func each<Subject>(
      _ subjects: [Subject], _ ask: (Subject) async throws -> TestCaller.Answer
    ) async throws -> [TestCaller.Answer] {
      var answers: [TestCaller.Answer] = []
      for subject in subjects { answers.append(try await ask(subject)) }
      return answers
    }

    /// The account's name for an account of somebody else's, who was invited by nobody.
    private func copy(of account: TestAccount) throws -> AccountRequest {
      let other = try TestAccount(203, device: try TestDevice(5)).request(invite: "no")
      return AccountRequest(
        account: other.account, handle: account.handle, invite: other.invite,
        genesis: other.genesis, loginKey: other.loginKey, slot: other.slot,
        hashing: other.hashing)
    }

    /// A token as the server would make it, by another's key.
    private func forged(for device: TestDevice) async throws -> String {
      let issuer = try TokenIssuer(
        instance: server.database.identity.instance, seed: [UInt8](repeating: 7, count: 32))
      return try await issuer.issue(
        account: known.id, device: device.id, audience: .attributes, scope: .sync,
        now: server.clock.clock.now(), life: Limits.tokenLife, id: "1"
      ).text
    }
  }

  @Test(arguments: Question.allCases)
  func whatIsKnownIsAnsweredLikeWhatIsNot(_ question: Question) async throws {
    try await areAlike(question, isFlooded: false)
  }

  @Test(arguments: Question.allCases)
  func whatIsKnownIsAnsweredLikeWhatIsNotInAFlood(_ question: Question) async throws {
    try await areAlike(question, isFlooded: true)
  }

  private func areAlike(_ question: Question, isFlooded: Bool) async throws {
    let server = try TestServer(
      registration: .invite,
      limits: ServerLimits(address: Rate(perSecond: 0.001, burst: isFlooded ? 10 : 1000)))
    try await server.run(over: .live) { caller in
      let world = try await World(server, caller)
      if isFlooded {
        let request = ChallengeRequest(handle: hash([1]))
        while try await caller.post(Route.challenge, request).status == 200 {}
      }
      let answers = try await world.answers(to: question)
      let shapes = Set(try answers.map(Shape.init))
      #expect(shapes.count == 1, "\(shapes)")
      // What is held to the address is refused, and nothing is refused that is not.
      let isRefused = shapes.first?.status == 429
      #expect(isRefused == (isFlooded && ![.challengeOfDevice, .sync].contains(question)))
    }
  }
}

import Crypto
import Foundation
import Logging
import NIOCore
import Synchronization
import Testing
import Wire

@testable import AttributeServer

/// Who has no key of a device, and passphrase and kit neither, and tries all the same.
struct GuessTests {
  @Test func eachFailureBeyondTheFifthDoublesTheWait() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let device = try TestDevice(1)
      let account = try TestAccount(200, device: device)
      _ = try await caller.post(Route.accounts, account.request())
      func guess(by key: Curve25519.Signing.PrivateKey?) async throws -> TestCaller.Answer {
        try await caller.post(Route.slot, caller.slotRequest(of: account, by: key))
      }
      for _ in 0..<5 { #expect(try await guess(by: .init()).code == "auth_failed") }
      for wait in [1, 2, 4, 8, 16, 32, 64, 64] {
        // Refused, even if it was the right one: else the refusal would slow nobody down.
        let refused = try await guess(by: nil)
        #expect(refused.code == "rate_limited")
        #expect(refused.retryAfter == "\(wait)")
        // Nobody who is enrolled notices.
        _ = try await caller.token(for: device)
        server.clock.advance(.seconds(wait))
        #expect(try await guess(by: .init()).code == "auth_failed")
      }
      server.clock.advance(.seconds(64))
      #expect(try await guess(by: nil).status == 200)
      // Ten minutes later the five are free again.
      server.clock.advance(.seconds(600))
      for _ in 0..<5 { #expect(try await guess(by: .init()).code == "auth_failed") }
      #expect(try await guess(by: nil).code == "rate_limited")
    }
  }

  @Test func mistypingAndThenTypingRightWaitsForNothing() async throws {
    let server = try TestServer()
    try await server.run { caller in
      let account = try TestAccount(200, device: try TestDevice(1))
      _ = try await caller.post(Route.accounts, account.request())
      for _ in 0..<4 {
        let wrong = try await caller.slotRequest(of: account, by: .init())
        #expect(try await caller.post(Route.slot, wrong).code == "auth_failed")
      }
      for _ in 0..<8 {
        let right = try await caller.slotRequest(of: account)
        #expect(try await caller.post(Route.slot, right).status == 200)
      }
    }
  }

  /// From everywhere at once, so that no source has failed often.
  @Test func oneAccountIsGuessedAtSlowlyFromEverywhere() throws {
    let guesses = GuessLimiter(handle: Rate(perSecond: 0.5, burst: 3))
    for source in ["a", "b", "c"] {
      try guesses.check(hash([1]), from: source, now: .zero)
      guesses.fail(hash([1]), from: source, now: .zero)
    }
    #expect(throws: Problem(.rateLimited, retryAfterSeconds: 2)) {
      try guesses.check(hash([1]), from: "d", now: .zero)
    }
    // Another account's is not slowed down, and asking spends nothing.
    for _ in 0..<10 { try guesses.check(hash([2]), from: "d", now: .zero) }
    for _ in 0..<10 { try guesses.check(hash([1]), from: "d", now: .seconds(2)) }
  }

  @Test func allWhoHaveNoTokenShareOneLimitAndEnrolledDevicesDoNot() async throws {
    let server = try TestServer(limits: ServerLimits(everybody: Rate(perSecond: 0.5, burst: 4)))
    try await server.run { caller in
      let device = try TestDevice(1)
      _ = try await caller.post(Route.accounts, TestAccount(200, device: device).request())
      let request = ChallengeRequest(handle: hash([1]))
      for _ in 0..<3 { #expect(try await caller.post(Route.challenge, request).status == 200) }
      let refused = try await caller.post(Route.challenge, request)
      #expect(refused.code == "rate_limited" && refused.retryAfter == "2")
      let token = try await caller.token(for: device)
      #expect(try await caller.get(Route.membership, token: token).status == 200)
      server.clock.advance(.seconds(2))
      #expect(try await caller.post(Route.challenge, request).status == 200)
    }
  }

  @Test func whatItsAddressIsRefusedTakesNothingFromOthers() async throws {
    let limits = ServerLimits(
      address: Rate(perSecond: 1000, burst: 2), everybody: Rate(perSecond: 0.001, burst: 4))
    let server = try TestServer(limits: limits)
    try await server.run { caller async throws in
      let request = ChallengeRequest(handle: hash([1]))
      for _ in 0..<2 {
        for _ in 0..<2 { #expect(try await caller.post(Route.challenge, request).status == 200) }
        for _ in 0..<9 { #expect(try await caller.post(Route.challenge, request).status == 429) }
        server.clock.advance(.seconds(1))
      }
      #expect(try await caller.post(Route.challenge, request).status == 429)
    }
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.254", true), ("192.0.2.1", "192.0.3.1", false),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
    ("::ffff:192.0.2.1", "192.0.2.9", true), ("::ffff:192.0.2.1", "::ffff:192.0.3.1", false),
    ("::ffff:192.0.2.1", "::1", false),
  ])
  func addressesOfOneNetworkAreOneSource(_ one: String, _ other: String, _ areOne: Bool) throws {
    let sources = try [one, other].map {
      ServerRequestContext.source(of: try SocketAddress(ipAddress: $0, port: 7480))
    }
    #expect((sources[0] == sources[1]) == areOne)
  }

  @Test func whoRunsTheServerIsToldOfAFloodOnceAMinute() throws {
    let lines = Lines()
    let log = RefusalLog(Logger(label: "test") { _ in lines })
    func refuse(at seconds: Int) {
      let refused: () throws(Problem) -> Void = { () throws(Problem) in
        throw Problem(.rateLimited)
      }
      #expect(throws: Problem(.rateLimited)) {
        try log.counting(now: .seconds(seconds), refused)
      }
    }
    for second in 0..<100 { refuse(at: second) }
    try log.counting(now: .seconds(500)) {}
    #expect(lines.refused.withLock { $0 } == ["1", "60"])
    refuse(at: 120)
    #expect(lines.refused.withLock { $0 }.last == "40")
  }
}

/// Keeps how many refusals each line tells of.
private final class Lines: LogHandler {
  let refused = Mutex<[String]>([])

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    refused.withLock { $0.append("\(event.metadata?["refused"] ?? "")") }
  }
}

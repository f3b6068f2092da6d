import Foundation
import Synchronization
import Testing
import Wire

@testable import PushServer

/// The Attribute Server's numbered feed: nothing of it is missed unnoticed.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RevocationFeedTests {
  private func page(_ after: UInt64, _ count: Int, newest: UInt64? = nil) -> RevocationPage {
    let entry = RevocationPage.Entry(account: id(1), device: id(2), at: 1000)
    return RevocationPage(
      after: after, entries: [RevocationPage.Entry](repeating: entry, count: count),
      newest: newest ?? after + UInt64(count), at: 1000)
  }

  @Test func beforeTheFeedWasReadOldTokensAreNotTaken() {
    var feed = RevocationFeed(start: 500)
    #expect(feed.doubts(issuedAt: 499) && !feed.doubts(issuedAt: 500))
    #expect(feed.take(page(7, 1), isAsked: false) == .more)
    #expect(feed.doubts(issuedAt: 499) && feed.position == nil)
    #expect(feed.take(page(5, 2, newest: 8), isAsked: true) == .more)
    #expect(feed.take(page(7, 1), isAsked: true) == .follows)
    #expect(feed.position == 8)
    let without = RevocationFeed(start: nil)
    #expect(!without.doubts(issuedAt: 0))
  }

  @Test func pagesThatFollowOrRepeatAskNobodyForANewToken() {
    var feed = RevocationFeed(start: 500)
    #expect(feed.take(page(0, 0), isAsked: true) == .follows)
    #expect(feed.take(page(0, 2), isAsked: false) == .follows)
    #expect(feed.take(page(0, 2), isAsked: false) == .follows)
    #expect(feed.take(page(1, 2), isAsked: false) == .follows)
    #expect(feed.position == 3 && !feed.doubts(issuedAt: 0))
  }

  @Test func aGapMakesTokensOfBeforeWorthlessAndIsReadUp() {
    var feed = RevocationFeed(start: 500)
    #expect(feed.take(page(0, 2), isAsked: true) == .follows)
    #expect(feed.take(page(3, 1), isAsked: false) == .gap)
    #expect(feed.position == 2)
    #expect(feed.doubts(issuedAt: 999) && !feed.doubts(issuedAt: 1000))
    #expect(feed.take(page(2, 2), isAsked: true) == .follows)
    #expect(feed.position == 4)
    // Entries that are kept no more: the gap stays one.
    #expect(feed.take(page(9, 1), isAsked: true) == .follows)
    #expect(feed.position == 10 && feed.doubts(issuedAt: 999))
  }

  @Test func aServerThatWasSetBackIsReadFromTheBeginning() {
    var feed = RevocationFeed(start: 500)
    #expect(feed.take(page(0, 5), isAsked: true) == .follows)
    #expect(feed.take(page(3, 0), isAsked: true) == .gap)
    #expect(feed.position == nil && feed.doubts(issuedAt: 999))
    #expect(feed.take(page(0, 3), isAsked: true) == .follows)
    #expect(feed.position == 3)
  }

  /// What a device hears once the feed was read, which happens beside the service's start. The
  /// tokens here say that they were issued in 1970.
  private func heard(
    by name: DeviceID, at service: PushService
  ) async throws -> (socket: RawSocket, welcome: PushFrame?) {
    let end = ContinuousClock.now + .seconds(10)
    while true {
      let found = try await device(name, at: service)
      let isDoubted = found.welcome == .bye(reason: .expired, retryAfterMilliseconds: 0)
      guard isDoubted, ContinuousClock.now < end else { return found }
      // Fewer hellos than an account may send.
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// What was revoked while this service was away, or just before it was started again.
  @Test func aDeviceRevokedBeforeTheStartIsKeptOut() async throws {
    let feed: @Sendable (UInt64?) async throws -> SignedRevocations = { after in
      try after == nil ? revocations([id(3)], after: 6) : revocations([], after: 7)
    }
    try await running(feed: feed) { service in
      #expect(
        try await heard(by: id(3), at: service).welcome
          == .bye(reason: .revoked, retryAfterMilliseconds: 0))
      guard case .welcome = try await heard(by: id(4), at: service).welcome else {
        Issue.record("another device is kept out")
        return
      }
    }
  }

  @Test func asLongAsTheFeedCannotBeReadATokenOfBeforeIsRenewed() async throws {
    let isUp = Mutex(false)
    let feed: @Sendable (UInt64?) async throws -> SignedRevocations = { _ in
      guard isUp.withLock({ $0 }) else { throw URLError(.cannotConnectToHost) }
      return try revocations([])
    }
    try await running(feed: feed) { service in
      #expect(
        try await device(id(3), at: service).welcome
          == .bye(reason: .expired, retryAfterMilliseconds: 0))
      isUp.withLock { $0 = true }
      let welcome = try await heard(by: id(3), at: service).welcome
      guard case .welcome = welcome else {
        Issue.record("not let in: \(String(describing: welcome))")
        return
      }
    }
  }

  @Test func aGapSendsEverybodyForANewTokenAndIsReadAtOnce() async throws {
    let asked = Mutex<[UInt64?]>([])
    let feed: @Sendable (UInt64?) async throws -> SignedRevocations = { after in
      asked.withLock { $0.append(after) }
      return try after == nil ? revocations([]) : revocations([id(9), id(3)], after: 0)
    }
    try await running(feed: feed) { service in
      let work = try await heard(by: id(4), at: service)
      guard case .welcome = work.welcome else {
        Issue.record("not let in")
        return
      }
      let late = try json(revocations([id(3)], after: 1))
      #expect(
        try await post(late, at: service, path: Route.revocations).hasPrefix("HTTP/1.1 200"))
      #expect(
        try await work.socket.receivePush() == .bye(reason: .expired, retryAfterMilliseconds: 0))
      let end = ContinuousClock.now + .seconds(10)
      while asked.withLock({ !$0.contains(0) }), ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(asked.withLock { $0.contains(0) })
    }
  }
}

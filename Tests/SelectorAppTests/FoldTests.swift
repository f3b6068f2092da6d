import Storage
import Sync
import Synchronization
import Testing
import Vault
import Wire

@testable import SelectorApp

/// Opening a store while sync goes on.
@Suite struct FoldTests {
  /// A device, and a commit in its store whose author knew one record more than it does.
  private struct Ahead {
    let profile: TestProfile
    let store: SQLiteStore
    let before: Fold.Trust
    let after: Fold.Trust

    init() async throws {
      let (profile, device) = try await TestProfile.device()
      let keyring = try #require(await device.keyring)
      let membership = await device.core.membership
      var entropy = SodiumEntropy()
      let record = try keyring.renaming(
        keyring.device, to: DeviceName(name: "work pc", platform: "linux"),
        membership: membership, frontier: Frontier(), entropy: &entropy)
      var longer = membership
      try longer.append(record)
      let commit = try keyring.sealCommit(
        Array("[]".utf8), kind: .data, sequence: 1, previous: .zero, memberHead: longer.head,
        dependencies: Frontier(), entropy: &entropy)
      var transaction = Transaction()
      transaction.commits = [commit]
      self.profile = profile
      store = await device.store
      try store.write(transaction)
      before = Fold.Trust(keyring: keyring, membership: membership)
      after = Fold.Trust(keyring: keyring, membership: longer)
    }
  }

  @Test func aRecordThatComesInTheMiddleIsTaken() async throws {
    let ahead = try await Ahead()
    let answers = Mutex([ahead.after, ahead.before])
    var fold = try await Fold.make(
      of: ahead.store, own: ahead.before.keyring.device, seen: Frontier(), now: 0,
      trust: { answers.withLock { $0.popLast() ?? ahead.after } }, progress: { _, _ in })
    #expect(answers.withLock { $0.isEmpty })
    try fold.finish(from: ahead.store, trust: ahead.after, now: 0)
  }

  @Test func aRecordThatNeverComesIsMissed() async throws {
    let ahead = try await Ahead()
    await #expect(throws: VaultError.unknownMembership(ahead.after.membership.head)) {
      try await Fold.make(
        of: ahead.store, own: ahead.before.keyring.device, seen: Frontier(), now: 0,
        trust: { ahead.before }, progress: { _, _ in })
    }
  }

  /// What came while nobody could read it is told when it can be read.
  @Test func whatWasNotSeenIsNews() async throws {
    let (profile, device) = try await TestProfile.device()
    for name in ["seen.example", "unseen.example"] {
      try await device.save(
        [.createContext(name: name, kind: .account, attributes: [])], immediately: true)
    }
    let keyring = try #require(await device.keyring)
    let trust = Fold.Trust(keyring: keyring, membership: await device.core.membership)
    let store = await device.store
    let first = try #require(try store.commits(beyond: Frontier(), count: 1, bytes: .max).first)
    func news(of own: DeviceID, seen: Frontier) async throws -> [String] {
      try await Fold.make(
        of: store, own: own, seen: seen, now: 0, trust: { trust }, progress: { _, _ in }
      ).news.map(\.contextName)
    }
    var seen = Frontier()
    seen[keyring.device] = Head(sequence: 1, hash: first.hash)
    // As another device sees them; its own are no news to it.
    #expect(try await news(of: Ids.make(9), seen: seen) == ["unseen.example"])
    #expect(try await news(of: keyring.device, seen: seen).isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }
}

import Foundation
import Storage
import Sync
import Testing
import Wire

@testable import SelectorApp
@testable import Vault

/// A server that says the account was deleted, rightly or not.
@Suite(.serialized) struct LyingDeletionTests {
  enum Lie: String, CaseIterable, CustomTestStringConvertible {
    case signedByServer, signedByDevice, ofAnotherAccount, anotherRecord, garbage

    var testDescription: String { rawValue }
  }

  private static func proof(_ lie: Lie, by home: Device) async throws -> [UInt8] {
    let keyring = try #require(await home.keyring)
    let membership = await home.core.membership
    var entropy = SodiumEntropy()
    let stranger = SigningKey(seed: Secret(copying: entropy.bytes(32)))
    let body = try CanonicalJSON.encode(MembershipRecord.Ending(device: keyring.device))
    func signed(
      account: AccountID = keyring.account, signer: MembershipRecord.Signer = .account,
      by key: SigningKey
    ) throws -> [UInt8] {
      try MembershipRecord.signed(
        kind: .deleteAccount, account: account, number: UInt64(membership.count),
        previous: membership.head, signer: signer, dependencies: Frontier(), body: body, key: key
      ).bytes
    }
    switch lie {
    case .signedByServer: return try signed(by: stranger)
    case .signedByDevice:
      return try signed(
        signer: .device(keyring.device), by: keyring.deviceKeys.signing)
    case .ofAnotherAccount: return try signed(account: entropy.identifier(), by: stranger)
    case .anotherRecord: return membership.records[0].bytes
    case .garbage: return entropy.bytes(300)
    }
  }

  /// Refuses every device, as if it knew none.
  private static func refuse(_ exchange: inout Exchange) throws {
    guard exchange.path.hasPrefix("/v1/"), exchange.path != Route.info else { return }
    exchange.status = 401
    try exchange.write(Problem(.authenticationFailed))
  }

  @Test(arguments: Lie.allCases)
  func aFalseDeletionIsNamedAndErasesNothing(_ lie: Lie) async throws {
    let world = try await World()
    try await world.run { _ in
      let home = try await World.opened(try World.profile("home", in: world.folder))
      let proof = try await Self.proof(lie, by: home)
      world.server.script.answering { exchange in
        guard exchange.path.hasSuffix("/ending") else { return try Self.refuse(&exchange) }
        exchange.status = 200
        try exchange.write(EndingResponse(record: Blob(proof)))
      }
      let before = await Shown(home)
      await home.start(push: false)
      _ = await home.synchronise(within: .seconds(20))
      #expect(await Set(home.alarms().map(\.code)) == ["forged"])
      #expect(await home.core.isEnded == false)
      #expect(await home.wiped == nil)
      #expect(await Shown(home) == before)
      // It goes on as before once the lie ends.
      world.server.script.beHonest()
      try await home.take(.alarmsCleared(code: nil))
      try await World.set("password", "third", on: home)
      #expect(await home.synchronise(within: .seconds(20)) == .confirmed)
      await home.stop(flush: .zero)
    }
  }

  /// A server that merely does not know a device any more is a server that is away.
  @Test func aRefusalWithoutProofChangesNothing() async throws {
    let world = try await World()
    try await world.run { _ in
      let home = try await World.opened(try World.profile("home", in: world.folder))
      world.server.script.answering { exchange in
        guard exchange.path.hasSuffix("/ending") else { return try Self.refuse(&exchange) }
        #expect(exchange.status == 404)
      }
      let before = await Shown(home)
      await home.start(push: false)
      guard case .waiting = await home.synchronise(within: .seconds(20)) else {
        Issue.record("not refused")
        return
      }
      #expect(await home.core.alarms.isEmpty)
      #expect(await home.core.isEnded == false)
      #expect(await Shown(home) == before)
      await home.stop(flush: .zero)
    }
  }

  @Test func aDeletionIsFollowedAndLeavesACopyToRead() async throws {
    let world = try await World()
    try await world.run { _ in
      let home = try await world.open("home")
      await #expect(throws: DeviceError.anotherName) {
        try await home.deleteAccount(named: "anna", passphrase: World.typed())
      }
      await #expect(throws: VaultError.wrongPassphrase) {
        try await home.deleteAccount(named: "ann", passphrase: Passphrase(utf8: Array("no".utf8)))
      }
      try await home.deleteAccount(named: "ann", passphrase: World.typed())
      #expect(await home.status().state == .deleted)
      await home.stop(flush: .zero)

      let profile = try World.profile("work", in: world.folder)
      let work = try await World.opened(profile)
      let before = await Shown(work)
      // An edit that was never sent is part of the copy.
      try await World.set("password", "unsent", on: work)
      await #expect(throws: DeviceError.notDeleted) { try await work.erase(named: "ann") }
      await work.start(push: false)
      #expect(await work.synchronise(within: .seconds(20)) == .deleted)
      await #expect(throws: EditError.accountDeleted) {
        try await World.set("password", "later", on: work)
      }
      await work.stop(flush: .zero)

      // The next start knows it by itself, and asks whether the server does.
      let asked = world.server.script.seen.count
      let again = try await World.opened(profile)
      await again.start(push: true)
      #expect(await again.synchronise(within: .seconds(5)) == .deleted)
      #expect(
        world.server.script.seen.dropFirst(asked).allSatisfy { $0.hasSuffix("/ending") })
      #expect(await Shown(again).contexts.map(\.id) == before.contexts.map(\.id))
      let values = await again.contexts().flatMap(\.attributes).map(\.text)
      #expect(values.contains("unsent"))
      await #expect(throws: DeviceError.anotherName) { try await again.erase(named: "nobody") }
      try await again.erase(named: "ann")
      await again.stop(flush: .zero)
      #expect(!profile.exists && !SecureFile.exists(profile.keyring))
      #expect(!SecureFile.exists(profile.database))
    }
  }
}

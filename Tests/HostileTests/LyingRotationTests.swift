import Foundation
import Storage
import Sync
import Synchronization
import Testing
import Wire

@testable import SelectorApp
@testable import Vault

/// Lies about who was taken out and about the keys of an epoch: each is named by an alarm, and
/// nobody erases anything for a record that does not verify.
@Suite(.serialized) struct LyingRotationTests {
  private static func profile(_ name: String, _ world: World) throws -> ProfileFolder {
    try World.profile(name, in: world.folder)
  }

  /// A record that begins the next epoch, as the home pc would sign it.
  private static func rotation(
    by home: Device, without leaving: Set<DeviceID>,
    _ change: (MembershipRecord.Rotation) -> MembershipRecord.Rotation = { $0 },
    signedBy key: SigningKey? = nil
  ) async throws -> MembershipRecord {
    let keyring = try #require(await home.keyring)
    let (membership, cut) = await (home.core.membership, home.core.frontier)
    var entropy = SodiumEntropy()
    // Only its form matters to those who are shown the record.
    let sound = MembershipRecord.SlotChange(
      version: 2, slot: Blob([UInt8](repeating: 0, count: 400)),
      loginKey: Blob(entropy.bytes(32)),
      hashing: PassphraseHashing(
        memoryKibibytes: 64 * 1024, passes: 3, salt: Blob(entropy.bytes(16))))
    let root = Secret(copying: entropy.bytes(32))
    let secret = Secret(copying: entropy.bytes(20))
    let staying = membership.active.filter { !leaving.contains($0) }.sorted()
    let keys = try staying.map { device in
      MembershipRecord.SealedKey(
        device: device,
        key: try SealedEpoch.seal(
          root, secret, account: keyring.account, epoch: 1,
          for: #require(membership.devices[device]), from: keyring.deviceKeys))
    }
    let body = MembershipRecord.Rotation(
      epoch: 1, revoked: leaving.sorted(), keys: keys,
      commitment: Blob(root.commitment(.epochCommitment)), slot: sound)
    return try MembershipRecord.signed(
      kind: .rotateEpoch, account: keyring.account, number: UInt64(membership.count),
      previous: membership.head, signer: .device(keyring.device), dependencies: cut,
      body: CanonicalJSON.encode(change(body)), key: key ?? keyring.deviceKeys.signing)
  }

  /// What is wrong with the record that the server shows the work pc.
  enum Lie: String, CaseIterable, CustomTestStringConvertible {
    case revokedByStranger, revokedByServersSignature, keyMissing, keyGarbage, keysSwapped

    var testDescription: String { rawValue }
  }

  private static func record(
    _ lie: Lie, by home: Device, against work: DeviceID
  ) async throws -> MembershipRecord {
    var entropy = SodiumEntropy()
    let stranger = SigningKey(seed: Secret(copying: entropy.bytes(32)))
    typealias Rotation = MembershipRecord.Rotation
    func with(_ body: Rotation, keys: [MembershipRecord.SealedKey]) -> Rotation {
      Rotation(
        epoch: body.epoch, revoked: body.revoked, keys: keys, commitment: body.commitment,
        slot: body.slot)
    }
    switch lie {
    case .revokedByStranger:
      let sound = try await rotation(by: home, without: [work])
      return try MembershipRecord.signed(
        kind: .rotateEpoch, account: sound.account, number: sound.number,
        previous: sound.previous, signer: .device(entropy.identifier()),
        dependencies: sound.dependencies, body: sound.body, key: stranger)
    case .revokedByServersSignature:
      return try await rotation(by: home, without: [work], signedBy: stranger)
    case .keyMissing:
      return try await rotation(by: home, without: []) { body in
        with(body, keys: body.keys.filter { $0.device != work })
      }
    case .keyGarbage:
      let garbage = Blob(entropy.bytes(100))
      return try await rotation(by: home, without: []) { body in
        with(
          body,
          keys: body.keys.map {
            MembershipRecord.SealedKey(device: $0.device, key: $0.device == work ? garbage : $0.key)
          })
      }
    case .keysSwapped:
      return try await rotation(by: home, without: []) { body in
        with(
          body,
          keys: zip(body.keys, body.keys.reversed()).map {
            MembershipRecord.SealedKey(device: $0.device, key: $1.key)
          })
      }
    }
  }

  @Test(arguments: Lie.allCases)
  func aFalseRotationIsNamedAndErasesNothing(_ lie: Lie) async throws {
    let world = try await World()
    try await world.run { _ in
      let profile = try Self.profile("work", world)
      let work = try await World.opened(profile)
      let home = try await World.opened(try Self.profile("home", world))
      let record = try await Self.record(lie, by: home, against: work.settings.device)
      await home.stop(flush: .zero)
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.sync), exchange.status == 200 else { return }
        var answer: SyncResponse = try exchange.read()
        answer.membership.append(Blob(record.bytes))
        answer.memberHead = record.hash
        try exchange.write(answer)
      }
      let before = await Shown(work)
      await work.start(push: false)
      let outcome = await work.synchronise(within: .seconds(20))
      #expect(await Set(work.alarms().map(\.code)) == ["membership"], "\(outcome)")
      #expect(world.server.script.changes > 0)
      #expect(await Shown(work) == before)
      #expect(await work.core.membership.epoch == 0)
      await work.stop(flush: .zero)

      // It is there still, remembers the alarm, and goes on with an honest server.
      world.server.script.beHonest()
      let again = try await world.open("work")
      #expect(await !again.alarms().isEmpty)
      try await World.set("password", "third", on: again)
      _ = await again.synchronise(within: .seconds(20))
      #expect(await again.core.waiting == 0)
      await again.stop(flush: .zero)
    }
  }

  /// The server refuses a device as revoked and has no record that says so, or a false one.
  @Test(arguments: [false, true])
  func thatADeviceIsRevokedIsNotBelievedWithoutItsRecord(_ showsRecord: Bool) async throws {
    let world = try await World()
    try await world.run { _ in
      let work = try await World.opened(try Self.profile("work", world))
      let home = try await World.opened(try Self.profile("home", world))
      let record = try await Self.record(
        .revokedByServersSignature, by: home, against: work.settings.device)
      await home.stop(flush: .zero)
      let refusal = Array(try JSONEncoder().encode(Problem(.authenticationRevoked)))
      world.server.script.answering { exchange in
        if exchange.path.hasPrefix(Route.sync) {
          exchange.status = Problem(.authenticationRevoked).status
          exchange.body = refusal
        } else if showsRecord, exchange.method == "GET",
          exchange.path.hasPrefix(Route.membership), exchange.status == 200
        {
          let answer: MembershipResponse = try exchange.read()
          try exchange.write(
            MembershipResponse(
              memberHead: record.hash, records: answer.records + [Blob(record.bytes)],
              serverFrontier: answer.serverFrontier))
        }
      }
      let before = await Shown(work)
      await work.start(push: false)
      let outcome = await work.synchronise(within: .seconds(20))
      if case .confirmed = outcome { Issue.record("a refusal was taken for success") }
      if showsRecord { #expect(await work.alarms().map(\.code) == ["membership"]) }
      #expect(world.server.script.changes > 0)
      #expect(await Shown(work) == before)
      #expect(try Self.profile("work", world).exists)
      await work.stop(flush: .zero)
    }
  }

  /// Keys change on the home pc; the server goes on as if they had not, for the work pc alone.
  @Test func aRotationThatIsHiddenFromOneDeviceIsNamed() async throws {
    let world = try await World()
    try await world.run { _ in
      let home = try await world.open("home")
      let old = await home.core.membership.head
      _ = try await home.beginEpoch(without: [], passphrase: World.typed())
      try await World.set("password", "new keys", on: home)
      #expect(await home.synchronise(within: .seconds(20)) == .confirmed)
      await home.stop(flush: .zero)
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.sync), exchange.status == 200 else { return }
        var answer: SyncResponse = try exchange.read()
        answer.membership = []
        answer.memberHead = old
        try exchange.write(answer)
      }
      let work = try await World.opened(try Self.profile("work", world))
      let before = await Shown(work)
      await work.start(push: false)
      let outcome = await work.synchronise(within: .seconds(20))
      let codes = await work.alarms().map(\.code)
      #expect(codes == ["forged"], "\(outcome)")
      #expect(world.server.script.changes > 0)
      #expect(await Shown(work) == before)
      await work.stop(flush: .zero)

      world.server.script.beHonest()
      let again = try await world.open("work")
      _ = await again.synchronise(within: .seconds(20))
      #expect(await again.contexts().first?.attributes.first?.text == "new keys")
      #expect(await again.core.membership.epoch == 1)
      await again.stop(flush: .zero)
    }
  }

  /// A server that shows the list of devices without the rotation to the device that made it.
  @Test func aRotationThatIsTakenBackIsNamedAndKept() async throws {
    let world = try await World()
    try await world.run { _ in
      let home = try await world.open("home")
      let old = await home.core.membership.head
      _ = try await home.beginEpoch(without: [], passphrase: World.typed())
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.sync), exchange.status == 200 else { return }
        var answer: SyncResponse = try exchange.read()
        answer.memberHead = old
        try exchange.write(answer)
      }
      _ = await home.synchronise(within: .seconds(5))
      #expect(await home.alarms().map(\.code) == ["rollback"])
      #expect(await home.core.membership.epoch == 1)
      await home.stop(flush: .zero)
    }
  }

  /// What of the account's beginnings a server gives to somebody who brings a kit.
  enum Age: String, CaseIterable { case old, new }

  @Test(arguments: Age.allCases)
  func theSlotFromBeforeARotationOpensNothing(_ kit: Age) async throws {
    let world = try await World()
    try await world.run { url in
      let home = try await world.open("home")
      // The old slot and how it is hashed, as the server knew them.
      let kept = Mutex<(SlotResponse?, PassphraseHashing?)>((nil, nil))
      world.server.script.answering { exchange in
        guard exchange.status == 200 else { return }
        if exchange.path.hasPrefix(Route.challenge) {
          let answer: ChallengeResponse = try exchange.read()
          if let hashing = answer.hashing { kept.withLock { $0.1 = hashing } }
        } else if exchange.path.hasPrefix(Route.slot) {
          let answer: SlotResponse = try exchange.read()
          kept.withLock { $0.0 = answer }
        }
      }
      let newKit = try await home.beginEpoch(without: [], passphrase: World.typed())
      let (slot, hashing) = kept.withLock { $0 }
      let oldSlot = try #require(slot)
      let (records, head, frontier) = await (
        home.core.membership.records.map { Blob($0.bytes) }, home.core.membership.head,
        home.core.frontier
      )
      let count = records.count
      await home.stop(flush: .zero)
      world.server.script.answering { exchange in
        if exchange.path.hasPrefix(Route.challenge), exchange.status == 200 {
          let answer: ChallengeResponse = try exchange.read()
          try exchange.write(
            ChallengeResponse(
              challenge: answer.challenge, instance: answer.instance,
              hashing: answer.hashing == nil ? nil : hashing))
        } else if exchange.path.hasPrefix(Route.slot) {
          exchange.status = 200
          try exchange.write(oldSlot)
        } else if exchange.method == "GET", exchange.path.hasPrefix(Route.membership) {
          exchange.status = 200
          try exchange.write(
            MembershipResponse(memberHead: head, records: records, serverFrontier: frontier))
        }
      }
      let error = await #expect(throws: VaultError.self) {
        try await Onboarding.recover(
          folder: try Self.profile("mobile", world), server: url, account: "ann",
          device: "mobile", passphrase: World.typed(), kit: kit == .old ? world.kit : newKit)
      }
      #expect(error == .oldSlot)
      #expect(count == 3)
      #expect(!(try Self.profile("mobile", world).exists))
      #expect(!world.server.script.seen.suffix(3).contains("POST \(Route.membership)"))
    }
  }
}

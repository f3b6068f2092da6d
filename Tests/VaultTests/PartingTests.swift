import Testing
import Wire

@testable import Vault

/// Two chains of one account that part: which gives way, and what is said anew.
@Suite struct PartingTests {
  /// What both chains begin with: three devices, of which any may go on.
  private struct Family {
    let home: Keyring
    let work: Keyring
    let phone: Keyring
    let chain: Membership

    /// The work PC's next identity, and its word for it.
    func replaced() throws -> (DeviceID, MembershipRecord) {
      var entropy = SeededEntropy("successor")
      let successor = work.successor(entropy: &entropy)
      let record = try work.replacing(
        with: successor, name: DeviceName(name: "work pc", platform: "linux"), membership: chain,
        dependencies: Frontier(), entropy: &entropy)
      return (successor.keyring.device, record)
    }
  }

  private static let family = Result { () throws -> Family in
    let paired = try Fixture.paired()
    let home = try Fixture.account.get().keyring
    let (phone, record) = try admitted("phone", by: home, paired.chain)
    var chain = paired.chain
    try chain.append(record)
    return Family(home: home, work: paired.joined.keyring, phone: phone, chain: chain)
  }

  private static func admitted(
    _ name: String, by keyring: Keyring, _ chain: Membership
  ) throws -> (Keyring, MembershipRecord) {
    var entropy = SeededEntropy(name)
    let code = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: name, platform: "linux"), entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    let record = try keyring.admit(
      offer, membership: chain, dependencies: Frontier(), entropy: &entropy)
    let answer = try keyring.answer(
      offer, code: code, frontier: Frontier(), memberHead: record.hash, entropy: &entropy)
    return (try joining.accept(answer: answer).keyring, record)
  }

  private static func renaming(
    of device: DeviceID, by keyring: Keyring, in chain: Membership, to name: String = "new"
  ) throws -> MembershipRecord {
    var entropy = SeededEntropy(name)
    return try keyring.renaming(
      device, to: DeviceName(name: name, platform: "linux"), membership: chain,
      frontier: Frontier(), entropy: &entropy)
  }

  private static func revocation(
    of devices: Set<DeviceID>, by keyring: Keyring, in chain: Membership, seed: String = "there"
  ) throws -> MembershipRecord {
    try RotationTests.rotation(
      of: keyring, without: devices, in: chain, cut: Frontier(), seed: seed
    ).record
  }

  private func debt(of forgotten: MembershipRecord..., in chain: Membership) -> Membership.Debt {
    chain.debt(of: forgotten, at: Frontier())
  }

  @Test func aChainGivesWayOnlyToWhatNobodyWroteWhomItTakesOut() throws {
    let family = try Self.family.get()
    let held = try family.chain.with(
      Self.revocation(of: [family.work.device], by: family.home, in: family.chain))
    let byPhone = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain))
    let byWork = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.work, in: family.chain))
    let byWorkLater = try byPhone.with(
      Self.renaming(of: family.home.device, by: family.work, in: byPhone, to: "newer"))
    #expect(held.mayGiveWay(to: byPhone, recalling: []))
    #expect(!held.mayGiveWay(to: byWork, recalling: []))
    #expect(!held.mayGiveWay(to: byWorkLater, recalling: []))
    #expect(!held.mayGiveWay(to: family.chain, recalling: []), "that is an old one, not another")
    // What gave way before counts as well.
    #expect(byPhone.mayGiveWay(to: byWork, recalling: []))
    #expect(!byPhone.mayGiveWay(to: byWork, recalling: [try #require(held.records.last)]))
  }

  @Test func theAccountKeyCountsUnlessPassphraseOrKitWereChanged() throws {
    let family = try Self.family.get()
    let byAccount = try #require(family.chain.records.first)
    #expect(byAccount.isBelieved(recalling: []))
    let renaming = try Self.renaming(of: family.work.device, by: family.home, in: family.chain)
    #expect(byAccount.isBelieved(recalling: [renaming]))
    let rotation = try Self.revocation(of: [], by: family.home, in: family.chain)
    #expect(!byAccount.isBelieved(recalling: [rotation]))
  }

  @Test func anEpochIsSaidAnewWithTheSameKeysAndWithoutTheSameDevices() throws {
    let family = try Self.family.get()
    let rotation = try Self.revocation(
      of: [family.work.device], by: family.home, in: family.chain)
    let before = try family.home.extended(by: family.chain.with(rotation))
    let other = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain))
    let debt = debt(of: rotation, in: other)
    #expect(debt.isOfKeys && debt.next == rotation)
    let record = try before.restating(rotation, membership: other, frontier: Frontier())
    let healed = try other.with(record)
    #expect(healed.active == [family.home.device, family.phone.device])
    #expect(healed.slot == (try rotation.rotation().slot))
    #expect(self.debt(of: rotation, in: healed) == .none)
    // What was sealed with the key there opens here, for others, too.
    #expect(try before.extended(by: healed) === before)
    var entropy = SeededEntropy("commit")
    let commit = try before.sealCommit(
      Fixture.plaintext, kind: .data, sequence: 1, previous: .zero, memberHead: healed.head,
      dependencies: Frontier(), entropy: &entropy)
    let phone = try family.phone.extended(by: healed)
    #expect(try phone.openCommit(commit, membership: healed) == Fixture.plaintext)
    let work = try family.work.extended(by: healed)
    #expect(throws: VaultError.unknownEpoch(1)) {
      try work.openCommit(commit, membership: healed)
    }
  }

  @Test func anEpochThatBeganHereTakesThePlaceOfTheKeysOfTheOther() throws {
    let family = try Self.family.get()
    let there = try family.home.extended(
      by: family.chain.with(Self.revocation(of: [], by: family.home, in: family.chain)))
    let here = try family.chain.with(
      Self.revocation(of: [], by: family.phone, in: family.chain, seed: "here"))
    let home = try there.extended(by: here)
    #expect(home !== there && home.epoch == 1)
    #expect(try home.extended(by: here) === home)
    var entropy = SeededEntropy("commit")
    let commit = try family.phone.extended(by: here).sealCommit(
      Fixture.plaintext, kind: .data, sequence: 1, previous: .zero, memberHead: here.head,
      dependencies: Frontier(), entropy: &entropy)
    #expect(try home.openCommit(commit, membership: here) == Fixture.plaintext)
    #expect(throws: VaultError.cannotOpen) { try there.openCommit(commit, membership: here) }
    #expect(try there.extended(by: family.chain).epoch == 0)
  }

  @Test func whomAnEpochLeftOutIsOwedUntilOneLeavesHimOutHere() throws {
    let family = try Self.family.get()
    let rotation = try Self.revocation(
      of: [family.work.device], by: family.home, in: family.chain)
    let other = try family.chain.with(
      Self.revocation(of: [], by: family.phone, in: family.chain, seed: "here"))
    let debt = debt(of: rotation, in: other)
    #expect(debt.isOfKeys)
    #expect(debt.next == nil, "the slot lacks the keys that began here: a person says it")
    let healed = try other.with(
      Self.revocation(of: [family.work.device], by: family.phone, in: other, seed: "again"))
    #expect(self.debt(of: rotation, in: healed) == .none)
  }

  @Test func aSlotIsSaidAnewOnlyWhereItsRecordWouldFollowWhatItNames() throws {
    let family = try Self.family.get()
    let first = try Self.renaming(of: family.work.device, by: family.home, in: family.chain)
    let there = try family.chain.with(first)
    let rotation = try Self.revocation(of: [family.work.device], by: family.home, in: there)
    let other = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain))
    let debt = debt(of: first, rotation, in: other)
    #expect(debt.isOfKeys && debt.next == first)
    let rest = try other.with(
      family.home.restating(first, membership: other, frontier: Frontier()))
    #expect(self.debt(of: first, rotation, in: rest).next == nil)
    #expect(self.debt(of: first, rotation, in: rest).isOfKeys)
  }

  @Test func aReplacedDeviceComesBackWithItsIdentities() throws {
    let family = try Self.family.get()
    let (successor, replacing) = try family.replaced()
    let other = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain))
    #expect(debt(of: replacing, in: other).next == replacing)
    let record = try family.home.restating(replacing, membership: other, frontier: Frontier())
    #expect(record.kind == .addDevice)
    let healed = try other.with(record)
    let both: Set = [family.work.device, successor]
    #expect(healed.lineage(of: family.work.device) == both)
    #expect(healed.lineages(of: [successor]) == both)
    #expect(debt(of: replacing, in: healed) == .none)
    // Forgotten once more, it keeps them.
    let third = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.home, in: family.chain, to: "third"))
    let again = try third.with(
      family.phone.restating(record, membership: third, frontier: Frontier()))
    #expect(again.lineage(of: family.work.device) == both)
  }

  @Test func anOriginIsTheWordOfTheDeviceItself() throws {
    let family = try Self.family.get()
    let (_, replacing) = try family.replaced()
    let device = try replacing.replacement().device
    let (_, other) = try Self.admitted("other", by: family.home, family.chain)
    let stranger = try #require(other.newDevice)
    func adding(_ device: DeviceDescription, origin: [UInt8]) throws {
      _ = try family.home.signed(
        .addDevice, MembershipRecord.Addition(device: device, origin: Blob(origin)),
        membership: family.chain, dependencies: Frontier())
    }
    try adding(device, origin: replacing.bytes)
    #expect(throws: VaultError.malformed(field: "origin")) {
      try adding(stranger, origin: replacing.bytes)
    }
    #expect(throws: VaultError.badSignature) {
      try adding(device, origin: replacing.bytes.flipped(at: replacing.bytes.count - 1))
    }
    #expect(throws: VaultError.malformed(field: "origin")) {
      try adding(device, origin: #require(family.chain.records.last).bytes)
    }
  }

  @Test func whatSomebodySaidWhoIsTakenOutHereIsNotSaidAnew() throws {
    let family = try Self.family.get()
    let (_, added) = try Self.admitted("intruder", by: family.work, family.chain)
    let here = try family.chain.with(
      Self.revocation(of: [family.work.device], by: family.home, in: family.chain))
    #expect(debt(of: added, in: here) == .none)
    let other = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain))
    #expect(debt(of: added, in: other).next == added)
    // Nor whom the list took out again that gave way.
    let there = try family.chain.with(added)
    let rotation = try Self.revocation(
      of: [#require(added.newDevice).device], by: family.home, in: there)
    #expect(debt(of: added, rotation, in: other).next == nil)
  }

  @Test func anotherNameHereStays() throws {
    let family = try Self.family.get()
    let there = try Self.renaming(of: family.work.device, by: family.home, in: family.chain)
    let here = try family.chain.with(
      Self.renaming(of: family.work.device, by: family.phone, in: family.chain, to: "here"))
    #expect(debt(of: there, in: here) == .none)
    let ofAnother = try family.chain.with(
      Self.renaming(of: family.home.device, by: family.phone, in: family.chain, to: "here"))
    #expect(debt(of: there, in: ofAnother).next == there)
  }
}

extension Membership {
  fileprivate func with(_ record: MembershipRecord) throws -> Membership {
    var next = self
    try next.append(record)
    return next
  }
}

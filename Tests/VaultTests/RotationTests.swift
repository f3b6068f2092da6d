import Testing
import Wire

@testable import Vault

@Suite struct RotationTests {
  /// An account of two devices whose second is taken out.
  private struct Revoked {
    let home: Keyring
    let work: Keyring
    var chain: Membership
    let prepared: PreparedRotation
    let cut: Frontier
  }

  private static func place(of work: Keyring, and home: Keyring) -> Frontier {
    Frontier([
      work.device: Head(sequence: 2, hash: .sha256([2])),
      home.device: Head(sequence: 5, hash: .sha256([5])),
    ])
  }

  static func rotation(
    of keyring: Keyring, without leaving: Set<DeviceID>, in chain: Membership, cut: Frontier,
    passphrase: String = Fixture.passphrase, slot: Blob? = nil, login: KitLogin? = nil,
    seed: String = "rotation"
  ) throws -> PreparedRotation {
    var entropy = SeededEntropy(seed)
    return try keyring.rotation(
      without: leaving, membership: chain, cut: cut,
      slot: try slot ?? Fixture.account.get().slot, login: try login ?? Fixture.login.get(),
      passphrase: try Fixture.typed(passphrase), strength: .floor, entropy: &entropy)
  }

  private static let revoked = Result { () throws -> Revoked in
    let paired = try Fixture.paired()
    let home = try Fixture.account.get().keyring
    let work = paired.joined.keyring
    let cut = place(of: work, and: home)
    let prepared = try rotation(of: home, without: [work.device], in: paired.chain, cut: cut)
    var chain = paired.chain
    try chain.append(prepared.record)
    return Revoked(home: home, work: work, chain: chain, prepared: prepared, cut: cut)
  }

  private static func commit(
    by keyring: Keyring, _ sequence: UInt64, memberHead: Digest32
  ) throws -> Envelope {
    var entropy = SeededEntropy("commit \(sequence)")
    return try keyring.sealCommit(
      Fixture.plaintext, kind: .data, sequence: sequence, previous: .sha256([1]),
      memberHead: memberHead, dependencies: Frontier(), entropy: &entropy)
  }

  @Test func whoStaysOpensTheNewEpochAndWhoLeavesDoesNot() throws {
    let revoked = try Self.revoked.get()
    let home = try revoked.home.extended(by: revoked.chain)
    #expect(home.epoch == 1 && revoked.chain.epoch == 1)
    let commit = try Self.commit(by: home, 6, memberHead: revoked.chain.head)
    #expect(commit.header.epoch == 1)
    #expect(try home.openCommit(commit, membership: revoked.chain) == Fixture.plaintext)
    let work = try revoked.work.extended(by: revoked.chain)
    #expect(work === revoked.work)
    #expect(throws: VaultError.unknownEpoch(1)) {
      try work.openCommit(commit, membership: revoked.chain)
    }
  }

  @Test func aNewDeviceOpensAllEpochs() throws {
    var revoked = try Self.revoked.get()
    let home = try revoked.home.extended(by: revoked.chain)
    var entropy = SeededEntropy("third")
    let code = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: "mobile", platform: "linux"), entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    let record = try home.admit(
      offer, membership: revoked.chain, dependencies: revoked.cut, entropy: &entropy)
    try revoked.chain.append(record)
    let answer = try home.answer(
      offer, code: code, frontier: revoked.cut, memberHead: record.hash, entropy: &entropy)
    let mobile = try joining.accept(answer: answer).keyring
    let new = try Self.commit(by: home, 6, memberHead: revoked.chain.head)
    let old = try Self.commit(by: revoked.home, 5, memberHead: try Fixture.chain().head)
    for commit in [new, old] {
      #expect(try mobile.openCommit(commit, membership: revoked.chain) == Fixture.plaintext)
    }
  }

  @Test func commitsAreOfTheEpochTheirPlaceBelongsTo() throws {
    let revoked = try Self.revoked.get()
    let chain = revoked.chain
    let before = try Fixture.paired().chain.head
    let home = try revoked.home.extended(by: chain)
    try chain.verify(Self.commit(by: revoked.home, 5, memberHead: before))
    try chain.verify(Self.commit(by: revoked.work, 2, memberHead: before))
    // Beyond the cut with the old keys, which a revoked device still has.
    #expect(throws: VaultError.wrongEpoch(0)) {
      try chain.verify(Self.commit(by: revoked.home, 6, memberHead: before))
    }
    #expect(throws: VaultError.revoked(revoked.work.device)) {
      try chain.verify(Self.commit(by: revoked.work, 3, memberHead: before))
    }
    // Within it with the new ones.
    #expect(throws: VaultError.wrongEpoch(1)) {
      try chain.verify(Self.commit(by: home, 5, memberHead: chain.head))
    }
    // New keys before anybody could have them.
    #expect(throws: VaultError.wrongEpoch(1)) {
      try chain.verify(Self.commit(by: home, 6, memberHead: before))
    }
  }

  @Test func theNewKitOpensTheNewSlotAndNothingElseDoes() throws {
    let revoked = try Self.revoked.get()
    let slot = try #require(revoked.chain.slot)
    #expect(slot.version == 2)
    func recover(_ login: KitLogin, _ slot: Blob) throws -> KitLogin.Recovered {
      var entropy = SeededEntropy("recovered")
      return try login.recover(
        slot: slot, device: DeviceName(name: "mobile", platform: "linux"),
        membership: revoked.chain, dependencies: revoked.cut, entropy: &entropy)
    }
    let login = try Enrolment.kitLogin(
      kit: revoked.prepared.kit, passphrase: Fixture.typed(), hashing: slot.hashing)
    #expect(login.loginKey == slot.loginKey)
    let recovered = try recover(login, slot.slot)
    #expect(recovered.keyring.epoch == 1)
    #expect(throws: VaultError.wrongPassphrase) {
      let old = try Enrolment.kitLogin(
        kit: Fixture.account.get().kit, passphrase: Fixture.typed(), hashing: slot.hashing)
      _ = try recover(old, slot.slot)
    }
    // The server shows the slot from before, for the old kit.
    #expect(throws: VaultError.oldSlot) {
      try recover(Fixture.login.get(), Fixture.account.get().slot)
    }
  }

  @Test func thePassphraseOfTheSlotCanChangeWithIt() throws {
    let home = try Fixture.account.get().keyring
    let chain = try Fixture.chain()
    let prepared = try Self.rotation(
      of: home, without: [], in: chain, cut: Frontier(), passphrase: "another one, long enough")
    var next = chain
    try next.append(prepared.record)
    let slot = try #require(next.slot)
    let login = try Enrolment.kitLogin(
      kit: prepared.kit, passphrase: Fixture.typed("another one, long enough"),
      hashing: slot.hashing)
    #expect(login.loginKey == slot.loginKey)
    let extended = try home.extended(by: next)
    #expect(
      try extended.login(Fixture.typed("another one, long enough"), hashing: slot.hashing)
        .loginKey == slot.loginKey)
  }

  /// Wrong in the one way the test is about.
  private func record(
    epoch: UInt32 = 1, revoking: [DeviceID]? = nil, version: UInt32 = 2, dropping: Int = 0,
    adding: Bool = false, key: SigningKey? = nil, signer: DeviceID? = nil
  ) throws -> MembershipRecord {
    let revoked = try Self.revoked.get()
    let sound = try revoked.prepared.record.rotation()
    let chain = try Fixture.paired().chain
    var keys = Array(sound.keys.dropFirst(dropping))
    if adding {
      keys.append(
        MembershipRecord.SealedKey(device: revoked.work.device, key: sound.keys[0].key))
      keys.sort { $0.device < $1.device }
    }
    let body = MembershipRecord.Rotation(
      epoch: epoch, revoked: revoking ?? sound.revoked, keys: keys, commitment: sound.commitment,
      slot: MembershipRecord.SlotChange(
        version: version, slot: sound.slot.slot, loginKey: sound.slot.loginKey,
        hashing: sound.slot.hashing))
    return try MembershipRecord.signed(
      kind: .rotateEpoch, account: chain.account, number: UInt64(chain.count),
      previous: chain.head, signer: .device(signer ?? revoked.home.device),
      dependencies: revoked.cut, body: CanonicalJSON.encode(body),
      key: key ?? revoked.home.deviceKeys.signing)
  }

  @Test func aRotationThatIsNotSoundIsRefused() throws {
    var chain = try Fixture.paired().chain
    let before = chain
    let revoked = try Self.revoked.get()
    let (home, work) = (revoked.home, revoked.work)
    let wrong: [(MembershipRecord, VaultError)] = try [
      (record(epoch: 2), .malformed(field: "epoch")),
      (record(epoch: 0), .malformed(field: "epoch")),
      (record(version: 1), .malformed(field: "slot")),
      (record(revoking: [home.device]), .malformed(field: "revoked devices")),
      (record(revoking: [work.device, work.device]), .malformed(field: "revoked devices")),
      (record(revoking: [.zero]), .malformed(field: "revoked devices")),
      (record(dropping: 1), .malformed(field: "epoch keys")),
      (record(adding: true), .malformed(field: "epoch keys")),
      (record(revoking: []), .malformed(field: "epoch keys")),
      (record(key: work.deviceKeys.signing), .badSignature),
      (
        record(key: work.deviceKeys.signing, signer: work.device),
        .malformed(field: "revoked devices")
      ),
    ]
    for (record, error) in wrong {
      #expect(throws: error) { try chain.append(record) }
      #expect(chain == before)
    }
  }

  @Test func aDeviceLeavesWithAllItsIdentities() throws {
    let paired = try Fixture.paired()
    var chain = paired.chain
    let home = try Fixture.account.get().keyring
    let (successor, record) = try Fixture.replacement(of: paired.joined.keyring, in: chain)
    try chain.append(record)
    let both: Set = [paired.joined.keyring.device, successor.keyring.device]
    #expect(chain.lineage(of: successor.keyring.device) == both)
    #expect(chain.lineage(of: paired.joined.keyring.device) == both)
    #expect(chain.lineage(of: home.device) == [home.device])
    #expect(throws: VaultError.malformed(field: "revoked devices")) {
      try Self.rotation(
        of: home, without: [successor.keyring.device], in: chain, cut: Fixture.frontier)
    }
    let prepared = try Self.rotation(of: home, without: both, in: chain, cut: Fixture.frontier)
    try chain.append(prepared.record)
    #expect(chain.active == [home.device])
    // It signs nothing any more.
    var next = chain
    #expect(throws: VaultError.revoked(successor.keyring.device)) {
      try next.append(Fixture.replacement(of: successor.keyring, in: chain, seed: "again").record)
    }
  }

  @Test func aKeyThatIsNotTheEpochsIsRefused() throws {
    let paired = try Fixture.paired()
    let home = try Fixture.account.get().keyring
    let work = paired.joined.keyring
    let sound = try Self.rotation(of: home, without: [], in: paired.chain, cut: Frontier())
      .record.rotation()
    // Each gets what was sealed for the other.
    let keys = [
      MembershipRecord.SealedKey(device: sound.keys[0].device, key: sound.keys[1].key),
      MembershipRecord.SealedKey(device: sound.keys[1].device, key: sound.keys[0].key),
    ]
    let body = MembershipRecord.Rotation(
      epoch: 1, revoked: [], keys: keys, commitment: sound.commitment, slot: sound.slot)
    let record = try MembershipRecord.signed(
      kind: .rotateEpoch, account: home.account, number: UInt64(paired.chain.count),
      previous: paired.chain.head, signer: .device(home.device), dependencies: Frontier(),
      body: CanonicalJSON.encode(body), key: home.deviceKeys.signing)
    var chain = paired.chain
    try chain.append(record)
    for keyring in [home, work] {
      #expect(throws: VaultError.cannotOpen) { try keyring.extended(by: chain) }
    }
  }

  // MARK: records that cut nothing

  @Test func anotherPassphraseKeepsKeysAndKit() throws {
    let home = try Fixture.account.get().keyring
    var chain = try Fixture.paired().chain
    var entropy = SeededEntropy("another passphrase")
    let new = try Fixture.typed("a quite new passphrase")
    let record = try home.passphraseChange(
      to: new, membership: chain, frontier: Frontier(), slot: Fixture.account.get().slot,
      login: Fixture.login.get(), strength: .floor, entropy: &entropy)
    try chain.append(record)
    #expect(chain.passphraseChanges == [home.device] && chain.epoch == 0)
    let slot = try #require(chain.slot)
    #expect(slot.version == 2 && slot.isNewPassphrase == true)
    #expect(try home.opensSlot(new, of: chain) == true)
    #expect(try home.opensSlot(Fixture.typed(), of: chain) == false)
    let login = try Enrolment.kitLogin(kit: home.kit, passphrase: new, hashing: slot.hashing)
    let recovered = try login.recover(
      slot: slot.slot, device: DeviceName(name: "mobile", platform: "linux"), membership: chain,
      dependencies: Frontier(), entropy: &entropy)
    #expect(recovered.keyring.account == home.account)
    // The server may still have the old slot, which the chain knows to be old.
    #expect(throws: VaultError.oldSlot) {
      try Fixture.login.get().recover(
        slot: Fixture.account.get().slot, device: DeviceName(name: "mobile", platform: "linux"),
        membership: chain, dependencies: Frontier(), entropy: &entropy)
    }
  }

  @Test func aSlotIsNeverFollowedByAnOlderOne() throws {
    let home = try Fixture.account.get().keyring
    var chain = try Fixture.paired().chain
    var entropy = SeededEntropy("older slot")
    func change(_ chain: Membership) throws -> MembershipRecord {
      try home.passphraseChange(
        to: Fixture.typed(), membership: chain, frontier: Frontier(),
        slot: Fixture.account.get().slot, login: Fixture.login.get(), strength: .floor,
        entropy: &entropy)
    }
    let body = try change(chain).body
    try chain.append(try change(chain))
    let again = try MembershipRecord.signed(
      kind: .changeSlot, account: chain.account, number: UInt64(chain.count),
      previous: chain.head, signer: .device(home.device), dependencies: Frontier(), body: body,
      key: home.deviceKeys.signing)
    #expect(throws: VaultError.malformed(field: "slot")) { try chain.append(again) }
  }

  @Test func aMemberRenamesAMemberAndNobodyElse() throws {
    let revoked = try Self.revoked.get()
    var chain = try Fixture.paired().chain
    var entropy = SeededEntropy("renaming")
    let name = DeviceName(name: "old work pc", platform: "linux")
    let record = try revoked.home.renaming(
      revoked.work.device, to: name, membership: chain, frontier: Frontier(), entropy: &entropy)
    try chain.append(record)
    let described = try #require(chain.devices[revoked.work.device])
    #expect(try revoked.work.name(of: described) == name)
    #expect(throws: VaultError.revoked(revoked.work.device)) {
      try revoked.work.renaming(
        revoked.home.device, to: name, membership: revoked.chain, frontier: Frontier(),
        entropy: &entropy)
    }
    #expect(throws: VaultError.revoked(revoked.work.device)) {
      try revoked.home.renaming(
        revoked.work.device, to: name, membership: revoked.chain, frontier: Frontier(),
        entropy: &entropy)
    }
  }
}

import Testing
import Wire

@testable import Vault

@Suite struct MembershipTests {
  /// A signed addition that is wrong in the one way the test is about.
  private func addition(
    number: UInt64 = 1, previous: Digest32? = nil, signer: MembershipRecord.Signer? = nil,
    key: SigningKey? = nil, device: (DeviceDescription) -> DeviceDescription = { $0 }
  ) throws -> MembershipRecord {
    let keyring = try Fixture.account.get().keyring
    let sound = try Fixture.paired().record.addition().device
    return try MembershipRecord.signed(
      kind: .addDevice, account: keyring.account, number: number,
      previous: previous ?? Fixture.chain().head, signer: signer ?? .device(keyring.device),
      dependencies: Frontier(),
      body: CanonicalJSON.encode(MembershipRecord.Addition(device: device(sound))),
      key: key ?? keyring.deviceKeys.signing)
  }

  private func with(
    _ device: DeviceDescription, id: DeviceID? = nil, signing: Blob? = nil, sealing: Blob? = nil
  ) -> DeviceDescription {
    DeviceDescription(
      device: id ?? device.device, signingKey: signing ?? device.signingKey,
      sealingKey: sealing ?? device.sealingKey, authenticationKey: device.authenticationKey,
      sealedName: device.sealedName)
  }

  @Test func devicesStandInTheOrderTheyJoined() throws {
    let paired = try Fixture.paired()
    let keyring = try Fixture.account.get().keyring
    #expect(paired.chain.order == [keyring.device, paired.offer.device])
    #expect(Set(paired.chain.devices.keys) == Set(paired.chain.order))
    #expect(paired.chain.count == 2)
    #expect(paired.chain.head == paired.record.hash)
    let before = try Fixture.chain()
    #expect(paired.chain.contains(before.head))
    #expect(!before.contains(paired.chain.head))
  }

  @Test func chainOfStoredBytesIsTheSameChain() throws {
    let paired = try Fixture.paired()
    var again = Membership(account: paired.chain.account)
    for record in paired.chain.records { try again.append(MembershipRecord(bytes: record.bytes)) }
    #expect(again == paired.chain)
  }

  @Test func refusedRecordChangesNothing() throws {
    var chain = try Fixture.chain()
    let before = chain
    let forged = try MembershipRecord(
      bytes: addition().bytes.flipped(at: addition().bytes.count - 1))
    #expect(throws: VaultError.badSignature) { try chain.append(forged) }
    #expect(chain == before)
  }

  @Test func recordOutOfPlaceBreaksTheChain() throws {
    var chain = try Fixture.chain()
    #expect(throws: VaultError.brokenChain(number: 2)) { try chain.append(addition(number: 2)) }
    #expect(throws: VaultError.brokenChain(number: 1)) {
      try chain.append(addition(previous: .zero))
    }
    #expect(throws: VaultError.brokenChain(number: 0)) {
      try chain.append(Fixture.account.get().genesis)
    }
    var empty = Membership(account: chain.account)
    #expect(throws: VaultError.brokenChain(number: 0)) {
      try empty.append(addition(number: 0, previous: .zero))
    }
  }

  @Test func recordOfAnotherAccountIsRefused() throws {
    var chain = Membership(account: try Fixture.account.get().keyring.account)
    #expect(throws: VaultError.wrongAccount) {
      try chain.append(Fixture.stranger.get().genesis)
    }
  }

  @Test func onlyMembersAndTheAccountKeyAdd() throws {
    var chain = try Fixture.chain()
    let stranger = try Fixture.stranger.get().keyring
    #expect(throws: VaultError.notAMember(stranger.device)) {
      try chain.append(
        addition(signer: .device(stranger.device), key: stranger.deviceKeys.signing))
    }
    #expect(throws: VaultError.badSignature) {
      try chain.append(addition(key: stranger.deviceKeys.signing))
    }
    #expect(throws: VaultError.badSignature) { try chain.append(addition(signer: .account)) }
  }

  @Test func deviceIsAddedOnceWithKeysOfItsOwn() throws {
    var chain = try Fixture.chain()
    let member = try #require(chain.devices.values.first)
    #expect(throws: VaultError.malformed(field: "device id")) {
      try chain.append(addition { with($0, id: member.device) })
    }
    #expect(throws: VaultError.malformed(field: "device id")) {
      try chain.append(addition { with($0, id: .zero) })
    }
    for device in [
      { with($0, signing: member.signingKey) }, { with($0, signing: member.authenticationKey) },
      { with($0, signing: $0.authenticationKey) }, { with($0, sealing: Blob([1, 2, 3])) },
      { with($0, signing: chain.accountKey) },
    ] as [(DeviceDescription) -> DeviceDescription] {
      #expect(throws: VaultError.malformed(field: "device keys")) {
        try chain.append(addition(device: device))
      }
    }
    try chain.append(addition())
  }

  @Test func accountKeyIsNoDevicesKey() throws {
    var entropy = SeededEntropy("one key")
    let key = SigningKey(seed: entropy.secret(32))
    let account: AccountID = entropy.identifier()
    let device = try with(Fixture.paired().record.addition().device, signing: key.publicKey)
    let genesis = try MembershipRecord.signed(
      kind: .genesis, account: account, number: 0, previous: .zero, signer: .account,
      dependencies: Frontier(),
      body: CanonicalJSON.encode(
        MembershipRecord.Genesis(accountKey: key.publicKey, device: device)), key: key)
    var chain = Membership(account: account)
    #expect(throws: VaultError.malformed(field: "device keys")) { try chain.append(genesis) }
  }

  @Test func accountHoldsAtMostItsLimitOfDevices() throws {
    let keyring = try Fixture.account.get().keyring
    var chain = try Fixture.chain()
    var entropy = SeededEntropy("many devices")
    func next() throws -> MembershipRecord {
      let keys = DeviceKeys(entropy: &entropy)
      let description = PublicKeys(keys, authentication: AuthenticationKey(entropy: &entropy))
        .description(sealedName: Blob([]))
      return try MembershipRecord.signed(
        kind: .addDevice, account: keyring.account, number: UInt64(chain.count),
        previous: chain.head, signer: .device(keyring.device), dependencies: Frontier(),
        body: CanonicalJSON.encode(MembershipRecord.Addition(device: description)),
        key: keyring.deviceKeys.signing)
    }
    while chain.count < Limits.devices { try chain.append(next()) }
    #expect(throws: VaultError.overLimit(limit: "devices", value: Limits.devices + 1)) {
      try chain.append(next())
    }
  }

  @Test func nameOfADeviceOpensForItsAccountOnly() throws {
    let paired = try Fixture.paired()
    let keyring = try Fixture.account.get().keyring
    let device = try #require(paired.chain.devices[paired.offer.device])
    #expect(try keyring.name(of: device) == DeviceName(name: "work pc", platform: "Debian 12"))
    #expect(
      try paired.joined.keyring.name(of: device)
        == DeviceName(name: "work pc", platform: "Debian 12"))
    #expect(throws: VaultError.cannotOpen) {
      try Fixture.stranger.get().keyring.name(of: device)
    }
    #expect(throws: VaultError.cannotOpen) {
      try keyring.name(of: with(device, id: keyring.device))
    }
  }

  @Test func nameThatWouldWriteOnATerminalIsRefused() throws {
    var entropy = SodiumEntropy()
    let code = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    for name in ["", "\u{1b}[2J", "two\nlines", String(repeating: "x", count: 65)] {
      #expect(throws: VaultError.self) {
        try JoiningDevice.make(
          code: code, device: DeviceName(name: name, platform: ""), entropy: &entropy)
      }
    }
  }
}

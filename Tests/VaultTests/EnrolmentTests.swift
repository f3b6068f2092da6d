import Foundation
import Testing
import Wire

@testable import Vault

@Suite struct EnrolmentTests {
  @Test func keyringOpensWithItsPassphraseAlone() throws {
    let disk = try Fixture.disk.get()
    #expect(throws: VaultError.wrongPassphrase) {
      try Keyring.open(disk: disk, passphrase: Fixture.typed("four words or less"))
    }
    let keyring = try Keyring.open(disk: disk, passphrase: Fixture.typed())
    let original = try Fixture.account.get().keyring
    #expect(keyring.device == original.device)
    #expect(keyring.accountName == "ann")
    #expect(
      try keyring.openCommit(Fixture.commit(), membership: Fixture.chain()) == Fixture.plaintext)
    #expect(try Fixture.commit(by: keyring) == Fixture.commit())
  }

  @Test func lockedKeyringTellsAccountAndDevice() throws {
    let facts = try Keyring.describe(disk: Fixture.disk.get())
    let keyring = try Fixture.account.get().keyring
    #expect(facts.account == keyring.account)
    #expect(facts.device == keyring.device)
    #expect(facts.hashing.memoryKibibytes == 64 * 1024)
  }

  @Test func weakOrRuinousHashingParametersAreRefusedUnhashed() throws {
    let salt = Blob([UInt8](repeating: 1, count: 16))
    for (memory, passes) in [
      (64 * 1024 - 1, 3), (64 * 1024, 2), (1024 * 1024 + 1, 3), (64 * 1024, 11),
    ] {
      let hashing = PassphraseHashing(memoryKibibytes: memory, passes: passes, salt: salt)
      #expect(throws: VaultError.parametersOutOfRange(memoryKibibytes: memory, passes: passes)) {
        try Enrolment.kitLogin(
          kit: Fixture.account.get().kit, passphrase: Fixture.typed(), hashing: hashing)
      }
    }
    let short = PassphraseHashing(memoryKibibytes: 64 * 1024, passes: 3, salt: Blob([1]))
    #expect(throws: VaultError.malformed(field: "salt")) { try HashingStrength.check(short) }
    for strength in [HashingStrength.standard, .low, .floor, .ceiling] {
      try HashingStrength.check(
        PassphraseHashing(
          memoryKibibytes: strength.memoryKibibytes, passes: strength.passes, salt: salt))
    }
  }

  @Test func kitAndPassphraseMakeANewDevice() throws {
    let login = try Fixture.login.get()
    let account = try Fixture.account.get()
    #expect(login.loginKey == account.loginKey)
    let proof = Array("proof".utf8)
    #expect(SigningKey.verify(login.sign(proof).bytes, of: proof, by: account.loginKey))

    var entropy = SodiumEntropy()
    var chain = try Fixture.chain()
    let recovered = try login.recover(
      slot: account.slot, device: DeviceName(name: "mobile", platform: "Debian 12"),
      membership: chain, dependencies: Fixture.frontier, entropy: &entropy)
    #expect(recovered.record.signer == .account)
    #expect(recovered.record.dependencies == Fixture.frontier)
    #expect(recovered.memberHead == chain.head)
    #expect(recovered.frontier == Frontier())
    try chain.append(recovered.record)
    let device = try #require(chain.devices[recovered.keyring.device])
    #expect(device.authenticationKey == recovered.authenticationKey.publicKey)
    #expect(try account.keyring.name(of: device).name == "mobile")
    let envelope = try Fixture.commit(by: recovered.keyring, memberHead: chain.head)
    #expect(try account.keyring.openCommit(envelope, membership: chain) == Fixture.plaintext)
  }

  @Test func wrongPassphraseOrKitDoesNotOpenTheSlot() throws {
    let account = try Fixture.account.get()
    var entropy = SodiumEntropy()
    for (kit, passphrase) in [
      (account.kit, "another passphrase"), (try Fixture.stranger.get().kit, Fixture.passphrase),
    ] {
      let login = try Enrolment.kitLogin(
        kit: kit, passphrase: Fixture.typed(passphrase), hashing: account.hashing)
      #expect(login.loginKey != account.loginKey)
      #expect(throws: VaultError.wrongPassphrase) {
        try login.recover(
          slot: account.slot, device: DeviceName(name: "mobile", platform: ""),
          membership: Fixture.chain(), dependencies: Frontier(), entropy: &entropy)
      }
    }
  }

  @Test func recoveryRefusesAChainThatEndsBeforeTheSlotsRecord() throws {
    let account = try Fixture.account.get()
    var entropy = SodiumEntropy()
    let empty = Membership(account: account.keyring.account)
    #expect(throws: VaultError.wrongAccount) {
      try Fixture.login.get().recover(
        slot: account.slot, device: DeviceName(name: "mobile", platform: ""), membership: empty,
        dependencies: Frontier(), entropy: &entropy)
    }
    let later = try Fixture.paired().chain.head
    let newer = Slot(
      account: account.keyring.account, version: 2, name: "ann",
      epochs: account.keyring.accountKeys.epochs,
      accountSeed: try slotOfFixture().accountSeed, memberHead: later, frontier: Frontier())
    let sealed = try newer.sealed(login: fixtureSecret(), entropy: &entropy)
    #expect(throws: VaultError.unknownMembership(later)) {
      try Fixture.login.get().recover(
        slot: sealed, device: DeviceName(name: "mobile", platform: ""),
        membership: Fixture.chain(), dependencies: Frontier(), entropy: &entropy)
    }
  }

  private func fixtureSecret() throws -> LoginSecret {
    let account = try Fixture.account.get()
    return try LoginSecret(
      passphrase: Fixture.typed(), accountSecret: account.keyring.accountKeys.secret,
      hashing: account.hashing)
  }

  private func slotOfFixture() throws -> Slot {
    try Slot.open(Fixture.account.get().slot, login: fixtureSecret())
  }

  @Test func kitIsReadHoweverItWasTyped() throws {
    let kit = try Fixture.account.get().kit
    #expect(kit.count == 36 + 8)
    let spoiled = kit.lowercased().split(separator: "-").joined(separator: " ")
      .map { $0 == "0" ? "o" : $0 == "1" ? "l" : $0 }
    #expect(try Kit(text: String(spoiled)).text == kit)
    #expect(throws: VaultError.malformed(field: "kit")) { try Kit(text: "") }
    #expect(throws: VaultError.malformed(field: "kit")) { try Kit(text: kit + "0") }
  }

  @Test func mistypedKitFailsItsChecksum() throws {
    let kit = Array(try Fixture.account.get().kit)
    for position in kit.indices where kit[position] != "-" {
      var copy = kit
      copy[position] = copy[position] == "7" ? "8" : "7"
      #expect(throws: VaultError.badChecksum) { try Kit(text: String(copy)) }
    }
  }

  @Test func handleIgnoresCaseAndComposition() {
    #expect(Enrolment.handle(of: "Ann") == Enrolment.handle(of: "ann"))
    #expect(Enrolment.handle(of: "Zo\u{eb}") == Enrolment.handle(of: "zoe\u{308}"))
    #expect(Enrolment.handle(of: "ann") != Enrolment.handle(of: "anne"))
    #expect(
      Enrolment.handle(of: "ann") == .sha256(Array("ctx/v1/handleann".utf8)))
  }

  @Test func accountNameIsNeverEmptyNorEndlessNorACommandToTheTerminal() throws {
    var entropy = SodiumEntropy()
    for name in ["", "\u{1b}[2J", String(repeating: "a", count: Limits.nameCharacters + 1)] {
      #expect(throws: VaultError.self) {
        try Enrolment.createAccount(
          name: name, device: DeviceName(name: "home pc", platform: ""),
          passphrase: Fixture.typed(), strength: .floor, entropy: &entropy)
      }
    }
  }

  @Test func theServerSeesNeitherNameNorPassphrase() throws {
    let account = try Fixture.account.get()
    let sent = account.genesis.bytes + account.slot.bytes + account.loginKey.bytes
    let text = String(decoding: sent, as: UTF8.self)
    #expect(!text.contains("home pc"))
    #expect(!text.contains("Debian"))
    #expect(!text.contains("four words"))
    #expect(account.slot.bytes.count == 4 + 1 + 1 + 16 + 4 + 4 + 4 + 16 + 32 + 24 + 4 + 512 + 16)
  }

  @Test func authenticationKeySurvivesItsFile() throws {
    let key = try Fixture.account.get().authenticationKey
    let again = try AuthenticationKey(seed: key.seed)
    #expect(again.publicKey == key.publicKey)
    #expect(again.sign([1, 2, 3]) == key.sign([1, 2, 3]))
    #expect(throws: VaultError.malformed(field: "seed")) { try AuthenticationKey(seed: [1]) }
  }
}

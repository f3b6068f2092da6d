import Testing
import Wire

@testable import Vault

/// Recorded layouts: made again byte for byte from the same chance, and opened from the file.
@Suite struct GoldenTests {
  @Test func accountGenesisAndSlotAreMadeAndOpenForEver() throws {
    let made = { () throws -> [String: String] in
      let account = try Fixture.account.get()
      return [
        "accountName": account.keyring.accountName,
        "accountSecretHex": account.keyring.accountKeys.secret.hex,
        "epoch0RootHex": try account.keyring.keys(of: 0).root.hex,
        "genesisHex": Hex.encode(account.genesis.bytes),
        "handleHex": Hex.encode(account.handle.bytes),
        "kit": account.kit,
        "loginKeyHex": Hex.encode(account.loginKey.bytes),
        "memoryKibibytes": String(account.hashing.memoryKibibytes),
        "passes": String(account.hashing.passes),
        "passphrase": Fixture.passphrase,
        "saltHex": Hex.encode(account.hashing.salt.bytes),
        "slotHex": Hex.encode(account.slot.bytes),
      ]
    }
    let golden = try Golden("account.json", make: made)
    #expect(golden.matches(try made()))

    let genesis = try MembershipRecord(bytes: golden.bytes("genesis"))
    var chain = Membership(account: genesis.account)
    try chain.append(genesis)
    let hashing = PassphraseHashing(
      memoryKibibytes: try #require(Int(golden.text("memoryKibibytes"))),
      passes: try #require(Int(golden.text("passes"))), salt: Blob(try golden.bytes("salt")))
    let login = try Enrolment.kitLogin(
      kit: golden.text("kit"), passphrase: Fixture.typed(golden.text("passphrase")),
      hashing: hashing)
    #expect(login.loginKey.bytes == (try golden.bytes("loginKey")))
    var entropy = SodiumEntropy()
    let recovered = try login.recover(
      slot: Blob(golden.bytes("slot")), device: DeviceName(name: "mobile", platform: ""),
      membership: chain, dependencies: Frontier(), entropy: &entropy)
    #expect(recovered.keyring.accountName == (try golden.text("accountName")))
    #expect(try recovered.keyring.keys(of: 0).root.hex == golden.text("epoch0RootHex"))
    #expect(
      try recovered.keyring.name(of: genesis.genesis().device)
        == DeviceName(name: "home pc", platform: "Debian 12"))
  }

  @Test func keyringFileIsMadeAndOpensForEver() throws {
    let made = { () throws -> [String: String] in
      let keyring = try Fixture.account.get().keyring
      return [
        "accountHex": Hex.encode(keyring.account.bytes),
        "deviceHex": Hex.encode(keyring.device.bytes),
        "fileHex": Hex.encode(try Fixture.disk.get()),
        "localKeyHex": keyring.deviceKeys.local.hex,
        "passphrase": Fixture.passphrase,
        "sealingKeyHex": keyring.deviceKeys.sealing.secret.hex,
        "signingSeedHex": keyring.deviceKeys.signing.seed.hex,
      ]
    }
    let golden = try Golden("keyring.json", make: made)
    #expect(golden.matches(try made()))

    let keyring = try Keyring.open(
      disk: golden.bytes("file"), passphrase: Fixture.typed(golden.text("passphrase")))
    #expect(keyring.account.bytes == (try golden.bytes("account")))
    #expect(keyring.device.bytes == (try golden.bytes("device")))
    #expect(keyring.deviceKeys.local.hex == (try golden.text("localKeyHex")))
    #expect(keyring.deviceKeys.sealing.secret.hex == (try golden.text("sealingKeyHex")))
    #expect(keyring.deviceKeys.signing.seed.hex == (try golden.text("signingSeedHex")))
  }

  @Test func commitAndRowAreMadeAndOpenForEver() throws {
    let made = { () throws -> [String: String] in
      let keyring = try Fixture.account.get().keyring
      var entropy = SeededEntropy("row")
      return [
        "binding": "draft/1",
        "dataKeyHex": try keyring.keys(of: 0).data.hex,
        "envelopeHex": Hex.encode(try Fixture.commit().bytes),
        "hashHex": Hex.encode(try Fixture.commit().hash.bytes),
        "plaintext": String(decoding: Fixture.plaintext, as: UTF8.self),
        "rowHex": Hex.encode(
          try keyring.sealRow(Fixture.plaintext, binding: "draft/1", entropy: &entropy)),
        "rowKeyHex": keyring.rowKey.hex,
      ]
    }
    let golden = try Golden("commit.json", make: made)
    #expect(golden.matches(try made()))

    let keyring = try Fixture.account.get().keyring
    let opened = try keyring.openCommit(
      Envelope(bytes: golden.bytes("envelope")), membership: Fixture.chain())
    #expect(opened == Array(try golden.text("plaintext").utf8))
    let row = try keyring.openRow(golden.bytes("row"), binding: golden.text("binding"))
    #expect(row == Array(try golden.text("plaintext").utf8))
  }

  @Test func snapshotIsMadeAndOpensForEver() throws {
    let pieces = Fixture.pieces.prefix(2).map { Array($0.prefix(300)) }
    let made = { () throws -> [String: String] in
      let keys = try Fixture.account.get().keyring.keys(of: 0)
      let snapshot = try Fixture.snapshot(pieces, seed: "golden snapshot")
      let chunks = snapshot.chunks.enumerated().map { ("chunk\($0)Hex", Hex.encode($1)) }
      return [
        "idHex": Hex.encode(snapshot.id.bytes),
        "manifestHex": Hex.encode(snapshot.manifest.bytes),
        "manifestKeyHex": keys.snapshotManifest.hex,
        "piece0Hex": Hex.encode(pieces[0]),
        "piece1Hex": Hex.encode(pieces[1]),
        "rootHex": Hex.encode(Fixture.root.bytes),
        "snapshotKeyHex": keys.snapshot.hex,
      ].merging(chunks) { first, _ in first }
    }
    let golden = try Golden("snapshot.json", make: made)
    #expect(golden.matches(try made()))

    let snapshot = SealedSnapshot(
      manifest: try Envelope(bytes: golden.bytes("manifest")),
      chunks: try (0..<2).map { try golden.bytes("chunk\($0)") })
    #expect(snapshot.id.bytes == (try golden.bytes("id")))
    #expect(
      try Fixture.opened(snapshot) == (0..<2).map { try golden.bytes("piece\($0)") })
    let manifest = try Fixture.account.get().keyring.openManifest(
      snapshot.manifest, membership: Fixture.chain())
    #expect(manifest.root.bytes == (try golden.bytes("root")))
  }

  @Test func replacementIsMadeAndVerifiesForEver() throws {
    let made = { () throws -> [String: String] in
      let keyring = try Fixture.account.get().keyring
      let (successor, record) = try Fixture.replacement(
        of: keyring, in: Fixture.chain(), seed: "golden replacement")
      return [
        "authenticationKeyHex": Hex.encode(successor.authenticationKey.publicKey.bytes),
        "deviceHex": Hex.encode(successor.keyring.device.bytes),
        "hashHex": Hex.encode(record.hash.bytes),
        "recordHex": Hex.encode(record.bytes),
        "replacedHex": Hex.encode(keyring.device.bytes),
      ]
    }
    let golden = try Golden("replacement.json", make: made)
    #expect(golden.matches(try made()))

    var chain = try Fixture.chain()
    try chain.append(MembershipRecord(bytes: golden.bytes("record")))
    #expect(chain.head.bytes == (try golden.bytes("hash")))
    let replaced = try #require(DeviceID(bytes: golden.bytes("replaced")))
    let successor = try #require(DeviceID(bytes: golden.bytes("device")))
    #expect(chain.replacements == [replaced: [successor]])
  }

  @Test func anIdentityThatIsSaidAnewVerifiesForEver() throws {
    let recorded = try Golden("replacement.json", make: { [:] })
    let replacing = try MembershipRecord(bytes: recorded.bytes("record"))
    let made = { () throws -> [String: String] in
      let record = try Fixture.account.get().keyring.restating(
        replacing, membership: Fixture.chain(), frontier: Fixture.frontier)
      return ["hashHex": Hex.encode(record.hash.bytes), "recordHex": Hex.encode(record.bytes)]
    }
    let golden = try Golden("parting.json", make: made)
    #expect(golden.matches(try made()))

    var chain = try Fixture.chain()
    try chain.append(MembershipRecord(bytes: golden.bytes("record")))
    #expect(chain.head.bytes == (try golden.bytes("hash")))
    let replaced = try #require(DeviceID(bytes: recorded.bytes("replaced")))
    let successor = try #require(DeviceID(bytes: recorded.bytes("device")))
    #expect(chain.replacements == [replaced: [successor]])
  }

  /// The chain of the recorded pairing, and the keyring of the device that joined with it.
  static func pairedChain() throws -> Membership {
    var chain = try Fixture.chain()
    try chain.append(
      MembershipRecord(bytes: Golden("pairing.json", make: { [:] }).bytes("addition")))
    return chain
  }

  private static func pairedKeyring() throws -> Keyring {
    let recorded = try Golden("pairing.json", make: { [:] })
    var entropy = SeededEntropy("golden pairing")
    _ = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: PairingCode(text: recorded.text("code")),
      device: DeviceName(name: "work pc", platform: "Debian 12"), entropy: &entropy)
    return try joining.accept(answer: recorded.bytes("answer")).keyring
  }

  private static func commit(
    by keyring: Keyring, _ sequence: UInt64, memberHead: Digest32
  ) throws -> Envelope {
    var entropy = SeededEntropy("golden rotation \(sequence)")
    return try keyring.sealCommit(
      Fixture.plaintext, kind: .data, sequence: sequence, previous: .sha256([1]),
      memberHead: memberHead, dependencies: Frontier(), entropy: &entropy)
  }

  /// HPKE draws its own ephemeral keys, so the record, and what names it, is never compared.
  @Test func rotationIsMadeAndOpensForEver() throws {
    let (home, work) = (try Fixture.account.get().keyring, try Self.pairedKeyring())
    let early = try Self.pairedChain()
    let made = { () throws -> [String: String] in
      let cut = Frontier([
        home.device: Head(sequence: 5, hash: .sha256([5])),
        work.device: Head(sequence: 2, hash: .sha256([2])),
      ])
      let prepared = try RotationTests.rotation(
        of: home, without: [work.device], in: early, cut: cut, seed: "golden rotation")
      var chain = early
      try chain.append(prepared.record)
      let extended = try home.extended(by: chain)
      let body = try prepared.record.rotation()
      return [
        "accountSecretHex": extended.accountKeys.secret.hex,
        "beyondHex": Hex.encode(try Self.commit(by: work, 3, memberHead: early.head).bytes),
        "commitmentHex": Hex.encode(body.commitment.bytes),
        "hashHex": Hex.encode(prepared.record.hash.bytes),
        "kit": prepared.kit,
        "loginKeyHex": Hex.encode(body.slot.loginKey.bytes),
        "newHex": Hex.encode(try Self.commit(by: extended, 6, memberHead: chain.head).bytes),
        "oldKeysHex": Hex.encode(try Self.commit(by: home, 6, memberHead: early.head).bytes),
        "passphrase": Fixture.passphrase,
        "recordHex": Hex.encode(prepared.record.bytes),
        "revokedHex": Hex.encode(work.device.bytes),
        "revokedSealingKeyHex": work.deviceKeys.sealing.secret.hex,
        "rootHex": try extended.keys(of: 1).root.hex,
        "sealedHex": Hex.encode(body.keys[0].key.bytes),
        "slotHex": Hex.encode(body.slot.slot.bytes),
        "tooEarlyHex": Hex.encode(
          try Self.commit(by: extended, 6, memberHead: early.head).bytes),
        "withinHex": Hex.encode(try Self.commit(by: work, 2, memberHead: early.head).bytes),
      ]
    }
    let golden = try Golden("rotation.json", make: made)
    #expect(
      golden.matches(try made(), except: ["hashHex", "newHex", "recordHex", "sealedHex"]))

    var chain = early
    try chain.append(MembershipRecord(bytes: golden.bytes("record")))
    #expect(chain.head.bytes == (try golden.bytes("hash")))
    #expect(chain.active == [home.device])
    let extended = try home.extended(by: chain)
    #expect(try extended.keys(of: 1).root.hex == golden.text("rootHex"))
    #expect(try extended.accountKeys.secret.hex == golden.text("accountSecretHex"))
    let slot = try #require(chain.slot)
    #expect(slot.slot.bytes == (try golden.bytes("slot")))
    let login = try Enrolment.kitLogin(
      kit: golden.text("kit"), passphrase: Fixture.typed(golden.text("passphrase")),
      hashing: slot.hashing)
    #expect(login.loginKey.bytes == (try golden.bytes("loginKey")))
    var entropy = SodiumEntropy()
    let recovered = try login.recover(
      slot: slot.slot, device: DeviceName(name: "mobile", platform: ""), membership: chain,
      dependencies: Frontier(), entropy: &entropy)
    #expect(try recovered.keyring.keys(of: 1).root.hex == golden.text("rootHex"))

    func open(_ field: String) throws -> [UInt8] {
      try extended.openCommit(Envelope(bytes: golden.bytes(field)), membership: chain)
    }
    #expect(try open("within") == Fixture.plaintext)
    #expect(try open("new") == Fixture.plaintext)
    #expect(throws: VaultError.revoked(work.device)) { try open("beyond") }
    #expect(throws: VaultError.wrongEpoch(0)) { try open("oldKeys") }
    #expect(throws: VaultError.wrongEpoch(1)) { try open("tooEarly") }
  }

  /// Another passphrase, another name, the end.
  @Test func smallRecordsAreMadeAndVerifyForEver() throws {
    let account = try Fixture.account.get()
    let home = account.keyring
    let made = { () throws -> [String: String] in
      var entropy = SeededEntropy("golden records")
      var chain = try Fixture.chain()
      let change = try home.passphraseChange(
        to: Fixture.typed("another one, even longer"), membership: chain,
        frontier: Fixture.frontier, slot: account.slot, login: Fixture.login.get(),
        strength: .floor, entropy: &entropy)
      try chain.append(change)
      let renaming = try home.renaming(
        home.device, to: DeviceName(name: "old pc", platform: "Debian 12"), membership: chain,
        frontier: Fixture.frontier, entropy: &entropy)
      let ending = try home.ending(
        of: Fixture.chain(), slot: account.slot, login: Fixture.login.get())
      return [
        "accountSeedHex": try Fixture.accountSeed().hex,
        "endingHashHex": Hex.encode(ending.hash.bytes),
        "endingHex": Hex.encode(ending.bytes),
        "name": "old pc",
        "passphrase": "another one, even longer",
        "renamingHex": Hex.encode(renaming.bytes),
        "slotChangeHex": Hex.encode(change.bytes),
      ]
    }
    let golden = try Golden("records.json", make: made)
    #expect(golden.matches(try made()))

    var chain = try Fixture.chain()
    try chain.append(MembershipRecord(bytes: golden.bytes("slotChange")))
    #expect(
      try home.opensSlot(Fixture.typed(golden.text("passphrase")), of: chain) == true)
    try chain.append(MembershipRecord(bytes: golden.bytes("renaming")))
    let renamed = try #require(chain.devices[home.device])
    #expect(try home.name(of: renamed).name == golden.text("name"))
    try chain.end(by: MembershipRecord(bytes: golden.bytes("ending")))
    #expect(try chain.ending?.ending().device == home.device)
  }

  @Test func serverKeysAndTheLowestSuiteCountForEver() throws {
    let home = try Fixture.account.get().keyring
    let made = { () throws -> [String: String] in
      var chain = try Fixture.chain()
      let trust = try home.trusting(
        serverKeys: [.sha256([1]), .sha256([2])], membership: chain, frontier: Fixture.frontier)
      try chain.append(trust)
      let before = try Fixture.commit(by: home, memberHead: chain.head)
      let raise = try ServerKeysTests.record(
        .raiseSuite, MembershipRecord.SuiteRaise(suite: 2), after: chain)
      try chain.append(raise)
      let after = try Fixture.commit(by: home, memberHead: chain.head)
      return [
        "afterHex": Hex.encode(after.bytes), "beforeHex": Hex.encode(before.bytes),
        "raiseHex": Hex.encode(raise.bytes), "trustHex": Hex.encode(trust.bytes),
      ]
    }
    let golden = try Golden("policies.json", make: made)
    #expect(golden.matches(try made()))

    var chain = try Fixture.chain()
    try chain.append(MembershipRecord(bytes: golden.bytes("trust")))
    #expect(Set(chain.serverKeys) == [.sha256([1]), .sha256([2])])
    try chain.append(MembershipRecord(bytes: golden.bytes("raise")))
    #expect(chain.minimumSuite == 2)
    let before = try Envelope(bytes: golden.bytes("before"))
    #expect(try home.openCommit(before, membership: chain) == Fixture.plaintext)
    let after = try Envelope(bytes: golden.bytes("after"))
    #expect(throws: VaultError.malformed(field: "suite")) { try chain.verify(after) }
  }

  /// HPKE draws its own ephemeral key, so the answer is opened and never compared.
  @Test func pairingIsMadeAndOpensForEver() throws {
    let made = { () throws -> [String: String] in
      var entropy = SeededEntropy("golden pairing")
      let keyring = try Fixture.account.get().keyring
      let code = try PairingCode(
        server: Fixture.server, pin: .sha256(Array("key".utf8)), entropy: &entropy)
      let joining = try JoiningDevice.make(
        code: code, device: DeviceName(name: "work pc", platform: "Debian 12"),
        entropy: &entropy)
      let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
      let record = try keyring.admit(
        offer, membership: Fixture.chain(), dependencies: Fixture.frontier, entropy: &entropy)
      let answer = try keyring.answer(
        offer, code: code, frontier: Fixture.frontier, memberHead: record.hash,
        entropy: &entropy)
      return [
        "additionHex": Hex.encode(record.bytes),
        "answerHex": Hex.encode(answer),
        "code": code.text,
        "offerHex": Hex.encode(joining.offerLetter),
        "rendezvousHex": Hex.encode(code.rendezvous.bytes),
        "secretHex": code.secret.hex,
        "server": code.server,
        "words": joining.words.joined(separator: " "),
      ]
    }
    let golden = try Golden("pairing.json", make: made)
    #expect(golden.matches(try made(), except: ["answerHex"]))

    let code = try PairingCode(text: golden.text("code"))
    let offer = try PairingOffer.open(letter: golden.bytes("offer"), code: code)
    #expect(offer.words.joined(separator: " ") == (try golden.text("words")))
    var chain = try Fixture.chain()
    try chain.append(MembershipRecord(bytes: golden.bytes("addition")))
    #expect(chain.devices[offer.device] != nil)

    var entropy = SeededEntropy("golden pairing")
    _ = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: "work pc", platform: "Debian 12"), entropy: &entropy)
    let joined = try joining.accept(answer: golden.bytes("answer"))
    #expect(joined.memberHead == chain.head)
    #expect(joined.frontier == Fixture.frontier)
    #expect(
      try joined.keyring.openCommit(Fixture.commit(), membership: chain) == Fixture.plaintext)
  }
}

extension Secret {
  /// For comparing in tests.
  var hex: String { withBytes { Hex.encode($0) } }
}

import Testing
import Wire

@testable import Vault

@Suite struct PairingTests {
  @Test func pairedDeviceReadsAndWritesLikeTheFirst() throws {
    let paired = try Fixture.paired()
    let first = try Fixture.account.get().keyring
    let second = paired.joined.keyring
    #expect(second.account == first.account)
    #expect(second.accountName == "ann")
    #expect(second.device == paired.offer.device)
    #expect(second.device == paired.joining.device)
    #expect(paired.joined.memberHead == paired.chain.head)
    #expect(paired.joined.frontier == Fixture.frontier)
    try second.check(paired.chain)
    #expect(try second.openCommit(Fixture.commit(), membership: paired.chain) == Fixture.plaintext)
    let envelope = try Fixture.commit(by: second, memberHead: paired.chain.head)
    #expect(try first.openCommit(envelope, membership: paired.chain) == Fixture.plaintext)
    #expect(
      paired.chain.devices[second.device]?.authenticationKey
        == paired.joined.authenticationKey.publicKey)
  }

  @Test func pairedDeviceAdmitsAThird() throws {
    let paired = try Fixture.paired()
    var entropy = SeededEntropy("third")
    let code = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let third = try JoiningDevice.make(
      code: code, device: DeviceName(name: "mobile", platform: ""), entropy: &entropy)
    let offer = try PairingOffer.open(letter: third.offerLetter, code: code)
    var chain = paired.chain
    try chain.append(
      paired.joined.keyring.admit(
        offer, membership: chain, dependencies: Frontier(), entropy: &entropy))
    let joined = try third.accept(
      answer: paired.joined.keyring.answer(
        offer, code: code, frontier: Frontier(), memberHead: chain.head, entropy: &entropy))
    #expect(try joined.keyring.openCommit(Fixture.commit(), membership: chain) == Fixture.plaintext)
  }

  /// Who reads the code and holds the mailbox answers in the place of the trusted device.
  @Test func theAnswerOfAnotherAccountThanTheCodesIsRefused() throws {
    let paired = try Fixture.paired()
    let stranger = try Fixture.stranger.get().keyring
    var entropy = SeededEntropy("marked")
    let code = try PairingCode(
      server: Fixture.server, pin: nil, for: Fixture.account.get().keyring, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: PairingCode(text: code.text), device: DeviceName(name: "mobile", platform: ""),
      entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    func answer(of keyring: Keyring) throws -> [UInt8] {
      var entropy = SodiumEntropy()
      return try keyring.answer(
        offer, code: code, frontier: Frontier(), memberHead: paired.chain.head, entropy: &entropy)
    }
    let forged = try answer(of: stranger)
    #expect(throws: VaultError.wrongAccount) { try joining.accept(answer: forged) }
    let genuine = try joining.accept(answer: answer(of: Fixture.account.get().keyring))
    #expect(genuine.keyring.accountName == "ann")
  }

  @Test func rowsOfOneDeviceDoNotOpenOnAnother() throws {
    let paired = try Fixture.paired()
    var entropy = SodiumEntropy()
    let row = try paired.joined.keyring.sealRow([1], binding: "draft", entropy: &entropy)
    #expect(throws: VaultError.cannotOpen) {
      try Fixture.account.get().keyring.openRow(row, binding: "draft")
    }
  }

  @Test func bothScreensShowTheSameSixWords() throws {
    let paired = try Fixture.paired()
    #expect(paired.joining.words == paired.offer.words)
    #expect(paired.offer.words.count == 6)
    #expect(paired.offer.words.allSatisfy(WordList.words.contains))
    #expect(try Fixture.paired("another").offer.words != paired.offer.words)
  }

  /// Somebody who overheard the code can put in an offer of their own; the words tell.
  @Test func anotherOfferUnderTheSameCodeShowsOtherWords() throws {
    let paired = try Fixture.paired()
    var entropy = SodiumEntropy()
    let rival = try JoiningDevice.make(
      code: paired.code, device: DeviceName(name: "work pc", platform: "Debian 12"),
      entropy: &entropy)
    #expect(rival.words != paired.joining.words)
    let answer = try Fixture.account.get().keyring.answer(
      PairingOffer.open(letter: rival.offerLetter, code: paired.code), code: paired.code,
      frontier: Frontier(), memberHead: .zero, entropy: &entropy)
    #expect(throws: VaultError.malformed(field: "device")) {
      try paired.joining.accept(answer: answer)
    }
  }

  @Test func lettersOfAnotherCodeDoNotOpen() throws {
    let paired = try Fixture.paired()
    var entropy = SodiumEntropy()
    let other = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    #expect(throws: VaultError.cannotOpen) {
      try PairingOffer.open(letter: paired.joining.offerLetter, code: other)
    }
    let answer = try Fixture.account.get().keyring.answer(
      paired.offer, code: other, frontier: Frontier(), memberHead: .zero, entropy: &entropy)
    #expect(throws: VaultError.cannotOpen) { try paired.joining.accept(answer: answer) }
    #expect(other.rendezvous != paired.code.rendezvous)
  }

  @Test func offerWhoseSealingKeyGivesNoSecretIsRefused() throws {
    var entropy = SodiumEntropy()
    let code = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    let keys = PublicKeys(
      device: entropy.identifier(), signing: Blob(entropy.bytes(32)),
      sealing: Blob([UInt8](repeating: 0, count: 32)), authentication: Blob(entropy.bytes(32)))
    let contents = try PairingOffer.contents(keys, name: DeviceName(name: "x", platform: ""))
    let letter = PairingOffer.letter(contents, code: code, entropy: &entropy)
    let offer = try PairingOffer.open(letter: letter, code: code)
    #expect(throws: VaultError.malformed(field: "sealing key")) {
      try Fixture.account.get().keyring.answer(
        offer, code: code, frontier: Frontier(), memberHead: .zero, entropy: &entropy)
    }
  }

  @Test func answerWithTheFullestFrontierFitsItsMailbox() throws {
    var entropy = SodiumEntropy()
    let paired = try Fixture.paired()
    var frontier = Frontier()
    for _ in 0..<Limits.devices {
      frontier[entropy.identifier()] = Head(sequence: .max, hash: .zero)
    }
    let answer = try Fixture.account.get().keyring.answer(
      paired.offer, code: paired.code, frontier: frontier, memberHead: .zero, entropy: &entropy)
    #expect(answer.count <= Limits.mailboxBytes)
    #expect(try paired.joining.accept(answer: answer).frontier == frontier)
  }

  @Test(arguments: [
    "https://home.example", "http://127.0.0.1:7480", "https://router.lan:7480/higgins/",
    "http+unix:///run/higginsd/socket",
  ])
  func codeSaysServerPinAndSecret(server: String) throws {
    var entropy = SodiumEntropy()
    for pin in [nil, Digest32.sha256([1])] {
      let code = try PairingCode(
        server: server, pin: pin, for: Fixture.account.get().keyring, entropy: &entropy)
      let read = try PairingCode(text: code.text)
      #expect(read == code)
      #expect(read.server == server)
      #expect(read.pin == pin)
      #expect(read.rendezvous == code.rendezvous)
    }
  }

  @Test func codeIsReadHoweverItWasTyped() throws {
    let code = try Fixture.paired().code
    let typed = code.text.lowercased().split(separator: "-").joined(separator: " ")
      .map { $0 == "0" ? "O" : $0 == "1" ? "I" : $0 }
    #expect(try PairingCode(text: "  " + String(typed) + "\n") == code)
  }

  @Test func everyMistypedSymbolOfACodeIsNoticed() throws {
    let text = Array(try Fixture.paired().code.text)
    for position in text.indices where text[position] != "-" {
      for symbol in "09AZ" where symbol != text[position] {
        var copy = text
        copy[position] = symbol
        #expect(throws: VaultError.self) { try PairingCode(text: String(copy)) }
      }
    }
  }

  @Test func textThatIsNoCodeIsRefused() {
    for text in ["", "hello world", "00000", String(repeating: "0", count: 5000), "ÄÖÜ"] {
      #expect(throws: VaultError.self) { try PairingCode(text: text) }
    }
  }

  @Test func codeForAnotherKindOfServerIsRefused() {
    var entropy = SodiumEntropy()
    for server in ["", "https://", "ftp://home.example", "home.example", "https://a b"] {
      #expect(throws: VaultError.malformed(field: "server")) {
        try PairingCode(server: server, pin: nil, entropy: &entropy)
      }
    }
  }
}

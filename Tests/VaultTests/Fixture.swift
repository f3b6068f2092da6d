@testable import Vault
import Wire

/// An account of one person with two devices, made the same way in every run.
enum Fixture {
  static let passphrase = "four words or more"
  static let server = "https://home.example:7480"

  static func typed(_ text: String = passphrase) throws -> Passphrase {
    try Passphrase(utf8: Array(text.utf8))
  }

  /// The first device's account; hashed once for the whole run.
  static let account = Result { () throws -> NewAccount in
    var entropy = SeededEntropy("account")
    return try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "Debian 12"),
      passphrase: typed(), strength: .floor, entropy: &entropy)
  }

  /// Another account, which happens to have the same name and passphrase.
  static let stranger = Result { () throws -> NewAccount in
    var entropy = SeededEntropy("stranger")
    return try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "Debian 12"),
      passphrase: typed(), strength: .floor, entropy: &entropy)
  }

  /// The keyring file of the first device.
  static let disk = Result { () throws -> [UInt8] in
    var entropy = SeededEntropy("disk")
    return try account.get().keyring.sealedForDisk(
      passphrase: typed(), strength: .floor, entropy: &entropy)
  }

  /// What the fixture's passphrase and kit derive, hashed once.
  static let login = Result { () throws -> KitLogin in
    let account = try Self.account.get()
    return try Enrolment.kitLogin(
      kit: account.kit, passphrase: typed(), hashing: account.hashing)
  }

  /// The seed of the account's signing key.
  static func accountSeed() throws -> Secret {
    let account = try account.get()
    let login = try LoginSecret(
      passphrase: typed(), accountSecret: account.keyring.accountKeys.secret,
      hashing: account.hashing)
    return try Slot.open(account.slot, login: login).accountSeed
  }

  static func chain() throws -> Membership {
    let account = try Self.account.get()
    var chain = Membership(account: account.keyring.account)
    try chain.append(account.genesis)
    return chain
  }

  /// A finished pairing of a second device.
  struct Paired {
    let code: PairingCode
    let joining: JoiningDevice
    let offer: PairingOffer
    let record: MembershipRecord
    /// With the second device in it.
    let chain: Membership
    let joined: JoiningDevice.Joined
  }

  static func paired(_ seed: String = "pairing") throws -> Paired {
    var entropy = SeededEntropy(seed)
    let keyring = try account.get().keyring
    var chain = try chain()
    let code = try PairingCode(server: server, pin: nil, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: "work pc", platform: "Debian 12"), entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    let record = try keyring.admit(
      offer, membership: chain, dependencies: frontier, entropy: &entropy)
    try chain.append(record)
    let answer = try keyring.answer(
      offer, code: code, frontier: frontier, memberHead: chain.head, entropy: &entropy)
    return Paired(
      code: code, joining: joining, offer: offer, record: record, chain: chain,
      joined: try joining.accept(answer: answer))
  }

  /// Three commits of some device.
  static let frontier: Frontier = {
    var entropy = SeededEntropy("frontier")
    return Frontier([entropy.identifier(): Head(sequence: 3, hash: .sha256(Array("three".utf8)))])
  }()

  static let plaintext = Array(#"[{"ctx":"bank.example","kind":"login"}]"#.utf8)

  static func commit(
    _ plaintext: [UInt8] = plaintext, by keyring: Keyring? = nil, memberHead: Digest32? = nil,
    seed: String = "commit"
  ) throws -> Envelope {
    var entropy = SeededEntropy(seed)
    return try (keyring ?? account.get().keyring).sealCommit(
      plaintext, kind: .data, sequence: 1, previous: .zero,
      memberHead: memberHead ?? chain().head, dependencies: frontier, entropy: &entropy)
  }
}

extension [UInt8] {
  /// The same bytes with one bit turned.
  func flipped(at position: Int) -> [UInt8] {
    var copy = self
    copy[position] ^= 1
    return copy
  }
}

import AttributeServer
import Sync
import Vault
import Wire

/// One account with its devices, made once with the real procedures; every run starts from a copy.
struct Family: Sendable {
  let keyrings: [Keyring]
  let records: [MembershipRecord]
  let server: MemoryLedgerStore
  /// The account's slot, and what opens it.
  let slot: Blob
  let login: KitLogin
  /// A record by which a member adds a device that nobody knows: what would be believed if
  /// signatures were not checked.
  let intruder: (keyring: Keyring, record: MembershipRecord)

  var account: AccountID { keyrings[0].account }

  /// The first device creates the account, and admits the others by pairing code.
  static func make(devices: Int, seed: UInt64 = 2010) throws -> Family {
    var entropy = SeededEntropy(seed: seed)
    let new = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    var server = MemoryLedgerStore()
    try Ledger().found(new.keyring.account, genesis: new.genesis.bytes, in: &server)
    var membership = Membership(account: new.keyring.account)
    try membership.append(new.genesis)
    var keyrings = [new.keyring]
    for number in 1..<devices {
      let (keyring, record) = try admitted(
        "device \(number)", by: new.keyring, membership: membership, &entropy)
      _ = try Ledger().append(
        MembershipRequest(expectedHead: membership.head, record: Blob(record.bytes)),
        by: Caller(account: new.keyring.account, device: new.keyring.device), in: &server)
      try membership.append(record)
      keyrings.append(keyring)
    }
    let intruder = try admitted("intruder", by: new.keyring, membership: membership, &entropy)
    return Family(
      keyrings: keyrings, records: membership.records, server: server, slot: new.slot,
      login: try new.keyring.login(passphrase, hashing: new.hashing), intruder: intruder)
  }

  static var passphrase: Passphrase {
    get throws { try Passphrase(utf8: Array("correct horse battery staple".utf8)) }
  }

  private static func admitted(
    _ name: String, by keyring: Keyring, membership: Membership, _ entropy: inout SeededEntropy
  ) throws -> (Keyring, MembershipRecord) {
    let code = try PairingCode(
      server: "http://127.0.0.1:7480", pin: nil, for: keyring, entropy: &entropy)
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: name, platform: "linux"), entropy: &entropy)
    let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
    let record = try keyring.admit(
      offer, membership: membership, dependencies: Frontier(), entropy: &entropy)
    let answer = try keyring.answer(
      offer, code: code, frontier: Frontier(), memberHead: record.hash, entropy: &entropy)
    return (try joining.accept(answer: answer).keyring, record)
  }
}

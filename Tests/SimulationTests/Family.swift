import AttributeServer
import Sync
import Vault
import Wire

/// One account with its devices, made once with the real procedures; every run starts from a copy.
struct Family: Sendable {
  let keyrings: [Keyring]
  let records: [MembershipRecord]
  let server: MemoryLedgerStore

  var account: AccountID { keyrings[0].account }

  /// The first device creates the account, and admits the others by pairing code.
  static func make(devices: Int) throws -> Family {
    var entropy = SeededEntropy(seed: 2010)
    let passphrase = try Passphrase(utf8: Array("correct horse battery staple".utf8))
    let new = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    var server = MemoryLedgerStore()
    let ledger = Ledger()
    try ledger.found(new.keyring.account, genesis: new.genesis.bytes, in: &server)
    var membership = Membership(account: new.keyring.account)
    try membership.append(new.genesis)
    var keyrings = [new.keyring]
    for number in 1..<devices {
      let code = try PairingCode(server: "http://127.0.0.1:7480", pin: nil, entropy: &entropy)
      let joining = try JoiningDevice.make(
        code: code, device: DeviceName(name: "device \(number)", platform: "linux"),
        entropy: &entropy)
      let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
      let record = try new.keyring.admit(
        offer, membership: membership, dependencies: Frontier(), entropy: &entropy)
      _ = try ledger.append(
        MembershipRequest(expectedHead: membership.head, record: Blob(record.bytes)),
        by: Caller(account: new.keyring.account, device: new.keyring.device), in: &server)
      try membership.append(record)
      let answer = try new.keyring.answer(
        offer, code: code, frontier: Frontier(), memberHead: record.hash, entropy: &entropy)
      keyrings.append(try joining.accept(answer: answer).keyring)
    }
    return Family(keyrings: keyrings, records: membership.records, server: server)
  }
}

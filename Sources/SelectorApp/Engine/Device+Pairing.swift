import Storage
import Sync
import Transport
import Vault
import Wire

/// The trusted device's side of a pairing.
extension Device {
  /// How long one question to the mailbox waits.
  private static let mailboxWait = Duration.seconds(20)
  /// Other devices may change something while a record is made; then it is made anew.
  private static let admissionAttempts = 5

  /// Shows a single-use code, waits for the device that knows it, and admits it when the person
  /// confirms. Who can do so gives the account away, so the passphrase is asked for once more.
  func pair(_ exchange: PairingExchange, passphrase: Passphrase) async throws -> DeviceName {
    guard let keyring else { throw DeviceError.locked }
    try checkPassphrase(passphrase)
    try await confirmEverything()
    let code = try PairingCode(
      server: settings.server, pin: settings.pin, for: keyring, entropy: &entropy)
    try await client.openMailbox(code.rendezvous)
    let life = Limits.pairingCodeLife.components.seconds
    let expiry = Self.wallClock + life * 1000
    await exchange.showCode(code.text, expiry)
    let letter = try await letter(in: .offer, of: code.rendezvous, until: expiry)
    let offer = try Onboarding.received { () throws(VaultError) in
      try PairingOffer.open(letter: letter, code: code)
    }
    guard await exchange.confirm(offer.name.name, offer.words) else {
      try await client.post(Onboarding.declined, to: .answer, of: code.rendezvous)
      throw DeviceError.pairingDeclined
    }
    let record = try await admit(offer, with: keyring)
    let answer = try keyring.answer(
      offer, code: code, frontier: core.frontier, memberHead: record.hash, entropy: &entropy)
    try await client.post(answer, to: .answer, of: code.rendezvous)
    attempt(.requested)
    return offer.name
  }

  private func letter(
    in box: MailboxRequest.Box, of rendezvous: RendezvousID, until expiry: Int64
  ) async throws -> [UInt8] {
    while Self.wallClock < expiry {
      try Task.checkCancellation()
      let letter = try await client.read(box, of: rendezvous, wait: Self.mailboxWait)
      if let letter { return letter }
    }
    throw DeviceError.pairingExpired
  }

  private func admit(
    _ offer: PairingOffer, with keyring: Keyring
  ) async throws -> MembershipRecord {
    for _ in 1..<Self.admissionAttempts {
      do {
        return try await tryToAdmit(offer, with: keyring)
      } catch ServiceFailure.refused(let problem) where problem.code == .staleMembership {
        try await confirmEverything()
      }
    }
    return try await tryToAdmit(offer, with: keyring)
  }

  private func tryToAdmit(
    _ offer: PairingOffer, with keyring: Keyring
  ) async throws -> MembershipRecord {
    let expected = core.membership.head
    let record = try keyring.admit(
      offer, membership: core.membership, dependencies: core.serverFrontier, entropy: &entropy)
    _ = try await client.appendMembership(
      MembershipRequest(expectedHead: expected, record: Blob(record.bytes)))
    return record
  }

  func confirmEverything() async throws {
    guard await synchronise(within: .seconds(20)) == .confirmed else {
      if core.isEnded { throw DeviceError.deleted(text: deletionText) }
      throw core.failure ?? ServiceFailure.unreachable(reason: "it did not answer in time")
    }
  }
}

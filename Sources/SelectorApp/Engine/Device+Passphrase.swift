import Storage
import Sync
import Transport
import Vault
import Wire

/// Another passphrase, another kit, another name.
extension Device {
  /// Other devices may append a record meanwhile; then it is made anew.
  private static let recordAttempts = 5

  enum PassphraseChange {
    /// The account has it, and this device.
    case changed
    /// The account had it already; now this device has it, too.
    case adopted
  }

  /// Who changed the account's passphrase since this device took its own; nil when nobody did.
  var passphraseChangedBy: String? {
    let changes = core.membership.passphraseChanges
    guard let known = settings.passphraseChanges, changes.count > known,
      let last = changes.last
    else { return nil }
    return name(of: last)
  }

  /// Keys and kit stay. Every other device goes on with its passphrase until its person changes it
  /// there, too; on such a device `new` is the account's, and `old` the device's.
  func changePassphrase(
    from old: Passphrase, to new: Passphrase
  ) async throws -> PassphraseChange {
    guard let keyring else { throw DeviceError.locked }
    try checkPassphrase(old)
    try await confirmEverything()
    if try keyring.opensSlot(new, of: core.membership) == true {
      try seal(keyring, with: new)
      return .adopted
    }
    let (login, slot) = try await proveAccount(keyring, old)
    try await append { device throws in
      guard let keyring = device.keyring else { throw DeviceError.locked }
      return try keyring.passphraseChange(
        to: new, membership: device.core.membership, frontier: device.core.serverFrontier,
        slot: slot, login: login, strength: .standard, entropy: &device.entropy)
    }
    try seal(keyring, with: new)
    return .changed
  }

  /// Somebody may know the passphrase: another one, with new keys and a new kit.
  ///
  /// - Returns: the kit, which is shown once and kept nowhere.
  func replaceLeakedPassphrase(_ old: Passphrase, by new: Passphrase) async throws -> String {
    try checkPassphrase(old)
    let kit = try await beginEpoch(without: [], passphrase: old, newPassphrase: new)
    guard let keyring else { throw DeviceError.locked }
    try seal(keyring, with: new)
    return kit
  }

  /// The kit as it is, to be printed again.
  func kit(_ passphrase: Passphrase) throws -> String {
    try checkPassphrase(passphrase)
    guard let keyring else { throw DeviceError.locked }
    return keyring.kit
  }

  /// Gives a device that is a member another name, on all devices.
  func rename(_ device: DeviceID, to name: String) async throws {
    let name = DeviceName(name: name, platform: names[device]?.platform ?? "")
    try await confirmEverything()
    try await append { here throws in
      guard let keyring = here.keyring else { throw DeviceError.locked }
      return try keyring.renaming(
        device, to: name, membership: here.core.membership, frontier: here.core.serverFrontier,
        entropy: &here.entropy)
    }
    refreshNames()
    // Its signal brings the others.
    try await confirmEverything()
  }

  /// That it opens the file on this disk, whatever is unlocked now.
  func checkPassphrase(_ passphrase: Passphrase) throws {
    _ = try guess { try Identity.openKeyring(in: folder, passphrase: passphrase) }
  }

  /// The passphrase of the account: that of this device may be an older one.
  func proveAccount(
    _ keyring: Keyring, _ passphrase: Passphrase
  ) async throws -> (KitLogin, Blob) {
    do {
      return try await proveKit(keyring, passphrase)
    } catch VaultError.wrongPassphrase {
      throw DeviceError.passphraseChangedElsewhere
    }
  }

  private func seal(_ keyring: Keyring, with passphrase: Passphrase) throws {
    try folder.writeFile(
      try keyring.sealedForDisk(
        passphrase: passphrase, strength: .standard, entropy: &entropy), to: folder.keyring)
    try notePassphrase()
  }

  /// This device's passphrase is the account's as far as it has heard.
  func notePassphrase() throws {
    var settings = settings
    settings.passphraseChanges = core.membership.passphraseChanges.count
    try keep(settings)
  }

  /// Has the server take a record of this device, made anew while others come in between.
  func append(
    _ make: (isolated Device) throws -> MembershipRecord
  ) async throws {
    for attempt in 1...Self.recordAttempts {
      let record = try make(self)
      do {
        _ = try await client.appendMembership(
          MembershipRequest(
            expectedHead: core.membership.head, record: Blob(record.bytes)))
        return try take(.recordsShown([Blob(record.bytes)], isRefused: false))
      } catch ServiceFailure.refused(let problem)
        where problem.code == .staleMembership && attempt < Self.recordAttempts
      {
        try await confirmEverything()
      }
    }
  }
}

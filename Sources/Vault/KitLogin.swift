public import Wire

/// Passphrase and kit, hashed and ready to prove themselves and to open the slot.
public final class KitLogin: Sendable, Confidential {
  private let accountSecret: Secret
  private let login: LoginSecret
  private let key: SigningKey

  init(accountSecret: Secret, login: LoginSecret) {
    self.accountSecret = accountSecret
    self.login = login
    key = login.loginKey
  }

  /// The public key of the proof, 32 bytes: what the server holds of this account.
  public var loginKey: Blob { key.publicKey }

  /// Signs an `AuthenticationProof`.
  public func sign(_ bytes: [UInt8]) -> Blob { Blob(key.sign(bytes)) }

  /// A new device of an account, enrolled by its kit.
  public struct Recovered: Sendable, Confidential {
    public let keyring: Keyring
    public let authenticationKey: AuthenticationKey
    /// Adds the device; signed by the account key and the next of the chain given.
    public let record: MembershipRecord
    /// A lower bound of what the account's devices wrote: a server that shows less hides something.
    public let frontier: Frontier
    /// A record the chain must contain; checked here already.
    public let memberHead: Digest32
  }

  /// Opens the slot and makes this machine a new device of the account.
  ///
  /// `membership` is the whole chain from the server: it must be of the slot's account, start with
  /// its account key (``VaultError/wrongAccount``), and reach the record the slot names
  /// (``VaultError/unknownMembership(_:)``). `dependencies` is the server's whole frontier.
  public func recover(
    slot: Blob, device: DeviceName, membership: Membership, dependencies: Frontier,
    entropy: inout some Entropy
  ) throws(VaultError) -> Recovered {
    // An older one opens with a passphrase or a kit that is not to open anything any more.
    guard membership.slot.map({ $0.slot == slot }) ?? true else { throw .oldSlot }
    let slot = try Slot.open(slot, login: login)
    let accountKey = SigningKey(seed: slot.accountSeed)
    let keyring = Keyring(
      account: AccountKeys(
        account: slot.account, name: slot.name, epochs: slot.epochs, secret: accountSecret,
        publicKey: accountKey.publicKey),
      device: DeviceKeys(entropy: &entropy))
    try keyring.check(membership)
    guard membership.contains(slot.memberHead) else {
      throw .unknownMembership(slot.memberHead)
    }
    let authentication = AuthenticationKey(entropy: &entropy)
    let name = try device.sealed(
      account: slot.account, device: keyring.device, key: try keyring.keys(of: 0).name,
      entropy: &entropy)
    let keys = PublicKeys(keyring.deviceKeys, authentication: authentication)
    let record = try membership.adding(
      keys.description(sealedName: name), signer: .account, key: accountKey,
      dependencies: dependencies)
    return Recovered(
      keyring: keyring, authenticationKey: authentication, record: record,
      frontier: slot.frontier, memberHead: slot.memberHead)
  }

  /// The record that ends the account, in the name of `device`: `slot` has the key that signs it.
  func ending(
    _ sealed: Blob, of membership: Membership, by device: DeviceID
  ) throws(VaultError) -> MembershipRecord {
    let slot = try Slot.open(sealed, login: login)
    guard slot.account == membership.account else { throw .wrongAccount }
    let record = try MembershipRecord.signed(
      kind: .deleteAccount, account: slot.account, number: UInt64(membership.count),
      previous: membership.head, signer: .account, dependencies: Frontier(),
      body: try CanonicalJSON.encode(MembershipRecord.Ending(device: device)),
      key: SigningKey(seed: slot.accountSeed))
    var ended = membership
    try ended.end(by: record)
    return record
  }

  /// The slot again with other epoch keys, for the passphrase and kit of `new`.
  func rewritten(
    _ sealed: Blob, for new: LoginSecret, epochs: [UInt32: EpochKeys],
    after membership: Membership, frontier: Frontier, isNewPassphrase: Bool,
    entropy: inout some Entropy
  ) throws(VaultError) -> MembershipRecord.SlotChange {
    let old = try Slot.open(sealed, login: login)
    guard old.account == membership.account else { throw .wrongAccount }
    let slot = Slot(
      account: old.account, version: max(old.version, membership.slot?.version ?? 0) + 1,
      name: old.name, epochs: epochs, accountSeed: old.accountSeed, memberHead: membership.head,
      frontier: frontier)
    return MembershipRecord.SlotChange(
      version: slot.version, slot: try slot.sealed(login: new, entropy: &entropy),
      loginKey: new.loginKey.publicKey, hashing: new.hashing,
      isNewPassphrase: isNewPassphrase ? true : nil)
  }
}

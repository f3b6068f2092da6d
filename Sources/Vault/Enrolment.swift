public import Wire

/// Everything a new account consists of. The kit is to be shown once and kept nowhere.
public struct NewAccount: Sendable, Confidential {
  public let keyring: Keyring
  public let authenticationKey: AuthenticationKey
  public let genesis: MembershipRecord
  public let slot: Blob
  public let loginKey: Blob
  public let hashing: PassphraseHashing
  /// 36 Crockford symbols in groups of four: the account secret and its checksum.
  public let kit: String
  public let handle: Digest32

  /// What is sent to the server to make the account.
  public func request(invite: String?) -> AccountRequest {
    AccountRequest(
      account: keyring.account, handle: handle, invite: invite, genesis: Blob(genesis.bytes),
      loginKey: loginKey, slot: slot, hashing: hashing)
  }
}

/// How a device comes to hold an account's keys: as its first device, or with the kit.
public enum Enrolment {
  /// SHA-256 of `"ctx/v1/handle"` and the name in lower case and NFC.
  public static func handle(of accountName: String) -> Digest32 {
    .sha256(Array("ctx/v1/handle".utf8) + Array(Normalization.folded(accountName).utf8))
  }

  /// Makes an account with its first device. Takes the time of one hash.
  ///
  /// The name is 1 to `Limits.nameCharacters` characters, none of them a control character.
  public static func createAccount(
    name: String, device: DeviceName, passphrase: Passphrase, strength: HashingStrength,
    entropy: inout some Entropy
  ) throws(VaultError) -> NewAccount {
    try AccountKeys.check(name: name)
    let account: AccountID = entropy.identifier()
    let accountSeed = entropy.secret(SigningKey.seedBytes)
    let accountKey = SigningKey(seed: accountSeed)
    let root = EpochKeys(root: entropy.secret(Cipher.keyBytes), account: account)
    let accountKeys = AccountKeys(
      account: account, name: name, epochs: [0: root],
      secret: entropy.secret(AccountKeys.secretBytes), publicKey: accountKey.publicKey)
    let deviceKeys = DeviceKeys(entropy: &entropy)
    let authentication = AuthenticationKey(entropy: &entropy)
    let genesis = try genesis(
      accountKeys, signedBy: accountKey,
      device: PublicKeys(deviceKeys, authentication: authentication).description(
        sealedName: try device.sealed(
          account: account, device: deviceKeys.device, key: root.name, entropy: &entropy)))
    let login = try LoginSecret(
      passphrase: passphrase, accountSecret: accountKeys.secret,
      hashing: strength.hashing(entropy: &entropy))
    let slot = Slot(
      account: account, version: 1, name: name, epochs: accountKeys.epochs,
      accountSeed: accountSeed, memberHead: genesis.hash, frontier: Frontier())
    return NewAccount(
      keyring: Keyring(account: accountKeys, device: deviceKeys),
      authenticationKey: authentication, genesis: genesis,
      slot: try slot.sealed(login: login, entropy: &entropy),
      loginKey: login.loginKey.publicKey, hashing: login.hashing,
      kit: Kit(secret: accountKeys.secret).text, handle: handle(of: name))
  }

  /// Prepares a recovery: checks the kit's checksum and the server's hashing parameters, then
  /// hashes the passphrase. Whether they are right shows when the server takes the proof.
  public static func kitLogin(
    kit: String, passphrase: Passphrase, hashing: PassphraseHashing
  ) throws(VaultError) -> KitLogin {
    try HashingStrength.check(hashing)
    let secret = try Kit(text: kit).secret
    return KitLogin(
      accountSecret: secret,
      login: try LoginSecret(passphrase: passphrase, accountSecret: secret, hashing: hashing))
  }

  private static func genesis(
    _ account: AccountKeys, signedBy key: SigningKey, device: DeviceDescription
  ) throws(VaultError) -> MembershipRecord {
    let body = MembershipRecord.Genesis(accountKey: account.publicKey, device: device)
    return try MembershipRecord.signed(
      kind: .genesis, account: account.account, number: 0, previous: .zero, signer: .account,
      dependencies: Frontier(), body: try CanonicalJSON.encode(body), key: key)
  }
}

extension AuthenticationKey {
  convenience init(entropy: inout some Entropy) {
    self.init(SigningKey(seed: entropy.secret(SigningKey.seedBytes)))
  }
}

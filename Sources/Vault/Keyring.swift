public import Wire

/// All that an unlocked device holds: the account's epoch keys and secret, its own signing and
/// sealing keys. Immutable; every secret lies in ``SecretBytes`` and is zeroed with the last
/// reference, so locking means letting go.
public final class Keyring: Sendable, Confidential {
  let accountKeys: AccountKeys
  let deviceKeys: DeviceKeys
  /// Seals rows of the local store.
  let rowKey: Secret
  /// The newest epoch: new commits are sealed under it.
  public let epoch: UInt32

  init(account: AccountKeys, device: DeviceKeys) {
    accountKeys = account
    deviceKeys = device
    rowKey = device.local.derived(.row, salt: account.account.bytes)
    epoch = account.epochs.keys.max() ?? 0
  }

  public var account: AccountID { accountKeys.account }
  /// As typed when the account was made.
  public var accountName: String { accountKeys.name }
  public var device: DeviceID { deviceKeys.device }
  /// The account's public signing key, 32 bytes; a chain that starts with another is not ours.
  public var accountKey: Blob { accountKeys.publicKey }

  func keys(of epoch: UInt32) throws(VaultError) -> EpochKeys {
    guard let keys = accountKeys.epochs[epoch] else { throw .unknownEpoch(epoch) }
    return keys
  }

  /// Throws ``VaultError/wrongAccount`` unless `membership` is this account's own chain.
  public func check(_ membership: Membership) throws(VaultError) {
    guard membership.account == account, membership.accountKey == accountKey else {
      throw .wrongAccount
    }
  }
}

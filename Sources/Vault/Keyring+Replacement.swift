public import Wire

/// A keyring under a new identity, with the authentication key that goes with it.
public struct Successor: Sendable, Confidential {
  public let keyring: Keyring
  public let authenticationKey: AuthenticationKey

  public init(keyring: Keyring, authenticationKey: AuthenticationKey) {
    self.keyring = keyring
    self.authenticationKey = authenticationKey
  }
}

/// How a device that was restored or cloned takes a new identity.
extension Keyring {
  /// New keys and a new id for this device; the account's keys stay. Rows sealed here do not open
  /// with it: seal them anew.
  public func successor(entropy: inout some Entropy) -> Successor {
    Successor(
      keyring: Keyring(account: accountKeys, device: DeviceKeys(entropy: &entropy)),
      authenticationKey: AuthenticationKey(entropy: &entropy))
  }

  /// `successor`, prepared earlier, with what this keyring has of the account now: epochs may have
  /// begun since.
  public func renewed(_ successor: Successor) -> Successor {
    guard !successor.keyring.hasEpochs(of: self) else { return successor }
    return Successor(
      keyring: Keyring(account: accountKeys, device: successor.keyring.deviceKeys),
      authenticationKey: successor.authenticationKey)
  }

  private func hasEpochs(of other: Keyring) -> Bool {
    let (own, others) = (accountKeys.epochs, other.accountKeys.epochs)
    return own.count == others.count
      && own.allSatisfy { epoch, keys in
        others[epoch]?.root.commitment(.epochCommitment) == keys.root.commitment(.epochCommitment)
      }
  }

  /// The record by which this device becomes `successor`: the next of `membership`, signed by this
  /// one. `dependencies` is the account's whole frontier.
  public func replacing(
    with successor: Successor, name: DeviceName, membership: Membership, dependencies: Frontier,
    entropy: inout some Entropy
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    let keys = PublicKeys(
      successor.keyring.deviceKeys, authentication: successor.authenticationKey)
    let sealedName = try name.sealed(
      account: account, device: keys.device, key: try self.keys(of: 0).name, entropy: &entropy)
    let body = MembershipRecord.Replacement(
      replaced: device, device: keys.description(sealedName: sealedName))
    let record = try MembershipRecord.signed(
      kind: .replaceDevice, account: account, number: UInt64(membership.count),
      previous: membership.head, signer: .device(device), dependencies: dependencies,
      body: try CanonicalJSON.encode(body), key: deviceKeys.signing)
    var next = membership
    try next.append(record)
    return record
  }
}

public import Wire

/// The next epoch, ready for the server.
public struct PreparedRotation: Sendable, Confidential {
  /// The next of the chain given.
  public let record: MembershipRecord
  /// The new kit, to be shown once: the old one, which a lost device holds, opens nothing any more.
  public let kit: String
}

extension Keyring {
  /// Prepares the next epoch without the devices `leaving`, signed by this one; an empty set
  /// changes the keys alone. Takes the time of one hash.
  ///
  /// Root key and account secret are drawn anew, and those who leave get neither. `login` opens
  /// `slot`, the account's slot, which is written anew for `passphrase`. `cut` is the account's
  /// whole frontier: what anybody writes beyond it must be of the new epoch.
  public func rotation(
    without leaving: Set<DeviceID>, membership: Membership, cut: Frontier, slot: Blob,
    login: KitLogin, passphrase: Passphrase, isNewPassphrase: Bool = false,
    strength: HashingStrength, entropy: inout some Entropy
  ) throws(VaultError) -> PreparedRotation {
    try check(membership)
    let number = membership.epoch + 1
    let root = EpochKeys(root: entropy.secret(Cipher.keyBytes), account: account)
    let secret = entropy.secret(AccountKeys.secretBytes)
    let sealed = try sealedKeys(
      root.root, secret, epoch: number, membership: membership, without: leaving)
    let new = try LoginSecret(
      passphrase: passphrase, accountSecret: secret, hashing: strength.hashing(entropy: &entropy))
    let change = try login.rewritten(
      slot, for: new, epochs: accountKeys.epochs.merging([number: root]) { $1 },
      after: membership, frontier: cut, isNewPassphrase: isNewPassphrase, entropy: &entropy)
    let body = MembershipRecord.Rotation(
      epoch: number, revoked: leaving.sorted(), keys: sealed,
      commitment: Blob(root.root.commitment(.epochCommitment)), slot: change)
    let record = try signed(.rotateEpoch, body, membership: membership, dependencies: cut)
    return PreparedRotation(record: record, kit: Kit(secret: secret).text)
  }

  /// An epoch's root key and account secret, sealed for each member that is not of `leaving`.
  func sealedKeys(
    _ root: Secret, _ accountSecret: Secret, epoch: UInt32, membership: Membership,
    without leaving: Set<DeviceID>
  ) throws(VaultError) -> [MembershipRecord.SealedKey] {
    var sealed: [MembershipRecord.SealedKey] = []
    for id in membership.active.sorted() where !leaving.contains(id) {
      guard let description = membership.devices[id] else { throw .notAMember(id) }
      sealed.append(
        MembershipRecord.SealedKey(
          device: id,
          key: try SealedEpoch.seal(
            root, accountSecret, account: account, epoch: epoch, for: description,
            from: deviceKeys)))
    }
    return sealed
  }

  /// Prepares another slot for another passphrase: keys, kit and epoch stay. Takes the time of one
  /// hash. `login` opens `slot`, and `frontier` is what this device holds.
  public func passphraseChange(
    to passphrase: Passphrase, membership: Membership, frontier: Frontier, slot: Blob,
    login: KitLogin, strength: HashingStrength, entropy: inout some Entropy
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    let new = try LoginSecret(
      passphrase: passphrase, accountSecret: accountKeys.secret,
      hashing: strength.hashing(entropy: &entropy))
    let change = try login.rewritten(
      slot, for: new, epochs: accountKeys.epochs, after: membership, frontier: frontier,
      isNewPassphrase: true, entropy: &entropy)
    return try signed(.changeSlot, change, membership: membership, dependencies: frontier)
  }

  /// Prepares another name of a device that is a member.
  public func renaming(
    _ device: DeviceID, to name: DeviceName, membership: Membership, frontier: Frontier,
    entropy: inout some Entropy
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    let body = MembershipRecord.Renaming(
      device: device,
      sealedName: try name.sealed(
        account: account, device: device, key: try keys(of: 0).name, entropy: &entropy))
    return try signed(.renameDevice, body, membership: membership, dependencies: frontier)
  }

  /// Prepares to say by which keys the server is known from now on.
  public func trusting(
    serverKeys: some Sequence<Digest32>, membership: Membership, frontier: Frontier
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    return try signed(
      .trustServer, MembershipRecord.ServerKeys(keys: serverKeys), membership: membership,
      dependencies: frontier)
  }

  /// Prepares the account's end, for good. `login` opens `slot`, the account's slot.
  public func ending(
    of membership: Membership, slot: Blob, login: KitLogin
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    return try login.ending(slot, of: membership, by: device)
  }

  /// The next record of the chain, which must take it.
  func signed(
    _ kind: MembershipRecord.Kind, _ body: some Encodable, membership: Membership,
    dependencies: Frontier
  ) throws(VaultError) -> MembershipRecord {
    let record = try MembershipRecord.signed(
      kind: kind, account: account, number: UInt64(membership.count), previous: membership.head,
      signer: .device(device), dependencies: dependencies, body: try CanonicalJSON.encode(body),
      key: deviceKeys.signing)
    var next = membership
    try next.append(record)
    return record
  }

  /// The kit that opens the account's slot together with the passphrase.
  public var kit: String { Kit(secret: accountKeys.secret).text }

  /// Whether passphrase and kit are those of the account's slot, as the chain has it; nil while the
  /// slot is the first, which the chain does not have. Takes the time of one hash.
  public func opensSlot(
    _ passphrase: Passphrase, of membership: Membership
  ) throws(VaultError) -> Bool? {
    guard let slot = membership.slot else { return nil }
    return try login(passphrase, hashing: slot.hashing).loginKey == slot.loginKey
  }

  /// This keyring with the keys of the epochs that the chain has, and no others: some may have
  /// begun since it was made, or it may have keys of a chain that gave way to this one. Itself when
  /// they are the same.
  ///
  /// ``VaultError/cannotOpen`` when what a record has for this device is not the epoch's key.
  public func extended(by membership: Membership) throws(VaultError) -> Keyring {
    let foreign = Set(membership.rotations.map(\.body).filter { !holdsKey(of: $0) }.map(\.epoch))
    guard !foreign.isEmpty || epoch > membership.epoch else { return self }
    try check(membership)
    var epochs = accountKeys.epochs.filter {
      $0.key <= membership.epoch && !foreign.contains($0.key)
    }
    var secret = accountKeys.secret
    for rotation in membership.rotations where foreign.contains(rotation.body.epoch) {
      guard let keys = try keys(begunBy: rotation.body) else {
        // One that came later was given what it has; one that was taken out goes on with that.
        continue
      }
      epochs[rotation.body.epoch] = EpochKeys(root: keys.root, account: account)
      secret = keys.accountSecret
    }
    guard Set(epochs.keys) != Set(accountKeys.epochs.keys) || !foreign.isDisjoint(with: epochs.keys)
    else { return self }
    return Keyring(
      account: AccountKeys(
        account: account, name: accountName, epochs: epochs, secret: secret,
        publicKey: accountKey),
      device: deviceKeys)
  }

  /// Whether the root key held for the epoch is the one that this record began it with.
  private func holdsKey(of rotation: MembershipRecord.Rotation) -> Bool {
    accountKeys.epochs[rotation.epoch]?.root.commitment(.epochCommitment)
      == rotation.commitment.bytes
  }

  /// The root key and the account secret that a record gave this device; nil when it gave none.
  func keys(
    begunBy rotation: MembershipRecord.Rotation
  ) throws(VaultError) -> (root: Secret, accountSecret: Secret)? {
    guard let sealed = rotation.keys.first(where: { $0.device == device }) else { return nil }
    let keys = try SealedEpoch.open(
      sealed.key, account: account, epoch: rotation.epoch, device: deviceKeys)
    guard keys.root.commitment(.epochCommitment) == rotation.commitment.bytes else {
      throw .cannotOpen
    }
    return keys
  }

  /// Hashes the passphrase together with the account secret this device keeps: what proves itself
  /// to the server as passphrase and kit. Takes the time of one hash.
  public func login(
    _ passphrase: Passphrase, hashing: PassphraseHashing
  ) throws(VaultError) -> KitLogin {
    try HashingStrength.check(hashing)
    return KitLogin(
      accountSecret: accountKeys.secret,
      login: try LoginSecret(
        passphrase: passphrase, accountSecret: accountKeys.secret, hashing: hashing))
  }
}

extension Secret {
  /// Both one behind the other.
  func joined(with other: Secret) -> Secret {
    Secret(
      SecretBytes(count: count + other.count) { output in
        withBytes { output.copyMemory(from: $0) }
        let second = UnsafeMutableRawBufferPointer(rebasing: output[count...])
        other.withBytes { second.copyMemory(from: $0) }
      })
  }
}

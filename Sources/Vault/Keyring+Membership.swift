public import Wire

extension Keyring {
  /// A device's name; ``VaultError/cannotOpen`` when it was sealed for another device or account.
  public func name(of device: DeviceDescription) throws(VaultError) -> DeviceName {
    try DeviceName(
      sealed: device.sealedName, account: account, device: device.device,
      key: try keys(of: 0).name)
  }

  /// The record that makes the new device a member, signed by this one: the next of `membership`.
  ///
  /// Call it after the person compared ``PairingOffer/words``. `dependencies` is the account's
  /// whole frontier.
  public func admit(
    _ offer: PairingOffer, membership: Membership, dependencies: Frontier,
    entropy: inout some Entropy
  ) throws(VaultError) -> MembershipRecord {
    try check(membership)
    let name = try offer.name.sealed(
      account: account, device: offer.device, key: try keys(of: 0).name, entropy: &entropy)
    return try membership.adding(
      offer.keys.description(sealedName: name), signer: .device(device), key: deviceKeys.signing,
      dependencies: dependencies)
  }
}

extension Membership {
  /// The next record of this chain, which adds `device`; checked as everyone will check it.
  func adding(
    _ device: DeviceDescription, signer: MembershipRecord.Signer, key: SigningKey,
    dependencies: Frontier
  ) throws(VaultError) -> MembershipRecord {
    let body = try CanonicalJSON.encode(MembershipRecord.Addition(device: device))
    let record = try MembershipRecord.signed(
      kind: .addDevice, account: account, number: UInt64(count), previous: head, signer: signer,
      dependencies: dependencies, body: body, key: key)
    var next = self
    try next.append(record)
    return record
  }
}

extension MembershipRecord {
  static func signed(
    kind: Kind, account: AccountID, number: UInt64, previous: Digest32, signer: Signer,
    dependencies: Frontier, body: [UInt8], key: SigningKey
  ) throws(VaultError) -> MembershipRecord {
    let unsigned = unsignedBytes(
      kind: kind, account: account, number: number, previous: previous, signer: signer,
      dependencies: dependencies, body: body)
    return try VaultError.reading { () throws(WireError) in
      try MembershipRecord(bytes: unsigned + key.sign(signatureDomain + unsigned))
    }
  }
}

/// The public keys a device shows before it is a member.
struct PublicKeys: Hashable, Sendable {
  let device: DeviceID
  let signing: Blob
  let sealing: Blob
  let authentication: Blob

  init(_ keys: DeviceKeys, authentication: AuthenticationKey) {
    device = keys.device
    signing = keys.signing.publicKey
    sealing = keys.sealing.publicKey
    self.authentication = authentication.publicKey
  }

  init(device: DeviceID, signing: Blob, sealing: Blob, authentication: Blob) {
    self.device = device
    self.signing = signing
    self.sealing = sealing
    self.authentication = authentication
  }

  /// The id, then the three keys.
  var bytes: [UInt8] { device.bytes + signing.bytes + sealing.bytes + authentication.bytes }

  func description(sealedName: Blob) -> DeviceDescription {
    DeviceDescription(
      device: device, signingKey: signing, sealingKey: sealing, authenticationKey: authentication,
      sealedName: sealedName)
  }
}

public import Wire

extension Keyring {
  /// 258,044 bytes: the longest plaintext that fits `Limits.commitBytes` whatever the commit
  /// depends on.
  public static let commitPlaintextLimit = 258_044

  /// A commit: `plaintext` padded, sealed under the newest epoch's key with the header as
  /// additional data, and signed by this device.
  ///
  /// The same sequence must never be sealed twice: keep the envelope before sending it, and send
  /// the same bytes again. Above `Limits.commitBytes` it throws
  /// ``VaultError/overLimit(limit:value:)``.
  public func sealCommit(
    _ plaintext: [UInt8], kind: EnvelopeHeader.Kind, sequence: UInt64, previous: Digest32,
    memberHead: Digest32, dependencies: Frontier, entropy: inout some Entropy
  ) throws(VaultError) -> Envelope {
    let padded = Padding.pad(plaintext)
    let header = EnvelopeHeader(
      kind: kind, account: account, epoch: epoch, device: device, sequence: sequence,
      previous: previous, memberHead: memberHead, dependencies: dependencies,
      nonce: entropy.bytes(EnvelopeHeader.nonceBytes))
    let front = header.encoded(ciphertextLength: padded.count + Cipher.tagBytes)
    let key = try keys(of: epoch).data
    let ciphertext = padded.withUnsafeBytes {
      Cipher.seal($0, additional: front, nonce: header.nonce, key: key)
    }
    let signature = deviceKeys.signing.sign(Envelope.signatureDomain + front + ciphertext)
    return try VaultError.reading { () throws(WireError) in
      try Envelope(bytes: front + ciphertext + signature)
    }
  }

  /// The plaintext of a commit after its author, signature, account and epoch were found good.
  ///
  /// Sequence and dependencies are the replica's to check. Throws
  /// ``VaultError/unknownMembership(_:)`` while the chain held here is behind the author's.
  public func openCommit(
    _ envelope: Envelope, membership: Membership
  ) throws(VaultError) -> [UInt8] {
    try check(membership)
    try membership.verify(envelope)
    let padded = try Cipher.open(
      envelope.ciphertext, additional: Array(envelope.headerBytes),
      nonce: envelope.header.nonce, key: try keys(of: envelope.header.epoch).data)
    return try Padding.unpad(padded)
  }
}

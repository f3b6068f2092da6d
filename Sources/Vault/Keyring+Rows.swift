import Wire

extension Keyring {
  /// Seals a row for this device's disk, bound to `binding`: name the table, the primary key and
  /// whatever else must not be swapped. The key never leaves the device, nor changes with the
  /// passphrase.
  public func sealRow(
    _ plaintext: [UInt8], binding: String, entropy: inout some Entropy
  ) throws(VaultError) -> [UInt8] {
    let nonce = entropy.bytes(Cipher.nonceBytes)
    let ciphertext = plaintext.withUnsafeBytes {
      Cipher.seal($0, additional: rowBinding(binding), nonce: nonce, key: rowKey)
    }
    return [Suite.one] + nonce + ciphertext
  }

  /// Opens a row sealed here with the same binding; ``VaultError/cannotOpen`` otherwise.
  public func openRow(_ sealed: [UInt8], binding: String) throws(VaultError) -> [UInt8] {
    guard sealed.first == Suite.one, sealed.count > Cipher.nonceBytes else {
      throw .malformed(field: "row")
    }
    return try Cipher.open(
      sealed[(1 + Cipher.nonceBytes)...], additional: rowBinding(binding),
      nonce: Array(sealed[1...Cipher.nonceBytes]), key: rowKey)
  }

  private func rowBinding(_ binding: String) -> [UInt8] {
    Array("ROW1".utf8) + [Suite.one] + account.bytes + device.bytes + Array(binding.utf8)
  }
}

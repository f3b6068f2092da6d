public import Wire

/// What the new device says of itself, as the trusted device reads it.
public struct PairingOffer: Sendable {
  let keys: PublicKeys
  public let name: DeviceName
  /// To be compared by eye with the new device's screen before it is let in.
  public let words: [String]
  /// What was sealed in the letter: the answer is bound to it.
  let contents: [UInt8]

  public var device: DeviceID { keys.device }

  /// Opens the letter from the mailbox; ``VaultError/cannotOpen`` when it was not made with `code`.
  public static func open(letter: [UInt8], code: PairingCode) throws(VaultError) -> PairingOffer {
    let front = Self.front
    guard letter.count <= Limits.mailboxBytes else {
      throw .overLimit(limit: "mailbox bytes", value: letter.count)
    }
    guard letter.starts(with: front), letter.count > front.count + Cipher.nonceBytes else {
      throw .malformed(field: "offer")
    }
    let start = front.count + Cipher.nonceBytes
    let padded = try Cipher.open(
      letter[start...], additional: Array(letter[..<start]),
      nonce: Array(letter[front.count..<start]), key: code.offerKey)
    let contents = try Padding.unpad(padded)
    return try PairingOffer(contents: contents, code: code)
  }

  private init(contents: [UInt8], code: PairingCode) throws(VaultError) {
    var reader = ByteReader(contents)
    (keys, name) = try Self.read(&reader)
    words = code.words(for: contents)
    self.contents = contents
  }

  private static func read(
    _ reader: inout ByteReader
  ) throws(VaultError) -> (PublicKeys, DeviceName) {
    let (keys, json) = try VaultError.reading { () throws(WireError) in
      let keys = PublicKeys(
        device: try reader.identifier(), signing: Blob(try reader.read(count: 32)),
        sealing: Blob(try reader.read(count: 32)),
        authentication: Blob(try reader.read(count: 32)))
      let json = try reader.read(count: Int(try reader.read(UInt16.self)))
      guard reader.isAtEnd else { throw .trailingBytes(count: reader.remaining) }
      return (keys, json)
    }
    return (keys, try DeviceName(json: json))
  }

  static var front: [UInt8] { Array("OFR1".utf8) + [Suite.one] }

  /// Keys and name as they are sealed in a letter.
  static func contents(_ keys: PublicKeys, name: DeviceName) throws(VaultError) -> [UInt8] {
    let json = try name.encoded()
    var writer = ByteWriter()
    writer.write(keys.bytes)
    writer.write(UInt16(json.count))
    writer.write(json)
    return writer.bytes
  }

  /// The letter with these contents.
  static func letter(
    _ contents: [UInt8], code: PairingCode, entropy: inout some Entropy
  ) -> [UInt8] {
    let nonce = entropy.bytes(Cipher.nonceBytes)
    let ciphertext = Padding.pad(contents).withUnsafeBytes {
      Cipher.seal($0, additional: front + nonce, nonce: nonce, key: code.offerKey)
    }
    return front + nonce + ciphertext
  }
}

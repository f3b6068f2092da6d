import Wire

/// The account secret as the person keeps it on paper: 32 symbols and 4 of checksum, by fours.
struct Kit {
  private static let secretSymbols = 32
  private static let checksumSymbols = 4

  let secret: Secret

  init(secret: Secret) {
    self.secret = secret
  }

  /// Throws ``VaultError/malformed(field:)`` when it is no kit at all, ``VaultError/badChecksum``
  /// when it was mistyped.
  init(text: String) throws(VaultError) {
    guard var values = Crockford.values(text),
      values.count == Self.secretSymbols + Self.checksumSymbols,
      var bytes = Crockford.bytes(values.prefix(Self.secretSymbols))
    else { throw .malformed(field: "kit") }
    defer {
      values.wipe()
      bytes.wipe()
    }
    guard Crockford.encode(bytes) + Self.checksum(bytes) == values.map(Crockford.symbol) else {
      throw .badChecksum
    }
    secret = Secret(copying: bytes)
  }

  var text: String {
    secret.withBytes { buffer in
      let bytes = Array(buffer)
      let symbols = Crockford.encode(bytes) + Self.checksum(bytes)
      return Crockford.grouped(symbols, by: Self.checksumSymbols)
    }
  }

  /// The first 20 bits of a digest, as symbols.
  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let digest = Digest32.sha256(Array("ctx/v1/kit".utf8) + bytes).bytes
    return Array(Crockford.encode(digest).prefix(checksumSymbols))
  }
}

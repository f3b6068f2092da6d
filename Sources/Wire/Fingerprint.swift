/// A server's public key in symbols that a person compares and types.
///
/// 52 Crockford symbols in groups of four: the SHA-256 of the key's SubjectPublicKeyInfo. The
/// servers write it to their log, selectors show and take it.
extension Digest32 {
  /// Symbols a person must type after comparing: 40 bits, more than a look-alike can be made for
  /// while somebody waits.
  public static let typedSymbols = 8

  public var fingerprint: String { Crockford.grouped(Crockford.encode(bytes), by: 4) }

  /// Reads what ``fingerprint`` writes, forgiving as ``Crockford`` is; nil for anything else.
  public init?(fingerprint: String) {
    guard let values = Crockford.values(fingerprint), let bytes = Crockford.bytes(values) else {
      return nil
    }
    self.init(bytes: bytes)
  }

  /// Whether `typed` is the beginning of the fingerprint, of at least ``typedSymbols`` symbols.
  public func matches(typed: String) -> Bool {
    guard let values = Crockford.values(typed), values.count >= Self.typedSymbols else {
      return false
    }
    return Crockford.encode(bytes).starts(with: values.map(Crockford.symbol))
  }
}

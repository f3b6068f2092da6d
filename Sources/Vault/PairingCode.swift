public import Wire

/// What one device shows and another is told, so that the two find and trust each other: the
/// server, its key's pin, the account, and 128 secret bits good for one pairing.
public struct PairingCode: Sendable, Hashable, Confidential {
  /// 200 bytes: a host name is at most 253, and nobody types those.
  public static let serverBytes = 200
  static let secretBytes = 16

  /// The Attribute Server's URL: `http://`, `https://` or `http+unix://`, then visible ASCII.
  public var server: String { address.url }
  /// SHA-256 of the server's public key, where it has no certificate of a public authority.
  public let pin: Digest32?
  /// The first bytes of a digest of the account's id and key; nil in codes of earlier programs.
  ///
  /// Who reads the code and holds the mailbox cannot hand the new device the keys of another
  /// account: that would have to have the same mark, which takes 2⁸⁰ keys to find.
  let account: [UInt8]?
  private let secretBytes: [UInt8]
  private let address: Address

  /// A code with a fresh secret; ``VaultError/malformed(field:)`` for any other form of URL.
  public init(
    server: String, pin: Digest32?, for keyring: Keyring, entropy: inout some Entropy
  ) throws(VaultError) {
    try self.init(
      server: server, pin: pin, account: keyring.accountMark, entropy: &entropy)
  }

  /// For whatever account answers.
  init(
    server: String, pin: Digest32?, account: [UInt8]? = nil, entropy: inout some Entropy
  ) throws(VaultError) {
    address = try Address(url: server)
    self.pin = pin
    self.account = account
    secretBytes = entropy.bytes(Self.secretBytes)
  }

  /// Reads a typed or scanned code: either case, dashes and spaces anywhere, O for 0, I and L for
  /// 1.
  ///
  /// ``VaultError/badChecksum`` when a symbol was mistyped or two were swapped,
  /// ``VaultError/malformed(field:)`` when it is no pairing code.
  public init(text: String) throws(VaultError) {
    guard text.utf8.count <= Self.textLimit, let values = Crockford.values(text),
      let bytes = Crockford.bytes(values), bytes.count > Self.checksumBytes
    else { throw .malformed(field: "pairing code") }
    let body = Array(bytes.dropLast(Self.checksumBytes))
    guard Self.checksum(body) == Array(bytes.suffix(Self.checksumBytes)) else {
      throw .badChecksum
    }
    var reader = ByteReader(body)
    let (flags, secret, pin, account, rest) = try VaultError.reading { () throws(WireError) in
      let flags = try reader.read(UInt8.self)
      guard flags >> 4 == Suite.one else { throw .unknownSuite(flags >> 4) }
      let secret = try reader.read(count: Self.secretBytes)
      let pin = flags & Self.pinFlag != 0 ? try reader.digest() : nil
      let account =
        flags & Self.accountFlag != 0 ? try reader.read(count: Self.accountBytes) : nil
      return (flags, secret, pin, account, try reader.read(count: reader.remaining))
    }
    let scheme: Address.Scheme
    switch flags & (Self.plainFlag | Self.socketFlag) {
    case 0: scheme = .secure
    case Self.plainFlag: scheme = .plain
    case Self.socketFlag: scheme = .socket
    default: throw .malformed(field: "pairing code")
    }
    address = try Address(scheme: scheme, rest: rest)
    self.pin = pin
    self.account = account
    secretBytes = secret
  }

  /// Crockford base 32 in groups of five.
  public var text: String {
    var flags = Suite.one << 4
    if pin != nil { flags |= Self.pinFlag }
    switch address.scheme {
    case .secure: break
    case .plain: flags |= Self.plainFlag
    case .socket: flags |= Self.socketFlag
    }
    if account != nil { flags |= Self.accountFlag }
    let body = [flags] + secretBytes + (pin?.bytes ?? []) + (account ?? []) + address.rest
    return Crockford.grouped(Crockford.encode(body + Self.checksum(body)), by: 5)
  }

  /// The mailbox both sides meet at; tells nothing of the secret.
  public var rendezvous: RendezvousID {
    secret.derived(.rendezvous, salt: [], count: RendezvousID.byteCount).withBytes {
      guard let id = RendezvousID(bytes: $0) else { preconditionFailure("16 bytes were derived") }
      return id
    }
  }

  private static let pinFlag: UInt8 = 1
  private static let plainFlag: UInt8 = 2
  private static let accountFlag: UInt8 = 4
  private static let socketFlag: UInt8 = 8
  /// 80 bits: 16 symbols more to type.
  private static let accountBytes = 10
  private static let checksumBytes = 4
  private static let textLimit = 1024

  /// What a code names an account by.
  static func mark(of account: AccountID, key: Blob) -> [UInt8] {
    let bytes = Array("ctx/v1/pairing-account".utf8) + account.bytes + key.bytes
    return Array(Digest32.sha256(bytes).bytes.prefix(accountBytes))
  }

  private static func checksum(_ body: [UInt8]) -> [UInt8] {
    Array(Digest32.sha256(Array("ctx/v1/pairing-code".utf8) + body).bytes.prefix(checksumBytes))
  }

  private struct Address: Hashable {
    enum Scheme: String, CaseIterable {
      case secure = "https://"
      case plain = "http://"
      /// A path on the machine of both devices.
      case socket = "http+unix://"
    }

    let scheme: Scheme
    /// Host, port and path.
    let rest: [UInt8]

    init(scheme: Scheme, rest: [UInt8]) throws(VaultError) {
      guard rest.count <= PairingCode.serverBytes else {
        throw .overLimit(limit: "server bytes", value: rest.count)
      }
      guard !rest.isEmpty, rest.allSatisfy({ (0x21...0x7e).contains($0) }) else {
        throw .malformed(field: "server")
      }
      self.scheme = scheme
      self.rest = rest
    }

    init(url: String) throws(VaultError) {
      guard let scheme = Scheme.allCases.first(where: { url.hasPrefix($0.rawValue) }) else {
        throw .malformed(field: "server")
      }
      try self.init(
        scheme: scheme, rest: Array(url.utf8.dropFirst(scheme.rawValue.utf8.count)))
    }

    var url: String { scheme.rawValue + String(decoding: rest, as: UTF8.self) }
  }
}

extension PairingCode {
  var secret: Secret { Secret(copying: secretBytes) }
  /// Seals the offer.
  var offerKey: Secret { secret.derived(.pairOffer, salt: []) }
  /// Mixed into the answer's encryption.
  var presharedKey: Secret { secret.derived(.pairSecret, salt: []) }

  /// Six words of ten bits, the same on both screens for the same offer. Who does not know the
  /// secret cannot foretell them; who does would have to try 2⁶⁰ keys to match them.
  func words(for offer: [UInt8]) -> [String] {
    let digest = Digest32.sha256(offer).bytes
    return secret.derived(.pairWords, salt: [], context: digest, count: 8).withBytes { bytes in
      let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return (0..<6).map { WordList.words[Int(bits >> (54 - 10 * $0) & 1023)] }
    }
  }
}

extension Keyring {
  var accountMark: [UInt8] { PairingCode.mark(of: account, key: accountKey) }
}

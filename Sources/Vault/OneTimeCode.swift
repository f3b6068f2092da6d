import Crypto
import Foundation

/// A time-based one-time password (RFC 6238).
public struct OneTimeCode: Hashable, Sendable, Confidential {
  public enum Algorithm: String, Hashable, Sendable, CaseIterable {
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"
  }

  public let algorithm: Algorithm
  /// 6 to 8.
  public let digits: Int
  /// Seconds each code lives, 1 to 3,600; nearly always 30.
  public let period: Int
  private let secret: [UInt8]

  /// Reads an `otpauth://totp/` URI, or the bare base 32 secret a site shows (spaces, dashes,
  /// either case, padding or none), which means SHA-1, 6 digits, 30 seconds.
  ///
  /// ``VaultError/malformed(field:)`` names what does not read: counter-based codes (`hotp`) and
  /// values out of range are refused.
  public init(_ text: String) throws(VaultError) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.lowercased().hasPrefix("otpauth:") {
      try self.init(uri: text)
    } else {
      try self.init(secret: text, algorithm: .sha1, digits: 6, period: 30)
    }
  }

  private init(uri: String) throws(VaultError) {
    guard let parts = URLComponents(string: uri), parts.scheme?.lowercased() == "otpauth" else {
      throw .malformed(field: "one-time code")
    }
    guard parts.host?.lowercased() == "totp" else {
      throw .malformed(field: "one-time code type")
    }
    var values: [String: String] = [:]
    for item in parts.queryItems ?? [] {
      guard values.updateValue(item.value ?? "", forKey: item.name.lowercased()) == nil else {
        throw .malformed(field: "one-time code")
      }
    }
    guard let secret = values["secret"] else { throw .malformed(field: "one-time code secret") }
    guard let algorithm = Algorithm(rawValue: (values["algorithm"] ?? "SHA1").uppercased()) else {
      throw .malformed(field: "one-time code algorithm")
    }
    guard let digits = Int(values["digits"] ?? "6") else {
      throw .malformed(field: "one-time code digits")
    }
    guard let period = Int(values["period"] ?? "30") else {
      throw .malformed(field: "one-time code period")
    }
    try self.init(secret: secret, algorithm: algorithm, digits: digits, period: period)
  }

  private init(
    secret: String, algorithm: Algorithm, digits: Int, period: Int
  ) throws(VaultError) {
    guard let bytes = Base32.decode(secret), !bytes.isEmpty, bytes.count <= Self.secretLimit else {
      throw .malformed(field: "one-time code secret")
    }
    guard (6...8).contains(digits) else { throw .malformed(field: "one-time code digits") }
    guard (1...3600).contains(period) else { throw .malformed(field: "one-time code period") }
    self.secret = bytes
    self.algorithm = algorithm
    self.digits = digits
    self.period = period
  }

  /// 512 bytes: four blocks of the widest hash; more is no secret but a mistake.
  private static let secretLimit = 512

  /// The code at `seconds` since 1970, with leading zeros; times before count as 1970.
  public func code(at seconds: Int64) -> String {
    let digest = hash(of: UInt64(max(0, seconds)) / UInt64(period))
    let offset = Int((digest.last ?? 0) & 15)
    let bits = digest[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let modulus = [UInt32](repeating: 10, count: digits).reduce(1, *)
    let number = String((bits & 0x7fff_ffff) % modulus)
    return String(repeating: "0", count: digits - number.count) + number
  }

  /// How long the code at `seconds` is still good: 1 to ``period``.
  public func secondsLeft(at seconds: Int64) -> Int {
    period - Int(max(0, seconds) % Int64(period))
  }

  private func hash(of counter: UInt64) -> [UInt8] {
    let message = (0..<8).map { UInt8(truncatingIfNeeded: counter >> (56 - 8 * $0)) }
    let key = SymmetricKey(data: secret)
    return switch algorithm {
    case .sha1:
      Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
    case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    case .sha512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
    }
  }
}

/// Base 32 of RFC 4648, read as sites print it.
enum Base32 {
  /// Passes over spaces, dashes and closing padding; nil for another character. Bits left over are
  /// dropped, whatever they are: some sites cut their secrets anywhere.
  static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits = 0
    var held = 0
    var padded = false
    for character in text.utf8 {
      let value: UInt8
      switch character {
      case 0x20, 0x2d: continue
      case 0x3d:
        padded = true
        continue
      case _ where padded: return nil
      case 0x41...0x5a: value = character - 0x41
      case 0x61...0x7a: value = character - 0x61
      case 0x32...0x37: value = character - 0x32 + 26
      default: return nil
      }
      bits = (bits << 5 | Int(value)) & 0xfff
      held += 5
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(bits >> held & 255))
      }
    }
    return bytes
  }
}

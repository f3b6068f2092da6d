import Foundation
import Wire

/// What a device is called by its owner, and what it runs on; sealed in the membership chain.
public struct DeviceName: Codable, Hashable, Sendable {
  /// 1 to `Limits.deviceNameCharacters` characters, none of them a control character.
  public let name: String
  /// Such as `Debian 12`; may be empty, otherwise like ``name``.
  public let platform: String

  public init(name: String, platform: String) {
    self.name = name
    self.platform = platform
  }

  /// Control characters are refused: a name is shown on a terminal, and another device wrote it.
  func check() throws(VaultError) {
    guard !name.isEmpty else { throw .malformed(field: "device name") }
    for text in [name, platform] {
      guard text.count <= Limits.deviceNameCharacters else {
        throw .overLimit(limit: "device name characters", value: text.count)
      }
      guard text.utf8.count <= Self.byteLimit else {
        throw .overLimit(limit: "device name bytes", value: text.utf8.count)
      }
      guard text.isShowable else { throw .malformed(field: "device name") }
    }
  }

  /// 256: 64 characters of four bytes. A character can be of any length, so both are bounded.
  private static let byteLimit = 256

  func encoded() throws(VaultError) -> [UInt8] {
    try check()
    return try CanonicalJSON.encode(self)
  }

  init(json: [UInt8]) throws(VaultError) {
    do {
      self = try JSONDecoder().decode(DeviceName.self, from: Data(json))
    } catch {
      throw .malformed(field: "device name")
    }
    try check()
  }
}

extension DeviceName {
  /// The nonce, then the padded JSON sealed under `key` and bound to account and device.
  func sealed(
    account: AccountID, device: DeviceID, key: Secret, entropy: inout some Entropy
  ) throws(VaultError) -> Blob {
    let nonce = entropy.bytes(Cipher.nonceBytes)
    let plaintext = Padding.pad(try encoded())
    let ciphertext = plaintext.withUnsafeBytes {
      Cipher.seal(
        $0, additional: Self.binding(account: account, device: device), nonce: nonce, key: key)
    }
    return Blob(nonce + ciphertext)
  }

  init(
    sealed: Blob, account: AccountID, device: DeviceID, key: Secret
  ) throws(VaultError) {
    guard sealed.bytes.count > Cipher.nonceBytes else { throw .malformed(field: "device name") }
    let padded = try Cipher.open(
      sealed.bytes[Cipher.nonceBytes...],
      additional: Self.binding(account: account, device: device),
      nonce: Array(sealed.bytes[..<Cipher.nonceBytes]), key: key)
    try self.init(json: try Padding.unpad(padded))
  }

  private static func binding(account: AccountID, device: DeviceID) -> [UInt8] {
    Array("NAM1".utf8) + [Suite.one] + account.bytes + device.bytes
  }
}

extension String {
  /// Whether it has no character that moves a terminal's cursor or starts a command to it.
  var isShowable: Bool {
    unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
  }
}

/// JSON in one form: sorted keys, no spaces.
enum CanonicalJSON {
  static func encode(_ value: some Encodable) throws(VaultError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(value))
    } catch {
      throw .malformed(field: "text")
    }
  }
}

import Foundation
public import Wire

/// What a profile must know before it is unlocked: no secrets, and no names, which are secrets.
public struct ProfileSettings: Hashable, Sendable, Codable {
  public let account: AccountID
  public let device: DeviceID
  /// The Attribute Server's URL.
  public var server: String
  /// SHA-256 of the server's public key (SubjectPublicKeyInfo); nil where certificate authorities
  /// are trusted instead, and over plaintext loopback.
  public var pin: Digest32?
  /// The server's installation, as it named itself at first contact.
  public var instance: InstanceID?
  /// Milliseconds since 1970.
  public let createdAt: Int64
  /// How many changes of the account's passphrase this device has followed; nil before it counts.
  public var passphraseChanges: Int?

  public init(
    account: AccountID, device: DeviceID, server: String, pin: Digest32? = nil,
    instance: InstanceID? = nil, createdAt: Int64, passphraseChanges: Int? = nil
  ) {
    self.account = account
    self.device = device
    self.server = server
    self.pin = pin
    self.instance = instance
    self.createdAt = createdAt
    self.passphraseChanges = passphraseChanges
  }
}

extension ProfileFolder {
  /// Throws ``StorageError/missing(path:)`` where no profile was set up.
  public func readSettings() throws -> ProfileSettings {
    let bytes = try readFile(settings)
    do {
      return try JSONDecoder().decode(ProfileSettings.self, from: Data(bytes))
    } catch {
      throw StorageError.corrupted(path: settings, detail: "it does not read")
    }
  }

  public func writeSettings(_ value: ProfileSettings) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try writeFile(Array(try encoder.encode(value)) + [0x0a], to: settings)
  }
}

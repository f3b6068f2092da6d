/// A device that was taken out of its account, as the Push Service is told: its connection ends at
/// once, and tokens it still holds let it in no more.
public struct Revocation: Hashable, Sendable, Codable {
  public let account: AccountID
  public let device: DeviceID

  public init(account: AccountID, device: DeviceID) {
    self.account = account
    self.device = device
  }
}

/// A run of the Attribute Server's feed of revocations, without a gap in itself.
public struct RevocationPage: Hashable, Sendable, Codable {
  public struct Entry: Hashable, Sendable, Codable {
    public let account: AccountID
    public let device: DeviceID
    /// Seconds since 1970.
    public let at: Int64

    public init(account: AccountID, device: DeviceID, at: Int64) {
      self.account = account
      self.device = device
      self.at = at
    }

    public var revocation: Revocation { Revocation(account: account, device: device) }
  }

  /// The number of the entry before the first one here.
  public let after: UInt64
  /// Those numbered ``after`` + 1 and on.
  public let entries: [Entry]
  /// The number of the newest entry there is: more than are here, where there is more to read.
  public let newest: UInt64
  /// When it was written, by the Attribute Server's clock; seconds since 1970.
  public let at: Int64

  public init(after: UInt64, entries: [Entry], newest: UInt64, at: Int64) {
    self.after = after
    self.entries = entries
    self.newest = newest
    self.at = at
  }

  /// The number of the last entry here.
  public var end: UInt64 { after + UInt64(entries.count) }
}

/// A ``RevocationPage`` as it travels: signed by the key that signs access tokens.
public struct SignedRevocations: Hashable, Sendable, Codable {
  /// A JWS (RFC 7515) in its compact form, with EdDSA.
  public let page: String

  public init(page: String) {
    self.page = page
  }
}

public import Wire

/// What a token lets its bearer do.
public enum Scope: String, Hashable, Sendable, Codable {
  /// Everything a device of the account does.
  case sync
  /// Reading the membership chain and adding one device to it; got with passphrase and kit.
  case enrol
}

/// What a verified token says: who, where, what, and until when.
public struct AccessClaims: Hashable, Sendable {
  public let instance: InstanceID
  public let audience: Audience
  public let account: AccountID
  /// ``Identifier/zero`` in a token of scope ``Scope/enrol``: there is no device yet.
  public let device: DeviceID
  public let scope: Scope
  /// Seconds since 1970.
  public let issuedAt: Int64
  /// Seconds since 1970.
  public let expiresAt: Int64
  /// Random, different in every token.
  public let id: String

  public init(
    instance: InstanceID, audience: Audience, account: AccountID, device: DeviceID, scope: Scope,
    issuedAt: Int64, expiresAt: Int64, id: String
  ) {
    self.instance = instance
    self.audience = audience
    self.account = account
    self.device = device
    self.scope = scope
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.id = id
  }
}

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

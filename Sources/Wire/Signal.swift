/// "Context was updated": this device's commit is on the server. It carries no data, ever; which
/// context it was is known when the commit is opened. The same is said of a record of membership,
/// so that the others hear of a new device, a new name or a new epoch as soon.
public struct Signal: Hashable, Sendable, Codable {
  public let account: AccountID
  /// The author; it gets no signal of its own commit. Of a record: the device that brought it, or
  /// that it brought in.
  public let device: DeviceID
  /// 0 of a record: commits are counted from 1.
  public let sequence: UInt64
  /// Comes out in the push frame unchanged, for measuring; at most ``Limits/traceCharacters``.
  public let trace: String?

  public init(account: AccountID, device: DeviceID, sequence: UInt64, trace: String? = nil) {
    self.account = account
    self.device = device
    self.sequence = sequence
    self.trace = trace
  }

  public init(account: AccountID, recordBy device: DeviceID) {
    self.init(account: account, device: device, sequence: 0)
  }

  public var isOfRecord: Bool { sequence == 0 }
}

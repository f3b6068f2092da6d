/// "Context was updated": this device's commit is on the server. It carries no data, ever; which
/// context it was is known when the commit is opened.
public struct Signal: Hashable, Sendable, Codable {
  public let account: AccountID
  /// The author; it gets no signal of its own commit.
  public let device: DeviceID
  public let sequence: UInt64
  /// Comes out in the push frame unchanged, for measuring; at most ``Limits/traceCharacters``.
  public let trace: String?

  public init(account: AccountID, device: DeviceID, sequence: UInt64, trace: String? = nil) {
    self.account = account
    self.device = device
    self.sequence = sequence
    self.trace = trace
  }
}

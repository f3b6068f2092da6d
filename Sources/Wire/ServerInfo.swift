/// The answer of `GET /v1/info`: who the server is.
public struct ServerInfo: Hashable, Sendable, Codable {
  public static let protocolVersion = 1
  /// The header in which a program says which version it speaks, in every request; without it
  /// version 1 is meant.
  public static let protocolHeader = "higgins-protocol"

  public let instance: InstanceID
  /// Changes when the operator restores a backup.
  public let generation: String
  public let minimumProtocol: Int
  public let maximumProtocol: Int
  /// Where devices reach the Push Service: a full `ws:` or `wss:` URL, or a port on the same host
  /// (`":7481/push"`); null where there is none.
  public let push: String?
  /// `invite`, `open` or `closed`.
  public let registration: String
  /// Milliseconds since 1970; a hint only.
  public let serverTime: Int64

  public init(
    instance: InstanceID, generation: String, minimumProtocol: Int = protocolVersion,
    maximumProtocol: Int = protocolVersion, push: String?, registration: String, serverTime: Int64
  ) {
    self.instance = instance
    self.generation = generation
    self.minimumProtocol = minimumProtocol
    self.maximumProtocol = maximumProtocol
    self.push = push
    self.registration = registration
    self.serverTime = serverTime
  }
}

import GRDB

/// A channel as the operator sees it: no account, no device, no endpoint.
public struct ChannelRecord: Hashable, Sendable, Codable {
  public let channel: String
  public let kind: String
  /// Whether the device has shown that what goes there arrives.
  public let confirmed: Bool
  /// Registered or delivered to last; milliseconds since 1970, as all times here.
  public let usedAt: Int64
  public let deliveredAt: Int64?
  /// When what waits is sent; nil when nothing does.
  public let dueAt: Int64?
  public let attempts: Int
}

/// What was given up, and why.
public struct DeadLetter: Hashable, Sendable, Codable {
  public let channel: String
  public let kind: String
  public let at: Int64
  public let attempts: Int
  public let reason: String
}

/// What `higginsd channels` shows, also while the service runs.
public struct ChannelList: Sendable {
  public let channels: [ChannelRecord]
  public let deadLetters: [DeadLetter]

  /// Reads the file a Push Service keeps its channels in.
  public init(path: String) throws(PushServerError) {
    do {
      let store = try ChannelStore(path: path)
      channels = try store.list()
      deadLetters = try store.deadLetters()
    } catch {
      throw .cannotOpenChannels(path: path, reason: "\((error as? DatabaseError)?.message ?? "?")")
    }
  }
}

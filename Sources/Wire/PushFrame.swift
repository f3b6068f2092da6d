import Foundation

/// What passes between a device and the Push Service: one JSON object a frame, told apart by
/// `type`. Times are milliseconds since 1970.
public enum PushFrame: Hashable, Sendable {
  /// First frame of a device, within ``Limits/helloWait``. `frontier` is the SHA-256 digest of
  /// ``Frontier/digestInput``. Sent again with a new token before the old one expires.
  case hello(token: String, frontier: Digest32)
  /// `behind`: signals were missed; start a sync.
  case welcome(behind: Bool, presence: [Presence], pingSeconds: Int)
  /// nil: "you are behind", when single signals no longer fit.
  case signal(Update?)
  /// A device holds `device`'s commit `sequence`. `by` is set by the server only.
  case acknowledgement(device: DeviceID, sequence: UInt64, by: DeviceID?)
  case presence(Presence)
  case ping
  case pong
  case bye(reason: Reason, retryAfterMilliseconds: Int)

  public struct Update: Hashable, Sendable {
    public let device: DeviceID
    public let sequence: UInt64
    public let at: Int64
    public let trace: String?

    public init(device: DeviceID, sequence: UInt64, at: Int64, trace: String? = nil) {
      self.device = device
      self.sequence = sequence
      self.at = at
      self.trace = trace
    }
  }

  public struct Presence: Hashable, Sendable, Codable {
    public let device: DeviceID
    public let online: Bool
    /// When it came or went.
    public let at: Int64
    /// The digest it said hello with.
    public let frontier: Digest32?

    public init(device: DeviceID, online: Bool, at: Int64, frontier: Digest32? = nil) {
      self.device = device
      self.online = online
      self.at = at
      self.frontier = frontier
    }
  }

  public enum Reason: String, Hashable, Sendable, Codable {
    case draining, revoked, replaced, slow, expired
    /// The frame did not read, or came before hello.
    case malformed
    case unauthenticated
    case busy
  }
}

extension PushFrame: Codable {
  private enum CodingKeys: String, CodingKey {
    case type, token, frontier, behind, presence, pingSeconds, device, sequence, at, trace, by
    case online, reason, retryAfterMilliseconds
  }

  private enum Kind: String, Codable {
    case hello, welcome, signal, ack, presence, ping, pong, bye
  }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    switch try box.decode(Kind.self, forKey: .type) {
    case .hello:
      self = .hello(
        token: try box.decode(String.self, forKey: .token),
        frontier: try box.decode(Digest32.self, forKey: .frontier))
    case .welcome:
      self = .welcome(
        behind: try box.decode(Bool.self, forKey: .behind),
        presence: try box.decode([Presence].self, forKey: .presence),
        pingSeconds: try box.decode(Int.self, forKey: .pingSeconds))
    case .signal:
      guard let device = try box.decodeIfPresent(DeviceID.self, forKey: .device) else {
        self = .signal(nil)
        return
      }
      self = .signal(
        Update(
          device: device, sequence: try box.decode(UInt64.self, forKey: .sequence),
          at: try box.decode(Int64.self, forKey: .at),
          trace: try box.decodeIfPresent(String.self, forKey: .trace)))
    case .ack:
      self = .acknowledgement(
        device: try box.decode(DeviceID.self, forKey: .device),
        sequence: try box.decode(UInt64.self, forKey: .sequence),
        by: try box.decodeIfPresent(DeviceID.self, forKey: .by))
    case .presence:
      self = .presence(try Presence(from: decoder))
    case .ping: self = .ping
    case .pong: self = .pong
    case .bye:
      self = .bye(
        reason: try box.decode(Reason.self, forKey: .reason),
        retryAfterMilliseconds: try box.decode(Int.self, forKey: .retryAfterMilliseconds))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .hello(let token, let frontier):
      try box.encode(Kind.hello, forKey: .type)
      try box.encode(token, forKey: .token)
      try box.encode(frontier, forKey: .frontier)
    case .welcome(let behind, let presence, let pingSeconds):
      try box.encode(Kind.welcome, forKey: .type)
      try box.encode(behind, forKey: .behind)
      try box.encode(presence, forKey: .presence)
      try box.encode(pingSeconds, forKey: .pingSeconds)
    case .signal(let update):
      try box.encode(Kind.signal, forKey: .type)
      guard let update else { return }
      try box.encode(update.device, forKey: .device)
      try box.encode(update.sequence, forKey: .sequence)
      try box.encode(update.at, forKey: .at)
      try box.encodeIfPresent(update.trace, forKey: .trace)
    case .acknowledgement(let device, let sequence, let by):
      try box.encode(Kind.ack, forKey: .type)
      try box.encodeIfPresent(by, forKey: .by)
      try box.encode(device, forKey: .device)
      try box.encode(sequence, forKey: .sequence)
    case .presence(let presence):
      try box.encode(Kind.presence, forKey: .type)
      try presence.encode(to: encoder)
    case .ping: try box.encode(Kind.ping, forKey: .type)
    case .pong: try box.encode(Kind.pong, forKey: .type)
    case .bye(let reason, let milliseconds):
      try box.encode(Kind.bye, forKey: .type)
      try box.encode(reason, forKey: .reason)
      try box.encode(milliseconds, forKey: .retryAfterMilliseconds)
    }
  }
}

extension PushFrame {
  /// The frame in one line of JSON with sorted keys.
  public func encoded() throws -> [UInt8] {
    if let common { return Array(common.utf8) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// The same text for the frames that come in numbers, which need no encoder; nil for the others.
  private var common: String? {
    switch self {
    case .signal(nil): return #"{"type":"signal"}"#
    case .signal(let update?):
      guard let trace = Self.plain(update.trace) else { return nil }
      return #"{"at":\#(update.at),"device":"\#(update.device)","sequence":\#(update.sequence)"#
        + #"\#(trace),"type":"signal"}"#
    case .acknowledgement(let device, let sequence, let by):
      let by = by.map { #""by":"\#($0)","# } ?? ""
      return #"{\#(by)"device":"\#(device)","sequence":\#(sequence),"type":"ack"}"#
    case .ping: return #"{"type":"ping"}"#
    case .pong: return #"{"type":"pong"}"#
    case .hello, .welcome, .presence, .bye: return nil
    }
  }

  /// The trace with its key, empty for none; nil where it needs escapes.
  private static func plain(_ trace: String?) -> String? {
    guard let trace else { return "" }
    let isPlain = trace.utf8.allSatisfy {
      (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    return isPlain ? #","trace":"\#(trace)""# : nil
  }

  /// Reads a frame of at most ``Limits/pushFrameBytes`` from a device, or any from the server.
  public init(text: [UInt8], limitBytes: Int = Limits.pushFrameBytes) throws(WireError) {
    guard text.count <= limitBytes else {
      throw .overLimit(limit: "push frame bytes", value: text.count)
    }
    do {
      self = try JSONDecoder().decode(PushFrame.self, from: Data(text))
    } catch {
      throw .malformed(field: "push frame")
    }
  }
}

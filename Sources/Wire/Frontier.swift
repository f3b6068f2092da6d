/// The newest commit of one device that somebody holds.
public struct Head: Hashable, Sendable {
  /// Counts the device's commits from 1.
  public let sequence: UInt64
  /// The digest of that commit's envelope. Two heads of one sequence and different hashes are two
  /// histories: comparing sequences alone would take one for the other.
  public let hash: Digest32

  public init(sequence: UInt64, hash: Digest32) {
    self.sequence = sequence
    self.hash = hash
  }
}

/// What somebody holds: for each device, its newest commit (at most ``Limits/devices`` of them).
///
/// The frontier is the pull cursor: there is no other number that could skip or run ahead.
/// In JSON it is a list of `{device, sequence, hash}` in the order of the device ids.
public struct Frontier: Hashable, Sendable {
  public private(set) var heads: [DeviceID: Head]

  public init(_ heads: [DeviceID: Head] = [:]) {
    self.heads = heads
  }

  public subscript(device: DeviceID) -> Head? {
    get { heads[device] }
    set { heads[device] = newValue }
  }

  /// The sequence held of `device`; 0 when nothing is.
  public func sequence(of device: DeviceID) -> UInt64 {
    heads[device]?.sequence ?? 0
  }

  /// Whether everything `other` holds is held here too, as far as sequences tell.
  public func reaches(_ other: Frontier) -> Bool {
    other.heads.allSatisfy { sequence(of: $0.key) >= $0.value.sequence }
  }

  /// The heads in the order of the device ids, as they are written.
  public var sorted: [(device: DeviceID, head: Head)] {
    heads.sorted { $0.key < $1.key }.map { (device: $0.key, head: $0.value) }
  }

  /// What ``PushFrame/hello(token:frontier:)`` hashes: each device's 16 bytes and its sequence
  /// in 8, in order. Hashes are left out, so that the Push Service can tell from signals alone.
  public var digestInput: [UInt8] {
    Frontier.digestInput(heads.mapValues(\.sequence))
  }

  /// The same for somebody who knows sequences only.
  public static func digestInput(_ sequences: [DeviceID: UInt64]) -> [UInt8] {
    var writer = ByteWriter()
    for (device, sequence) in sequences.sorted(by: { $0.key < $1.key }) where sequence > 0 {
      writer.write(device.bytes)
      writer.write(sequence)
    }
    return writer.bytes
  }
}

extension Frontier: Codable {
  private struct Entry: Codable {
    let device: DeviceID
    let sequence: UInt64
    let hash: Digest32
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let entries = try container.decode([Entry].self)
    heads = [:]
    for entry in entries {
      guard
        heads.updateValue(Head(sequence: entry.sequence, hash: entry.hash), forKey: entry.device)
          == nil
      else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a device stands in a frontier once")
      }
    }
    guard heads.count <= Limits.devices else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a frontier names at most \(Limits.devices) devices")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(
      sorted.map { Entry(device: $0.device, sequence: $0.head.sequence, hash: $0.head.hash) })
  }
}

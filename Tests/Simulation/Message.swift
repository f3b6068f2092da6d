import Foundation

/// What crosses the network: a value, or the bytes that are left of it.
///
/// Encoding costs more than all the rest of a run, so only messages that are damaged on the way,
/// and all of them in some kinds of weather, become JSON.
enum Message<Body: Codable & Sendable>: Sendable {
  case whole(Body)
  case bytes([UInt8])

  /// The message as it arrives.
  static func sent(
    _ body: Body, through weather: Weather, _ entropy: inout SeededEntropy
  ) throws -> Message {
    let isCut = entropy.chance(weather.truncation)
    let isFlipped = entropy.chance(weather.bitFlips)
    guard weather.encodes || isCut || isFlipped else { return .whole(body) }
    var bytes = try encode(body)
    if isCut { bytes.removeLast(entropy.pick(1...bytes.count)) }
    if isFlipped, !bytes.isEmpty {
      bytes[entropy.pick(0...(bytes.count - 1))] ^= 1 << UInt8(entropy.pick(0...7))
    }
    return .bytes(bytes)
  }

  /// What the receiver reads; nil when it does not read.
  func read() -> Body? {
    switch self {
    case .whole(let body): body
    case .bytes(let bytes): try? JSONDecoder().decode(Body.self, from: Data(bytes))
    }
  }

  private static func encode(_ body: Body) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(body))
  }
}

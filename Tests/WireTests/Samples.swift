import Foundation
import Testing

@testable import Wire

/// Values the tests share. Every byte of an id or digest is the same, so that layouts can be read.
enum Sample {
  static let account = id(AccountID.self, 0xac)
  static let device = id(DeviceID.self, 0xd1)
  static let other = id(DeviceID.self, 0xd2)
  static let instance = id(InstanceID.self, 0x15)

  static func id<Kind>(_: Identifier<Kind>.Type, _ byte: UInt8) -> Identifier<Kind> {
    Identifier(bytes: repeated(byte, 16)) ?? .zero
  }

  static func digest(_ byte: UInt8) -> Digest32 {
    Digest32(bytes: repeated(byte, 32)) ?? .zero
  }

  static func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] {
    [UInt8](repeating: byte, count: count)
  }

  static let frontier = Frontier([
    other: Head(sequence: 7, hash: digest(0x72)), device: Head(sequence: 41, hash: digest(0x71)),
  ])

  static let description = DeviceDescription(
    device: device, signingKey: Blob([1, 2]), sealingKey: Blob([3, 4]),
    authenticationKey: Blob([5, 6]), sealedName: Blob([7, 8]))

  static let header = EnvelopeHeader(
    kind: .data, account: account, vault: 0, epoch: 1, device: device, sequence: 42,
    previous: digest(0x71), memberHead: digest(0x3e),
    dependencies: Frontier([other: Head(sequence: 7, hash: digest(0x72))]),
    nonce: repeated(0x0e, 24))

  /// An envelope of five bytes of ciphertext.
  static let envelope =
    header.encoded(ciphertextLength: 5) + [0xc1, 0xc2, 0xc3, 0xc4, 0xc5] + repeated(0x51, 64)

  static let unsignedAddition = MembershipRecord.unsignedBytes(
    kind: .addDevice, account: account, number: 1, previous: digest(0x3e), signer: .device(device),
    dependencies: frontier, body: Array("{}".utf8))

  static let addition = unsignedAddition + repeated(0x51, 64)
}

/// A value in JSON with sorted keys, as both servers write it.
func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

func decoded<Value: Decodable>(_: Value.Type = Value.self, _ text: String) throws -> Value {
  try JSONDecoder().decode(Value.self, from: Data(text.utf8))
}

/// Expects that `value` is written as `text` and that `text` reads as `value`.
func expect<Value: Codable & Equatable>(
  _ value: Value, is text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(try json(value) == text, sourceLocation: sourceLocation)
  #expect(try decoded(Value.self, text) == value, sourceLocation: sourceLocation)
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same bytes for the same seed on every machine.
struct SeededBytes: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }
}

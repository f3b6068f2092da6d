import Vault
import Wire

@testable import Sync

/// Entropy that repeats itself from a seed (SplitMix64).
struct SeededEntropy: Entropy {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// The elements in an order of the seed's (Fisher and Yates).
  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for position in elements.indices.dropFirst().reversed() {
      elements.swapAt(position, Int(next() % UInt64(position + 1)))
    }
    return elements
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

/// A replica of one device with a clock of its own, and what it wrote.
struct Author {
  var replica: Replica
  var entropy: SeededEntropy
  var now: Int64 = 1_000_000
  private(set) var written: [[Operation]] = []

  init(_ seed: UInt64) {
    entropy = SeededEntropy(seed: seed)
    replica = Replica(own: entropy.identifier())
  }

  var device: DeviceID { replica.own }

  @discardableResult
  mutating func make(_ edit: Edit) throws -> [Change] {
    now += 1000
    let operations = try replica.operations(for: edit, now: now, entropy: &entropy)
    written.append(operations)
    return replica.apply(
      operations, device: device, sequence: UInt64(written.count), now: now)
  }

  @discardableResult
  mutating func hear(_ other: Author, from: Int = 0) -> [Change] {
    other.written.enumerated().dropFirst(from).flatMap { position, operations in
      replica.apply(
        operations, device: other.device, sequence: UInt64(position + 1), now: now)
    }
  }

  func context(_ name: String) -> ContextRecord? {
    replica.contexts.first { $0.name == name }
  }
}

extension ContextRecord {
  func attribute(_ label: String) -> AttributeRecord? {
    attributes.first { $0.label == label }
  }
}

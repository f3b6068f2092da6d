import Vault

/// Entropy that repeats itself from a seed (SplitMix64), and the choices made with it.
struct SeededEntropy: Entropy, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var run: [UInt8] = []
    run.reserveCapacity(count + 7)
    while run.count < count {
      withUnsafeBytes(of: next()) { run.append(contentsOf: $0) }
    }
    run.removeLast(run.count - count)
    return run
  }

  /// True in `percent` of a hundred cases; draws nothing for zero, so that a fault that is off
  /// leaves the rest of a run as it was.
  mutating func chance(_ percent: UInt64) -> Bool { percent > 0 && next() % 100 < percent }

  mutating func pick(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[pick(0...(elements.count - 1))]
  }
}

/// A device's source of keys, nonces and ids; a planted bug makes it bad.
struct DeviceEntropy: Entropy, Sendable {
  var source: SeededEntropy
  var bug: PlantedBug?
  /// Counts ids since the process started, for the bug that derives them.
  private var ids: UInt64 = 0

  private let prefix: [UInt8]

  init(seed: UInt64, bug: PlantedBug?) {
    source = SeededEntropy(seed: seed)
    prefix = withUnsafeBytes(of: seed) { Array($0) }
    self.bug = bug
  }

  /// A new process begins to count anew.
  mutating func restart() { ids = 0 }

  mutating func bytes(_ count: Int) -> [UInt8] {
    switch (bug, count) {
    case (.reuseNonces, 24): return [UInt8](repeating: 7, count: 24)
    case (.countIDsFromRestart, 16):
      ids += 1
      return prefix + withUnsafeBytes(of: ids.bigEndian) { Array($0) }
    default: return source.bytes(count)
    }
  }
}

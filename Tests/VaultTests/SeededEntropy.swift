import Vault
import Wire

/// Repeatable bytes: SHA-256 of the seed and a counter, block after block. For tests alone: the
/// product's source cannot be seeded.
struct SeededEntropy: Entropy {
  private let seed: [UInt8]
  private var counter: UInt64 = 0
  private var held: [UInt8] = []

  init(_ seed: String) {
    self.seed = Array(seed.utf8)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    while held.count < count {
      var writer = ByteWriter()
      writer.write(seed)
      writer.write(counter)
      held += Digest32.sha256(writer.bytes).bytes
      counter += 1
    }
    defer { held.removeFirst(count) }
    return Array(held.prefix(count))
  }
}

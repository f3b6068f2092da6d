import CLinux
import Glibc

/// The processors this program may use, and which of them a thread or a program keeps to.
///
/// A program started meanwhile keeps to the same. Where the scheduler puts two programs that talk,
/// on one processor or on two, decides over half of the time an answer takes, and it may decide
/// otherwise for each of them; so those that are compared get one each.
struct Processors {
  private let set: cpu_set_t

  /// Those of the calling thread; nil where the kernel does not say.
  static var allowed: Processors? {
    var set = cpu_set_t()
    guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return nil }
    return Processors(set: set)
  }

  private var numbers: [Int] {
    withUnsafeBytes(of: set) { bytes in
      (0..<bytes.count * 8).filter { bytes[$0 / 8] & 1 << UInt8($0 % 8) != 0 }
    }
  }

  /// One of them; nil when there are not so many.
  subscript(place: Int) -> Processors? {
    let numbers = numbers
    guard numbers.indices.contains(place) else { return nil }
    var one = cpu_set_t()
    withUnsafeMutableBytes(of: &one) { bytes in
      bytes[numbers[place] / 8] = 1 << UInt8(numbers[place] % 8)
    }
    return Processors(set: one)
  }

  /// Has the calling thread use these.
  func use() {
    var set = set
    sched_setaffinity(0, MemoryLayout<cpu_set_t>.size, &set)
  }
}

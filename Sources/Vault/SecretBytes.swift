import CSodium
import Synchronization

/// Bytes in guarded memory: locked, left out of core dumps, between guard pages, unreadable outside
/// ``withBytes(_:)``, zeroed when they end.
///
/// One secret takes four pages, whatever its length; a few dozen of them stay far below the
/// usual limit on locked memory. There is no way to print one.
// Unchecked because of the pointer: what it points at is written by the initializer alone, and
// `readers` guards its protection.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
  public let count: Int
  private let memory: UnsafeMutableRawPointer
  /// How many scopes read now: the first makes the memory readable, the last takes that back.
  private let readers = Mutex(0)

  /// Guarded memory of `count` bytes, zero until `fill` writes it.
  public init(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    Sodium.start()
    guard let memory = sodium_malloc(count) else {
      fatalError("no guarded memory left")
    }
    sodium_memzero(memory, count)
    self.count = count
    self.memory = memory
    fill(UnsafeMutableRawBufferPointer(start: memory, count: count))
    Self.protect(sodium_mprotect_noaccess(memory))
  }

  /// A guarded copy; the original is the caller's to wipe.
  public init(copying bytes: UnsafeRawBufferPointer) {
    self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
  }

  deinit {
    // Zeroes, unlocks and unmaps.
    sodium_free(memory)
  }

  /// Runs `body` while the bytes are readable; the pointer is good until it returns.
  public borrowing func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    readers.withLock { count in
      if count == 0 { Self.protect(sodium_mprotect_readonly(memory)) }
      count += 1
    }
    defer {
      readers.withLock { count in
        count -= 1
        if count == 0 { Self.protect(sodium_mprotect_noaccess(memory)) }
      }
    }
    return try body(UnsafeRawBufferPointer(start: memory, count: count))
  }

  private static func protect(_ result: Int32) {
    precondition(result == 0, "the protection of guarded memory cannot be changed")
  }
}

/// ``SecretBytes`` that several owners hold: keys live in dictionaries and in shared keyrings.
final class Secret: Sendable {
  private let bytes: SecretBytes

  init(_ bytes: consuming SecretBytes) {
    self.bytes = bytes
  }

  convenience init(copying bytes: [UInt8]) {
    self.init(
      SecretBytes(count: bytes.count) { output in
        bytes.withUnsafeBytes { output.copyMemory(from: $0) }
      })
  }

  var count: Int { bytes.count }

  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withBytes(body)
  }

  /// Compares in a time that does not depend on where the two differ.
  func equals(_ other: [UInt8]) -> Bool {
    guard other.count == count else { return false }
    return withBytes { sodium_memcmp($0.baseAddress, other, other.count) == 0 }
  }
}

extension [UInt8] {
  /// Overwrites the bytes with zero in a way the optimizer keeps. Copies made before stay as they
  /// are.
  public mutating func wipe() {
    withUnsafeMutableBytes { sodium_memzero($0.baseAddress, $0.count) }
  }
}

/// A type whose values never show themselves in logs, errors or dumps.
public protocol Confidential: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{}

extension Confidential {
  public var description: String { "‹secret›" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Confidential {}

import Foundation
import Synchronization

/// Proof that this process alone uses a profile: an `flock` that ends with the process at the
/// latest.
///
/// The file holds the owner's process number as text, for messages; the lock itself is what counts,
/// so a file left behind by a crash holds nobody up.
public final class ProfileLock: Sendable {
  private let descriptor: Mutex<Int32?>

  private init(descriptor: Int32) {
    self.descriptor = Mutex(descriptor)
  }

  deinit {
    release()
  }

  /// Takes the lock at once or throws ``StorageError/heldBy(pid:)``.
  public static func acquire(_ path: String) throws -> ProfileLock {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SecureFile.failure(path, "opening", errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      defer { close(descriptor) }
      guard code == EWOULDBLOCK else { throw SecureFile.failure(path, "locking", code) }
      throw StorageError.heldBy(pid: readProcessNumber(descriptor))
    }
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
    else {
      let code = errno
      close(descriptor)
      throw SecureFile.failure(path, "writing", code)
    }
    return ProfileLock(descriptor: descriptor)
  }

  /// Gives the lock back; nothing happens the second time.
  public func release() {
    descriptor.withLock { descriptor in
      if let open = descriptor {
        // A child that has not come to its exec yet holds the file open, too.
        flock(open, LOCK_UN)
        close(open)
      }
      descriptor = nil
    }
  }

  private static func readProcessNumber(_ descriptor: Int32) -> Int32? {
    var text = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &text, text.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: text.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self))
  }
}

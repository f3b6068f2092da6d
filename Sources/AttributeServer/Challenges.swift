import Crypto
import Foundation
import Synchronization
import Wire

/// The challenges of this process. Each is good once, for the one it was made for.
///
/// A challenge carries, sealed, until when it is good; nothing is kept of it before a proof answers
/// it. So whoever floods the server with questions costs it no memory, and pushes out nobody's
/// challenge.
final class Challenges: Sendable {
  enum Subject: Hashable {
    case device(DeviceID)
    case handle(Digest32)

    /// Additional data: what was made for one is nothing to another.
    fileprivate var bytes: [UInt8] {
      switch self {
      case .device(let device): [1] + device.bytes
      case .handle(let handle): [2] + handle.bytes
      }
    }
  }

  /// Tenths of a second of uptime: 13 years in four bytes, which with nonce (12) and tag (16) make
  /// the 32 of a challenge.
  private typealias Tenths = UInt32
  private static let bytes = 32
  /// Above this many, those that are over are swept out.
  private static let sweptAbove = 1000

  private let key = SymmetricKey(size: .bits256)
  /// Those that were answered, until they would be over anyway. Only enrolled devices and those who
  /// hold a kit add to it.
  private let used = Mutex<[[UInt8]: Tenths]>([:])

  /// 32 bytes, good for ``/Wire/Limits/challengeLife``.
  func make(for subject: Subject, now: Duration) throws(Problem) -> [UInt8] {
    let until = Self.tenths(now + Limits.challengeLife)
    do {
      let sealed = try ChaChaPoly.seal(
        withUnsafeBytes(of: until.bigEndian) { Data($0) }, using: key,
        authenticating: subject.bytes)
      return Array(sealed.combined)
    } catch {
      throw Problem(.internalFailure)
    }
  }

  /// Whether the challenge was made for `subject` and is still good.
  func isGood(_ challenge: [UInt8], for subject: Subject, now: Duration) -> Bool {
    guard let until = end(of: challenge, for: subject), Self.tenths(now) < until else {
      return false
    }
    return used.withLock { $0[challenge] == nil }
  }

  /// Uses the challenge up; false if it is not good, or no longer.
  func use(_ challenge: [UInt8], by subject: Subject, now: Duration) -> Bool {
    let now = Self.tenths(now)
    guard let until = end(of: challenge, for: subject), now < until else { return false }
    return used.withLock { used in
      if used.count > Self.sweptAbove { used = used.filter { now < $0.value } }
      return used.updateValue(until, forKey: challenge) == nil
    }
  }

  /// Until when it is good; nil for what was not made here, or for another.
  private func end(of challenge: [UInt8], for subject: Subject) -> Tenths? {
    guard challenge.count == Self.bytes else { return nil }
    do {
      let opened = try ChaChaPoly.open(
        ChaChaPoly.SealedBox(combined: challenge), using: key, authenticating: subject.bytes)
      return opened.reduce(0) { $0 << 8 | Tenths($1) }
    } catch {
      return nil
    }
  }

  private static func tenths(_ uptime: Duration) -> Tenths {
    Tenths(truncatingIfNeeded: Int64(uptime / .milliseconds(100)))
  }
}

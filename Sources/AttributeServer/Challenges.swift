import Synchronization
import Wire

/// The challenges handed out and not answered yet. Each is good once, for the one it was made for.
final class Challenges: Sendable {
  enum Subject: Hashable {
    case device(DeviceID)
    case handle(Digest32)
  }

  private struct Pending {
    let subject: Subject
    let until: Duration
  }

  /// Beyond this many the oldest are given up: asking costs nothing, so it may not cost memory.
  private static let limit = 10_000

  private let pending = Mutex<[[UInt8]: Pending]>([:])

  /// 32 random bytes, remembered for ``/Wire/Limits/challengeLife``.
  func make(for subject: Subject, now: Duration) -> [UInt8] {
    let challenge = randomBytes(32)
    pending.withLock { pending in
      if pending.count >= Self.limit { Self.makeRoom(in: &pending, now: now) }
      pending[challenge] = Pending(subject: subject, until: now + Limits.challengeLife)
    }
    return challenge
  }

  /// Whether the challenge was made for `subject` and is still good. It is used up either way.
  func use(_ challenge: [UInt8], by subject: Subject, now: Duration) -> Bool {
    guard let found = pending.withLock({ $0.removeValue(forKey: challenge) }) else { return false }
    return found.subject == subject && now < found.until
  }

  private static func makeRoom(in pending: inout [[UInt8]: Pending], now: Duration) {
    pending = pending.filter { now < $0.value.until }
    guard pending.count >= limit else { return }
    let oldest = pending.sorted { $0.value.until < $1.value.until }.prefix(limit / 10)
    for (challenge, _) in oldest { pending[challenge] = nil }
  }
}

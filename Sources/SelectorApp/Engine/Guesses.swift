import Vault

/// How often the passphrase of this device was given wrong, in whatever place it is asked for, and
/// how long the next try has to wait.
///
/// Kept for as long as the process has the profile open: that is where somebody else may sit down.
/// A command of its own starts afresh, since whoever can start one can read the keyring file, too,
/// and try at the price of the hashing alone.
struct Guesses {
  /// Wrong passphrases before a wait.
  static let free = 5
  /// 30 s after the fifth, and twice as long after each further one, up to an hour.
  private static let firstWait = Duration.seconds(30)
  private static let longestWait = Duration.seconds(3600)

  private var wrong = 0
  private var until: ContinuousClock.Instant?

  /// Tries before the next wait.
  var left: Int { max(0, Self.free - wrong) }

  /// Time until the next try; zero when there may be one now.
  func wait(at now: ContinuousClock.Instant) -> Duration {
    until.map { max(.zero, $0 - now) } ?? .zero
  }

  mutating func fail(at now: ContinuousClock.Instant) {
    wrong += 1
    guard wrong >= Self.free else { return }
    // 128 times 30 s is beyond the longest.
    until = now + min(Self.firstWait * (1 << min(wrong - Self.free, 7)), Self.longestWait)
  }

  mutating func succeed() {
    self = Guesses()
  }
}

extension Device {
  /// Whole seconds until a passphrase may be tried again.
  var guessWaitSeconds: Int { Int((guesses.wait(at: .now) / .seconds(1)).rounded(.up)) }

  /// Before a passphrase is asked for.
  ///
  /// - Throws: ``DeviceError/guessedTooOften(seconds:)``.
  func allowGuess() throws {
    let seconds = guessWaitSeconds
    guard seconds == 0 else { throw DeviceError.guessedTooOften(seconds: seconds) }
  }

  /// Opens something with a passphrase, and counts whether it was the right one.
  func guess<Opened>(_ open: () throws -> Opened) throws -> Opened {
    try allowGuess()
    do {
      let opened = try open()
      guesses.succeed()
      return opened
    } catch VaultError.wrongPassphrase {
      guesses.fail(at: .now)
      throw VaultError.wrongPassphrase
    }
  }
}

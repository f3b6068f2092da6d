import Storage
import Sync
import Wire

/// What an observer of a ``Device`` is told.
enum DeviceEvent: Sendable {
  /// All contexts: at the beginning, after unlocking and after locking.
  case contexts([ContextRecord])
  /// Those that are different now, and those that are gone: what one change costs does not grow
  /// with what there is.
  case contextsChanged([ContextRecord], removed: Set<ContextID>)
  /// It was unlocked, here or by a command.
  case unlocked
  /// What somebody did; comes before the ``contextsChanged(_:removed:)`` of the same step.
  case changed([Change])
  case status(SyncStatus)
  /// Something long that is counted; nil when it is over.
  case progress(SyncProgress?)
  /// Forms that were open when their process ended, or are open now.
  case drafts([Draft])
  case notice(Notice)
  /// This device was taken out of the account, and nothing of it is here any more.
  case revoked(String)
}

/// How a synchronisation a command asked for came out.
enum SyncOutcome: Sendable, Equatable {
  /// The server confirmed everything held here and had nothing more.
  case confirmed
  case waiting(reason: String, changes: Int)
  case alarm(String)
  /// The account was deleted: there is nothing to synchronise with.
  case deleted
}

/// Why a device cannot do what was asked, beyond what the lower layers say.
enum DeviceError: Error, Equatable {
  case noProfile
  case alreadyAProfile
  case locked
  /// The settings or key files of the profile do not read.
  case damagedProfile(file: String)
  /// The store was damaged beyond the list of devices, which only the server can send again.
  case membershipMissing(reason: String)
  case pairingExpired
  case pairingDeclined
  /// The answer to a pairing names an account whose list of devices does not hold this device.
  case notAdmitted
  case incompatibleServer(minimum: Int, maximum: Int)
  /// It was taken out of the account and has erased itself.
  case revoked(text: String)
  /// The device that is to be revoked was so before.
  case revokedAlready
  case revokingItself
  /// The account was deleted, by whom and when it was heard of: what is here stays as it is.
  case deleted(text: String)
  /// Only a copy of a deleted account is erased.
  case notDeleted
  /// The name given is not the account's.
  case anotherName
  /// The server is known by a certificate's authority, or stands on this machine.
  case serverHasNoPin
  case tooManyServerKeys(limit: Int)
  /// This device still takes a passphrase that is no longer the account's.
  case passphraseChangedElsewhere
  /// Wrong passphrases have to stop for a while.
  case guessedTooOften(seconds: Int)

  /// Why there is no profile.
  static func absence(of folder: ProfileFolder) -> DeviceError {
    folder.farewellText.map { .revoked(text: $0) } ?? .noProfile
  }
}

/// What the person at the trusted device sees and decides while a new device joins.
struct PairingExchange: Sendable {
  /// The code to enter on the new device, and when it expires (milliseconds since 1970).
  let showCode: @Sendable (String, Int64) async -> Void
  /// Whether to admit the device that answered: its name, and the words both screens show.
  let confirm: @Sendable (String, [String]) async -> Bool
}

import Sync
import Wire

/// What an observer of a ``Device`` is told.
enum DeviceEvent: Sendable {
  /// All contexts, after any of them changed.
  case contexts([ContextRecord])
  case changed([Change])
  case status(SyncStatus)
  case notice(Notice)
}

/// How a synchronisation a command asked for came out.
enum SyncOutcome: Sendable, Equatable {
  /// The server confirmed everything held here and had nothing more.
  case confirmed
  case waiting(reason: String, changes: Int)
  case alarm(String)
}

/// Why a device cannot do what was asked, beyond what the lower layers say.
enum DeviceError: Error, Equatable {
  case noProfile
  case alreadyAProfile
  case locked
  /// The settings or key files of the profile do not read.
  case damagedProfile(file: String)
  case pairingExpired
  case pairingDeclined
  /// The answer to a pairing names an account whose list of devices does not hold this device.
  case notAdmitted
  case incompatibleServer(minimum: Int, maximum: Int)
}

/// What the person at the trusted device sees and decides while a new device joins.
struct PairingExchange: Sendable {
  /// The code to enter on the new device, and when it expires (milliseconds since 1970).
  let showCode: @Sendable (String, Int64) async -> Void
  /// Whether to admit the device that answered: its name, and the words both screens show.
  let confirm: @Sendable (String, [String]) async -> Bool
}

import Sync

/// How commands that change something end: committed at once, and sent if the server is there.
enum Saving {
  /// 2 s: long enough for a server far away, short enough to wait for at a prompt.
  static let sendingLimit = Duration.seconds(2)

  /// Commits `edits`, and tries to send them unless that was not wanted. A change that has to wait
  /// is no failure: it is said on stderr.
  static func save(
    _ edits: [Edit], on device: Device, console: any Console, skipsSync: Bool
  ) async throws {
    try await save(on: device, console: console, skipsSync: skipsSync) { _ in edits }
  }

  /// The same for edits that depend on what there is at the moment they are made.
  static func save(
    on device: Device, console: any Console, skipsSync: Bool,
    _ edits: @Sendable (Replica) throws -> [Edit]
  ) async throws {
    try await device.save(immediately: true, holdsBack: skipsSync, edits)
    guard !skipsSync else { return }
    await device.start(push: false)
    switch await device.synchronise(within: sendingLimit) {
    case .confirmed: return
    case .waiting(let reason, let changes):
      try await console.note(waits(reason, changes))
    case .alarm(let text):
      throw Failure(.alarm, "Saved here, but not sent: \(text)")
    case .deleted: throw DeviceError.deleted(text: await device.deletionText)
    }
  }

  static func waits(_ reason: String, _ changes: Int) -> String {
    let what = changes == 1 ? "1 change waits" : "\(changes) changes wait"
    return "\(what) for the server. \(reason)"
  }
}

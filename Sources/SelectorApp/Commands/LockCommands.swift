import ArgumentParser

struct AgentCommand: DeviceCommand {
  /// 5 minutes: a person at work asks more often; whoever went away is not long unlocked.
  static let usualMinutes = 5
  /// A day: longer is never.
  static let mostMinutes = 24 * 60

  static let configuration = CommandConfiguration(
    commandName: "agent",
    abstract: "Keep this device synchronised, and unlocked between commands.",
    discussion: """
      EXAMPLE: higgins agent & higgins unlock

      Starts locked unless a passphrase file or a service manager's credential is there; then \
      `higgins unlock` asks once, and other commands ask no more. It locks when no command came for \
      5 minutes (time asleep counts), and at `higgins lock`, which a screen locker can run. \
      Locked, it goes on synchronising what is sealed. Ends with Ctrl-C or SIGTERM.
      """)

  @Option(
    help: ArgumentHelp(
      "Minutes without a command after which it locks; 0 for never.", valueName: "minutes"))
  var lockAfter = Self.usualMinutes

  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .never }
  var holdsProfile: Bool { true }

  func validate() throws {
    guard (0...Self.mostMinutes).contains(lockAfter) else {
      throw ValidationError("--lock-after takes 0 to \(Self.mostMinutes) minutes.")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    let source = PassphraseSource(path: options.passphrasePath(), console: console)
    if let passphrase = try source.given() { try await device.unlock(passphrase) }
    let events = await device.events()
    await device.start(push: true)
    let isLocked = await device.isLocked
    try await console.note(
      isLocked ? "Locked; `higgins unlock` unlocks." : "Unlocked; `higgins lock` locks.")
    let idling =
      lockAfter == 0 ? nil : Task { try await Self.lock(device, after: .minutes(lockAfter)) }
    defer { idling?.cancel() }
    for await event in events {
      if case .revoked(let text) = event { throw DeviceError.revoked(text: text) }
    }
  }

  /// Locks the device whenever no command came for `limit`, until it is cancelled.
  static func lock(_ device: Device, after limit: Duration) async throws {
    while true {
      try await Task.sleep(until: await device.lastUse + limit, clock: .continuous)
      guard await ContinuousClock.now >= device.lastUse + limit else { continue }
      if await !device.staysLocked { try await device.lock() }
      await device.touch()
    }
  }
}

struct LockCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Lock the agent or the selector that has this profile unlocked.",
    discussion: """
      EXAMPLE: higgins lock

      Keys and all that can be read are forgotten there; what is saved still goes out, sealed. A \
      screen locker can run it: `xss-lock -- higgins lock`.
      """)

  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .never }

  func run(on device: Device, console: any Console) async throws {
    guard await !device.staysLocked else {
      return try await console.note("Nothing has this profile unlocked.")
    }
    try await device.lockAsAsked()
    try await console.note("Locked.")
  }
}

struct UnlockCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Unlock the agent or the selector that holds this profile.",
    discussion: """
      EXAMPLE: higgins unlock

      Asks for the passphrase; commands that follow ask no more until it locks again. After five \
      wrong ones the next has to wait 30 s, and each further one twice as long.
      """)

  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .never }
  var needsHolder: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    guard await device.isLocked else { return try await console.note("It is unlocked already.") }
    try await device.allowGuess()
    let source = PassphraseSource(path: options.passphrasePath(), console: console)
    try await device.unlock(try await source.existing())
    try await console.note("Unlocked.")
  }
}

extension Duration {
  fileprivate static func minutes(_ minutes: Int) -> Duration { .seconds(60 * minutes) }
}

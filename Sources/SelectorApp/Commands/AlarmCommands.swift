import ArgumentParser
import Sync

struct AlarmsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alarms",
    abstract: "List integrity alarms, or say that they were dealt with.",
    discussion: """
      EXAMPLE: higgins alarms --json

      An alarm says that the server lost something, withholds something or shows something that is \
      not genuine. It stands, and `higgins status` exits with 6, until somebody clears it.
      """,
    subcommands: [AlarmsListCommand.self, AlarmsClearCommand.self, AlarmsMergeCommand.self],
    defaultSubcommand: AlarmsListCommand.self)
}

struct AlarmsListCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the alarms that stand.",
    discussion: "EXAMPLE: higgins alarms")

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .whereReady }
  var tellsAlarms: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    let alarms = await device.alarms()
    guard !output.json else {
      for alarm in alarms { try await console.record(AlarmRecord(alarm)) }
      return
    }
    guard !alarms.isEmpty else { return try await console.note("No alarm stands.") }
    try await console.line(
      Lines.table(alarms.map { [Lines.time($0.at), $0.code, $0.text] }))
  }
}

struct AlarmsClearCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Say that an alarm was dealt with.",
    discussion: """
      EXAMPLE: higgins alarms clear rollback

      What it was about is checked again at the next synchronisation.
      """)

  @Argument(help: ArgumentHelp("Only alarms of this kind, as listed.", valueName: "code"))
  var code: String?

  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .whereReady }
  var tellsAlarms: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    let standing = await device.alarms().filter { code == nil || $0.code == code }
    guard !standing.isEmpty else {
      guard let code else { return try await console.note("No alarm stands.") }
      throw Failure(.notFound, "No alarm \(code) stands. Nothing was changed.")
    }
    try await device.clearAlarms(code: code)
    try await console.note("Cleared \(Lines.count(standing.count, "alarm")).")
  }
}

struct AlarmsMergeCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Keep both of two histories that contradict each other.",
    discussion: """
      EXAMPLE: higgins alarms merge

      For the alarm "fork": two copies of one device have been at work, and the server showed one \
      of them here and the other elsewhere. This device takes the server's history, and writes again \
      under a new identity what that lacks. Values that differ become conflicts, listed by \
      `higgins conflicts`.
      """)

  /// 60 s in which nothing moves.
  private static let limit = Duration.seconds(60)

  @OptionGroup var options: GlobalOptions

  var tellsAlarms: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    guard await device.alarms().contains(where: { $0.code == "fork" }) else {
      throw Failure(.notFound, "No alarm fork stands. Nothing was changed.")
    }
    await device.start(push: false)
    try await device.wantMerge()
    let outcome = await device.synchronise(untilNothingMovesFor: Self.limit)
    if case .waiting(let reason, let changes) = outcome {
      throw Failure(.offline, changes > 0 ? Saving.waits(reason, changes) : reason)
    }
    try await device.clearAlarms(code: "fork")
    try await console.note("Both histories are kept. See what differs with: higgins conflicts")
  }
}

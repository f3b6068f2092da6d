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
    subcommands: [AlarmsListCommand.self, AlarmsClearCommand.self],
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

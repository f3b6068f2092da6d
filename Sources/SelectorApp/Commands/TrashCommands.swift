import ArgumentParser
import Sync
import Wire

struct TrashCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "trash",
    abstract: "List removed contexts.",
    discussion: """
      EXAMPLE: higgins trash --json

      A removed context can be restored for 30 days.
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let removed = await device.trash()
    guard !output.json else {
      for record in removed { try await console.record(TrashLine(record)) }
      return
    }
    guard !removed.isEmpty else { return try await console.note("The trash is empty.") }
    var rows: [[String]] = []
    for record in removed {
      rows.append([
        record.name, record.kind.rawValue, Lines.count(record.attributes, "attribute"),
        "removed \(Lines.time(record.deletedAt))", await device.name(of: record.deletedBy),
        "until \(Lines.time(record.expiresAt))",
      ])
    }
    try await console.line(Lines.table(rows))
  }
}

struct RestoreCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Bring a removed context back.",
    discussion: """
      EXAMPLE: higgins restore old.example

      It comes back with everything it had. Of a context that one device removed while another \
      changed it, the removal is taken back.
      """)

  @Argument(help: .contextName)
  var context: String

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  private struct Candidate {
    let id: ContextID
    let name: String
  }

  func run(on device: Device, console: any Console) async throws {
    let candidates =
      await device.trash().map { Candidate(id: $0.id, name: $0.name) }
      + (await device.contexts()).filter { $0.deletedOn != nil }
      .map { Candidate(id: $0.id, name: $0.name) }
    let found = try Matching.one(
      of: candidates, context, what: "removed context", name: \.name, id: { "\($0.id)" })
    try await Saving.save(
      [.restoreContext(found.id)], on: device, console: console, skipsSync: saving.noSync)
    try await console.note("\(found.name) is back.")
  }
}

import ArgumentParser
import Sync
import Wire

struct DraftsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drafts",
    abstract: "List what was typed and not saved, or discard it.",
    discussion: """
      EXAMPLE: higgins drafts --json

      The selector offers each of them again at its next start.
      """,
    subcommands: [DraftsListCommand.self, DraftsDiscardCommand.self],
    defaultSubcommand: DraftsListCommand.self)
}

struct DraftsListCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List unsaved edits.",
    discussion: "EXAMPLE: higgins drafts --reveal")

  @Flag(help: "Print what was typed, too.")
  var reveal = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let contexts = await device.contexts()
    let records = await device.drafts().map { draft in
      DraftRecord(
        draft, context: contexts.first { $0.id == draft.context }, reveals: reveal)
    }
    guard !output.json else {
      for record in records { try await console.record(record) }
      return
    }
    guard !records.isEmpty else { return try await console.note("There are no unsaved edits.") }
    try await console.line(
      Lines.table(
        records.map { record in
          let typed =
            record.values.map { values in
              values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                .joined(separator: "; ")
            } ?? record.fields.joined(separator: ", ")
          return [
            String("\(record.id)".prefix(8)), Lines.time(record.at), record.place, typed,
          ]
        }))
  }
}

struct DraftsDiscardCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Forget an unsaved edit for good.",
    discussion: """
      EXAMPLE: higgins drafts discard 3f9a

      The beginning of an id is enough.
      """)

  @Argument(help: "As `higgins drafts` prints it.")
  var id: String?

  @Flag(help: "Forget all of them.")
  var all = false

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard (id != nil) != all else {
      throw ValidationError("Say which unsaved edit to forget, or --all.")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    let drafts = await device.drafts()
    let found = drafts.filter { draft in
      id.map { "\(draft.id)".hasPrefix($0.lowercased()) && !$0.isEmpty } ?? true
    }
    if let id {
      guard let first = found.first else {
        throw MatchFailure.none(what: "unsaved edit", query: id)
      }
      guard found.count == 1 else {
        throw MatchFailure.several(
          what: "unsaved edit", query: id, candidates: found.map { "\($0.id)" })
      }
      try await device.drop(first.id)
    } else {
      for draft in found { try await device.drop(draft.id) }
    }
    try await console.note("Forgot \(Lines.count(found.count, "unsaved edit")).")
  }
}

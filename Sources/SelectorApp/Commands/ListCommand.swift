import ArgumentParser
import Sync

struct ListCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List contexts.",
    discussion: """
      EXAMPLE: higgins list github

      `--at 2026-11-01` lists what there was at the end of that day.
      """)

  @Argument(help: "Only names with this in them.")
  var query: String?

  @OptionGroup var past: PastOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let contexts = Self.narrowed(await device.contexts(at: past.at), query)
    guard !output.json else {
      for context in contexts { try await console.record(ListRecord(context)) }
      return
    }
    if contexts.isEmpty {
      try await console.note(
        query != nil
          ? "No name has that in it, and no context that tag."
          : past.at != nil
            ? "There were no contexts then."
            : await device.isUncertain
              ? "Nothing is here again yet. `higgins sync` fetches it from the server."
              : "There are no contexts here yet. `higgins set CONTEXT ATTRIBUTE` makes one,"
                + " `higgins sync` fetches those of other devices.")
      return
    }
    try await console.line(Lines.table(contexts.map(Self.row)))
  }

  static func narrowed(_ contexts: [ContextRecord], _ query: String?) -> [ContextRecord] {
    guard let query = query?.lowercased() else { return contexts }
    return contexts.filter { context in
      context.name.lowercased().contains(query)
        || context.tags.contains { $0.lowercased() == query }
    }
  }

  private static func row(_ context: ContextRecord) -> [String] {
    [
      context.name, context.kind.rawValue, Lines.count(context.attributes.count, "attribute"),
      Lines.time(context.updatedAt), context.hasConflict ? "conflict" : "",
    ]
  }
}

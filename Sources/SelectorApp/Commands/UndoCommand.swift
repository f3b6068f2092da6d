import ArgumentParser
import Sync

struct UndoCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Take back the newest change, on every device.",
    discussion: """
      EXAMPLE: higgins undo --dry-run

      Each further call takes back the change before. What is taken back stays in the history, and \
      `higgins undo --redo` makes it again. A value that was changed since is left as it is.
      """)

  @Flag(help: "Make again what was taken back last.")
  var redo = false

  @Flag(help: "Only say what it would be.")
  var dryRun = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    guard let change = redo ? await device.redoable : await device.undoable else {
      throw Failure(
        .notFound, "There is nothing to \(redo ? "redo" : "undo"). Nothing was changed.")
    }
    if !dryRun {
      try await Saving.save(
        [redo ? .redo(change.id) : .undo(change.id)], on: device, console: console,
        skipsSync: saving.noSync)
    }
    guard !output.json else { return try await console.record(ChangeSetRecord(change)) }
    let place = [change.contextName, change.label].compactMap(\.self).joined(separator: " / ")
    let more = change.contexts.count - 1
    let rest = more > 0 ? " and \(Lines.count(more, "other context"))" : ""
    // What is done again is known by when it was taken back.
    let done = redo ? "taken back" : Self.participle(change.kind)
    try await console.line(
      "\(verb): \(place)\(rest), \(done) \(Lines.time(change.at)) on"
        + " \(await device.name(of: change.device))")
  }

  private static func participle(_ kind: ChangeSet.Kind) -> String {
    switch kind {
    case .created, .added: "added"
    case .renamed: "renamed"
    case .deleted, .removed: "removed"
    case .restored: "restored"
    case .resolved: "chosen"
    case .set, .described: "changed"
    }
  }

  private var verb: String {
    let what = redo ? "redo" : "undo"
    return dryRun ? "Would \(what)" : (redo ? "Redone" : "Undone")
  }
}

import ArgumentParser
import Sync

struct ConflictsCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "conflicts",
    abstract: "List what several devices changed at once.",
    discussion: "EXAMPLE: higgins conflicts --reveal")

  @Flag(help: "Print concealed values, too.")
  var reveal = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let conflicts = ConflictRecord.all(in: await device.contexts(), reveals: reveal)
    guard !output.json else {
      for conflict in conflicts { try await console.record(conflict) }
      return
    }
    guard !conflicts.isEmpty else { return try await console.note("There are no conflicts.") }
    for conflict in conflicts {
      try await console.line("\(conflict.contextName) / \(Self.part(of: conflict))")
      var rows: [[String]] = []
      for value in conflict.values {
        rows.append([
          "  \(value.id)", await device.name(of: value.device), Lines.time(value.at),
          value.removed ? "(removed)" : value.text ?? ShowCommand.mask,
        ])
      }
      if let deletedOn = conflict.deletedOn {
        let name = await device.name(of: deletedOn)
        rows.append(["  removed on \(name), changed elsewhere: `higgins restore` or `higgins rm`"])
      }
      try await console.line(Lines.table(rows))
    }
  }

  private static func part(of conflict: ConflictRecord) -> String {
    switch conflict.subject {
    case .name: "(name)"
    case .deletion: "(removed)"
    case .value: conflict.label ?? ""
    case .label: "\(conflict.label ?? "") (label)"
    }
  }
}

struct ResolveCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "End a conflict.",
    discussion: """
      EXAMPLE: higgins resolve github.example password --keep 3f9a

      `higgins conflicts` prints the ids; the beginning of one is enough. Values not kept stay in the \
      history. Without an attribute the conflict is that of the context's name; where devices gave \
      an attribute different labels, it is found by the one that is shown.
      """)

  @Argument(help: .contextName)
  var context: String

  @Argument(help: .attributeName)
  var attribute: String?

  @Option(help: ArgumentHelp("The value to keep.", valueName: "id"))
  var keep: String?

  @Flag(help: "Keep every value; the others become attributes of their own.")
  var both = false

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard (keep != nil) != both else {
      throw ValidationError("Say which value to keep with --keep ID, or --both.")
    }
    guard !both || attribute != nil else {
      throw ValidationError("A context has one name: choose it with --keep ID.")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.contexts(matching: context))
    try await Saving.save(
      [try edit(context)], on: device, console: console, skipsSync: saving.noSync)
  }

  private func edit(_ context: ContextRecord) throws -> Edit {
    guard let label = attribute else {
      guard context.names.count > 1 else { throw Self.noConflict("The name of \(context.name)") }
      let kept = try Matching.value(keep ?? "", in: context.names)
      return .resolveName(context.id, keep: kept.id)
    }
    let attribute = try Matching.attribute(label, in: context)
    guard keep != nil || attribute.hasConflict || !attribute.hasLabelConflict else {
      throw Failure(
        .usage,
        "An attribute has one label: choose that of \(context.name) / \(attribute.label) with "
          + "--keep ID. Nothing was changed.")
    }
    let values = attribute.hasConflict ? attribute.heads : []
    guard !values.isEmpty || keep != nil && attribute.hasLabelConflict else {
      throw Self.noConflict("\(context.name) / \(attribute.label)")
    }
    guard let keep else { return .keepBoth(context.id, attribute.id) }
    let kept = try Matching.value(keep, in: values + attribute.labels).id
    return attribute.labels.contains { $0.id == kept }
      ? .resolveLabel(context.id, attribute.id, keep: kept)
      : .resolve(context.id, attribute.id, keep: kept)
  }

  private static func noConflict(_ place: String) -> Failure {
    Failure(.notFound, "\(place) is not in conflict. Nothing was changed.")
  }
}

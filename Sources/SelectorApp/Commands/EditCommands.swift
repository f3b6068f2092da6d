import ArgumentParser
import Sync

struct NewCommand: DeviceCommand {
  private static let kinds = ["account", "personal", "card", "note"]

  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Make an empty context.",
    discussion: "EXAMPLE: higgins new \"bank.example\" --kind account")

  @Argument(help: ArgumentHelp("The whole name.", valueName: "context"))
  var context: String

  @Option(help: ArgumentHelp("\(Self.kinds.joined(separator: ", ")).", valueName: "kind"))
  var kind = "account"

  @OptionGroup var output: OutputOptions
  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard Self.kinds.contains(kind) else {
      throw ValidationError(
        "There is no kind \"\(kind)\". Use one of \(Self.kinds.joined(separator: ", ")).")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    guard await device.replica.contexts(named: context).isEmpty else {
      throw Failure(
        .failed, "A context \(context) is there already and was left as it is. Use another name.")
    }
    try await Saving.save(
      [
        .createContext(
          name: context, kind: ContextRecord.Kind(rawValue: kind), attributes: [])
      ],
      on: device, console: console, skipsSync: saving.noSync)
    guard output.json else { return }
    for made in await device.replica.contexts(named: context) {
      try await console.record(ListRecord(made))
    }
  }
}

struct RemoveCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm",
    abstract: "Remove a context, or one attribute of it.",
    discussion: """
      EXAMPLE: higgins rm old.example

      Nothing is lost: `higgins restore` brings a context back, `higgins history` shows a removed \
      attribute's values.
      """)

  @Argument(help: .contextName)
  var context: String

  @Argument(help: .attributeName)
  var attribute: String?

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.contexts(matching: context))
    guard let label = attribute else {
      try await Saving.save(
        [.deleteContext(context.id)], on: device, console: console, skipsSync: saving.noSync)
      try await console.note(
        "\(context.name) is in the trash; `higgins restore` brings it back.")
      return
    }
    let attribute = try Matching.attribute(label, in: context)
    try await Saving.save(
      [.removeAttribute(context.id, attribute.id, base: nil)], on: device, console: console,
      skipsSync: saving.noSync)
    try await console.note("\(context.name) / \(attribute.label) is removed.")
  }
}

struct RenameCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Give a context, or one attribute of it, another name.",
    discussion: "EXAMPLE: higgins rename bank.example \"my bank\"")

  @Argument(help: .contextName)
  var context: String

  @Argument(help: "The new name.")
  var name: String

  @Option(help: .attributeName)
  var attribute: String?

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.contexts(matching: context))
    try await Saving.save(
      [try edit(context)], on: device, console: console, skipsSync: saving.noSync)
  }

  private func edit(_ context: ContextRecord) throws -> Edit {
    guard let label = attribute else { return .renameContext(context.id, name: name) }
    let attribute = try Matching.attribute(label, in: context)
    return .describeAttribute(
      context.id, attribute.id, label: name, kind: attribute.kind,
      isConcealed: attribute.isConcealed)
  }
}

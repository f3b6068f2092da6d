public import ArgumentParser
public import Sync
import Wire

extension ImportFormat: ExpressibleByArgument {}

struct ImportCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over contexts from another program.",
    discussion: """
      EXAMPLE: higgins import bitwarden export.json

      bitwarden: unencrypted JSON, with logins, cards, identities, notes, custom fields, folders, \
      one-time codes and earlier passwords. keepass: XML of KeePass 2 or KeePassXC, with groups, \
      tags, custom strings, one-time codes and earlier passwords. csv: a table whose first row \
      names its columns, as Chrome, Firefox, Safari, 1Password, LastPass and others export it. \
      pass: the folder of a pass store, decrypted by gpg.

      All of it is taken or nothing. Delete the file afterwards: it holds every secret in plain \
      text.
      """)

  @Argument(help: "bitwarden, keepass, csv or pass.")
  var format: ImportFormat

  @Argument(
    help: "The file, or the folder of a pass store; - for standard input.", completion: .file())
  var file: String

  @OptionGroup var output: OutputOptions
  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let source = ConsoleSource(argument: file)
    let bytes = try await console.read(
      format == .pass ? source.asPasswordStore : source, limitBytes: ImportLimits.fileBytes)
    let imported = try format.read(bytes)
    for warning in imported.warnings { try await console.note(warning) }
    if !imported.edits.isEmpty {
      try await Saving.save(
        imported.edits, on: device, console: console, skipsSync: saving.noSync)
    }
    let record = ImportRecord(imported)
    if output.json {
      try await console.record(record)
    } else {
      try await console.line(record.text)
    }
  }
}

/// What `import` prints.
struct ImportRecord: Encodable, Hashable {
  let contexts: Int
  let logins: Int
  let cards: Int
  let identities: Int
  let notes: Int
  let keys: Int
  let unknown: Int
  let attributes: Int
  let earlierValues: Int
  let warnings: Int

  init(_ imported: Imported) {
    let counts = imported.counts
    contexts = counts.contexts
    logins = counts.logins
    cards = counts.cards
    identities = counts.identities
    notes = counts.notes
    keys = counts.keys
    unknown = counts.unknown
    attributes = counts.attributes
    earlierValues = counts.earlierValues
    warnings = imported.warnings.count
  }

  var text: String {
    let parts = [
      (logins, "login"), (cards, "card"), (notes, "note"), (keys, "key"),
    ].filter { $0.0 > 0 }.map { Lines.count($0.0, $0.1) }
    let plural = identities == 1 ? "1 identity" : "\(identities) identities"
    let all =
      parts + (identities > 0 ? [plural] : [])
      + (unknown > 0 ? ["\(Lines.count(unknown, "other"))"] : [])
    let list = all.isEmpty ? "" : " (\(all.joined(separator: ", ")))"
    return "Imported \(Lines.count(contexts, "context"))\(list) with"
      + " \(Lines.count(attributes, "attribute")) and \(Lines.count(earlierValues, "earlier value"))."
  }
}

struct ExportCommand: DeviceCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case bitwarden, json
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write all contexts in plain text.",
    discussion: """
      EXAMPLE: higgins export json backup.json

      The file is readable by you alone, but not encrypted. `json` leaves nothing out; `bitwarden` \
      is what Bitwarden and many others import.
      """)

  @Argument(help: "bitwarden or json.")
  var format: Format

  @Argument(help: "The file; left out, or - for standard output.", completion: .file())
  var file: String?

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let path = file == "-" ? nil : file
    if path == nil, console.isTerminal {
      guard try await console.confirm("This prints every secret on the terminal. Go on?") else {
        throw Failure(.failed, "Nothing was written.")
      }
    }
    let bytes = try await contents(device)
    guard let path else { return try await console.write(bytes, to: .output) }
    try await console.writeFile(path, bytes, replacing: force)
    try await console.note("Wrote \(path), in plain text, readable by you alone.")
  }

  private func contents(_ device: Device) async throws -> [UInt8] {
    let contexts = await device.contexts()
    // An attribute's id is one of its own in the whole account.
    var histories: [AttributeID: [ValueRecord]] = [:]
    for context in contexts {
      for attribute in context.attributes {
        histories[attribute.id] = await device.history(of: attribute.id, in: context.id)
      }
    }
    let all = histories
    return switch format {
    case .bitwarden: try BitwardenExport.write(contexts) { id, _ in all[id] ?? [] }
    case .json: try JSONExport.write(contexts) { id, _ in all[id] ?? [] }
    }
  }
}

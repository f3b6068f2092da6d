import ArgumentParser
import Sync
import Vault
import Wire

struct SetCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Give an attribute a value; what is missing is made.",
    discussion: """
      EXAMPLE: higgins set github.example password - <new-password.txt

      Without - the value is asked for and not shown. From standard input one closing newline is \
      dropped.
      """)

  @Argument(help: .contextName)
  var context: String

  @Argument(help: "A whole label, or an id.")
  var attribute: String

  @Argument(help: "- to read the value from standard input.")
  var source: String?

  @Option(help: ArgumentHelp("What the value is: \(AttributeKinds.list).", valueName: "type"))
  var type: String?

  @Flag(help: "Mask the value on screens, or show it.")
  var masking: Masking?

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  enum Masking: String, EnumerableFlag {
    case concealed, shown
  }

  func validate() throws {
    guard source == nil || source == "-" else {
      throw ValidationError(
        "A value on the command line would stand in the shell's history. Use - and standard input,"
          + " or leave it out to be asked.")
    }
    if let type, AttributeKinds.named(type) == nil {
      throw ValidationError("There is no type \"\(type)\". Use one of \(AttributeKinds.list).")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    let target = try Target(
      context, attribute, in: await device.contexts(matching: context))
    let (kind, isConcealed) = description(of: target)
    let text = try await value(for: target, isConcealed: isConcealed, console: console)
    if kind == .totp { _ = try OneTimeCode(text) }
    if let doubt = kind.doubt(about: text) { try await console.note("\(target.label) \(doubt).") }
    try await Saving.save(on: device, console: console, skipsSync: saving.noSync) { replica in
      // Looked up again: another command may have made it while this one waited for the value.
      let target = try Target(context, attribute, in: replica.contexts(matching: context))
      let (kind, isConcealed) = description(of: target)
      return target.edits(text: text, kind: kind, isConcealed: isConcealed)
    }
    if let found = target.context, found.name != context, "\(found.id)" != context {
      try await console.note("Set in \(found.name).")
    }
  }

  private func description(
    of target: Target
  ) -> (kind: AttributeRecord.Kind, isConcealed: Bool) {
    let kind =
      type.flatMap(AttributeKinds.named) ?? target.attribute?.kind
      ?? AttributeKinds.guessed(target.label)
    let isConcealed =
      masking.map { $0 == .concealed } ?? target.attribute?.isConcealed
      ?? kind.isConcealedByDefault
    return (kind, isConcealed)
  }

  private func value(
    for target: Target, isConcealed: Bool, console: any Console
  ) async throws -> String {
    var bytes =
      source == "-"
      ? try await piped(console)
      : try await typed("\(target.name) / \(target.label)", twice: isConcealed, console)
    defer { bytes.wipe() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.failed, "The value is no text (UTF-8). Nothing was changed.")
    }
    guard !text.isEmpty else {
      throw Failure(
        .failed, "The value is empty. Nothing was changed. `higgins rm` removes an attribute.")
    }
    return text
  }

  private func piped(_ console: any Console) async throws -> [UInt8] {
    // Room for the newline that is dropped.
    var bytes = try await console.read(.input, limitBytes: Limits.valueBytes + 2)
    if bytes.last == 0x0a {
      bytes.removeLast()
      if bytes.last == 0x0d { bytes.removeLast() }
    }
    return bytes
  }

  private func typed(
    _ name: String, twice: Bool, _ console: any Console
  ) async throws -> [UInt8] {
    let first = try await console.readSecret(Lines.safe("\(name): "))
    guard twice else { return first }
    var second = try await console.readSecret("The same again: ")
    defer { second.wipe() }
    guard first == second else {
      throw Failure(.failed, "The two values differ. Nothing was changed. Try again.")
    }
    return first
  }
}

/// Where `set` and `generate --set` put a value.
struct Target {
  let context: ContextRecord?
  let attribute: AttributeRecord?
  let name: String
  let label: String

  /// A context is matched as everywhere; an attribute by its whole label, because a part of one
  /// would overwrite what the person did not name.
  init(_ context: String, _ attribute: String, in contexts: [ContextRecord]) throws(MatchFailure) {
    self.context = try Self.found(context, in: contexts)
    self.attribute =
      if let found = self.context { try Matching.exactAttribute(attribute, in: found) } else { nil }
    name = self.context?.name ?? context
    label = self.attribute?.label ?? attribute
  }

  private static func found(
    _ query: String, in contexts: [ContextRecord]
  ) throws(MatchFailure) -> ContextRecord? {
    do {
      return try Matching.context(query, in: contexts)
    } catch {
      guard case .none = error else { throw error }
      return nil
    }
  }

  /// What makes the value true there.
  func edits(
    text: String, kind: AttributeRecord.Kind, isConcealed: Bool, recipe: String? = nil
  ) -> [Edit] {
    let new = Edit.NewAttribute(
      label: label, kind: kind, isConcealed: isConcealed, text: text, recipe: recipe)
    guard let context else {
      return [.createContext(name: name, kind: .account, attributes: [new])]
    }
    guard let attribute else { return [.addAttribute(context.id, new)] }
    let isSame = attribute.kind == kind && attribute.isConcealed == isConcealed
    let description = Edit.describeAttribute(
      context.id, attribute.id, label: attribute.label, kind: kind, isConcealed: isConcealed)
    return (isSame ? [] : [description])
      + [.setValue(context.id, attribute.id, text: text, base: nil, recipe: recipe)]
  }
}

/// The types a person may name.
enum AttributeKinds {
  static let all = AttributeRecord.Kind.offered

  static var list: String { all.map(\.rawValue).joined(separator: ", ") }

  static func named(_ text: String) -> AttributeRecord.Kind? {
    all.first { $0.rawValue == text.lowercased() }
  }

  /// What a value with this label most likely is; unknown labels are text.
  static func guessed(_ label: String) -> AttributeRecord.Kind {
    let folded = label.lowercased()
    if let kind = named(folded) { return kind }
    return others[folded] ?? .text
  }

  private static let others: [String: AttributeRecord.Kind] = [
    "user": .username, "login": .username, "pass": .password, "passphrase": .password,
    "pin": .password, "secret": .password, "mail": .email, "e-mail": .email, "website": .url,
    "uri": .url, "otp": .totp, "notes": .note, "telephone": .phone, "mobile": .phone,
    "tag": .tags, "birthday": .date, "street": .address, "card number": .card, "site": .url,
  ]
}

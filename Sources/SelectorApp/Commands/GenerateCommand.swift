import ArgumentParser
import Sync
import Vault

struct GenerateCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make a password, a phrase of words or a PIN.",
    discussion: """
      EXAMPLE: higgins generate --words 6

      With --set it becomes an attribute's value and is not printed: \
      higgins generate --length 24 --set github.example password
      """)

  @Option(help: "Characters, 4 to 128 (default: 20; 6 of a PIN).")
  var length: Int?

  @Option(help: "Words, 2 to 20, instead of characters.")
  var words: Int?

  @Flag(help: "Digits alone.")
  var pin = false

  @Flag(help: "Letters and digits alone.")
  var noSymbols = false

  @Flag(help: "Leave out 0 O o, 1 l I and |.")
  var noLookAlikes = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Make it the value of this attribute.", valueName: "context attribute"))
  var set: [String] = []

  @OptionGroup var saving: SavingOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard set.isEmpty || set.count == 2 else {
      throw ValidationError("--set takes a context and an attribute.")
    }
    guard words == nil || (length == nil && !pin) else {
      throw ValidationError("--words goes neither with --length nor with --pin.")
    }
    if let length, !PasswordRecipe.lengths.contains(length) {
      throw ValidationError("A length is 4 to 128.")
    }
    if let words, !PasswordRecipe.wordCounts.contains(words) {
      throw ValidationError("A phrase has 2 to 20 words.")
    }
  }

  var recipe: PasswordRecipe {
    var classes = Set(PasswordRecipe.CharacterClass.allCases)
    if noSymbols { classes.remove(.symbols) }
    let kind: PasswordRecipe.Kind = words != nil ? .words : pin ? .pin : .random
    return PasswordRecipe(
      kind: kind, length: length ?? (pin ? 6 : 20), words: words ?? 6, classes: classes,
      excludeLookAlikes: noLookAlikes)
  }

  /// Printing needs no profile.
  func run() async throws {
    guard set.isEmpty else {
      return try Execution.exitIfFailed(await Launcher(command: self).run())
    }
    let console = SystemConsole()
    let recipe = recipe
    let code = await Execution.reporting(console) {
      var entropy = SodiumEntropy()
      try await console.line(recipe.generate(entropy: &entropy))
      return 0
    }
    try Execution.exitIfFailed(code)
  }

  func run(on device: Device, console: any Console) async throws {
    var entropy = SodiumEntropy()
    let text = recipe.generate(entropy: &entropy)
    guard set.count == 2 else { return try await console.line(text) }
    let target = try Target(set[0], set[1], in: await device.contexts(matching: set[0]))
    let kind = target.attribute?.kind ?? .password
    try await Saving.save(
      target.edits(
        text: text, kind: kind, isConcealed: target.attribute?.isConcealed ?? true),
      on: device, console: console, skipsSync: saving.noSync)
    try await console.note(
      "\(target.name) / \(target.label) has a new value of \(Int(recipe.bits)) bits.")
  }
}

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
      higgins generate --length 24 --set github.example password. What is asked for is remembered \
      with the attribute, and asked for again by --set alone.

      Words come from a list of 1,024, ten bits each.
      """)

  @Option(help: "Characters, 4 to 128 (default: 20; 6 of a PIN).")
  var length: Int?

  @Option(help: "Words, 2 to 20, instead of characters.")
  var words: Int?

  @Flag(help: "Digits alone.")
  var pin = false

  @Flag(help: "Letters and digits alone.")
  var noSymbols = false

  @Option(
    help: ArgumentHelp(
      "Of these alone, at least one of each: lower, upper, digits, symbols.",
      valueName: "class,..."))
  var classes: CharacterClasses?

  @Option(help: "Between words, at most 8 characters.")
  var separator: String?

  @Flag(help: "Also say on standard error how many bits it has.")
  var bits = false

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
    guard classes == nil || (words == nil && !pin && !noSymbols) else {
      throw ValidationError("--classes goes neither with --words, --pin nor --no-symbols.")
    }
    guard separator == nil || words != nil else {
      throw ValidationError("--separator goes with --words.")
    }
    if let separator, separator.count > PasswordRecipe.separatorCharacters {
      throw ValidationError("A separator has at most 8 characters.")
    }
    if let length, !PasswordRecipe.lengths.contains(length) {
      throw ValidationError("A length is 4 to 128.")
    }
    if let words, !PasswordRecipe.wordCounts.contains(words) {
      throw ValidationError("A phrase has 2 to 20 words.")
    }
  }

  /// Whether the person left it to what is remembered.
  private var asksForNothing: Bool {
    length == nil && words == nil && !pin && !noSymbols && !noLookAlikes && classes == nil
  }

  var recipe: PasswordRecipe {
    var classes = classes?.all ?? Set(PasswordRecipe.CharacterClass.allCases)
    if noSymbols { classes.remove(.symbols) }
    let kind: PasswordRecipe.Kind = words != nil ? .words : pin ? .pin : .random
    return PasswordRecipe(
      kind: kind, length: length ?? (pin ? 6 : 20), words: words ?? 6, classes: classes,
      excludeLookAlikes: noLookAlikes, separator: separator ?? "-")
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
      if bits { try await console.note("\(Int(recipe.bits)) bits.") }
      return 0
    }
    try Execution.exitIfFailed(code)
  }

  func run(on device: Device, console: any Console) async throws {
    var entropy = SodiumEntropy()
    guard set.count == 2 else {
      return try await console.line(recipe.generate(entropy: &entropy))
    }
    let target = try Target(set[0], set[1], in: await device.contexts(matching: set[0]))
    let remembered = target.attribute?.recipe.flatMap(PasswordRecipe.init(text:))
    let recipe = asksForNothing ? remembered ?? recipe : recipe
    let text = recipe.generate(entropy: &entropy)
    try await Saving.save(on: device, console: console, skipsSync: saving.noSync) { replica in
      let target = try Target(set[0], set[1], in: replica.contexts(matching: set[0]))
      return target.edits(
        text: text, kind: target.attribute?.kind ?? .password,
        isConcealed: target.attribute?.isConcealed ?? true, recipe: recipe.text)
    }
    try await console.note(
      "\(target.name) / \(target.label) has a new value of \(Int(recipe.bits)) bits.")
  }
}

/// Classes of characters as a person lists them: `lower,digits`.
struct CharacterClasses: ExpressibleByArgument {
  let all: Set<PasswordRecipe.CharacterClass>

  init?(argument: String) {
    let words = argument.split(separator: ",")
    let classes = words.compactMap { PasswordRecipe.CharacterClass(rawValue: String($0)) }
    guard !words.isEmpty, classes.count == words.count else { return nil }
    all = Set(classes)
  }
}

public import Vault

/// What the generator dialog asks for: a recipe whose numbers stay within the limits.
public struct GeneratorForm: Hashable, Sendable {
  public typealias Kind = PasswordRecipe.Kind
  public typealias CharacterClass = PasswordRecipe.CharacterClass

  /// 24 characters of all classes: over 150 bits, and every site's field takes it.
  public static let usualLength = 24

  public private(set) var recipe: PasswordRecipe
  /// 6 digits, as most sites and cards ask for; or, while a PIN is chosen, the length of a random
  /// password.
  private var otherLength = 6

  public init(
    kind: Kind = .random, length: Int = GeneratorForm.usualLength, words: Int = 6,
    classes: Set<CharacterClass> = Set(CharacterClass.allCases), excludesLookAlikes: Bool = false
  ) {
    self.init(
      PasswordRecipe(
        kind: kind, length: length, words: words, classes: classes,
        excludeLookAlikes: excludesLookAlikes))
  }

  /// Goes on from a recipe that was used before; at least one class is chosen.
  public init(_ recipe: PasswordRecipe) {
    self.recipe = recipe
    self.recipe.length = recipe.length.clamped(to: PasswordRecipe.lengths)
    self.recipe.words = recipe.words.clamped(to: PasswordRecipe.wordCounts)
    if recipe.kind == .pin { otherLength = Self.usualLength }
    if recipe.classes.isEmpty { self.recipe.classes = Set(CharacterClass.allCases) }
  }

  public var kind: Kind { recipe.kind }
  /// Characters or digits.
  public var length: Int { recipe.length }
  public var words: Int { recipe.words }
  /// For random passwords; at least one stays chosen.
  public var classes: Set<CharacterClass> { recipe.classes }

  /// The logarithm (base 2) of how many passwords can come out, rounded down.
  public var bits: Int { Int(recipe.bits) }

  /// One step longer or shorter, within the limits.
  mutating func lengthen(by step: Int) {
    if kind == .words {
      recipe.words = (words + step).clamped(to: PasswordRecipe.wordCounts)
    } else {
      recipe.length = (length + step).clamped(to: PasswordRecipe.lengths)
    }
  }

  /// Chooses or leaves out a class; the last one stays.
  mutating func toggle(_ characterClass: CharacterClass) {
    if classes.contains(characterClass) {
      if classes.count > 1 { recipe.classes.remove(characterClass) }
    } else {
      recipe.classes.insert(characterClass)
    }
  }

  mutating func toggleLookAlikes() { recipe.excludeLookAlikes.toggle() }

  mutating func chooseNextKind() {
    let kinds = Kind.allCases
    let place = kinds.firstIndex(of: kind) ?? 0
    let wasPin = kind == .pin
    recipe.kind = kinds[(place + 1) % kinds.count]
    if wasPin != (kind == .pin) { swap(&recipe.length, &otherLength) }
  }
}

extension PasswordRecipe.CharacterClass {
  /// As the dialog shows it.
  var sample: String {
    switch self {
    case .lower: "a-z"
    case .upper: "A-Z"
    case .digits: "0-9"
    case .symbols: "!#%"
    }
  }
}

extension Comparable {
  /// The value, or the nearer end of `limits` when it lies outside.
  func clamped(to limits: ClosedRange<Self>) -> Self {
    min(max(self, limits.lowerBound), limits.upperBound)
  }
}

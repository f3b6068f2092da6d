import Foundation

/// What the generator dialog asks for.
public struct GeneratorForm: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case random, words, pin
  }

  public enum CharacterClass: String, CaseIterable, Hashable, Sendable {
    case lower, upper, digits, symbols

    /// How many characters it has.
    var size: Int {
      switch self {
      case .lower, .upper: 26
      case .digits: 10
      case .symbols: 21
      }
    }

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

  /// 4 to 128 characters (random) or digits (pin).
  public static let lengths = 4...128
  /// 2 to 20.
  public static let wordCounts = 2...20
  /// Words in the list that phrases are drawn from: ten bits each.
  static let wordListCount = 1024

  public var kind: Kind
  /// Characters or digits.
  public var length: Int
  public var words: Int
  /// For random passwords; at least one stays chosen.
  public var classes: Set<CharacterClass>

  /// 24 characters of all classes: over 150 bits, and every site's field takes it.
  public init(
    kind: Kind = .random, length: Int = 24, words: Int = 6,
    classes: Set<CharacterClass> = Set(CharacterClass.allCases)
  ) {
    self.kind = kind
    self.length = length
    self.words = words
    self.classes = classes
  }

  /// The logarithm (base 2) of how many passwords can come out, rounded down.
  public var bits: Int {
    switch kind {
    case .random: Int(randomBits)
    case .words: Int(Double(words) * log2(Double(Self.wordListCount)))
    case .pin: Int(Double(length) * log2(10))
    }
  }

  /// One step longer or shorter, within the limits.
  mutating func lengthen(by step: Int) {
    if kind == .words {
      words = (words + step).clamped(to: Self.wordCounts)
    } else {
      length = (length + step).clamped(to: Self.lengths)
    }
  }

  /// Chooses or leaves out a class; the last one stays.
  mutating func toggle(_ characterClass: CharacterClass) {
    if classes.contains(characterClass) {
      if classes.count > 1 { classes.remove(characterClass) }
    } else {
      classes.insert(characterClass)
    }
  }

  mutating func chooseNextKind() {
    let kinds = Kind.allCases
    let place = kinds.firstIndex(of: kind) ?? 0
    kind = kinds[(place + 1) % kinds.count]
  }

  /// Every chosen class occurs at least once: counted by inclusion and exclusion.
  private var randomBits: Double {
    let sizes = CharacterClass.allCases.filter(classes.contains).map { Double($0.size) }
    let all = sizes.reduce(0, +)
    var share = 0.0
    for lacking in 0..<(1 << sizes.count) {
      let left = sizes.indices.filter { lacking >> $0 & 1 == 0 }.reduce(0) { $0 + sizes[$1] }
      let term = pow(left / all, Double(length))
      share += lacking.nonzeroBitCount.isMultiple(of: 2) ? term : -term
    }
    return Double(length) * log2(all) + log2(share)
  }
}

extension Comparable {
  /// The value, or the nearer end of `limits` when it lies outside.
  func clamped(to limits: ClosedRange<Self>) -> Self {
    min(max(self, limits.lowerBound), limits.upperBound)
  }
}

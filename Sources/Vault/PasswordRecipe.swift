import Foundation

/// How a password is made up.
public struct PasswordRecipe: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// Characters of the chosen classes, at least one of each.
    case random
    /// Words of ``WordList``.
    case words
    /// Digits.
    case pin
  }

  public enum CharacterClass: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    case lower, upper, digits, symbols

    public static func < (left: Self, right: Self) -> Bool {
      left.position < right.position
    }

    private var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    fileprivate var characters: String {
      switch self {
      case .lower: "abcdefghijklmnopqrstuvwxyz"
      case .upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
      case .digits: "0123456789"
      case .symbols: "!#$%&*+-./:;<=>?@^_~|"
      }
    }
  }

  /// 4 to 128 characters (random) or digits (pin).
  public static let lengths = 4...128
  /// 2 to 20.
  public static let wordCounts = 2...20
  /// 8 characters between two words at the most.
  public static let separatorCharacters = 8

  public var kind: Kind
  /// Characters or digits; what is out of ``lengths`` counts as its nearest end.
  public var length: Int
  /// Words; what is out of ``wordCounts`` counts as its nearest end.
  public var words: Int
  /// For ``Kind/random``; an empty set counts as all.
  public var classes: Set<CharacterClass>
  /// Leaves out 0 O o, 1 l I |, which are taken for each other on paper.
  public var excludeLookAlikes: Bool
  /// Between words; cut after ``separatorCharacters``.
  public var separator: String

  /// 20 characters of all classes (over 120 bits); six words are 60.
  public init(
    kind: Kind = .random, length: Int = 20, words: Int = 6,
    classes: Set<CharacterClass> = Set(CharacterClass.allCases), excludeLookAlikes: Bool = false,
    separator: String = "-"
  ) {
    self.kind = kind
    self.length = length
    self.words = words
    self.classes = classes
    self.excludeLookAlikes = excludeLookAlikes
    self.separator = separator
  }

  /// One line, to be remembered beside what it made.
  public var text: String {
    let classes = classes.sorted().map(\.rawValue).joined(separator: ",")
    return "kind=\(kind.rawValue) length=\(length) words=\(words) classes=\(classes)"
      + " look-alikes=\(excludeLookAlikes ? "no" : "yes") separator=\(separator)"
  }

  /// Reads a ``text``: what it does not say is as usual; nil for a kind of a later program.
  public init?(text: String) {
    self.init()
    let mark = " separator="
    let end = text.range(of: mark)
    if let end { separator = String(text[end.upperBound...]) }
    for word in text[..<(end?.lowerBound ?? text.endIndex)].split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "kind":
        guard let kind = Kind(rawValue: parts[1]) else { return nil }
        self.kind = kind
      case "length": length = Int(parts[1]) ?? length
      case "words": words = Int(parts[1]) ?? words
      case "classes":
        classes = Set(parts[1].split(separator: ",").compactMap { .init(rawValue: String($0)) })
      case "look-alikes": excludeLookAlikes = parts[1] == "no"
      default: break
      }
    }
  }

  /// A new password; each one the recipe allows is equally likely.
  public func generate(entropy: inout some Entropy) -> String {
    switch kind {
    case .random: random(&entropy)
    case .words:
      (0..<wordCount).map { _ in WordList.words[entropy.below(WordList.words.count)] }
        .joined(separator: String(separator.prefix(Self.separatorCharacters)))
    case .pin: String((0..<characterCount).map { _ in Character("\(entropy.below(10))") })
    }
  }

  /// The logarithm (base 2) of how many passwords the recipe allows, all of them equally likely.
  public var bits: Double {
    switch kind {
    case .random: randomBits
    case .words: Double(wordCount) * log2(Double(WordList.words.count))
    case .pin: Double(characterCount) * log2(10)
    }
  }

  private var characterCount: Int {
    min(max(length, Self.lengths.lowerBound), Self.lengths.upperBound)
  }

  private var wordCount: Int {
    min(max(words, Self.wordCounts.lowerBound), Self.wordCounts.upperBound)
  }

  /// The characters of each chosen class.
  private var alphabets: [[Character]] {
    let chosen = classes.isEmpty ? CharacterClass.allCases : classes.sorted()
    return chosen.map { $0.characters.filter { !excludeLookAlikes || !"0Oo1lI|".contains($0) } }
      .map(Array.init)
  }

  /// Draws whole passwords until one has every class: placing the required characters first would
  /// make some passwords likelier than others. With four classes and four places one in 14 serves.
  private func random(_ entropy: inout some Entropy) -> String {
    let alphabets = alphabets
    let all = alphabets.flatMap(\.self)
    while true {
      let draw = (0..<characterCount).map { _ in all[entropy.below(all.count)] }
      if alphabets.allSatisfy({ !Set($0).isDisjoint(with: draw) }) { return String(draw) }
    }
  }

  /// Counts by inclusion and exclusion: all strings, less those lacking a class, and so on.
  private var randomBits: Double {
    let sizes = alphabets.map { Double($0.count) }
    let all = sizes.reduce(0, +)
    var share = 0.0
    for lacking in 0..<(1 << sizes.count) {
      let left = sizes.indices.filter { lacking >> $0 & 1 == 0 }.reduce(0) { $0 + sizes[$1] }
      let term = pow(left / all, Double(characterCount))
      share += lacking.nonzeroBitCount.isMultiple(of: 2) ? term : -term
    }
    return Double(characterCount) * log2(all) + log2(share)
  }
}

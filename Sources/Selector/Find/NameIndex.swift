/// Names in one lower-cased byte arena, to be narrowed by typing.
///
/// A query matches when its bytes occur in a name in the same order; words of a query all have to.
/// Prefixes, word starts and unbroken stretches rank higher, then shorter names, then the order of
/// the names. One pass over the arena per query, no allocation per name.
struct NameIndex: Sendable {
  private enum Score {
    static let matched = 16
    static let consecutive = 12
    static let wordStart = 10
    static let prefix = 14
    static let gap = 1
    /// A long gap counts no more than this.
    static let gapLimit = 8
  }

  private var arena: [UInt8] = []
  /// Where each name begins, and the arena's end.
  private var starts: [Int] = [0]

  init(_ names: some Sequence<String>) {
    for name in names {
      Self.appendFolded(name, to: &arena)
      starts.append(arena.count)
    }
  }

  var count: Int { starts.count - 1 }

  /// Positions of the names that match, the best first; all of them, in order, for an empty query.
  func matches(_ query: String) -> [Int] {
    let words = Self.words(query)
    guard !words.isEmpty else { return Array(0..<count) }
    var found: [(position: Int, score: Int)] = []
    arena.withUnsafeBufferPointer { bytes in
      for position in 0..<count {
        let name = bytes[starts[position]..<starts[position + 1]]
        if let score = Self.score(words, in: name) { found.append((position, score)) }
      }
    }
    found.sort { $0.score != $1.score ? $0.score > $1.score : isShorter($0.position, $1.position) }
    return found.map(\.position)
  }

  /// Byte offsets of the name's parts that a query found, for showing them.
  static func hits(_ query: String, in name: String) -> [Int] {
    var folded: [UInt8] = []
    appendFolded(name, to: &folded)
    return folded.withUnsafeBufferPointer { bytes in
      words(query).flatMap { offsets(of: $0, in: bytes[...]) ?? [] }
    }
  }

  private func isShorter(_ one: Int, _ other: Int) -> Bool {
    let (first, second) = (
      starts[one + 1] - starts[one], starts[other + 1] - starts[other]
    )
    return first != second ? first < second : one < other
  }

  private static func words(_ query: String) -> [[UInt8]] {
    var folded: [UInt8] = []
    appendFolded(query, to: &folded)
    return folded.split(separator: 0x20).map(Array.init)
  }

  private static func appendFolded(_ text: String, to bytes: inout [UInt8]) {
    if text.utf8.allSatisfy({ $0 < 0x80 }) {
      for byte in text.utf8 { bytes.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
    } else {
      bytes.append(contentsOf: text.lowercased().utf8)
    }
  }

  private static func score(_ words: [[UInt8]], in name: Slice<UnsafeBufferPointer<UInt8>>)
    -> Int?
  {
    var total = 0
    for word in words {
      guard let score = score(word, in: name) else { return nil }
      total += score
    }
    return total
  }

  private static func score(_ word: [UInt8], in name: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    guard let span = span(of: word, in: name) else { return nil }
    var total = 0
    var wanted = 0
    var gap = 0
    var place = span.lowerBound
    while wanted < word.count, place < span.upperBound {
      if name[place] == word[wanted] {
        total += Score.matched
        if place == name.startIndex { total += Score.prefix }
        if isWordStart(place, in: name) { total += Score.wordStart }
        if wanted > 0 && gap == 0 { total += Score.consecutive }
        total -= min(gap, Score.gapLimit) * Score.gap
        gap = 0
        wanted += 1
      } else if wanted > 0 {
        gap += 1
      }
      place += 1
    }
    return total
  }

  /// The stretch in which `word` occurs: ends where its first occurrence ends, and begins as late
  /// as it can for that end. An unbroken occurrence goes before a scattered one.
  private static func span(of word: [UInt8], in name: Slice<UnsafeBufferPointer<UInt8>>)
    -> Range<Int>?
  {
    var wanted = 0
    var place = name.startIndex
    while place < name.endIndex, wanted < word.count {
      if name[place] == word[wanted] { wanted += 1 }
      place += 1
    }
    guard wanted == word.count else { return nil }
    if let whole = unbroken(word, in: name) { return whole }
    let end = place
    while wanted > 0 {
      place -= 1
      if name[place] == word[wanted - 1] { wanted -= 1 }
    }
    return place..<end
  }

  private static func unbroken(_ word: [UInt8], in name: Slice<UnsafeBufferPointer<UInt8>>)
    -> Range<Int>?
  {
    var found: Range<Int>?
    var place = name.startIndex
    while place + word.count <= name.endIndex {
      if name[place] == word[0], name[place..<(place + word.count)].elementsEqual(word) {
        let range = place..<(place + word.count)
        if isWordStart(place, in: name) { return range }
        found = found ?? range
      }
      place += 1
    }
    return found
  }

  private static func offsets(of word: [UInt8], in name: Slice<UnsafeBufferPointer<UInt8>>)
    -> [Int]?
  {
    guard let span = span(of: word, in: name) else { return nil }
    var offsets: [Int] = []
    for place in span where offsets.count < word.count && name[place] == word[offsets.count] {
      offsets.append(place - name.startIndex)
    }
    return offsets
  }

  private static func isWordStart(_ place: Int, in name: Slice<UnsafeBufferPointer<UInt8>>) -> Bool
  {
    guard place > name.startIndex else { return true }
    return !isWordPart(name[place - 1]) && isWordPart(name[place])
  }

  private static func isWordPart(_ byte: UInt8) -> Bool {
    byte >= 0x80 || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
  }
}

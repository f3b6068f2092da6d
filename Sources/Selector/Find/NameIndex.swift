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

  /// A name that a query found.
  struct Hit: Hashable, Sendable {
    let position: Int
    /// Greater is better.
    let score: Int
  }

  /// Where a name's bytes are; a count below 0: there is none.
  private struct Span {
    var start: Int
    var count: Int
  }

  private var arena: [UInt8] = []
  private var spans: [Span] = []
  /// Bytes of the arena that belong to no name any more.
  private var deadBytes = 0

  init(_ names: some Sequence<String>) {
    for name in names { set(name, at: spans.count) }
  }

  /// How many positions there are, empty ones included.
  var count: Int { spans.count }

  /// Puts a name where one was or was removed, or right after the last; costs its own length, and
  /// now and then the arena's, when more of it is dead than alive.
  mutating func set(_ name: String, at position: Int) {
    if position == spans.count {
      spans.append(Span(start: 0, count: -1))
    } else {
      remove(at: position)
    }
    let start = arena.count
    Self.appendFolded(name, to: &arena)
    spans[position] = Span(start: start, count: arena.count - start)
    if deadBytes > arena.count / 2 + 4096 { compact() }
  }

  /// Leaves the position empty.
  mutating func remove(at position: Int) {
    deadBytes += max(0, spans[position].count)
    spans[position].count = -1
  }

  private mutating func compact() {
    var live: [UInt8] = []
    live.reserveCapacity(arena.count - deadBytes)
    for position in spans.indices where spans[position].count >= 0 {
      let span = spans[position]
      spans[position].start = live.count
      live.append(contentsOf: arena[span.start..<(span.start + span.count)])
    }
    arena = live
    deadBytes = 0
  }

  /// Positions of the names that match, the best first; all of them, in order, for an empty query.
  func matches(_ query: String) -> [Int] {
    let words = Self.words(query)
    guard !words.isEmpty else { return spans.indices.filter { spans[$0].count >= 0 } }
    return hits(words).sorted {
      isBetter($0, $1) ?? ($0.position < $1.position)
    }.map(\.position)
  }

  /// The names that match all words, in order of position.
  func hits(_ words: [[UInt8]]) -> [Hit] {
    arena.withUnsafeBufferPointer { bytes in
      var found: [Hit] = []
      for position in spans.indices where spans[position].count >= 0 {
        let span = spans[position]
        let name = bytes[span.start..<(span.start + span.count)]
        if let score = Self.score(words, in: name) {
          found.append(Hit(position: position, score: score))
        }
      }
      return found
    }
  }

  /// What the name at `position` is worth for these words; nil when one of them is not in it.
  func hit(_ words: [[UInt8]], at position: Int) -> Hit? {
    let span = spans[position]
    guard span.count >= 0 else { return nil }
    return arena.withUnsafeBufferPointer { bytes in
      Self.score(words, in: bytes[span.start..<(span.start + span.count)])
        .map { Hit(position: position, score: $0) }
    }
  }

  /// Whether one hit goes before another by score and length; nil when these are equal.
  func isBetter(_ one: Hit, _ other: Hit) -> Bool? {
    if one.score != other.score { return one.score > other.score }
    let (first, second) = (spans[one.position].count, spans[other.position].count)
    return first == second ? nil : first < second
  }

  /// Whether one name's folded bytes go before another's; nil when they are equal.
  func isBefore(_ one: Int, _ other: Int) -> Bool? {
    let (first, second) = (spans[one], spans[other])
    return arena.withUnsafeBufferPointer { bytes in
      let shorter = min(first.count, second.count)
      for offset in 0..<max(0, shorter) {
        let (left, right) = (bytes[first.start + offset], bytes[second.start + offset])
        if left != right { return left < right }
      }
      return first.count == second.count ? nil : first.count < second.count
    }
  }

  /// Byte offsets of the name's parts that a query found, for showing them.
  static func hits(_ query: String, in name: String) -> [Int] {
    var folded: [UInt8] = []
    appendFolded(name, to: &folded)
    return folded.withUnsafeBufferPointer { bytes in
      words(query).flatMap { offsets(of: $0, in: bytes[...]) ?? [] }
    }
  }

  /// The words of a query, folded as names are.
  static func words(_ query: String) -> [[UInt8]] {
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

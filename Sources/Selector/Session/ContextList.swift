import Sync
import Wire

/// The contexts, which of them a query leaves visible, and the marked one.
///
/// The mark belongs to a context, not to a row: new records never move it to another context.
/// One changed record costs a few comparisons (O(log n)) and moving a row in memory; only a new
/// list or a new query looks at every context.
struct ContextList: Sendable {
  /// What the list is narrowed to; empty for the whole list.
  private(set) var query = ""
  /// The marked row of those shown; 0 when the list is empty.
  private(set) var row = 0
  /// The first row on the screen.
  private(set) var top = 0
  /// The marked context, kept while the list is empty because the store is locked.
  private(set) var selectedID: ContextID?
  /// Contexts in which something waits for a choice, in no order.
  private(set) var conflicted: Set<ContextID> = []
  /// How many names were compared or looked at so far: what a change costs, without a clock.
  private(set) var work = 0

  /// Records by slot; a context keeps its slot while it is there.
  private var slots: [ContextRecord?] = []
  private var slotOf: [ContextID: Int] = [:]
  private var freeSlots: [Int] = []
  /// Names by slot.
  private var names = NameIndex([])
  /// Slots of pinned contexts, then the others; by name without regard to case, then by id.
  private var order: [Int] = []
  private var words: [[UInt8]] = []
  /// What the query found, the best first; unused while there are no words.
  private var hits: [NameIndex.Hit] = []

  var count: Int { order.count }
  var isEmpty: Bool { order.isEmpty }
  var isNarrowed: Bool { !query.isEmpty }

  /// How many the query leaves.
  var shownCount: Int { words.isEmpty ? order.count : hits.count }

  /// The context in a row; nil beyond the last.
  func shown(_ row: Int) -> ContextRecord? {
    guard row >= 0, row < shownCount else { return nil }
    return slots[words.isEmpty ? order[row] : hits[row].position]
  }

  /// The marked context, with its attributes at hand: each frame shows them.
  private(set) var selected: ContextRecord?

  func record(_ id: ContextID) -> ContextRecord? {
    slotOf[id].flatMap { slots[$0] }
  }

  /// All contexts in order; looks at each.
  var records: [ContextRecord] { order.compactMap { slots[$0] } }

  /// The contexts in which something waits for a choice, in order.
  var choices: [ContextRecord] {
    conflicted.compactMap { slotOf[$0] }
      .sorted { isBefore($0, $1) }
      .compactMap { slots[$0] }
  }

  /// The order of the whole list: ``/Sync/ContextRecord/isListedBefore(_:_:)``.
  private func isBefore(_ one: Int, _ other: Int) -> Bool {
    let (first, second) = (slots[one]?.isPinned ?? false, slots[other]?.isPinned ?? false)
    if first != second { return first }
    return names.isBefore(one, other) ?? isLowerID(one, other)
  }

  private func isLowerID(_ one: Int, _ other: Int) -> Bool {
    guard let first = slots[one]?.id, let second = slots[other]?.id else { return one < other }
    return first < second
  }
}

// Taking in records.
extension ContextList {
  /// From this many changes on, and an eighth of the list, it is made anew: moving rows one by one
  /// would cost more.
  private static let bulk = 64

  /// Takes in all records; when the marked context is gone, the one in its row is marked.
  mutating func replace(with records: [ContextRecord]) {
    work += records.count
    slots = records
    freeSlots = []
    slotOf = Dictionary(
      records.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    names = NameIndex(records.lazy.map(\.name))
    order = Array(records.indices)
    if !isSorted {
      order = order.sorted { isBefore($0, $1) }
    }
    conflicted = Set(records.lazy.filter(\.hasConflict).map(\.id))
    findHits()
    settleRow()
  }

  private var isSorted: Bool {
    zip(order, order.dropFirst()).allSatisfy { isBefore($0, $1) }
  }

  /// Takes in what changed; everything else stays as it is.
  mutating func update(_ changed: [ContextRecord], removed: [ContextID]) {
    if changed.count + removed.count > count / 8 + Self.bulk {
      replace(changed, removed: removed)
      return
    }
    for id in removed { remove(id) }
    for record in changed { set(record) }
    settleRow()
  }

  private mutating func replace(_ changed: [ContextRecord], removed: [ContextID]) {
    var records = Dictionary(
      self.records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for id in removed { records[id] = nil }
    for record in changed { records[record.id] = record }
    replace(with: Array(records.values))
  }

  private mutating func set(_ record: ContextRecord) {
    if record.hasConflict { conflicted.insert(record.id) } else { conflicted.remove(record.id) }
    if let slot = slotOf[record.id] {
      let before = slots[slot]
      let isMoved = before?.name != record.name || before?.isPinned != record.isPinned
      if isMoved { takeOut(slot) }
      slots[slot] = record
      if isMoved {
        names.set(record.name, at: slot)
        putIn(slot)
      }
      return
    }
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count { slots.append(record) } else { slots[slot] = record }
    slotOf[record.id] = slot
    names.set(record.name, at: slot)
    putIn(slot)
  }

  private mutating func remove(_ id: ContextID) {
    conflicted.remove(id)
    guard let slot = slotOf[id] else { return }
    takeOut(slot)
    slotOf[id] = nil
    slots[slot] = nil
    names.remove(at: slot)
    freeSlots.append(slot)
  }

  private mutating func putIn(_ slot: Int) {
    order.insert(slot, at: place(of: slot))
    guard !words.isEmpty, let hit = names.hit(words, at: slot) else { return }
    hits.insert(hit, at: place(of: hit))
  }

  private mutating func takeOut(_ slot: Int) {
    let place = place(of: slot)
    if order.indices.contains(place), order[place] == slot { order.remove(at: place) }
    guard !words.isEmpty, let hit = names.hit(words, at: slot) else { return }
    let found = self.place(of: hit)
    if hits.indices.contains(found), hits[found] == hit { hits.remove(at: found) }
  }

  /// The row of the whole list where a slot is or belongs.
  private mutating func place(of slot: Int) -> Int {
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      work += 1
      if order[middle] != slot, isBefore(order[middle], slot) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// The row of the narrowed list where a hit is or belongs.
  private mutating func place(of hit: NameIndex.Hit) -> Int {
    var (low, high) = (0, hits.count)
    while low < high {
      let middle = (low + high) / 2
      work += 1
      if hits[middle] != hit, isShownBefore(hits[middle], hit) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func isShownBefore(_ one: NameIndex.Hit, _ other: NameIndex.Hit) -> Bool {
    names.isBetter(one, other) ?? names.isBefore(one.position, other.position)
      ?? isLowerID(one.position, other.position)
  }
}

// Looking for names and marking rows.
extension ContextList {
  /// Shows what matches; the best hit is marked when `marksBest`.
  mutating func narrow(to query: String, marksBest: Bool) {
    self.query = query
    words = NameIndex.words(query)
    findHits()
    settleRow()
    if marksBest { select(row: 0) }
  }

  private mutating func findHits() {
    hits = []
    guard !words.isEmpty else { return }
    work += names.count
    var ranks = [Int](repeating: 0, count: names.count)
    for (rank, slot) in order.enumerated() { ranks[slot] = rank }
    hits = names.hits(words).sorted {
      names.isBetter($0, $1) ?? (ranks[$0.position] < ranks[$1.position])
    }
  }

  mutating func select(row: Int) {
    self.row = row.clamped(to: 0...max(0, shownCount - 1))
    selected = shown(self.row)?.atHand
    selectedID = selected?.id ?? selectedID
  }

  /// Marks a context, in the whole list when the narrowed one does not show it.
  mutating func select(_ id: ContextID) {
    guard let slot = slotOf[id] else { return }
    if shownPlace(of: slot) == nil { narrow(to: "", marksBest: false) }
    if let place = shownPlace(of: slot) { select(row: place) }
  }

  /// Marks the next or previous context that `query` matches, around the end.
  mutating func selectHit(_ query: String, forward: Bool) -> Bool {
    let words = NameIndex.words(query)
    let count = shownCount
    guard count > 0 else { return false }
    for step in 1...count {
      let next = ((row + (forward ? step : -step)) % count + count) % count
      let slot = self.words.isEmpty ? order[next] : hits[next].position
      if names.hit(words, at: slot) != nil {
        select(row: next)
        return true
      }
    }
    return false
  }

  /// Moves the part on the screen, of `rows` rows, so that the marked row is in it.
  mutating func scroll(rows: Int) {
    guard rows > 0 else { return }
    top = top.clamped(to: max(0, row - rows + 1)...row)
    top = min(top, max(0, shownCount - rows))
  }

  private mutating func shownPlace(of slot: Int) -> Int? {
    guard !words.isEmpty else { return place(of: slot) }
    guard let hit = names.hit(words, at: slot) else { return nil }
    return place(of: hit)
  }

  /// Keeps the mark on its context; when that is gone or not shown, marks the one in its row.
  private mutating func settleRow() {
    guard !isEmpty else {
      row = 0
      selected = nil
      return
    }
    if let id = selectedID, let slot = slotOf[id], let place = shownPlace(of: slot) {
      row = place
      selected = slots[slot]?.atHand
    } else {
      select(row: row)
    }
  }
}

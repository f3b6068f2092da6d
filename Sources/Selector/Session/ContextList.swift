import Sync
import Wire

/// The contexts, which of them a query leaves visible, and the marked one.
///
/// The mark belongs to a context, not to a row: new records never move it to another context.
struct ContextList: Sendable {
  private(set) var records: [ContextRecord] = []
  /// What the list is narrowed to; empty for the whole list.
  private(set) var query = ""
  /// Positions in `records` in the order shown.
  private(set) var visible: [Int] = []
  /// The marked row of `visible`; 0 when the list is empty.
  private(set) var row = 0
  /// The first row on the screen.
  private(set) var top = 0
  /// The marked context, kept while the list is empty because the store is locked.
  private(set) var selectedID: ContextID?
  private var positions: [ContextID: Int] = [:]
  /// Built when something is first looked for.
  private var index: NameIndex?

  var selected: ContextRecord? {
    visible.indices.contains(row) ? records[visible[row]] : nil
  }

  var isNarrowed: Bool { !query.isEmpty }

  func record(_ id: ContextID) -> ContextRecord? {
    positions[id].map { records[$0] }
  }

  /// Takes in new records; when the marked context is gone, the one in its row is marked.
  mutating func replace(with records: [ContextRecord]) {
    self.records = records
    positions = Dictionary(
      records.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    index = nil
    refresh()
  }

  /// Shows what matches; the best hit is marked when `marksBest`.
  mutating func narrow(to query: String, marksBest: Bool) {
    self.query = query
    refresh()
    if marksBest { select(row: 0) }
  }

  mutating func select(row: Int) {
    self.row = row.clamped(to: 0...max(0, visible.count - 1))
    selectedID = selected?.id ?? selectedID
  }

  /// Marks a context, in the whole list when the narrowed one does not show it.
  mutating func select(_ id: ContextID) {
    guard let position = positions[id] else { return }
    if !visible.contains(position) { narrow(to: "", marksBest: false) }
    if let row = visible.firstIndex(of: position) { select(row: row) }
  }

  /// Marks the next or previous context that `query` matches, around the end.
  mutating func selectHit(_ query: String, forward: Bool) -> Bool {
    guard !visible.isEmpty else { return false }
    let hits = Set(matches(query))
    let count = visible.count
    for step in 1...count {
      let next = ((row + (forward ? step : -step)) % count + count) % count
      if hits.contains(visible[next]) {
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
    top = min(top, max(0, visible.count - rows))
  }

  private mutating func refresh() {
    visible = query.isEmpty ? Array(records.indices) : matches(query)
    guard !records.isEmpty else {
      row = 0
      return
    }
    if let id = selectedID, let position = positions[id],
      let found = query.isEmpty ? position : visible.firstIndex(of: position)
    {
      row = found
    } else {
      select(row: row)
    }
  }

  private mutating func matches(_ query: String) -> [Int] {
    let names = index ?? NameIndex(records.lazy.map(\.name))
    index = names
    return names.matches(query)
  }
}

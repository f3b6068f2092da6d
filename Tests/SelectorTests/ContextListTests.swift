import Sync
import Testing
import Wire

@testable import Selector

/// One changed context costs the same in a long list as in a short one.
@Suite struct ContextListTests {
  static func id(_ number: Int) -> ContextID {
    let bytes = (0..<16).map { UInt8(truncatingIfNeeded: number >> (8 * min($0, 7))) }
    return ContextID(bytes: bytes) ?? .zero
  }

  static func record(_ number: Int, _ name: String) -> ContextRecord {
    ContextRecord(
      id: id(number), name: name, kind: .account, attributes: [], updatedAt: 0,
      updatedBy: Sample.work)
  }

  static func records(_ count: Int) -> [ContextRecord] {
    (0..<count).map { record($0, "Site \($0 * 7919 % count).example") }
  }

  private static func list(_ count: Int) -> ContextList {
    var list = ContextList()
    list.replace(with: records(count))
    return list
  }

  @Test func aPinMovesItsContextToTheTopAndBack() {
    var list = ContextList()
    list.replace(with: [Self.record(1, "a"), Self.record(2, "b"), Self.record(3, "c")])
    let pin = AttributeRecord(
      id: Sample.attribute(1), label: "favourite", kind: .boolean, isConcealed: false,
      text: "true", heads: [], updatedAt: 0, updatedBy: Sample.work)
    let pinned = ContextRecord(
      id: Self.id(3), name: "c", kind: .account, attributes: [pin], updatedAt: 0,
      updatedBy: Sample.work)
    list.update([pinned], removed: [])
    #expect(list.records.map(\.name) == ["c", "a", "b"])
    list.update([Self.record(3, "c")], removed: [])
    #expect(list.records.map(\.name) == ["a", "b", "c"])
    list.replace(with: [Self.record(1, "a"), pinned])
    #expect(list.records.map(\.name) == ["c", "a"])
  }

  /// Made once: the tests change copies.
  private static let long = list(50_000)

  /// What one change costs.
  private func work(_ list: ContextList, _ change: (inout ContextList) -> Void) -> Int {
    var list = list
    let before = list.work
    change(&list)
    return list.work - before
  }

  @Test(arguments: ["", "si ex"])
  func aChangeLooksAtAFewNamesOf50000(_ query: String) {
    let changes: [(String, (inout ContextList) -> Void)] = [
      (
        "value", { $0.update([Self.record(40, "Site \(40 * 7919 % 50_000).example")], removed: []) }
      ),
      ("rename", { $0.update([Self.record(41, "zebra site.example")], removed: []) }),
      ("new", { $0.update([Self.record(60_000, "alpha site.example")], removed: []) }),
      ("removed", { $0.update([], removed: [Self.id(42)]) }),
    ]
    var list = Self.long
    if !query.isEmpty { list.narrow(to: query, marksBest: true) }
    for (name, change) in changes {
      #expect(work(list, change) <= 6 * 17, "\(name)")
    }
  }

  @Test func moreChangesThanAnEighthMakeTheListAnew() {
    var list = Self.list(1000)
    let changed = (0..<400).map { Self.record($0, "b\($0)") }
    let before = list.work
    list.update(changed, removed: [])
    #expect(list.work - before <= 2000)
    var whole = ContextList()
    whole.replace(with: changed + Self.records(1000).dropFirst(400))
    #expect(list.records == whole.records)
  }

  @Test(arguments: [1, 2, 3])
  func changesOneByOneGiveTheSameListAsAll(_ seed: UInt64) {
    var dice = RandomTests.Dice(seed: seed)
    var truth: [ContextID: ContextRecord] = [:]
    var list = ContextList()
    list.update([], removed: [])
    for step in 0..<400 {
      let number = dice.below(60)
      if dice.below(3) == 0 {
        truth[Self.id(number)] = nil
        list.update([], removed: [Self.id(number)])
      } else {
        let record = Self.record(number, dice.pick(["a", "B", "ab", "Abc", "é", "b a", ""]))
        truth[record.id] = record
        list.update([record], removed: [])
      }
      if step == 100 { list.narrow(to: "a", marksBest: false) }
      if step == 200 { list.narrow(to: "b a", marksBest: true) }
      if step == 300 { list.narrow(to: "", marksBest: false) }
      var whole = ContextList()
      whole.replace(with: Array(truth.values))
      whole.narrow(to: list.query, marksBest: false)
      #expect(list.records == whole.records, "seed \(seed) step \(step)")
      #expect(
        (0..<list.shownCount).map { list.shown($0)?.id }
          == (0..<whole.shownCount).map { whole.shown($0)?.id }, "seed \(seed) step \(step)")
      #expect(list.row >= 0 && list.row < max(1, list.shownCount))
    }
  }

  @Test func theMarkFollowsItsContextWhenItIsRenamed() {
    var list = Self.list(100)
    list.select(Self.id(7))
    list.update([Self.record(7, "zzz")], removed: [])
    #expect(list.selected?.name == "zzz" && list.row == 99)
    list.update([Self.record(7, "aaa")], removed: [])
    #expect(list.selected?.name == "aaa" && list.row == 0)
  }

  @Test func whatNoLongerMatchesLeavesTheNarrowedList() {
    var desk = Desk.open()
    desk.press("/ g i t Enter")
    #expect(desk.session.contexts.shownCount == 1)
    desk.send(
      .updated(
        [
          ContextRecord(
            id: Sample.github, name: "hub", kind: .account, attributes: [], updatedAt: 0,
            updatedBy: Sample.work)
        ], removed: []))
    #expect(desk.session.contexts.shownCount == 0)
    desk.press("Esc")
    #expect(desk.session.contexts.count == 9)
  }

  @Test func conflictsAreKnownWithoutLookingAtEveryContext() {
    var list = Self.long
    var record = Sample.contested[8]
    record = ContextRecord(
      id: Self.id(9), name: record.name, kind: record.kind, attributes: [], updatedAt: 0,
      updatedBy: Sample.work, deletedOn: Sample.mobile)
    list.update([record], removed: [])
    #expect(list.choices.map(\.id) == [Self.id(9)])
    list.update([Self.record(9, "x")], removed: [])
    #expect(list.choices.isEmpty)
  }

  @Test func aKeyLooksAtNoNameInALongList() {
    var session = Session(profile: Sample.profile(), size: Size(columns: 120, rows: 35))
    session.contexts = Self.long
    let before = session.contexts.work
    for key in ["j", "G", "k", "g", "C-d"] {
      _ = session.update(.key(Key(key) ?? .character("j")))
      _ = session.view()
    }
    #expect(session.contexts.work - before == 0)
  }
}

import Testing
import Wire

@testable import Sync

/// What values of each kind look like, what contexts usually hold, and where attributes stand.
@Suite struct AttributeKindTests {
  @Test(arguments: [
    (AttributeRecord.Kind.email, "ann@example.test", "ann.example.test"),
    (.email, "a@b", "ann@home@work"), (.url, "https://bank.example/x?y", "my bank"),
    (.phone, "+41 44 668 18 00", "call me"), (.date, "2024-02-29", "2023-02-29"),
    (.date, "2026-11-23", "23.11.2026"), (.date, "2000-02-29", "1900-02-29"),
    (.card, "4111 1111 1111 1111", "4111 1111 1111 1112"), (.card, "378282246310005", "1234"),
    (.totp, "JBSWY3DPEHPK3PXP", "otpauth://hotp/x?secret=JBSWY3DP"),
    (.totp, "otpauth://totp/x?secret=JBSWY3DP&digits=8", "no secret!"),
  ])
  func aKindKnowsWhatItLooksLike(kind: AttributeRecord.Kind, good: String, bad: String) {
    #expect(kind.doubt(about: good) == nil)
    #expect(kind.doubt(about: bad) != nil)
    #expect(kind.isUsable(bad) == (kind != .totp))
    #expect(kind.doubt(about: "") == nil)
  }

  @Test func aKeyLiesBetweenAnyTwoThatLeaveRoom() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      var keys = [AttributeOrder.key(after: "")]
      keys.append(AttributeOrder.key(after: keys[0]))
      for _ in 0..<100 {
        let place = Int.random(in: 0...keys.count, using: &generator)
        let low = place > 0 ? keys[place - 1] : ""
        let high = place < keys.count ? keys[place] : nil
        let key = try #require(AttributeOrder.key(between: low, and: high))
        #expect(low < key && high.map { key < $0 } != false)
        keys.insert(key, at: place)
      }
      #expect(keys == keys.sorted() && Set(keys).count == keys.count)
    }
    #expect(AttributeOrder.key(between: "5", and: "5") == nil)
    #expect(AttributeOrder.key(between: "5", and: "50") == nil)
  }

  private static let card = Edit.createContext(
    name: "card", kind: .card,
    attributes: ["a", "b", "c"].map { Edit.NewAttribute(label: $0, kind: .text, text: $0) })

  @Test func movingAndRenamingAtOnceBothHold() throws {
    var home = Author(1)
    var work = Author(2)
    try home.make(Self.card)
    work.hear(home)
    let record = try #require(home.context("card"))
    let ids = record.attributes.map(\.id)
    try home.make(.placeAttribute(record.id, ids[2], before: ids[0]))
    try work.make(
      .describeAttribute(record.id, ids[2], label: "z", kind: .text, isConcealed: false))
    home.hear(work)
    work.hear(home)
    #expect(home.context("card")?.attributes.map(\.label) == ["z", "a", "b"])
    #expect(work.context("card")?.attributes.map(\.label) == ["z", "a", "b"])
    #expect(home.context("card")?.hasConflict == false)
    try home.make(.placeAttribute(record.id, ids[2], before: nil))
    #expect(home.context("card")?.attributes.map(\.label) == ["a", "b", "z"])
    try home.make(.addAttribute(record.id, .init(label: "d", kind: .text, text: "d")))
    #expect(home.context("card")?.attributes.map(\.label) == ["a", "b", "z", "d"])
    #expect(throws: EditError.unknownAttribute(.zero)) {
      try home.make(.placeAttribute(record.id, ids[0], before: .zero))
    }
  }

  @Test func whereNoRoomIsLeftAllAreNumberedAnew() throws {
    var home = Author(1)
    try home.make(Self.card)
    let record = try #require(home.context("card"))
    let ids = record.attributes.map(\.id)
    for round in 0..<200 {
      try home.make(.placeAttribute(record.id, ids[round % 2], before: ids[1 - round % 2]))
    }
    #expect(home.context("card")?.attributes.map(\.label) == ["b", "a", "c"])
  }

  @Test func aTemplateOffersWhatIsMissing() throws {
    var home = Author(1)
    try home.make(Self.card)
    let record = try #require(home.context("card"))
    #expect(
      Template(of: .card).missing(in: record).map(\.label) == [
        "cardholder", "number", "expiry month", "expiry year", "security code",
      ])
    try home.make(.addAttribute(record.id, .init(label: "Number", kind: .card, text: "1")))
    let after = try #require(home.context("card"))
    #expect(!Template(of: .card).missing(in: after).contains { $0.label == "number" })
    #expect(Template(of: ContextRecord.Kind(rawValue: "ship")).entries.isEmpty)
  }

  @Test func pinnedContextsComeFirstAndTagsAreWords() throws {
    var home = Author(1)
    try home.make(Self.card)
    try home.make(
      .createContext(
        name: "zoo", kind: .note,
        attributes: [
          .init(label: "tags", kind: .tags, text: "home, work,,home "),
          .init(label: "favourite", kind: .boolean, text: "true"),
        ]))
    #expect(home.replica.contexts.map(\.name) == ["zoo", "card"])
    #expect(home.context("zoo")?.tags == ["home", "work"])
  }
}

import Sync
import Testing
import Wire

@testable import SelectorApp

@Suite struct MatchingTests {
  private let contexts = [
    Make.context(1, "github.example"), Make.context(2, "GitHub.example"),
    Make.context(3, "mail"), Make.context(4, "mail archive"), Make.context(5, "my bank"),
    Make.context(6, "twin"), Make.context(7, "twin"),
  ]

  @Test(
    arguments: [
      ("github.example", 1), ("GitHub.example", 2), ("mail", 3), ("mail a", 4), ("MAIL", 3),
      ("bank", 5), ("my", 5), ("archive", 4), ("00000000000000000000000000000007", 7),
    ] as [(String, UInt8)])
  func theFirstRuleThatFitsDecides(query: String, number: UInt8) throws {
    #expect(try Matching.context(query, in: contexts).id == Ids.make(number))
  }

  @Test func severalAreListedAndTwinsCarryTheirIds() {
    #expect(
      throws: MatchFailure.several(
        what: "context", query: "git", candidates: ["github.example", "GitHub.example"])
    ) { try Matching.context("git", in: contexts) }
    #expect(
      throws: MatchFailure.several(
        what: "context", query: "twin",
        candidates: ["twin (\(Ids.text(6)))", "twin (\(Ids.text(7)))"])
    ) { try Matching.context("twin", in: contexts) }
  }

  @Test(arguments: ["nothing", ""]) func whatIsNotThereFails(query: String) {
    #expect(throws: MatchFailure.none(what: "context", query: query)) {
      try Matching.context(query, in: contexts)
    }
  }

  @Test func labelsMatchInAnyCase() throws {
    let context = Make.context(
      1, "a", [Make.attribute(1, "Password"), Make.attribute(2, "password 2")])
    #expect(try Matching.attribute("PASSWORD", in: context).id == Ids.make(1))
    #expect(try Matching.attribute("word 2", in: context).id == Ids.make(2))
    #expect(throws: MatchFailure.self) { try Matching.attribute("pass", in: context) }
  }

  @Test func settingTakesAWholeLabelOnly() throws {
    let contexts = [Make.context(1, "github.example", [Make.attribute(1, "pin code")])]
    let target = try Target("github", "pin", in: contexts)
    #expect(target.context?.name == "github.example")
    #expect(target.attribute == nil)
    #expect(target.label == "pin")
    #expect(try Target("github", "PIN CODE", in: contexts).attribute?.id == Ids.make(1))
  }

  @Test func settingInWhatIsMissingMakesIt() throws {
    let edits = try Target("new.example", "email", in: contexts).edits(
      text: "ann@mail.example", kind: .email, isConcealed: false)
    #expect(
      edits == [
        .createContext(
          name: "new.example", kind: .account,
          attributes: [.init(label: "email", kind: .email, text: "ann@mail.example")])
      ])
    #expect(throws: MatchFailure.self) { try Target("git", "email", in: contexts) }
  }

  @Test func manyCandidatesAreCounted() {
    let many = (1...20).map { Make.context($0, "site \($0)") }
    do {
      _ = try Matching.context("site", in: many)
      Issue.record("it matched")
    } catch {
      #expect(error.failure.code == .notFound)
      #expect(error.failure.sentence.contains("not one context but 20: site 1, "))
      #expect(error.failure.sentence.hasSuffix("site 12, and 8 more. Nothing was changed."))
    }
  }

  @Test func aValueIsNamedByTheBeginningOfItsId() throws {
    let values = [Make.value(0x1a, "a"), Make.value(0x2b, "b")]
    #expect(try Matching.value(Ids.text(0x2b), in: values).text == "b")
    #expect(throws: MatchFailure.self) { try Matching.value("000", in: values) }
    #expect(throws: MatchFailure.self) { try Matching.value("", in: values) }
  }

  @Test(
    arguments: [
      ("password", .password), ("PIN", .password), ("Website", .url), ("otp", .totp),
      ("e-mail", .email), ("favourite colour", .text), ("notes", .note),
    ] as [(String, AttributeRecord.Kind)])
  func labelsSuggestTypes(label: String, kind: AttributeRecord.Kind) {
    #expect(AttributeKinds.guessed(label) == kind)
  }
}

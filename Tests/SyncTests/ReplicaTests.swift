import Testing
import Vault
import Wire

@testable import Sync

@Suite struct ReplicaTests {
  private static let github = Edit.createContext(
    name: "github.example", kind: .account,
    attributes: [
      Edit.NewAttribute(label: "username", kind: .username, text: "ann"),
      Edit.NewAttribute(label: "password", kind: .password, text: "first"),
    ])

  /// Two devices that both hold github.example.
  private func pair() throws -> (Author, Author) {
    var home = Author(1)
    var work = Author(2)
    try home.make(Self.github)
    work.hear(home)
    return (home, work)
  }

  private func ids(_ author: Author, _ label: String) throws -> (ContextID, AttributeID) {
    let context = try #require(author.context("github.example"))
    return (context.id, try #require(context.attribute(label)).id)
  }

  @Test func aNewContextIsOneChange() throws {
    var home = Author(1)
    let changes = try home.make(Self.github)
    #expect(changes.map(\.kind) == [.added])
    #expect(home.context("github.example")?.attributes.map(\.label) == ["username", "password"])
    #expect(home.context("github.example")?.attribute("password")?.isConcealed == true)
  }

  @Test func differentAttributesNeverConflict() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    let (_, username) = try ids(home, "username")
    try home.make(.setValue(context, password, text: "second", base: nil))
    try work.make(.setValue(context, username, text: "ann.b", base: nil))
    home.hear(work)
    work.hear(home)
    let merged = try #require(home.context("github.example"))
    #expect(!merged.hasConflict)
    #expect(merged.attributes.map(\.text) == ["ann.b", "second"])
    #expect(
      work.context("github.example")?.attributes.map(\.heads) == merged.attributes.map(\.heads))
  }

  @Test func theSamePasswordChangedTwiceKeepsBothValues() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.setValue(context, password, text: "from home", base: nil))
    work.now += 5000
    try work.make(.setValue(context, password, text: "from work", base: nil))
    let changes = home.hear(work)
    work.hear(home)
    #expect(changes.map(\.kind) == [.conflict])
    let attribute = try #require(home.context("github.example")?.attribute("password"))
    #expect(attribute.hasConflict)
    #expect(attribute.text == "from work")
    #expect(Set(attribute.heads.map(\.text)) == ["from home", "from work"])
    #expect(work.context("github.example")?.attribute("password")?.heads == attribute.heads)
  }

  @Test func choosingAValueEndsTheConflictEverywhere() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.setValue(context, password, text: "from home", base: nil))
    try work.make(.setValue(context, password, text: "from work", base: nil))
    home.hear(work)
    let heads = try #require(home.context("github.example")?.attribute("password")).heads
    let kept = try #require(heads.first { $0.text == "from home" })
    try home.make(.resolve(context, password, keep: kept.id))
    work.hear(home)
    for author in [home, work] {
      let attribute = try #require(author.context("github.example")?.attribute("password"))
      #expect(!attribute.hasConflict)
      #expect(attribute.text == "from home")
      let texts = author.replica.history(of: password, in: context).map(\.text)
      #expect(Set(texts) == ["first", "from home", "from work"])
    }
  }

  @Test func keepingBothMakesASecondAttribute() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.setValue(context, password, text: "from home", base: nil))
    try work.make(.setValue(context, password, text: "from work", base: nil))
    home.hear(work)
    try home.make(.keepBoth(context, password))
    let record = try #require(home.context("github.example"))
    #expect(!record.hasConflict)
    #expect(record.attributes.map(\.label) == ["username", "password", "password 2"])
    #expect(Set(record.attributes.dropFirst().map(\.text)) == ["from home", "from work"])
    #expect(record.attribute("password 2")?.isConcealed == true)
  }

  @Test func equalValuesWrittenAtOnceAreOne() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.setValue(context, password, text: "same", base: nil))
    try work.make(.setValue(context, password, text: "same", base: nil))
    home.hear(work)
    #expect(home.context("github.example")?.hasConflict == false)
    #expect(home.replica.history(of: password, in: context).count == 3)
  }

  @Test func anEditSavedOverAnOlderBaseStaysBesideWhatArrived() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    let opened = try #require(home.context("github.example")?.attribute("password")).heads
    try work.make(.setValue(context, password, text: "arrived", base: nil))
    home.hear(work)
    try home.make(.setValue(context, password, text: "typed", base: opened.map(\.id)))
    let attribute = try #require(home.context("github.example")?.attribute("password"))
    #expect(Set(attribute.heads.map(\.text)) == ["arrived", "typed"])
  }

  @Test func anEditBringsBackWhatAnotherDeviceDeleted() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.deleteContext(context))
    #expect(home.context("github.example") == nil)
    try work.make(.setValue(context, password, text: "still used", base: nil))
    let atHome = home.hear(work)
    let atWork = work.hear(home)
    // Both are told that a person should choose.
    #expect(atHome.map(\.kind) == [.conflict] && atWork.map(\.kind) == [.conflict])
    for author in [home, work] {
      #expect(author.context("github.example")?.deletedOn == home.device)
      #expect(author.context("github.example")?.attribute("password")?.text == "still used")
      #expect(author.replica.conflictCount == 1)
    }
    try home.make(.restoreContext(context))
    #expect(home.replica.conflictCount == 0)
  }

  @Test func whatIsTypedOverAContextThatComesBackIsNoConflict() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    let opened = try #require(home.context("github.example")?.attribute("password")).heads
    try work.make(.deleteContext(context))
    home.hear(work)
    // A form brings the context back with the value its author saw, and replaces that.
    try home.make(.restoreContext(context))
    try home.make(.setValue(context, password, text: "typed", base: opened.map(\.id)))
    let attribute = try #require(home.context("github.example")?.attribute("password"))
    #expect(attribute.heads.map(\.text) == ["typed"])
    #expect(home.replica.conflictCount == 0)
  }

  @Test func aDeletionThatSawEverythingStands() throws {
    var (home, work) = try pair()
    let (context, _) = try ids(home, "password")
    try home.make(.deleteContext(context))
    let changes = work.hear(home, from: 1)
    #expect(changes.map(\.kind) == [.removed])
    #expect(work.replica.contexts.isEmpty)
    #expect(work.replica.trash(now: work.now).map(\.name) == ["github.example"])
    try work.make(.restoreContext(context))
    #expect(work.context("github.example")?.attribute("password")?.text == "first")
  }

  @Test func anAttributeDeletedWhileEditedShowsTheEditAndAsks() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    try home.make(.removeAttribute(context, password, base: nil))
    #expect(home.context("github.example")?.attribute("password") == nil)
    try work.make(.setValue(context, password, text: "edited", base: nil))
    home.hear(work)
    let attribute = try #require(home.context("github.example")?.attribute("password"))
    #expect(attribute.text == "edited" && attribute.hasConflict)
  }

  @Test func howAPasswordIsGeneratedIsRememberedEverywhereAndIsNoConflict() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    func recipe(_ author: Author) -> String? {
      author.replica[context]?.attributes.first { $0.id == password }?.recipe
    }
    try home.make(.setValue(context, password, text: "one", base: nil, recipe: "short"))
    work.hear(home)
    #expect(recipe(work) == "short")
    try work.make(.setValue(context, password, text: "typed", base: nil))
    #expect(recipe(work) == "short")
    // At once on both: one value in conflict, and the later recipe on both.
    try home.make(.setValue(context, password, text: "two", base: nil, recipe: "long"))
    try work.make(.setValue(context, password, text: "three", base: nil, recipe: "longer"))
    home.hear(work)
    work.hear(home)
    #expect(recipe(home) == recipe(work))
    #expect(["long", "longer"].contains(recipe(home)))
    #expect(home.replica[context]?.attributes.first { $0.id == password }?.heads.count == 2)
    let lines = String(
      decoding: try JSONExport.write(home.replica.contexts) {
        home.replica.history(of: $0, in: $1)
      },
      as: UTF8.self)
    #expect(lines.contains(#""recipe":"lon"#))
  }

  @Test func twoNamesAtOnceAreBothKept() throws {
    var (home, work) = try pair()
    let (context, _) = try ids(home, "password")
    try home.make(.renameContext(context, name: "hub"))
    try work.make(.renameContext(context, name: "git hub"))
    home.hear(work)
    let record = try #require(home.replica[context])
    #expect(Set(record.names.compactMap(\.text)) == ["hub", "git hub"])
    let kept = try #require(record.names.first { $0.text == "hub" })
    try home.make(.resolveName(context, keep: kept.id))
    #expect(home.replica[context]?.name == "hub")
    #expect(home.replica[context]?.hasConflict == false)
  }

  @Test func aRenameOverAnOlderNameKeepsTheOneThatCameMeanwhile() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    let before = try #require(home.replica[context])
    let label = try #require(before.attributes.first { $0.id == password })
    try work.make(.renameContext(context, name: "git hub"))
    try work.make(
      .describeAttribute(
        context, password, label: "pass", kind: label.kind, isConcealed: label.isConcealed))
    home.hear(work)
    try home.make(.renameContext(context, name: "hub", base: before.description))
    try home.make(
      .describeAttribute(
        context, password, label: "secret", kind: label.kind, isConcealed: label.isConcealed,
        base: label.description))
    let record = try #require(home.replica[context])
    #expect(Set(record.names.compactMap(\.text)) == ["hub", "git hub"])
    // The later label is shown; both wait for a choice.
    let contested = try #require(record.attributes.first { $0.id == password })
    #expect(contested.label == "secret" && !contested.hasConflict)
    #expect(Set(contested.labels.compactMap(\.text)) == ["pass", "secret"])
    #expect(home.replica.conflictCount == 2)
    work.hear(home)
    #expect(work.replica.root == home.replica.root)
    try home.make(.renameContext(context, name: "hub", base: nil))
    #expect(home.replica.conflictCount == 1)
    let kept = try #require(contested.labels.first { $0.text == "pass" })
    try home.make(.resolveLabel(context, password, keep: kept.id))
    #expect(home.replica[context]?.hasConflict == false)
    #expect(home.context("hub")?.attribute("pass")?.labels == [])
  }

  @Test func whatOneDeviceConcealsStaysConcealedWhateverLabelIsKept() throws {
    var (home, work) = try pair()
    let (context, user) = try ids(home, "username")
    try home.make(.describeAttribute(context, user, label: "id", kind: .text, isConcealed: true))
    try work.make(
      .describeAttribute(context, user, label: "login", kind: .text, isConcealed: false))
    home.hear(work)
    work.hear(home)
    for author in [home, work] {
      let attribute = author.replica[context]?.attributes.first { $0.id == user }
      #expect(attribute?.isConcealed == true)
    }
    let labels = try #require(home.replica[context]?.attributes.first { $0.id == user }?.labels)
    let kept = try #require(labels.first { $0.text == "login" })
    try home.make(.resolveLabel(context, user, keep: kept.id))
    #expect(home.context("github.example")?.attribute("login")?.isConcealed == true)
    #expect(throws: EditError.unknownVersion(kept.id)) {
      try home.make(.resolveLabel(context, user, keep: kept.id))
    }
  }

  @Test func aContextIsFoundByTheNameItHasNow() throws {
    var (home, work) = try pair()
    let (context, _) = try ids(home, "password")
    try home.make(.createContext(name: "github.example", kind: .note, attributes: []))
    #expect(home.replica.contexts(named: "github.example").count == 2)
    try work.make(.renameContext(context, name: "hub"))
    home.hear(work)
    #expect(home.replica.contexts(named: "hub").map(\.id) == [context])
    #expect(home.replica.contexts(named: "github.example").map(\.kind) == [.note])
    try home.make(.deleteContext(context))
    #expect(home.replica.contexts(named: "hub").isEmpty)
    try home.make(.restoreContext(context))
    #expect(home.replica.contexts(named: "hub").map(\.id) == [context])
    #expect(home.replica.contexts(named: "Hub").isEmpty)
  }

  @Test func whatSaidTheSameAsTheNameThatWasSeenIsReplacedToo() throws {
    var (home, work) = try pair()
    let (context, _) = try ids(home, "password")
    try home.make(.renameContext(context, name: "hub"))
    try work.make(.renameContext(context, name: "hub"))
    home.hear(work)
    let seen = try #require(home.replica[context]?.description)
    try home.make(.renameContext(context, name: "the hub", base: seen))
    #expect(home.replica[context]?.name == "the hub")
    #expect(home.replica[context]?.hasConflict == false)
  }

  @Test func aClockTenYearsAheadIsNotFollowed() throws {
    var (home, work) = try pair()
    let (context, password) = try ids(home, "password")
    let decade: Int64 = 10 * 365 * 86_400_000
    work.now += decade
    try work.make(.setValue(context, password, text: "from the future", base: nil))
    home.hear(work)
    try home.make(.setValue(context, password, text: "after it", base: nil))
    #expect(home.context("github.example")?.attribute("password")?.text == "after it")
    let newest = try #require(home.replica.history(of: password, in: context).map(\.at).min())
    #expect(newest < decade)
    #expect(home.replica.clock.milliseconds < decade)
  }

  @Test func applyingTwiceChangesNothing() throws {
    let (home, work) = try pair()
    var again = work
    #expect(again.hear(home).isEmpty)
    #expect(again.replica == work.replica)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func anyOrderOfConcurrentCommitsGivesOneReplica(seed: UInt64) throws {
    var random = SeededEntropy(seed: seed)
    var authors = [Author(seed &* 3 + 1), Author(seed &* 3 + 2), Author(seed &* 3 + 3)]
    try authors[0].make(Self.github)
    let first = authors[0]
    let second = first.written.count
    for index in 1..<3 { authors[index].hear(first) }
    for index in authors.indices {
      for _ in 0..<4 { try Self.randomEdit(&authors[index], &random) }
    }
    let commits = authors.enumerated().flatMap { index, author in
      author.written.enumerated().dropFirst(index == 0 ? second : 0).map { position, operations in
        (device: author.device, sequence: UInt64(position + 1), operations: operations)
      }
    }
    var replicas: [[ContextRecord]] = []
    for _ in 0..<4 {
      var replica = Replica(own: .zero)
      _ = replica.apply(first.written[0], device: first.device, sequence: 1, now: 0)
      for commit in random.shuffled(commits) {
        _ = replica.apply(
          commit.operations, device: commit.device, sequence: commit.sequence, now: 0)
      }
      replicas.append(replica.contexts)
    }
    #expect(replicas.allSatisfy { $0 == replicas[0] })
  }

  private static func randomEdit(
    _ author: inout Author, _ random: inout SeededEntropy
  ) throws {
    guard let context = author.replica.contexts.first,
      let attribute = context.attributes.first
    else {
      try author.make(github)
      return
    }
    switch random.next() % 5 {
    case 0: try author.make(.deleteContext(context.id))
    case 1: try author.make(.renameContext(context.id, name: "n\(random.next() % 9)"))
    case 2: try author.make(.removeAttribute(context.id, attribute.id, base: nil))
    default:
      let text = "v\(random.next() % 99)"
      try author.make(.setValue(context.id, attribute.id, text: text, base: nil))
    }
  }

  @Test func limitsAreRefusedByName() throws {
    var home = Author(1)
    #expect(throws: EditError.emptyName) {
      try home.make(.createContext(name: "  ", kind: .account, attributes: []))
    }
    let long = String(repeating: "x", count: Limits.valueBytes + 1)
    let attribute = Edit.NewAttribute(label: "notes", kind: .note, text: long)
    #expect(throws: EditError.overLimit(limit: "bytes of a value", allowed: Limits.valueBytes)) {
      try home.make(.createContext(name: "a", kind: .note, attributes: [attribute]))
    }
    #expect(home.replica.contexts.isEmpty)
  }
}

import Sync
import Testing
import Vault
import Wire

@testable import Selector

/// What arrives while a person looks or types.
@Suite struct IncomingTests {
  @Test func theMarkStaysWithItsContextAndAttribute() {
    var desk = Desk.open()
    desk.press("Enter j j")
    let added = ContextRecord(
      id: Sample.context(90), name: "aaa", kind: .account, attributes: [], updatedAt: Sample.now,
      updatedBy: Sample.work)
    var attributes = Sample.attributes()
    attributes.removeFirst()
    desk.send(.contexts([added] + Sample.records(attributes)))
    #expect(desk.session.contexts.selectedID == Sample.github)
    #expect(desk.session.contexts.row == 2)
    #expect(desk.session.attribute == Sample.attribute(3))
  }

  @Test func aDeletedMarkedContextLeavesTheMarkInItsRow() {
    var desk = Desk.open()
    desk.send(.contexts(Sample.records().filter { $0.id != Sample.github }))
    #expect(desk.session.contexts.selected?.name == "home")
  }

  @Test func aPeersChangeIsMarkedUntilLookedAt() {
    var desk = Desk.open()
    desk.send(.changed([Sample.change(.set, 6, 3, "email"), Sample.change(.added, 1)]))
    #expect(desk.session.news.changed == [Sample.context(6)])
    #expect(desk.session.news.added == [Sample.context(1)])
    desk.press("4 j")
    #expect(desk.session.news.changed.isEmpty)
    #expect(desk.session.news.attributes == [Sample.attribute(3)])
    desk.press("j")
    #expect(desk.session.news.attributes.isEmpty)
    #expect(desk.session.news.added == [Sample.context(1)])
  }

  @Test func whatChangedGoesThereAndClearsTheMark() {
    var desk = Desk.open()
    desk.press("G")
    desk.send(.changed([Sample.change(.set, 2, 3, "email")]))
    #expect(desk.message == "~ work pc changed github.example / email  i show  z undo")
    desk.press("i")
    #expect(desk.message == "work pc changed github.example / email at 20:31:07")
    #expect(desk.session.contexts.selectedID == Sample.github)
    #expect(desk.session.attribute == Sample.attribute(3))
    #expect(desk.session.news.attributes.isEmpty)
    #expect(desk.session.news.unseen == 0)
  }

  @Test func ownChangesAreLoggedWithoutMark() {
    var desk = Desk.open()
    desk.send(.contexts(Sample.records(isPending: true)))
    desk.send(.changed([Sample.change(.set, 4, 31, "notes", by: Sample.home)]))
    #expect(desk.session.news.changed.isEmpty)
    #expect(desk.text.contains("home pc  changed   mail.example / notes   (waiting)"))
    desk.send(.contexts(Sample.records()))
    #expect(!desk.text.contains("(waiting)"))
  }

  @Test func anImportHasOneLineInTheLog() {
    var desk = Desk.open()
    let before = desk.session.log.entries
    desk.press(":")
    desk.type("import csv /tmp/vault.csv")
    desk.press("Enter")
    desk.send(.changed(Sample.additions(2000, by: Sample.home)))
    desk.send(.outcome(.imported(contexts: 2000, warnings: [])))
    #expect(desk.session.log.entries.dropFirst() == before[...])
    #expect(desk.session.log.entries.first?.verb == "imported")
    #expect(desk.session.log.entries.first?.what == "2000 contexts from vault.csv")
    desk.send(.changed([Sample.change(.added, 1, by: Sample.home)]))
    #expect(desk.session.log.entries.first?.what == Sample.names[0])
  }

  @Test func aPeersImportHasTwoLinesInTheLog() {
    var desk = Desk.open()
    let before = desk.session.log.entries
    let edit = Sample.change(.set, 2, 3, "email", by: Sample.home)
    desk.send(.changed(Sample.additions(2000, by: Sample.work) + [edit]))
    let new = desk.session.log.entries.dropLast(before.count)
    #expect(
      new.map { "\($0.who) \($0.verb) \($0.what)" } == [
        "home pc changed github.example / email", "work pc added 2000 contexts",
        "work pc sync 2000 changes received",
      ])
    let edits = (1...21).map { _ in Sample.change(.set, 2, 3, "email") }
    desk.send(.changed(edits))
    #expect(desk.session.log.entries.first?.what == "21 values in 1 context")
  }

  @Test func theFieldBeingEditedKeepsItsTextAndItsBase() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    let heads = [Sample.value(50, "other@example.test")]
    var attributes = Sample.attributes(email: "other@example.test")
    attributes[2] = AttributeRecord(
      id: Sample.attribute(3), label: "email", kind: .email, isConcealed: false,
      text: "other@example.test", heads: heads, updatedAt: Sample.now, updatedBy: Sample.work)
    desk.send(.contexts(Sample.records(attributes)))
    desk.send(.changed([Sample.change(.set, 2, 3, "email")]))
    #expect(desk.text.contains("ann@example.testx"))
    #expect(
      desk.text.contains("email was changed on work pc while you edit; saving keeps both"))
    desk.press("Enter")
    #expect(
      desk.effects.first
        == .save([
          .setValue(
            Sample.github, Sample.attribute(3), text: "ann@example.testx",
            base: [Sample.version(3)])
        ]))
  }

  @Test func aFormOutlivesItsDeletedContext() {
    var desk = Desk.open()
    desk.press("Enter j j e x")
    desk.send(.contexts(Sample.records().filter { $0.id != Sample.github }))
    desk.send(.changed([Sample.change(.removed, 2)]))
    #expect(desk.text.contains("ann@example.testx"))
    #expect(desk.text.contains("saving brings it back"))
    desk.press("Enter")
    #expect(
      desk.effects == [
        .save([
          .restoreContext(Sample.github),
          .setValue(
            Sample.github, Sample.attribute(3), text: "ann@example.testx",
            base: [Sample.version(3)]),
        ]), .formClosed(Sample.github),
      ])
  }

  @Test func theGeneratorKeepsItsBase() {
    var desk = Desk.open()
    desk.press("c")
    desk.send(.outcome(.generated("mine-secret")))
    desk.send(
      .contexts(
        Sample.records(
          Sample.attributes(password: "theirs-secret", heads: [Sample.value(60, "theirs-secret")])))
    )
    desk.send(.changed([Sample.change(.set, 2, 2, "password")]))
    #expect(
      desk.text.contains("password was changed on work pc while you edit; saving keeps both"))
    desk.press("Enter")
    #expect(
      desk.effects.first
        == .save([
          .setValue(
            Sample.github, Sample.attribute(2), text: "mine-secret", base: [Sample.version(2)],
            recipe: GeneratorForm().recipe.text)
        ]))
  }

  @Test func theLogKeepsAtMostItsLimit() {
    var desk = Desk.open()
    for number in 0..<60 {
      desk.send(
        .changed((0..<10).map { Sample.change(.set, 1, 1, "n\(number) \($0)") }))
    }
    #expect(desk.session.log.entries.count == SignalLog.limit)
    #expect(desk.session.log.entries.first?.what == "bank.example / n59 9")
  }

  @Test func peersComingGoingAndCatchingUpAreLogged() {
    var desk = Desk.open()
    desk.send(.status(Sample.status(behind: 2)))
    var status = Sample.status()
    status.peers = Sample.peers(workOnline: false)
    desk.send(.status(status))
    let lines = desk.session.log.entries.prefix(2).map { "\($0.who) \($0.verb) \($0.what)" }
    #expect(lines == ["mobile arrived has everything now", "work pc offline "])
  }

  @Test func aDeviceThatNeverSaidWhatItHoldsIsNotSaidToBeBehind() {
    var desk = Desk.open()
    desk.send(.status(Sample.neverHeard))
    desk.press("D")
    #expect(desk.text.contains("mobile has not said yet what it holds"))
    #expect(!desk.text.contains("behind"))
    #expect(!desk.text.contains("Every device has everything"))
    desk.send(.status(Sample.status()))
    #expect(desk.session.log.entries.first?.verb == "arrived")
  }

  @Test func peersWithoutNamesAreNotLogged() {
    var desk = Desk(.locked(since: nil, reason: ""))
    desk.send(.status(Sample.status()))
    var status = Sample.status()
    status.peers = Sample.peers(workOnline: false)
    desk.send(.status(status))
    #expect(desk.session.log.entries.isEmpty)
  }

  @Test func whatWaitedIsSaidToGoWhenTheServerIsBack() {
    var desk = Desk.open()
    desk.send(.status(Sample.offline))
    desk.press("o H Enter Enter")
    desk.send(.outcome(.saved))
    #expect(desk.message?.hasSuffix("It is sent when the server can be reached.") == true)
    desk.send(.status(Sample.offline))
    #expect(desk.message?.hasSuffix("It is sent when the server can be reached.") == true)
    desk.send(.status(Sample.status()))
    #expect(desk.message?.hasSuffix("It goes to work pc now, mobile when online.") == true)
  }

  @Test func offlineSaysHowManyChangesWait() {
    var desk = Desk.open()
    var status = Sample.offline
    status.waiting = 0
    desk.send(.status(status))
    #expect(
      desk.text.contains("Offline. Everything works; changes are kept and sent later. s tries now.")
    )
    status.waiting = 3
    desk.send(.status(status))
    #expect(
      desk.text.contains(
        "Offline. Everything works; 3 changes wait and go by themselves. s tries now."))
  }
}

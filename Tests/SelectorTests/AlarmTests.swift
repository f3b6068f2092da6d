import Foundation
import Sync
import Testing
import Wire

@testable import Selector

/// Alarms, notices and progress.
@Suite struct AlarmTests {
  static func status(_ codes: [String], state: SyncStatus.State = .alarm) -> SyncStatus {
    var status = Sample.status()
    status.state = state
    status.alarms = codes.map {
      SyncStatus.Alarm(code: $0, text: "The server lost 41 changes; this device sends them again.")
    }
    return status
  }

  static let replaced = Notice(
    code: "replaced",
    text: "This device was restored from a copy and goes on under a new identity.",
    at: Sample.at(12, 3, 0), isAlarm: false)

  @Test(arguments: ["rollback", "withheld", "fork", "forged", "malformed", "membership"])
  func eachAlarmIsSaidInWordsWithWhatToDo(_ code: String) throws {
    let guide = try #require(AlarmGuide.of(code))
    var desk = Desk.open(size: Size(columns: 120, rows: 35))
    desk.send(.status(Self.status([code])))
    #expect(desk.text.contains("ALARM: \(guide.words)"))
    #expect(desk.text.contains("alarm: \(guide.words)"))
    desk.press("A")
    let text = desk.text.split(separator: "│").map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: " ")
    for word in (guide.meaning + " What to do: " + guide.advice).split(separator: " ") {
      #expect(text.contains(word))
    }
  }

  @Test func anAlarmOfALaterProgramShowsItsOwnText() {
    var desk = Desk.open()
    desk.send(.status(Self.status(["unheard-of"], state: .current)))
    desk.press("A")
    #expect(desk.text.contains("ALARM: unheard-of"))
    #expect(desk.text.contains("alarm: unheard-of"))
    #expect(desk.text.contains("The server lost 41 changes"))
  }

  @Test func dealingWithAnAlarmAsksAndTakesOnlyItDown() {
    var desk = Desk.open()
    desk.send(.status(Self.status(["rollback", "fork"])))
    #expect(desk.text.contains("2 ALARMS"))
    desk.press("A j d")
    #expect(desk.text.contains("Have you dealt with \"two histories\"? It is then taken down."))
    desk.press("n")
    #expect(desk.effects.isEmpty)
    desk.press("d y")
    #expect(desk.effects == [.clearAlarm(code: "fork")])
  }

  @Test func anAlarmIsListedWithItsTimeAndLoggedOnce() {
    var desk = Desk.open()
    desk.send(
      .notice(Notice(code: "fork", text: "Two.", at: Sample.at(12, 3, 0), isAlarm: true)))
    desk.send(.status(Self.status(["fork"])))
    #expect(desk.session.notices.isEmpty)
    #expect(desk.session.log.entries.count { $0.verb == "alarm" } == 1)
    desk.press("A")
    let lines = desk.session.view().lines
    #expect(lines.contains { $0.contains("! ALARM: two histories") && $0.contains("12:03") })
  }

  @Test func aNoticeStaysUntilItIsTakenDown() {
    var desk = Desk.open()
    desk.send(.notice(Self.replaced))
    #expect(desk.message == Self.replaced.text)
    desk.press("j")
    #expect(desk.text.contains("1 notice, A shows"))
    desk.send(.notice(Self.replaced))
    #expect(desk.session.notices.count == 1)
    desk.press("A d")
    #expect(desk.session.notices.isEmpty)
    #expect(desk.text.contains("No alarms, no notices. All is well."))
  }

  @Test func openingALongLogIsCountedOnTheLockScreen() {
    var desk = Desk(.locked(since: nil, reason: ""))
    desk.type("words")
    desk.press("Enter")
    #expect(desk.text.contains("Checking."))
    desk.send(.progress(SyncProgress(done: 1200, total: 50_000, what: "opening")))
    #expect(desk.text.contains("opening 1200 of 50000"))
  }

  @Test func progressIsCountedInTitleAndStatus() {
    var desk = Desk.open()
    desk.send(.progress(SyncProgress(done: 12, total: 40, what: "sync")))
    #expect(desk.session.view().lines[0].contains("sync 12 of 40"))
    #expect(
      desk.text.contains(" sync   sync 12 of 40") || desk.text.contains("12 of 40   revision"))
    desk.send(.progress(nil))
    #expect(!desk.text.contains("12 of 40"))
  }
}

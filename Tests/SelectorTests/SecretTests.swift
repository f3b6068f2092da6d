import Sync
import Testing
import Wire

@testable import Selector

/// A value in plain sight is hidden by time, lock, suspension and any change of pane.
@Suite struct SecretTests {
  /// Ways to get the sample's secrets onto the screen.
  static let reveals = [
    "v", "Enter j v", "Enter j e C-r", "c v", "Enter j H v", "2 j v +",
  ]

  private func revealed(_ keys: String) -> Desk {
    var desk = Desk.open(size: Size(columns: 120, rows: 35))
    desk.press(keys)
    desk.send(.outcome(.generated("generated-secret")))
    desk.send(
      .outcome(
        .history(
          Sample.github, Sample.attribute(2), [Sample.value(2, Sample.password)])))
    return desk
  }

  @Test(arguments: SecretTests.reveals)
  func showsFirst(_ keys: String) {
    #expect(revealed(keys).text.contains("-secret"))
  }

  @Test(arguments: SecretTests.reveals)
  func hiddenByLockAndSuspension(_ keys: String) {
    for event in [
      Event.suspended, .profile(Sample.profile(.locked(since: nil, reason: ""))),
      .clock(Sample.now + Session.idleMilliseconds),
      .key(.control("z")),
    ] {
      var desk = revealed(keys)
      desk.send(event)
      #expect(!desk.text.contains("-secret"), "\(keys) \(event)")
    }
  }

  @Test(arguments: [
    "Tab", "S-Tab", "1", "2", "3", "h", "l", "S", "D", "X", "/", "j", "G",
  ])
  func hiddenByAnyChangeOfPaneOrContext(_ key: String) {
    for start in key == "1" || key == "/" || key == "j" || key == "G" ? ["v"] : ["v", "Enter j v"] {
      if start != "v" && key == "2" { continue }
      if start == "v" && key == "1" { continue }
      var desk = revealed(start)
      #expect(desk.text.contains(Sample.password))
      desk.press(key)
      #expect(!desk.text.contains("-secret"), "\(start) \(key)")
    }
  }

  @Test func hiddenAfterFifteenSeconds() {
    var desk = revealed("Enter j v")
    #expect(desk.session.nextDeadline == Sample.now + 15_000)
    desk.after(seconds: 14)
    #expect(desk.text.contains(Sample.password))
    desk.after(seconds: 1)
    #expect(!desk.text.contains(Sample.password))
  }

  @Test func masksAreAsLongWhateverTheyHide() {
    func row(_ password: String) -> String? {
      var desk = Desk.open()
      desk.send(.contexts(Sample.records(Sample.attributes(password: password))))
      return desk.session.view().lines.first { $0.contains("password") }
    }
    #expect(row("x") == row(String(repeating: "x", count: 500)))
    #expect(row("x") == row(""))
  }

  @Test func copyingRevealsNothing() {
    var desk = Desk.open()
    desk.press("p")
    desk.send(
      .outcome(
        .copied(
          label: "github.example / password", route: "sent to terminal", clearsInSeconds: 45)))
    #expect(desk.text.contains("github.example / password: sent to terminal, cleared in 45 s."))
    #expect(!desk.text.contains("-secret"))
  }

  @Test func theTitleNamesNoContext() {
    var desk = Desk.open()
    desk.press("Enter j v")
    #expect(desk.session.view().title == "higgins: home pc")
    desk.press("L")
    #expect(desk.session.view().title == "higgins: locked")
  }
}

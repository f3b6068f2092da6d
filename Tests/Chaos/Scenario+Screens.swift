/// `kill -9` of a selector while somebody types.
extension Scenario {
  static let screens = [
    Scenario(
      name: "kill-screen", about: "kill -9 of the selector before, while and after it saves",
      play: killScreen)
  ]

  /// A value counts as acknowledged once the screen says so; what was typed for a second and not
  /// saved has to be offered at the next unlock.
  private static func killScreen(_ run: Run) throws {
    // Names that sort before all others, so that the one in use is the first of the list.
    var context = ""
    var draftsExpected = false
    for round in 1...max(5, run.origin.rounds / 2) {
      run.round = round
      if round % 8 == 1 || context.isEmpty { context = try run.makeFirstContext() }
      let screen = try Screen(run.stage, "mobile")
      guard screen.see(context, within: 60) else {
        run.find(
          "the selector shows no list: \(screen.child.status.map(String.init) ?? "it waits")")
        screen.child.cut()
        return
      }
      if draftsExpected, !screen.see("unsaved edit", within: 5) {
        run.find("what was typed before the kill is not offered again")
      }
      draftsExpected = false
      // The first context's attributes; the first of them; its line emptied.
      for keys in ["\t", "\r", "\u{01}\u{0b}"] { screen.typeAndSettle(keys) }
      let token = run.drawToken()
      screen.typeAndSettle(token)
      var isSaved = false
      if run.dice.happens(0.3) {
        screen.see(nil, within: 1)
        draftsExpected = true
        context = ""
      } else {
        screen.type("\r")
        isSaved = screen.see("Saved", within: run.dice.seconds(0...0.5))
      }
      run.countKill()
      let status = screen.child.status
      screen.child.cut()
      if let status { run.judge(status, "", of: "the selector", allowed: []) }
      run.note(token, on: "mobile", context: context, isAcknowledged: isSaved)
    }
    try run.checkOwn("mobile")
  }
}

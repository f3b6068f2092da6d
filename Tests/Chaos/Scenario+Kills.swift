import Glibc

/// `kill -9` at random instants of commands, of the process that holds a profile, of a screen, and
/// of the server.
extension Scenario {
  static let kills = [
    Scenario(name: "kill-command", about: "kill -9 of `higgins set`", play: killCommand),
    Scenario(
      name: "kill-holder", about: "kill -9 of `higgins watch` while commands go through it",
      play: killHolder),
    Scenario(name: "kill-server", about: "kill -9 of higginsd under load", play: killServer),
    Scenario(
      name: "stop", about: "SIGSTOP and SIGCONT of the server and of a holder", play: stop),
  ]

  /// Half of the instants are anywhere in the command; half lie within 60 ms of its value, where
  /// it writes.
  private static func killCommand(_ run: Run) throws {
    let started = ContinuousClock.now
    try run.set(on: "home", skipsSync: true)
    let whole = seconds(since: started)
    for round in 1...run.origin.rounds {
      run.round = round
      let writing = try run.begin(on: "home")
      if run.dice.happens(0.3) {
        writing.child.write(writing.value)
        writing.child.awaitEnd(seconds: run.dice.seconds(0...whole))
      } else {
        // By then it has unlocked and waits for its value.
        writing.child.awaitEnd(seconds: whole)
        writing.child.write(writing.value)
        writing.child.awaitEnd(seconds: run.dice.seconds(0...0.06))
      }
      let wasCut = writing.child.status == nil
      if wasCut { run.countKill() }
      writing.child.cut()
      run.end(writing, allowed: [], wasCut: wasCut)
      if round.isMultiple(of: 10) { try run.checkOwn("home") }
    }
    try run.checkOwn("home")
  }

  private static func killHolder(_ run: Run) throws {
    for round in 1...run.origin.rounds {
      run.round = round
      try run.stage.hold("work")
      let end = ContinuousClock.now + .seconds(run.dice.seconds(0.005...0.12))
      var writings: [Run.Writing] = []
      // Several at once, as fast as they are answered.
      while .now < end {
        let writing = try run.begin(on: "work")
        writing.child.write(writing.value)
        writings.append(writing)
        // Those that find no holder unlock for themselves, which takes a processor and 256 MiB.
        if writings.count(where: { $0.child.status == nil }) > 2 || run.dice.happens(0.5) {
          writing.child.awaitEnd(seconds: 0.05)
        }
      }
      run.stage.letGo("work")
      run.countKill()
      for writing in writings {
        // One that comes after the holder's end unlocks for itself.
        if writing.child.awaitEnd(seconds: 60) == nil { run.find("a set did not end") }
        run.end(writing, allowed: [1], wasCut: true)
      }
      if round.isMultiple(of: 10) { try run.checkOwn("work") }
    }
    try run.checkOwn("work")
  }

  private static func killServer(_ run: Run) throws {
    for device in ["home", "mobile"] { try run.stage.hold(device) }
    for round in 1...run.origin.rounds {
      run.round = round
      let end = ContinuousClock.now + .seconds(run.dice.seconds(0.01...0.15))
      var writings: [Run.Writing] = []
      while .now < end {
        for device in ["home", "mobile"] {
          let writing = try run.begin(on: device, skipsSync: false)
          writing.child.write(writing.value)
          writings.append(writing)
        }
        usleep(10_000)
      }
      run.stage.cutServer()
      run.countKill()
      if run.dice.happens(0.5) { usleep(UInt32(run.dice.number(0...200)) * 1000) }
      try run.stage.startServer()
      for writing in writings {
        if writing.child.awaitEnd(seconds: 60) == nil { run.find("a set did not end") }
        run.end(writing, allowed: [])
      }
    }
    for device in ["home", "mobile"] { try run.checkOwn(device) }
  }

  private static func stop(_ run: Run) throws {
    for device in ["home", "work"] { try run.stage.hold(device) }
    for round in 1...max(2, run.origin.rounds / 8) {
      run.round = round
      let stopsServer = round.isMultiple(of: 2)
      let holder = try run.stage.hold("home")
      let writings = try (0..<4).map { place in
        let writing = try run.begin(on: place < 2 ? "home" : "work", skipsSync: false)
        if place.isMultiple(of: 2) { writing.child.write(writing.value) }
        return writing
      }
      if stopsServer { run.stage.signalServer(SIGSTOP) } else { holder.send(SIGSTOP) }
      for writing in writings { writing.child.write(writing.value) }
      // Longer than a command tries to send, now and then.
      usleep(UInt32(run.dice.number(50...(run.isLong ? 3500 : 2500))) * 1000)
      if stopsServer { run.stage.signalServer(SIGCONT) } else { holder.send(SIGCONT) }
      run.countFault()
      for writing in writings {
        if writing.child.awaitEnd(seconds: 60) == nil { run.find("a set did not end") }
        // A holder that does not answer is a reason to refuse.
        run.end(writing, allowed: stopsServer ? [] : [1])
      }
    }
    for device in ["home", "work"] { try run.checkOwn(device) }
  }

  static func seconds(since start: ContinuousClock.Instant) -> Double {
    let elapsed = (ContinuousClock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
  }
}

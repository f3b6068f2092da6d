import Foundation

/// What a key costs in a program with a long list: time to the last byte of the answer, and bytes;
/// then what the program does while nobody touches it, and when its terminal goes.
final class Keystrokes: Measurement {
  /// Moves before the direction changes: within the first page of 24 rows.
  private static let page = 12
  /// What nobody waits for after an answer: its end.
  private static let quiet = Duration.milliseconds(15)
  /// Narrowing goes on beside the screen in some programs.
  private static let longQuiet = Duration.milliseconds(120)
  private static let burst = 200
  private static let idleSeconds = 10.0
  /// A ping falls into one of three such windows; what counts is the usual one.
  private static let idleWindows = 3
  private static let wide = Screen.Size(columns: 200, rows: 50)
  /// Typed letter by letter; found in the names of every list that is narrowed.
  private static let sought = "ite042"

  let samples: Int
  private let peer: Peer
  private let peers: Peers
  private let stage: Stage
  private var screen: Screen?
  private var wideScreen: Screen?
  private var moves = 0
  private var found: [String: [Double]] = [:]

  init(_ peer: Peer, peers: Peers, stage: Stage, samples: Int) {
    self.peer = peer
    self.peers = peers
    self.stage = stage
    self.samples = peer.isInstalled ? samples : 0
  }

  var title: String { "keys in \(peer.id)" }

  func prepare() throws {
    guard peer.isInstalled else { return }
    try peers.furnish(peer)
    screen = try show()
    // One selector to a profile; the wide one is looked at afterwards.
    if peer.id != "higgins" { wideScreen = try show(Self.wide) }
  }

  private func show(_ size: Screen.Size = Screen.Size()) throws -> Screen {
    let screen = try stage.show(peers.program(peer), size: size)
    screen.seek(peer.ready)
    try screen.wait(for: peer.ready, seconds: 60)
    // Whatever is done once at the start.
    try stage.loop.pause(seconds: 2)
    return screen
  }

  func sample() throws {
    guard let screen else { return }
    let key = moves / Self.page % 2 == 0 ? peer.down : peer.up
    moves += 1
    let answer = try press(key, on: screen)
    found["key", default: []].append(answer.milliseconds)
    found["bytes", default: []].append(Double(answer.bytes))
    if let wideScreen {
      found["wide", default: []].append(Double(try press(key, on: wideScreen).bytes))
    }
    if moves % (Self.page * 2) == 0 { try narrow(screen) }
  }

  private func press(
    _ key: String, on screen: Screen, quiet: Duration = quiet
  ) throws -> (milliseconds: Double, bytes: Int) {
    try stage.loop.pause(seconds: 0.02)
    return try screen.answer(to: key, quiet: quiet)
  }

  private func narrow(_ screen: Screen) throws {
    guard let narrowing = peer.narrowing else { return }
    if !narrowing.begin.isEmpty { try screen.typeAndSettle(narrowing.begin) }
    for letter in Self.sought {
      found["narrow", default: []].append(
        try press("\(letter)", on: screen, quiet: Self.longQuiet).milliseconds)
    }
    try screen.typeAndSettle(narrowing.end)
    // A lone escape is one only after a while.
    try stage.loop.pause(seconds: 0.3)
  }

  func finish() throws {
    guard let screen else { return }
    let frames = screen.frames
    let burst = try press(
      String(repeating: peer.down, count: Self.burst), on: screen, quiet: Self.longQuiet)
    found["burst"] = [Double(burst.bytes)]
    found["frames"] = [Double(screen.frames - frames)]
    // What a selector keeps of its signals is on disk by then.
    try stage.loop.pause(seconds: peer.id == "higgins" ? 32 : 1)
    for _ in 0..<Self.idleWindows { try idle(screen) }
    found["memory"] = [try screen.child.memory("VmRSS")]
    found["loss"] = [try screen.lose()]
    stage.end(screen)
    guard peer.id == "higgins" else { return }
    let wide = try show(Self.wide)
    for move in 0..<samples {
      let key = move / Self.page % 2 == 0 ? peer.down : peer.up
      found["wide", default: []].append(Double(try press(key, on: wide).bytes))
    }
    stage.end(wide)
  }

  /// Counts what a program does while nobody touches it.
  private func idle(_ screen: Screen) throws {
    let (bytes, before) = (screen.written, try screen.child.wakeUps())
    let names = try screen.child.threadNames()
    try stage.loop.pause(seconds: Self.idleSeconds)
    found["idle-bytes", default: []].append(Double(screen.written - bytes))
    let woken = try screen.child.wakeUps().map { ($0, $1 - (before[$0] ?? 0)) }
    found["idle-wakeups", default: []].append(woken.reduce(0) { $0 + $1.1 })
    found["idle-terminal", default: []].append(
      woken.filter { names[$0.0] == "terminal" }.reduce(0) { $0 + $1.1 })
  }

  var rows: [Row] {
    let letters = peer.narrowing == nil ? 0 : samples / (Self.page * 2) * Self.sought.count
    return [
      row("key", "a move in the list, to the last byte", .milliseconds, of: samples),
      row("bytes", "a move, 80x24", .bytes, of: samples),
      row("wide", "a move, 200x50", .bytes, of: samples),
      row("burst", "\(Self.burst) moves at once", .bytes, of: 1),
      row("idle-bytes", "10 s without a key", .bytes, of: Self.idleWindows),
      row("idle-wakeups", "10 s without a key", .wakeUps, of: Self.idleWindows),
      row("loss", "terminal gone, to its end", .milliseconds, of: 1),
      row("memory", "memory", .kibibytes, of: 1),
    ]
      + (peer.id == "higgins" ? own : [])
      + (peer.narrowing == nil
        ? [] : [row("narrow", "a letter that narrows the list", .milliseconds, of: letters)])
  }

  /// What can be told of ours alone: it marks its frames, and names its threads.
  private var own: [Row] {
    [
      row("frames", "\(Self.burst) moves at once", .frames, of: 1),
      Row(
        "idle-terminal", "higgins: the terminal's thread, 10 s without a key", .wakeUps,
        found["idle-terminal"] ?? [], of: Self.idleWindows),
    ]
  }

  private func row(_ id: String, _ words: String, _ unit: Row.Unit, of wanted: Int) -> Row {
    Row(
      "\(id)-\(peer.id)", "\(peer.id): \(words)", unit, found[id] ?? [], of: wanted,
      missing: peer.isInstalled ? nil : "\(peer.id) not installed")
  }

  static let ratios =
    ["tig", "mc", "fzf", "less"].map {
      Ratio("a move: higgins / \($0)", "key-higgins", over: "key-\($0)")
    }
    + ["tig", "mc", "fzf"].map {
      Ratio("bytes of a move: higgins / \($0)", "bytes-higgins", over: "bytes-\($0)")
    }
    + [Ratio("a letter that narrows: higgins / fzf", "narrow-higgins", over: "narrow-fzf")]
}

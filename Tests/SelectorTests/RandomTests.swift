import Sync
import Testing
import Wire

@testable import Selector

/// Anything may come at any time and at any size.
@Suite struct RandomTests {
  struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    mutating func pick<Element>(_ all: [Element]) -> Element { all[below(all.count)] }
  }

  private static let keys = Set(Command.table.flatMap(\.keys)).sorted {
    $0.description < $1.description
  }

  private static let texts = [
    "x", "a\nb", "\u{1F469}\u{200D}\u{1F4BB}", "e\u{301}", "\u{202E}!", "",
  ]

  private func event(_ dice: inout Dice, now: inout Int64) -> Event {
    switch dice.below(48) {
    case 0: return .paste(dice.pick(Self.texts))
    case 1:
      return .resize(
        dice.below(8) == 0
          ? Size(columns: dice.below(251), rows: dice.below(81))
          : Size(columns: dice.below(130), rows: dice.below(36)))
    case 2:
      now += Int64(dice.pick([1000, 16_000, 400_000]))
      return .clock(now)
    case 3: return dice.below(2) == 0 ? .suspended : .continued
    case 4: return .profile(Sample.profile(dice.pick([.unlocked, .unlocked, .unlocked, .empty])))
    case 5:
      return .contexts(dice.pick([[], Sample.records(), Sample.conflicted, Sample.records([])]))
    case 6:
      let kind = dice.pick([Change.Kind.added, .set, .removed, .conflict])
      return .changed([Sample.change(kind, UInt8(dice.below(9) + 1), 2, "password")])
    case 7: return .status(dice.pick([Sample.status(behind: 3), Sample.offline, SyncStatus()]))
    case 8, 9: return .outcome(outcome(&dice, now: now))
    case 40:
      return .updated(
        [dice.pick(dice.pick([Sample.records(), Sample.contested, Sample.records([])]))],
        removed: dice.below(2) == 0 ? [] : [Sample.context(UInt8(dice.below(9) + 1))])
    case 41:
      return .drafts(dice.pick([[], [DraftTests.email], [DraftTests.email, DraftTests.library]]))
    case 42: return .notice(AlarmTests.replaced)
    case 43:
      return .progress(dice.pick([nil, SyncProgress(done: 3, total: 12, what: "snapshot")]))
    case 44: return dice.below(4) == 0 ? .closing : .status(AlarmTests.status(["fork", "x"]))
    case 45:
      now += 250
      return .clock(now)
    case 46: return .contexts(Sample.contested)
    case 47: return .signals(ScreenTests.earlierSignals)
    case 10...13: return .key(.character(dice.pick(Array("abc \u{E9}\u{65E5}"))))
    default: return .key(dice.pick(Self.keys))
    }
  }

  private func outcome(_ dice: inout Dice, now: Int64) -> Outcome {
    switch dice.below(22) {
    case 14: .notSaved("The disk is full.")
    case 15: .trash(dice.pick([[], TimeTests.trash]))
    case 16: .past(at: now - Int64(dice.below(5)) * 86_400_000, dice.pick([[], Sample.contested]))
    case 17: .reversed(Reversal(isRedo: false, what: "3 changes", result: .gone))
    case 18: .history(Sample.github, Sample.attribute(3), TimeTests.versions)
    case 19: .passphraseChanged(isAdopted: false, kit: dice.pick([nil, "A3F9K"]))
    case 20: .kit("A3F9K", isNew: dice.below(2) == 0)
    case 0: .unlocked
    case 1: .wrongPassphrase(triesLeft: dice.below(3), waitSeconds: dice.below(2) * 30)
    case 2: .failed("No route to the server.")
    case 3: .generated("abc")
    case 4: .copied(label: "x", route: "sent to terminal", clearsInSeconds: 45)
    case 5: .pairingCode("7Q2M", expiresAt: now + 5000)
    case 6: .pairingOffer(name: "mobile", words: ["a", "b"])
    case 7: .pairingDone(name: "mobile")
    case 8: .pairingFailed("The words differ.")
    case 9: .saved
    case 10: .joinWords(["a", "b"])
    case 11: .oneTimeCode(attribute: Sample.attribute(4), code: "123456", secondsLeft: 9)
    case 12: .history(Sample.github, Sample.attribute(2), Sample.conflictValues)
    default: .accountCreated(kit: "A3F9K")
    }
  }

  /// The frame is whole: every row has exactly the screen's columns, the cursor is inside.
  private func check(_ frame: Frame, _ size: Size) -> Bool {
    for row in 0..<size.rows {
      var columns = 0
      for column in 0..<size.columns {
        columns += frame.glyph(row: row, column: column)?.glyph.columns ?? 0
      }
      if columns != size.columns { return false }
    }
    guard let cursor = frame.cursor else { return true }
    return cursor.row < size.rows && cursor.column < size.columns
  }

  @Test(arguments: [1, 2, 3, 4])
  func anyEventsAtAnySizeGiveWholeFrames(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    var now = Sample.now
    var desk = Desk.open()
    for step in 0..<300 {
      let event = event(&dice, now: &now)
      desk.send(event)
      let frame = desk.session.view()
      #expect(frame.size == desk.session.size)
      if step.isMultiple(of: 20) {
        #expect(check(frame, desk.session.size), "seed \(seed) step \(step)")
      }
      if !desk.session.isUnlocked {
        #expect(!desk.text.contains("github"), "seed \(seed) step \(step)")
      }
    }
  }

  @Test func everySizeHoldsEveryScreen() {
    var dice = Dice(seed: 7)
    for state in ScreenTests.states {
      for _ in 0..<3 {
        let size = Size(columns: 1 + dice.below(130), rows: 1 + dice.below(40))
        var desk =
          state.phase == .unlocked ? Desk.open(size: size) : Desk(state.phase, size: size)
        state.reach(&desk)
        #expect(check(desk.session.view(), size), "\(state.name) \(size)")
      }
    }
  }

  @Test func theGreatestSizeHoldsTheList() {
    let size = Size(columns: 250, rows: 80)
    #expect(check(Desk.open(size: size).session.view(), size))
  }

  @Test func everySmallSizeHoldsTheList() {
    for columns in 0...45 {
      for rows in 0...12 {
        let size = Size(columns: columns, rows: rows)
        #expect(check(Desk.open(size: size).session.view(), size))
      }
    }
  }
}

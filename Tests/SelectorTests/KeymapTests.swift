import Testing

@testable import Selector

@Suite struct KeymapTests {
  private func error(_ text: String) -> KeymapError? {
    do {
      _ = try Keymap.parse(text)
      return nil
    } catch {
      return error
    }
  }

  /// The TOML library ends the process at these, so they must not reach it.
  @Test(arguments: ["[!]", "[[!]]", "[", " [ ]x", "[ü]", "[\t\r", "[\rS]"])
  func aHeadingThatNamesNothingIsRefusedWithItsLine(_ heading: String) {
    let found = error("\n\(heading)\n")
    #expect(found.map { if case .syntax(line: 2, _) = $0 { true } else { false } } == true)
  }

  @Test func aHeadingThatNamesNothingIsRefusedBehindAMarkOfTheByteOrder() {
    let found = error("\u{FEFF}[!]\n")
    #expect(found.map { if case .syntax(line: 1, _) = $0 { true } else { false } } == true)
  }

  @Test func everyStandardKeyIsAKeyAndUsedOnceInItsPlace() {
    var seen: [String: Command.ID] = [:]
    for command in Command.table {
      #expect(!command.keys.isEmpty, "\(command.place) \(command.id) has no key")
      for key in command.keys {
        let before = seen.updateValue(command.id, forKey: "\(command.place) \(key)")
        #expect(
          before == nil, "\(command.place) \(key): \(command.id), \(String(describing: before))")
      }
    }
  }

  @Test func aTableOfAllStandardKeysParsesToThem() throws {
    var text = ""
    for place in Place.allCases {
      text += "[\(place.rawValue)]\n"
      for command in Command.table where command.place == place {
        let keys = command.keys.map { "\"\($0)\"" }.joined(separator: ", ")
        text += "\(command.id.rawValue) = [\(keys)]\n"
      }
    }
    #expect(try Keymap.parse(text).commands == Keymap.standard.commands)
  }

  @Test func aChangedKeyTakesThePlaceOfTheStandardOne() throws {
    let keymap = try Keymap.parse("[everywhere]\nquit = \"Q\"\nlock = []\n")
    #expect(keymap.command(for: .character("Q"), at: .contexts) == .quit)
    #expect(keymap.command(for: .character("q"), at: .contexts) == nil)
    #expect(keymap.command(for: .character("L"), at: .contexts) == nil)
    var session = Session(
      profile: Sample.profile(), size: Size(columns: 80, rows: 24), keymap: keymap)
    #expect(session.update(.key(.character("Q"))) == [.quit])
    #expect(session.view().lines[23].contains("Q quit"))
  }

  @Test func theNearerPlaceHidesTheFarther() {
    let keymap = Keymap.standard
    #expect(keymap.command(for: .character("+"), at: .devices) == .pair)
    #expect(keymap.command(for: .character("+"), at: .contexts) == .grow)
    #expect(keymap.commands(at: .devices).allSatisfy { $0.id != .grow })
  }

  @Test func mistakesAreNamedWithTheirLine() {
    #expect(
      error("x = = 1").map { if case .syntax(line: 1, _) = $0 { true } else { false } } == true)
    #expect(error("\n[nowhere]\nquit = \"q\"") == .unknownPlace(line: 2, name: "nowhere"))
    #expect(
      error("[everywhere]\nfly = \"f\"")
        == .unknownCommand(line: 2, place: "everywhere", name: "fly"))
    #expect(error("[everywhere]\nquit = \"C-\"") == .unknownKey(line: 2, name: "C-"))
    #expect(error("[everywhere]\nquit = 1") == .unknownKey(line: 2, name: ""))
    #expect(
      error("[everywhere]\nquit = \"L\"")
        == .usedTwice(line: 2, key: "L", place: "everywhere", first: "lock", second: "quit"))
  }
}

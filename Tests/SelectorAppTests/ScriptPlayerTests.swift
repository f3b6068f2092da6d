import Foundation
import Selector
import Testing

@testable import SelectorApp

/// The whole selector on a screen nobody sees, over a real profile whose server never answers.
@Suite struct ScriptPlayerTests {
  /// Plays a script and answers the driver, which has ended.
  private func play(_ text: String, in profile: TestProfile) async throws -> Driver {
    let driver = Driver(
      terminal: Canvas(size: Size(columns: 80, rows: 24)), folder: profile.folder,
      device: try Device.open(profile.folder), keymap: .standard, passphrasePath: nil)
    await driver.run(script: try Script(parsing: text), isAlone: true)
    return driver
  }

  @Test func aScriptUnlocksMakesAContextAndSavesTheScreen() async throws {
    let profile = try TestProfile()
    try profile.write()
    let screen = "\(profile.home)/screen.txt"
    let picture = "\(profile.home)/screen.svg"
    let driver = try await play(
      """
      wait Locked
      type \(TestProfile.passphrase)
      press Enter
      wait unlocked
      press o
      type river bank
      press C-s
      wait river bank
      size 120x35
      save \(screen)
      save \(picture)
      """, in: profile)
    #expect(await driver.scriptFailure == nil)
    let lines = try String(contentsOfFile: screen, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 36)
    #expect(lines.contains { $0.hasPrefix(">* river bank") || $0.hasPrefix(">  river bank") })
    #expect(try String(contentsOfFile: picture, encoding: .utf8).contains("river\u{A0}bank"))
  }

  @Test func quittingEndsAScriptBeforeItsLastLine() async throws {
    let profile = try TestProfile()
    try profile.write()
    let driver = try await play("press C-c C-c\nwait never shown", in: profile)
    #expect(await driver.scriptFailure == nil)
  }

  @Test func aFileThatIsNoScriptIsRefusedWithItsLine() throws {
    let profile = try TestProfile()
    let path = try profile.file("tour.txt", "press j\nfly away\n")
    let failure = #expect(throws: Failure.self) { try ScriptPlayer.read(path) }
    #expect(failure?.code == .usage)
    #expect(failure?.sentence.contains("tour.txt, line 2: `fly` is none of") == true)
  }
}

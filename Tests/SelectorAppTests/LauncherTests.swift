import ArgumentParser
import Foundation
import Sync
import Testing

@testable import SelectorApp

/// How a command gets to its profile.
@Suite(.serialized) struct LauncherTests {
  private static func launch(
    _ line: [String], in profile: TestProfile, console: TestConsole = TestConsole()
  ) async throws -> Int32 {
    let passphrase = try profile.file("passphrase", TestProfile.passphrase + "\n")
    let arguments =
      line + ["--home", profile.home, "--profile", "home", "--passphrase-file", passphrase]
    let command = try #require(try Higgins.parseAsRoot(arguments) as? any DeviceCommand)
    return await Launcher(command: command, console: console, arguments: arguments).run()
  }

  @Test func aCommandOpensItsProfileAndLetsGoOfIt() async throws {
    let profile = try TestProfile()
    try profile.write()
    let writing = TestConsole(input: Array("v".utf8))
    #expect(
      try await Self.launch(["set", "a", "b", "-", "--no-sync"], in: profile, console: writing)
        == 0)
    let reading = TestConsole()
    #expect(try await Self.launch(["get", "a", "b"], in: profile, console: reading) == 0)
    #expect(reading.output == "v")
  }

  @Test func aCommandGoesThroughTheProcessThatHasTheProfile() async throws {
    let (profile, device) = try await TestProfile.device()
    let server = try ControlServer.start(device)
    let console = TestConsole(input: Array("v".utf8))
    #expect(
      try await Self.launch(["set", "a", "b", "-", "--no-sync"], in: profile, console: console)
        == 0)
    #expect(await device.contexts().first?.name == "a")
    server.stop()
    await device.stop(flush: .zero)
  }

  @Test func withoutAProfileTheWayToOneIsNamed() async throws {
    let profile = try TestProfile()
    let console = TestConsole()
    #expect(try await Self.launch(["list"], in: profile, console: console) == 1)
    #expect(console.errors.contains("higgins init"))
  }

  @Test func aWrongPassphraseIsExitThree() async throws {
    let profile = try TestProfile()
    try profile.write()
    let wrong = try profile.file("wrong", "something else\n")
    let arguments = [
      "list", "--home", profile.home, "--profile", "home", "--passphrase-file", wrong,
    ]
    let command = try #require(try Higgins.parseAsRoot(arguments) as? any DeviceCommand)
    let console = TestConsole()
    #expect(
      await Launcher(command: command, console: console, arguments: arguments).run() == 3)
    #expect(console.errors.contains("That passphrase does not open this."))
    // The profile was let go of.
    #expect(try await Self.launch(["list"], in: profile) == 0)
  }
}

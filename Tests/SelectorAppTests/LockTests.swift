import ArgumentParser
import Foundation
import Selector
import Storage
import Sync
import Testing
import Vault

@testable import SelectorApp

/// Locking and unlocking what another process keeps open.
@Suite(.serialized) struct LockTests {
  /// Runs a command line as its own process would; its exit code.
  private static func launch(
    _ line: [String], in profile: TestProfile, console: TestConsole = TestConsole()
  ) async throws -> Int32 {
    let arguments = line + ["--home", profile.home, "--profile", "home"]
    let command = try #require(try Higgins.parseAsRoot(arguments) as? any DeviceCommand)
    return await Launcher(command: command, console: console, arguments: arguments).run()
  }

  @Test func commandsLockAndUnlockTheProcessThatHasTheProfile() async throws {
    let (profile, device) = try await TestProfile.device()
    let server = try ControlServer.start(device)
    #expect(try await Self.launch(["list"], in: profile) == 0)
    let locking = TestConsole()
    #expect(try await Self.launch(["lock"], in: profile, console: locking) == 0)
    #expect(locking.errors == "Locked.\n")
    #expect(await device.isLocked)
    #expect(try await Self.launch(["list"], in: profile) == 3)
    let wrong = TestConsole(secrets: ["something else"])
    #expect(try await Self.launch(["unlock"], in: profile, console: wrong) == 3)
    #expect(await device.isLocked)
    let right = TestConsole(secrets: [TestProfile.passphrase])
    #expect(try await Self.launch(["unlock"], in: profile, console: right) == 0)
    #expect(right.prompts == ["Passphrase: "])
    #expect(try await Self.launch(["list"], in: profile) == 0)
    let again = TestConsole()
    #expect(try await Self.launch(["unlock"], in: profile, console: again) == 0)
    #expect(again.prompts == [])
    server.stop()
    await device.stop(flush: .zero)
  }

  @Test func aStoreThatTakesNothingKeepsNobodyFromLocking() async throws {
    let (profile, device) = try await TestProfile.device()
    try await device.save(
      [.createContext(name: "saved", kind: .note, attributes: [])], immediately: false)
    try await device.store.close()
    try await device.lock()
    #expect(await device.isLocked)
    #expect(await device.contexts().isEmpty)
    await device.stop(flush: .zero)
    // What was saved lies where it was.
    let next = try Device.open(profile.folder)
    try await next.unlock(try Passphrase(utf8: Array(TestProfile.passphrase.utf8)))
    #expect(await next.contexts().map(\.name) == ["saved"])
    await next.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aLockEndsAnUnlockingThatIsOnItsWay() async throws {
    let (profile, device) = try await TestProfile.device()
    try await device.lock()
    let unlocking = Task {
      try await device.unlock(try Passphrase(utf8: Array(TestProfile.passphrase.utf8)))
    }
    while await device.staysLocked { await Task.yield() }
    try await device.lockAsAsked()
    // It ended so, or was over before.
    do {
      try await unlocking.value
    } catch {
      #expect(error as? DeviceError == .locked)
    }
    #expect(await device.isLocked)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  /// Whoever sits down at what somebody left locked, or wants to see a code or the kit.
  @Test func afterFiveWrongPassphrasesTheNextHasToWait() async throws {
    let (profile, device) = try await TestProfile.device()
    let server = try ControlServer.start(device)
    let other = try Passphrase(utf8: Array("something else".utf8))
    for _ in 0..<2 {
      await #expect(throws: VaultError.wrongPassphrase) { try await device.kit(other) }
    }
    #expect(try await Self.launch(["lock"], in: profile) == 0)
    for _ in 0..<3 {
      let wrong = TestConsole(secrets: ["something else"])
      #expect(try await Self.launch(["unlock"], in: profile, console: wrong) == 3)
      #expect(wrong.errors.contains("That passphrase does not open this."))
    }
    let right = TestConsole(secrets: [TestProfile.passphrase])
    #expect(try await Self.launch(["unlock"], in: profile, console: right) == 3)
    #expect(right.errors.contains("so the next is taken in 30 s"))
    #expect(right.prompts == [])
    await #expect(throws: DeviceError.guessedTooOften(seconds: 30)) {
      try await device.unlock(other)
    }
    #expect(await device.isLocked)
    server.stop()
    await device.stop(flush: .zero)
  }

  @Test func eachFurtherWrongPassphraseDoublesTheWaitUpToAnHour() {
    var guesses = Guesses()
    var now = ContinuousClock.now
    for left in (1...4).reversed() {
      guesses.fail(at: now)
      #expect(guesses.left == left && guesses.wait(at: now) == .zero)
    }
    for seconds in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] {
      guesses.fail(at: now)
      #expect(guesses.left == 0 && guesses.wait(at: now) == .seconds(seconds))
      #expect(guesses.wait(at: now + .seconds(seconds - 1)) == .seconds(1))
      now += .seconds(seconds)
      #expect(guesses.wait(at: now) == .zero)
    }
    guesses.succeed()
    #expect(guesses.left == 5)
  }

  @Test func whereNothingRunsNothingIsAskedFor() async throws {
    let profile = try TestProfile()
    try profile.write()
    let unlocking = TestConsole(secrets: [TestProfile.passphrase])
    #expect(try await Self.launch(["unlock"], in: profile, console: unlocking) == 1)
    #expect(unlocking.errors.contains("`higgins agent`"))
    #expect(unlocking.prompts == [])
    let locking = TestConsole()
    #expect(try await Self.launch(["lock"], in: profile, console: locking) == 0)
    #expect(locking.errors == "Nothing has this profile unlocked.\n")
  }

  @Test(.timeLimit(.minutes(1))) func anAgentLocksWhenNoCommandComes() async throws {
    let (_, device) = try await TestProfile.device()
    let events = await device.events()
    let idling = Task { try await AgentCommand.lock(device, after: .milliseconds(1)) }
    for await event in events {
      if case .status(let status) = event, status.state == .locked { break }
    }
    #expect(await device.isLocked)
    idling.cancel()
    await device.stop(flush: .zero)
  }

  @Test func theTimeWithoutCommandsIsLimited() throws {
    for minutes in ["-1", "1441", "five"] {
      #expect(throws: (any Error).self) {
        try Higgins.parseAsRoot(["agent", "--lock-after=\(minutes)"])
      }
    }
    let command = try Higgins.parseAsRoot(["agent"]) as? AgentCommand
    #expect(command?.lockAfter == 5)
  }

  /// A selector shows that a command locked it, and what it showed before once it is unlocked.
  @Test func aSelectorFollowsWhatCommandsDo() async throws {
    let profile = try TestProfile()
    try profile.write()
    let shown = "\(profile.home)/shown.txt"
    let driver = Driver(
      terminal: Canvas(size: Size(columns: 80, rows: 24)), folder: profile.folder,
      device: try Device.open(profile.folder), keymap: .standard, passphrasePath: nil)
    let script = try Script(
      parsing: """
        wait Locked
        type \(TestProfile.passphrase)
        press Enter
        wait unlocked
        save \(shown)
        wait by a command
        wait unlocked
        """)
    async let played: Void = driver.run(script: script, isAlone: true)
    while !FileManager.default.fileExists(atPath: shown) {
      _ = try await Self.launch(["status"], in: profile)
    }
    #expect(try await Self.launch(["lock"], in: profile) == 0)
    let right = TestConsole(secrets: [TestProfile.passphrase])
    #expect(try await Self.launch(["unlock"], in: profile, console: right) == 0)
    await played
    #expect(await driver.scriptFailure == nil)
  }
}

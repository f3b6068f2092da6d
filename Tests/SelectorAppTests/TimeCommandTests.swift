import ArgumentParser
import Foundation
import Storage
import Sync
import Testing
import Vault
import Wire

@testable import SelectorApp

/// Undo, the trash, the past, drafts and alarms on a real device whose server never answers.
@Suite(.serialized) struct TimeCommandTests {
  @discardableResult
  private static func run(
    _ line: [String], on device: Device, at console: TestConsole = TestConsole()
  ) async throws -> Int32 {
    let command = try #require(try Higgins.parseAsRoot(line) as? any DeviceCommand)
    return await Execution.run(command, on: device, console: console)
  }

  private static func output(_ line: [String], on device: Device) async throws -> String {
    let console = TestConsole()
    #expect(try await run(line, on: device, at: console) == 0, "\(console.errors)")
    return console.output
  }

  private static func set(_ value: String, on device: Device) async throws {
    let console = TestConsole(input: Array(value.utf8))
    let line = ["set", "a.example", "password", "-", "--no-sync"]
    #expect(try await run(line, on: device, at: console) == 0, "\(console.errors)")
  }

  private static func reopened(_ profile: TestProfile) async throws -> Device {
    let device = try Device.open(profile.folder)
    try await device.unlock(try Passphrase(utf8: Array(TestProfile.passphrase.utf8)))
    return device
  }

  @Test func undoTakesBackStepByStepAndAcrossARestart() async throws {
    var (profile, device) = try await TestProfile.device()
    try await Self.set("first", on: device)
    try await Self.set("second", on: device)
    try await Self.set("third", on: device)
    let dry = try await Self.output(["undo", "--dry-run", "--no-sync"], on: device)
    #expect(dry.hasPrefix("Would undo: a.example / password, changed "))
    #expect(try await Self.output(["get", "a", "password"], on: device) == "third")
    _ = try await Self.output(["undo", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "a", "password"], on: device) == "second")
    await device.stop(flush: .zero)
    device = try await Self.reopened(profile)
    let json = try await Self.output(["undo", "--no-sync", "--json"], on: device)
    #expect(json.contains("\"contextName\":\"a.example\""))
    #expect(try await Self.output(["get", "a", "password"], on: device) == "first")
    let redone = try await Self.output(["undo", "--redo", "--no-sync"], on: device)
    #expect(redone.hasPrefix("Redone: a.example / password, taken back "))
    #expect(try await Self.output(["get", "a", "password"], on: device) == "second")
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func nothingToUndoIsSaid() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole()
    #expect(try await Self.run(["undo"], on: device, at: console) == 2)
    #expect(console.errors == "higgins: There is nothing to undo. Nothing was changed.\n")
    #expect(try await Self.run(["undo", "--redo"], on: device, at: console) == 2)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func thePastIsShownByListShowGetAndHistory() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("old", on: device)
    try await Task.sleep(for: .milliseconds(5))
    let then = try Self.iso(Device.wallClock)
    try await Task.sleep(for: .milliseconds(5))
    try await Self.set("new", on: device)
    try await Self.run(["new", "b.example", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "a", "password", "--at", then], on: device) == "old")
    #expect(try await Self.output(["get", "a", "password"], on: device) == "new")
    let list = try await Self.output(["list", "--at", then], on: device)
    #expect(list.contains("a.example") && !list.contains("b.example"))
    let shown = try await Self.output(["show", "a", "--reveal", "--at", then], on: device)
    #expect(shown.contains("old") && !shown.contains("new"))
    let history = try await Self.output(
      ["history", "a", "--reveal", "--at", then, "--json"], on: device)
    #expect(history.contains("\"value\":\"old\"") && !history.contains("\"value\":\"new\""))
    let console = TestConsole()
    #expect(
      try await Self.run(["list", "--at", "2000-01-01"], on: device, at: console) == 0)
    #expect(console.errors.contains("no contexts then"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  /// As a person would write it, in UTC, with milliseconds.
  private static func iso(_ milliseconds: Int64) throws -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
    let fraction = "00\(milliseconds % 1000)".suffix(3)
    return "\(text).\(fraction)Z"
  }

  @Test(arguments: ["never", "2026-02-30", "2999-01-01"]) func noTimeIsAUsageError(_ text: String) {
    #expect(throws: (any Error).self) { try Higgins.parseAsRoot(["list", "--at", text]) }
  }

  @Test func theHistoryOfAContextHasNamesAndRemovedAttributes() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("hunter2", on: device)
    try await Self.run(["rename", "a.example", "b.example", "--no-sync"], on: device)
    try await Self.run(["rm", "b.example", "password", "--no-sync"], on: device)
    let lines = try await Self.output(["history", "b"], on: device)
    #expect(lines.contains("(name)") && lines.contains("a.example"))
    #expect(lines.contains("password") && lines.contains("(removed)"))
    #expect(!lines.contains("hunter2"))
    #expect(try await Self.output(["history", "b", "--reveal"], on: device).contains("hunter2"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func theTrashNamesWhatCanBeRestored() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("hunter2", on: device)
    try await Self.run(["rm", "a.example", "--no-sync"], on: device)
    let dry = try await Self.output(["undo", "--dry-run"], on: device)
    #expect(dry.hasPrefix("Would undo: a.example, removed "))
    let line = try await Self.output(["trash", "--json"], on: device)
    #expect(line.contains("\"name\":\"a.example\"") && line.contains("\"attributes\":1"))
    #expect(line.contains("\"expiresAt\":"))
    try await Self.run(["restore", "a", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "a", "password"], on: device) == "hunter2")
    #expect(try await Self.output(["trash", "--json"], on: device).isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  private static func draft(_ number: UInt8) -> Draft {
    Draft(
      id: Ids.make(number), form: .newContext, context: nil, attribute: nil, base: nil,
      fields: ["name": "half typ", "password": "hunter2"], at: 1000)
  }

  @Test func draftsSurviveAKilledProcessAndAreNeverCommitted() async throws {
    var (profile, device) = try await TestProfile.device()
    try await device.keep(Self.draft(7))
    try await device.keep(Self.draft(8))
    // Not closed: the file is as a killed process leaves it.
    try await device.abandonForTest()
    device = try await Self.reopened(profile)
    #expect(await device.drafts() == [Self.draft(7), Self.draft(8)])
    #expect(await device.contexts().isEmpty)
    let listed = try await Self.output(["drafts"], on: device)
    #expect(listed.contains("new context half typ  name") && !listed.contains("hunter2"))
    let json = try await Self.output(["drafts", "--reveal", "--json"], on: device)
    #expect(json.contains("hunter2"))
    #expect(try await Self.run(["drafts", "discard", "ff"], on: device) == 2)
    try await Self.run(["drafts", "discard", Ids.text(7)], on: device)
    #expect(await device.drafts() == [Self.draft(8)])
    try await Self.run(["drafts", "discard", "--all"], on: device)
    #expect(await device.drafts().isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func anAlarmIsToldListedAndClearedAndStandsAcrossARestart() async throws {
    let profile = try TestProfile()
    try profile.write()
    let store = try SQLiteStore(path: profile.folder.database, digest: { Digest32.sha256($0) })
    var transaction = Transaction()
    transaction.notices = [
      Notice(code: "rollback", text: "The server lost 41 changes.", at: 1000, isAlarm: true),
      Notice(code: "fork", text: "Two commits stand at one place.", at: 2000, isAlarm: true),
    ]
    try store.write(transaction)
    try store.close()
    var device = try await Self.reopened(profile)
    let console = TestConsole()
    #expect(try await Self.run(["list"], on: device, at: console) == 0)
    #expect(console.errors.contains("higgins: ALARM: The server lost 41 changes."))
    #expect(try await Self.run(["status", "--no-sync"], on: device) == 6)
    let lines = try await Self.output(["alarms", "--json"], on: device)
    #expect(
      lines.split(separator: "\n").first == """
        {"at":1000,"code":"rollback","text":"The server lost 41 changes."}
        """)
    #expect(try await Self.run(["alarms", "clear", "nothing"], on: device) == 2)
    try await Self.run(["alarms", "clear", "rollback"], on: device)
    #expect(await device.alarms().map(\.code) == ["fork"])
    await device.stop(flush: .zero)
    device = try await Self.reopened(profile)
    #expect(await device.alarms().map(\.code) == ["fork"])
    try await Self.run(["alarms", "clear"], on: device)
    #expect(try await Self.run(["status", "--no-sync"], on: device) == 0)
    await device.stop(flush: .zero)
  }
}

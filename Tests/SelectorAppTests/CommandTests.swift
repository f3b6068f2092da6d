import ArgumentParser
import Foundation
import Selector
import Storage
import Sync
import Testing
import Vault

@testable import SelectorApp

/// Commands on a real device whose server never answers.
@Suite(.serialized) struct CommandTests {
  /// Runs a command line; its exit code.
  @discardableResult
  private static func run(
    _ line: [String], on device: Device, at console: TestConsole = TestConsole()
  ) async throws -> Int32 {
    let command = try #require(try Higgins.parseAsRoot(line) as? any DeviceCommand)
    return await Execution.run(command, on: device, console: console)
  }

  /// What a command line prints.
  private static func output(_ line: [String], on device: Device) async throws -> String {
    let console = TestConsole()
    #expect(try await run(line, on: device, at: console) == 0, "\(console.errors)")
    return console.output
  }

  private static func set(
    _ context: String, _ attribute: String, _ value: String, on device: Device,
    _ more: [String] = []
  ) async throws {
    let console = TestConsole(input: Array(value.utf8))
    let line = ["set", context, attribute, "-", "--no-sync"] + more
    #expect(try await run(line, on: device, at: console) == 0, "\(console.errors)")
  }

  /// Both find that there is none, and both would make one.
  @Test func twoCommandsAtOnceDoNotMakeOneAttributeTwice() async throws {
    let (_, device) = try await TestProfile.device()
    let line = ["set", "github.example", "password", "-", "--no-sync"]
    let slow = TestConsole(input: Array("second".utf8)) { () async throws in
      let quick = TestConsole(input: Array("first".utf8))
      #expect(try await Self.run(line, on: device, at: quick) == 0)
    }
    #expect(try await Self.run(line, on: device, at: slow) == 0)
    let contexts = await device.contexts()
    #expect(contexts.count == 1 && contexts[0].attributes.count == 1)
    #expect(contexts[0].attributes[0].text == "second")
  }

  @Test func aValueIsSetChangedShownAndRemembered() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("github.example", "username", "ann\n", on: device)
    try await Self.set("github.example", "password", "old\n", on: device)
    try await Self.set("github.example", "password", "new\r\n", on: device)
    #expect(try await Self.output(["get", "github", "pass"], on: device) == "new")
    let shown = try await Self.output(["show", "github"], on: device)
    #expect(
      shown == """
        github.example  (account)
          username  ann  (not sent yet)
          password  ••••••••  (not sent yet)

        """)
    let revealed = try await Self.output(["show", "github", "--reveal", "--json"], on: device)
    #expect(revealed.contains("\"value\":\"new\""))
    let history = try await Self.output(
      ["history", "github", "password", "--reveal", "--json"], on: device)
    #expect(history.contains("\"value\":\"old\"") && history.contains("\"value\":\"new\""))
    #expect(history.split(separator: "\n").count == 2)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aValueKeepsItsNewlinesButTheLast() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("note", "text", "one\ntwo\n\n", on: device)
    #expect(try await Self.output(["get", "note", "text"], on: device) == "one\ntwo\n")
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func whatIsNoValueIsRefusedAndNothingChanges() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "password", "kept", on: device)
    let inputs: [[UInt8]] = [
      [], [0x0a], [0xff, 0xfe], [UInt8](repeating: 0x61, count: 70_000),
    ]
    for input in inputs {
      let console = TestConsole(input: input)
      #expect(
        try await Self.run(["set", "a", "password", "-", "--no-sync"], on: device, at: console)
          == 1)
      #expect(console.errors.hasPrefix("higgins: "))
    }
    let noSecret = TestConsole(input: Array("not base 32 !".utf8))
    #expect(
      try await Self.run(
        ["set", "a", "otp", "-", "--type", "totp", "--no-sync"], on: device, at: noSecret) == 1)
    #expect(try await Self.output(["get", "a", "password"], on: device) == "kept")
    #expect(await device.contexts().first?.attributes.count == 1)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func typeAndMaskingCanChangeWithTheValue() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a", "number", "123", on: device)
    try await Self.set("a", "number", "456", on: device, ["--type", "card"])
    let first = try #require(await device.contexts().first?.attributes.first)
    #expect(first.kind == .card && !first.isConcealed && first.text == "456")
    try await Self.set("a", "number", "456", on: device, ["--concealed"])
    #expect(await device.contexts().first?.attributes.first?.isConcealed == true)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func contextsAreMadeRenamedRemovedAndRestored() async throws {
    let (profile, device) = try await TestProfile.device()
    let made = try await Self.output(
      ["new", "bank.example", "--json", "--no-sync"], on: device)
    #expect(made.contains("\"name\":\"bank.example\""))
    #expect(try await Self.run(["new", "bank.example", "--no-sync"], on: device) == 1)
    try await Self.run(["rename", "bank", "my bank", "--no-sync"], on: device)
    try await Self.set("my bank", "pin", "1234", on: device)
    try await Self.run(
      ["rename", "my bank", "card pin", "--attribute", "pin", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "my bank", "card pin"], on: device) == "1234")
    try await Self.run(["rm", "my bank", "--no-sync"], on: device)
    #expect(try await Self.output(["list", "--json"], on: device).isEmpty)
    #expect(try await Self.output(["trash"], on: device).hasPrefix("my bank  "))
    #expect(try await Self.run(["get", "my bank", "card pin"], on: device) == 2)
    try await Self.run(["restore", "my", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "my bank", "card pin"], on: device) == "1234")
    try await Self.run(["rm", "my bank", "card pin", "--no-sync"], on: device)
    #expect(try await Self.run(["get", "my bank", "card pin"], on: device) == 2)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func listNarrowsAndCounts() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("github.example", "username", "ann", on: device)
    try await Self.set("mail.example", "email", "ann@mail.example", on: device)
    let all = try await Self.output(["list", "--json"], on: device)
    #expect(all.split(separator: "\n").count == 2)
    let some = try await Self.output(["list", "GIT"], on: device)
    #expect(some.hasPrefix("github.example  account  1 attribute  20"))
    #expect(some.split(separator: "\n").count == 1)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aChangeThatHasToWaitIsNoFailure() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole(input: Array("v".utf8))
    #expect(try await Self.run(["set", "a", "b", "-"], on: device, at: console) == 0)
    #expect(console.output.isEmpty)
    #expect(console.errors.hasPrefix("1 change waits for the server. The server cannot be"))
    #expect(console.errors.split(separator: "\n").count == 1)
    let sync = TestConsole()
    #expect(try await Self.run(["sync"], on: device, at: sync) == 4)
    let status = TestConsole()
    #expect(try await Self.run(["status", "--json"], on: device, at: status) == 0)
    #expect(status.output.contains("\"state\":\"offline\""))
    #expect(status.output.contains("\"waiting\":1"))
    #expect(status.output.contains("\"account\":\"ann\""))
    #expect(status.output.contains("\"name\":\"home pc\""))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aGeneratedValueIsSetAndNotPrinted() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole()
    #expect(
      try await Self.run(
        ["generate", "--length", "32", "--no-sync", "--set", "a.example", "password"],
        on: device, at: console) == 0)
    #expect(console.output.isEmpty)
    let value = try await Self.output(["get", "a.example", "password"], on: device)
    #expect(value.count == 32)
    #expect(!console.errors.contains(value))
    // The same is asked for again where nothing is said.
    let again = ["generate", "--no-sync", "--set", "a.example", "password"]
    #expect(try await Self.run(again, on: device, at: console) == 0)
    let next = try await Self.output(["get", "a.example", "password"], on: device)
    #expect(next.count == 32 && next != value)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func oneTimeCodesAndCopies() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "otp", "JBSWY3DPEHPK3PXP", on: device)
    try await Self.set("a.example", "password", "hunter2", on: device)
    let code = try await Self.output(["otp", "a"], on: device)
    #expect(code.count == 6 && code.allSatisfy(\.isNumber))
    #expect(try await Self.run(["otp", "nobody"], on: device) == 2)
    let console = TestConsole()
    #expect(try await Self.run(["copy", "a", "password"], on: device, at: console) == 0)
    #expect(console.copied == "hunter2")
    #expect(!(console.output + console.errors).contains("hunter2"))
    #expect(
      console.errors == "a.example / password: copied with a pencil, cleared in 45 s.\n")
    #expect(try await Self.run(["copy", "a", "otp"], on: device, at: console) == 0)
    #expect(console.copied?.count == 6 && console.copied?.allSatisfy(\.isNumber) == true)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func exportingToATerminalIsAskedFor() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "password", "hunter2", on: device)
    let no = TestConsole(isTerminal: true, answers: [""])
    #expect(try await Self.run(["export", "json"], on: device, at: no) == 1)
    #expect(no.output.isEmpty)
    let yes = TestConsole(isTerminal: true, answers: ["y"])
    #expect(try await Self.run(["export", "json"], on: device, at: yes) == 0)
    #expect(yes.output.contains("hunter2"))
    let piped = TestConsole()
    #expect(try await Self.run(["export", "bitwarden"], on: device, at: piped) == 0)
    #expect(piped.prompts.isEmpty && piped.output.contains("hunter2"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func whatIsNoImportChangesNothing() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole(files: ["f": Array("[]".utf8)])
    #expect(
      try await Self.run(["import", "bitwarden", "f"], on: device, at: console) == 1)
    #expect(console.errors.contains("Nothing was imported."))
    #expect(try await Self.run(["import", "bitwarden", "gone"], on: device, at: console) == 1)
    #expect(await device.contexts().isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func otherProgramsFilesAreImportedAndCounted() async throws {
    let (profile, device) = try await TestProfile.device()
    let table =
      "name,url,username,password\n"
      + (1...600).map { "site \($0),https://\($0).example,ann,secret \($0)\n" }.joined()
    let console = TestConsole(files: ["f": Array(table.utf8)])
    let events = await device.events()
    #expect(try await Self.run(["import", "csv", "f", "--no-sync"], on: device, at: console) == 0)
    #expect(
      console.output
        == "Imported 600 contexts (600 logins) with 1800 attributes and 0 earlier values.\n")
    await device.stop(flush: .zero)
    var counted: [Int?] = []
    for await case .progress(let progress) in events { counted.append(progress?.done) }
    #expect(counted == [250, 500, 250, 500, nil])
    withExtendedLifetime(profile) {}
  }

  @Test func signalsOutliveTheProgramSealed() async throws {
    let profile = try TestProfile()
    try profile.write()
    let passphrase = { try Passphrase(utf8: Array(TestProfile.passphrase.utf8)) }
    let entry = SignalEntry(at: 7, who: "mobile", verb: "changed", what: "canary.example")
    let first = try Device.open(profile.folder)
    try await first.unlock(try passphrase())
    try await first.keep([entry])
    try await first.lock()
    #expect(await first.signals().isEmpty)
    await first.stop(flush: .zero)
    let disk = try Data(contentsOf: URL(fileURLWithPath: profile.folder.database))
    #expect(disk.range(of: Data("canary".utf8)) == nil)
    let second = try Device.open(profile.folder)
    #expect(await second.signals().isEmpty)
    try await second.unlock(try passphrase())
    #expect(await second.signals() == [entry])
    await second.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aConflictPrintsTheNewestAndExitsFiveUntilResolved() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "password", "first", on: device)
    let context = try #require(await device.contexts().first)
    let base = context.attributes[0].heads.map(\.id)
    try await Self.set("a.example", "password", "second", on: device)
    // A form that was opened before the second value came.
    try await device.save(
      [.setValue(context.id, context.attributes[0].id, text: "third", base: base)],
      immediately: true)
    let console = TestConsole()
    #expect(try await Self.run(["get", "a", "password"], on: device, at: console) == 5)
    #expect(console.output == "third")
    #expect(console.errors.hasPrefix("higgins: a.example / password has 2 values;"))
    let conflict = try #require(ConflictRecord.all(in: await device.contexts()).first)
    #expect(conflict.values.count == 2)
    let concealed = try await Self.output(["conflicts"], on: device)
    #expect(!concealed.contains("second") && !concealed.contains("third"))
    let revealed = try await Self.output(["conflicts", "--reveal"], on: device)
    #expect(revealed.contains("  second") && revealed.contains("  third"))
    let second = try #require(
      await device.contexts().first?.attributes[0].heads.first { $0.text == "second" })
    try await Self.run(
      ["resolve", "a", "password", "--keep", "\(second.id)", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "a", "password"], on: device) == "second")
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func twoLabelsOfAnAttributeAreListedAndOneIsKept() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "pin", "1234", on: device)
    let context = try #require(await device.contexts().first)
    let attribute = context.attributes[0]
    for label in ["code", "number"] {
      try await device.save(
        [
          .describeAttribute(
            context.id, attribute.id, label: label, kind: .text, isConcealed: true,
            base: attribute.description)
        ], immediately: true)
    }
    let lines = try await Self.output(["conflicts"], on: device)
    #expect(lines.contains("a.example / ") && lines.contains("(label)"))
    #expect(lines.contains("code") && lines.contains("number"))
    let conflict = try #require(ConflictRecord.all(in: await device.contexts()).first)
    let kept = try #require(conflict.values.first { $0.text == "code" })
    #expect(
      try await Self.run(["resolve", "a", conflict.label ?? "", "--both"], on: device) == 64)
    try await Self.run(
      ["resolve", "a", conflict.label ?? "", "--keep", "\(kept.id)", "--no-sync"], on: device)
    #expect(try await Self.output(["get", "a", "code"], on: device) == "1234")
    #expect(try await Self.output(["conflicts", "--json"], on: device).isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func nothingToResolveIsSaid() async throws {
    let (profile, device) = try await TestProfile.device()
    try await Self.set("a.example", "password", "hunter2", on: device)
    #expect(try await Self.run(["resolve", "a", "password", "--both"], on: device) == 2)
    #expect(try await Self.run(["resolve", "a", "--keep", "00"], on: device) == 2)
    #expect(try await Self.output(["conflicts", "--json"], on: device).isEmpty)
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }
}

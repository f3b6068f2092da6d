import Foundation
import Storage
import Synchronization
import Testing
import Vault

@testable import SelectorApp

@Suite struct ConsoleTests {
  private static func typed(_ keys: [UInt8?]) -> (String, SecretLine.Step) {
    var line = SecretLine()
    var step = SecretLine.Step.more
    for key in keys {
      step = line.take(key)
      if step != .more { break }
    }
    return (String(decoding: line.bytes, as: UTF8.self), step)
  }

  @Test func secretKeysEditTheLine() {
    let keys = { (text: String) in text.utf8.map(Optional.some) }
    #expect(Self.typed(keys("ab\n")) == ("ab", .done))
    #expect(Self.typed(keys("ab\r")) == ("ab", .done))
    #expect(Self.typed(keys("aé") + [0x7f, 0x0a]) == ("a", .done))
    #expect(Self.typed(keys("abc") + [0x08, 0x08, 0x0a]) == ("a", .done))
    #expect(Self.typed(keys("wrong") + [0x15] + keys("right\n")) == ("right", .done))
    #expect(Self.typed([0x7f, 0x0a]) == ("", .done))
    #expect(Self.typed(keys("ab") + [0x03]).1 == .interrupted)
    #expect(Self.typed(keys("ab") + [nil]) == ("ab", .done))
  }

  @Test func aLineHasALimit() {
    var line = SecretLine()
    for _ in 0..<(TerminalLine.limitBytes + 10) { _ = line.take(0x61) }
    #expect(line.bytes.count == TerminalLine.limitBytes)
  }

  /// A pseudo terminal: the side a person types at, and the side a program reads.
  private static func terminal() throws -> (person: Int32, program: Int32) {
    var person: Int32 = -1
    var program: Int32 = -1
    guard openpty(&person, &program, nil, nil, nil) == 0 else {
      throw ConsoleError.noTerminal("a test")
    }
    return (person, program)
  }

  /// What came to the screen; waits for something, on a thread that may wait.
  private static func seen(by person: Int32) async throws -> String {
    try await SystemConsole.waiting { _ in
      String(decoding: try Descriptor.read(person, upTo: 100), as: UTF8.self)
    }
  }

  @Test func aSecretIsReadWithoutEchoAndTheTerminalPutRight() async throws {
    let (person, program) = try Self.terminal()
    defer {
      close(person)
      close(program)
    }
    var before = termios()
    tcgetattr(program, &before)
    async let answer = SystemConsole.waiting { isCancelled in
      try TerminalLine(descriptor: program, isCancelled: isCancelled).secret("Passphrase: ")
    }
    // The prompt is written after the echo is off; what is typed from then on is not shown.
    var screen = ""
    while !screen.contains("Passphrase: ") {
      screen += try await Self.seen(by: person)
    }
    try Descriptor.write(Array("hunter2\r".utf8), to: person)
    #expect(try await answer == Array("hunter2".utf8))
    screen += try await Self.seen(by: person)
    #expect(!screen.contains("hunter"))
    var after = termios()
    tcgetattr(program, &after)
    #expect(after.c_lflag == before.c_lflag)
  }

  @Test func interruptingASecretPutsTheTerminalRight() async throws {
    let (person, program) = try Self.terminal()
    defer {
      close(person)
      close(program)
    }
    let task = Task {
      try await SystemConsole.waiting { isCancelled in
        try TerminalLine(descriptor: program, isCancelled: isCancelled).secret("> ")
      }
    }
    _ = try await Self.seen(by: person)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    var after = termios()
    tcgetattr(program, &after)
    #expect(after.c_lflag & tcflag_t(ECHO) != 0)
  }

  @Test func aQuestionIsAnsweredByYesOnly() async throws {
    for (answer, isYes) in [("y", true), ("YES", true), ("", false), ("n", false), ("yep", false)] {
      let console = TestConsole(answers: [answer])
      #expect(try await console.confirm("Go on?") == isYes)
      #expect(console.prompts == ["Go on? [y/N] "])
    }
  }

  @Test func namesCannotReachTheTerminalsControls() async throws {
    let console = TestConsole()
    try await console.line("a\u{1b}[2Jb")
    #expect(console.output == "a␛[2Jb\n")
  }

  @Test func theFirstLineOfAPassphraseFileCounts() async throws {
    let profile = try TestProfile()
    let path = try profile.file("p", "secret words\nremark\n")
    #expect(throws: Never.self) { try PassphraseSource.read(path) }
    let empty = try profile.file("e", "\nsecret\n")
    #expect(throws: Failure.self) { try PassphraseSource.read(empty) }
  }

  @Test func aPassphraseFileOthersCanReadIsRefused() throws {
    let profile = try TestProfile()
    let path = try profile.file("p", "secret\n", mode: 0o644)
    do {
      _ = try PassphraseSource.read(path)
      Issue.record("it was read")
    } catch let failure as Failure {
      #expect(failure.code == .failed)
      #expect(failure.sentence.hasPrefix("The passphrase file \(path) was not used:"))
      #expect(!failure.sentence.contains("secret"))
    }
  }

  @Test func aNewPassphraseIsTypedTwiceAlike() async throws {
    let same = TestConsole(secrets: ["one, two", "one, two"])
    _ = try await PassphraseSource(path: nil, console: same).new()
    #expect(same.prompts == ["New passphrase: ", "The same again: "])
    let other = TestConsole(secrets: ["one, two", "one, too"])
    await #expect(throws: Failure.self) {
      try await PassphraseSource(path: nil, console: other).new()
    }
  }

  /// Seven characters of eight bytes.
  @Test func aShortNewPassphraseIsRefused() async throws {
    let short = TestConsole(secrets: ["sécret!", "sécret!"])
    let failure = await #expect(throws: Failure.self) {
      try await PassphraseSource(path: nil, console: short).new()
    }
    #expect(failure?.sentence.hasPrefix("A passphrase has at least 8 characters") == true)
  }

  @Test func aServiceManagersCredentialIsThePassphrase() async throws {
    let profile = try TestProfile()
    let path = try profile.file("higgins.passphrase", "correct horse battery staple\n")
    let folder = String(path.dropLast("/higgins.passphrase".count))
    let environment = ["CREDENTIALS_DIRECTORY": folder]
    let source = PassphraseSource(
      path: nil, console: TestConsole(), environment: environment)
    _ = try await source.existing()
    // A file that was named counts more.
    let other = try profile.file("other", "another one\n", mode: 0o644)
    await #expect(throws: Failure.self) {
      try await PassphraseSource(
        path: other, console: TestConsole(), environment: environment
      ).existing()
    }
    chmod(path, 0o644)
    await #expect(throws: Failure.self) { try await source.existing() }
  }

  @Test func withoutATerminalThePassphraseFileIsNamed() async {
    do {
      _ = try await PassphraseSource(path: nil, console: TestConsole()).existing()
      Issue.record("there was a passphrase")
    } catch {
      #expect(Failure(error).code == .locked)
      #expect(Failure(error).sentence.contains("--passphrase-file"))
    }
  }

  @Test func filesAreReadUpToTheirLimitAndNotReplaced() async throws {
    let profile = try TestProfile()
    let path = try profile.file("f", "12345")
    let console = SystemConsole()
    #expect(try await console.read(.file(path), limitBytes: 5) == Array("12345".utf8))
    await #expect(throws: ConsoleError.tooLong(path, limit: 4)) {
      try await console.read(.file(path), limitBytes: 4)
    }
    await #expect(throws: ConsoleError.exists(path)) {
      try await console.writeFile(path, [], replacing: false)
    }
    try await console.writeFile(path, [0x61], replacing: true)
    #expect(try await console.read(.file(path), limitBytes: 5) == [0x61])
    await #expect(throws: ConsoleError.file("/no/file", operation: "Opening", code: ENOENT)) {
      try await console.read(.file("/no/file"), limitBytes: 5)
    }
  }
}

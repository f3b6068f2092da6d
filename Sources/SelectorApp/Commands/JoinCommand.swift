import ArgumentParser
import Foundation
import Storage
import Sync
import Transport
import Vault

struct JoinCommand: AsyncParsableCommand, Sendable {
  /// What a service manager's credential with the pairing code is called.
  private static let credential = "higgins.code"
  /// 4 KiB: a pairing code or a kit with much space around.
  private static let codeBytes = 4 * 1024
  /// How long nothing may move in the first synchronisation before the command ends; the rest comes
  /// later.
  static let firstSync = Duration.seconds(20)

  static let configuration = CommandConfiguration(
    commandName: "join",
    abstract: "Make this another device of an account.",
    discussion: """
      EXAMPLE: higgins join --device "work pc"

      Asks for the code that `higgins devices pair` prints on a device of the account, or reads it \
      from standard input. When every device is lost, the recovery kit and the passphrase do instead: \
      higgins join --kit-file ~/higgins-kit --server https://sync.example --account ann

      As a service without a terminal: systemd's LoadCredential= hands over the code as higgins.code, \
      and the passphrase, to every command, as higgins.passphrase.
      """)

  @Option(
    help: ArgumentHelp(
      "What others see this device as (default: its host name).", valueName: "name"))
  var device: String?

  @Option(help: ArgumentHelp("Read the code from this open file descriptor.", valueName: "number"))
  var codeFd: Int32?

  @Option(
    help: ArgumentHelp("Recover with the kit in this file and the passphrase.", valueName: "file"),
    completion: .file())
  var kitFile: String?

  @Option(help: ArgumentHelp("With --kit-file: the Attribute Server's address.", valueName: "url"))
  var server: String?

  @Option(help: ArgumentHelp("With --kit-file: the account's name there.", valueName: "name"))
  var account: String?

  @OptionGroup var serverKey: ServerKeyOption
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard kitFile != nil else {
      guard server == nil, account == nil, serverKey.serverKey == nil else {
        throw ValidationError(
          "--server, --server-key and --account go with --kit-file; a code names its server.")
      }
      return
    }
    guard server != nil, account != nil else {
      throw ValidationError("--kit-file needs --server URL and --account NAME.")
    }
    guard codeFd == nil else {
      throw ValidationError("--code-fd does not go with --kit-file.")
    }
  }

  func run() async throws {
    let console = SystemConsole()
    let code = await Execution.reporting(console) {
      try await self.join(at: console)
      return 0
    }
    try Execution.exitIfFailed(code)
  }

  func join(at console: any Console) async throws {
    let folder = try options.folder()
    guard !folder.exists else { throw DeviceError.alreadyAProfile }
    let source = PassphraseSource(path: options.passphrasePath(), console: console)
    let name = device ?? DeviceNaming.standard
    let passphrase: Passphrase
    if let kitFile, let server, let account {
      let address = try ServerAddress(server)
      let pin = try await Execution.settingUp {
        try await serverKey.pin(of: address, at: console)
      }
      let kit = try Self.text(try SecureFile.read(kitFile, limitBytes: Self.codeBytes))
      passphrase = try await source.existing()
      try await Execution.settingUp {
        try await Onboarding.recover(
          folder: folder, server: server, pin: pin, account: account, device: name,
          passphrase: passphrase, kit: kit)
      }
    } else {
      let code = try await self.code(at: console)
      passphrase = try await source.new()
      try await Execution.settingUp {
        try await Onboarding.join(
          folder: folder, code: code, device: name, passphrase: passphrase,
          showWords: { await Self.show($0, at: console) })
      }
    }
    try await fetch(folder, passphrase, at: console)
  }

  /// Who has nothing but the kit cannot know whether the server shows the newest state; a person
  /// may remember.
  static func text(newest: (at: Int64, device: String)?) -> String {
    let what = newest.map { "of \(Lines.time($0.at)) by \($0.device)" } ?? "there is none"
    return "The newest change in this account: \(what). If you remember a later one, the server"
      + " shows an old state; only another device can prove what is newest."
  }

  private static func show(_ words: [String], at console: any Console) async {
    // Joining goes on without a reader: the other device decides.
    try? await console.note("The other screen must show: \(words.joined(separator: " "))")
  }

  private func code(at console: any Console) async throws -> String {
    let text: String
    if let codeFd {
      text = try Self.text(try await read(codeFd))
    } else if let bytes = try SecureFile.readCredential(
      Self.credential, limitBytes: Self.codeBytes,
      environment: ProcessInfo.processInfo.environment)
    {
      text = try Self.text(bytes)
    } else if console.isInputTerminal {
      text = try await console.ask("Pairing code: ")
    } else {
      text = try Self.text(try await console.read(.input, limitBytes: Self.codeBytes))
    }
    let code = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !code.isEmpty else {
      throw Failure(
        .usage,
        "There is no pairing code. Print one with `higgins devices pair` on a device of the"
          + " account.")
    }
    return code
  }

  private func read(_ descriptor: Int32) async throws -> [UInt8] {
    try await SystemConsole.waiting { isCancelled in
      var bytes: [UInt8] = []
      // Up to the end of the line: whoever holds the other end may keep it open.
      while bytes.count < Self.codeBytes, bytes.last != 0x0a {
        try Descriptor.waitForInput(descriptor, isCancelled: isCancelled)
        do {
          let byte = try Descriptor.read(descriptor, upTo: 1)
          guard !byte.isEmpty else { break }
          bytes += byte
        } catch {
          throw ConsoleError.file(
            "descriptor \(descriptor)", operation: "Reading",
            code: (error as? Descriptor.Errno)?.code ?? EBADF)
        }
      }
      return bytes
    }
  }

  /// The first line with anything on it.
  private static func text(_ bytes: [UInt8]) throws -> String {
    String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      .first.map(String.init) ?? ""
  }

  /// The new device begins with what the account has: the newest snapshot and what came after. Goes
  /// on as long as something comes, and says on stderr how far it is.
  private func fetch(
    _ folder: ProfileFolder, _ passphrase: Passphrase, at console: any Console
  ) async throws {
    try await console.note("This is a device of the account now.")
    let device = try Device.open(folder)
    // A snapshot is merged only while it can be read.
    try await device.unlock(passphrase)
    let reporting = Self.report(await device.events(), at: console)
    await device.start(push: false)
    let outcome = await device.synchronise(untilNothingMovesFor: Self.firstSync)
    reporting.cancel()
    let newest = await device.newestChange
    await device.stop(flush: .zero)
    if kitFile != nil { try await console.note(Self.text(newest: newest)) }
    switch outcome {
    case .confirmed: return
    case .waiting(let reason, _): try await console.note("Its contexts come later: \(reason)")
    case .alarm(let text): throw Failure(.alarm, text)
    case .deleted: throw DeviceError.deleted(text: await device.deletionText)
    }
  }

  /// A line each second at the most.
  private static func report(
    _ events: AsyncStream<DeviceEvent>, at console: any Console
  ) -> Task<Void, Never> {
    Task {
      var next = Device.wallClock
      for await event in events {
        guard case .progress(let progress?) = event, !Task.isCancelled else { continue }
        let now = Device.wallClock
        guard now >= next || progress.done == progress.total else { continue }
        next = now + 1000
        // Joining goes on without a reader.
        try? await console.note("\(progress.what) \(progress.done) of \(progress.total)")
      }
    }
  }
}

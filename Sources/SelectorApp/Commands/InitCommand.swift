import ArgumentParser
import Foundation
import Storage
import Transport

struct InitCommand: AsyncParsableCommand, Sendable {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Create an account with this as its first device.",
    discussion: """
      EXAMPLE: higgins init --server https://sync.example --account ann --kit-file ~/higgins-kit

      Prints the recovery kit once. With the kit and the passphrase another device can be made when \
      every device is lost; nobody can help without them. Keep it on paper.
      """)

  @Option(help: ArgumentHelp("The Attribute Server's address.", valueName: "url"))
  var server: String

  @Option(help: ArgumentHelp("The account's name on that server.", valueName: "name"))
  var account: String

  @Option(
    help: ArgumentHelp(
      "What others see this device as (default: its host name).", valueName: "name"))
  var device: String?

  @Option(help: ArgumentHelp("The code the server's operator gave you.", valueName: "code"))
  var invite: String?

  @Option(
    help: ArgumentHelp("Write the kit to this new file instead.", valueName: "file"),
    completion: .file())
  var kitFile: String?

  @OptionGroup var serverKey: ServerKeyOption
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let console = SystemConsole()
    let code = await Execution.reporting(console) {
      try await self.create(at: console)
      return 0
    }
    try Execution.exitIfFailed(code)
  }

  func create(at console: any Console) async throws {
    let folder = try options.folder()
    guard !folder.exists else { throw DeviceError.alreadyAProfile }
    let address = try ServerAddress(server)
    if let kitFile, SecureFile.exists(kitFile) { throw ConsoleError.exists(kitFile) }
    let pin = try await Execution.settingUp {
      try await serverKey.pin(of: address, at: console)
    }
    let passphrase = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .new()
    let kit = try await Execution.settingUp {
      try await Onboarding.create(
        folder: folder, server: server, pin: pin, account: account,
        device: device ?? DeviceNaming.standard,
        passphrase: passphrase, invite: invite)
    }
    try await hand(over: kit, at: console)
  }

  private func hand(over kit: String, at console: any Console) async throws {
    guard let kitFile else { return try await show(kit, at: console) }
    do {
      try await console.writeFile(kitFile, Array((kit + "\n").utf8), replacing: false)
    } catch {
      // The account is there now, and the kit exists nowhere else.
      try await show(kit, at: console)
      throw error
    }
    try await console.note("The account is made. The recovery kit is in \(kitFile); print it.")
  }

  private func show(_ kit: String, at console: any Console) async throws {
    try await console.note("The account is made. This is its recovery kit; write it down:")
    try await console.line(kit)
  }
}

/// What a device is called when nobody says.
enum DeviceNaming {
  static var standard: String {
    let name = ProcessInfo.processInfo.hostName
    return name.isEmpty ? "computer" : String(name.prefix { $0 != "." })
  }
}

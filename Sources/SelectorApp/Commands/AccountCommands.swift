import ArgumentParser
import Storage
import Sync
import Vault
import Wire

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account",
    abstract: "Show the account, or delete it on all devices.",
    discussion: "EXAMPLE: higgins account",
    subcommands: [
      AccountShowCommand.self, AccountDeleteCommand.self, AccountEraseCommand.self,
    ],
    defaultSubcommand: AccountShowCommand.self)
}

struct AccountShowCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the account's name, where it is kept, and whether it still is.",
    discussion: "EXAMPLE: higgins account --json")

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let record = AccountRecord(
      name: await device.accountName() ?? "", id: device.settings.account.description,
      server: device.settings.server, devices: await device.nameable.count,
      deleted: await device.core.isEnded)
    if output.json { return try await console.record(record) }
    try await console.line(
      Lines.table([
        ["account", record.name], ["id", record.id], ["server", record.server],
        ["devices", "\(record.devices)"], ["state", record.deleted ? "deleted" : "in use"],
      ]))
  }
}

/// What `account` prints.
struct AccountRecord: Encodable {
  let name: String
  let id: String
  let server: String
  let devices: Int
  let deleted: Bool
}

struct AccountDeleteCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete the account: the server erases everything, for good.",
    discussion: """
      EXAMPLE: higgins account delete

      Asks for the account's name and for the passphrase. Nobody can bring it back. Each device \
      keeps the copy it has, to read and to export but not to change, until you run `higgins account \
      erase` on it. A server's backups may hold what was sealed until they are overwritten.
      """)

  @Option(help: ArgumentHelp("The account's name, instead of the question.", valueName: "account"))
  var name: String?

  @Flag(help: "Erase the copy on this device, too.")
  var erase = false

  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }
  var erases: Bool { erase }

  func run(on device: Device, console: any Console) async throws {
    await device.start(push: false)
    let devices = await device.nameable.count
    let what = devices == 1 ? "this device" : "all \(devices) devices"
    let name = try await AccountName.confirm(
      name, "This deletes the account for \(what), and cannot be undone.", of: device,
      at: console)
    let passphrase = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .existing("Passphrase again: ")
    try await device.deleteAccount(named: name, passphrase: passphrase)
    guard erase else {
      return try await console.note(
        "The account is deleted; the server has nothing of it. The copies on your devices can still"
          + " be read: `higgins account erase` removes each.")
    }
    try await device.erase(named: name)
    try await console.note("The account is deleted, and its copy on this device is erased.")
  }
}

struct AccountEraseCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase",
    abstract: "Erase this device's copy of an account that was deleted.",
    discussion: """
      EXAMPLE: higgins account erase

      Asks for the account's name. Keys, values and history go; what this device had not sent \
      before the account was deleted is nowhere else.
      """)

  @Option(help: ArgumentHelp("The account's name, instead of the question.", valueName: "account"))
  var name: String?

  @OptionGroup var options: GlobalOptions

  var erases: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    guard await device.core.isEnded else { throw DeviceError.notDeleted }
    let name = try await AccountName.confirm(
      name, "This erases what is left of the account on this device.", of: device, at: console)
    try await device.erase(named: name)
    try await console.note("The copy of the deleted account on this device is erased.")
  }
}

/// The question that nobody answers by habit.
enum AccountName {
  static func confirm(
    _ given: String?, _ consequence: String, of device: Device, at console: any Console
  ) async throws -> String {
    guard let wanted = await device.accountName() else { throw DeviceError.locked }
    let name: String
    if let given {
      name = given
    } else {
      try await console.note(consequence)
      name = try await console.ask("Type the account's name (\(wanted)) to go on: ")
    }
    guard name == wanted else { throw DeviceError.anotherName }
    return name
  }
}

import ArgumentParser
import Storage
import Vault
import Testing

@testable import SelectorApp

@Suite struct ArgumentTests {
  private static let lines: [(String, any ParsableCommand.Type)] = [
    ("", Higgins.self), ("list", ListCommand.self), ("list github --json", ListCommand.self),
    ("show c --reveal --json", ShowCommand.self), ("get c a", GetCommand.self),
    ("set c a", SetCommand.self), ("set c a -", SetCommand.self),
    ("set c a - --type totp --shown --no-sync", SetCommand.self),
    ("set c a --concealed", SetCommand.self), ("new c --kind card --json", NewCommand.self),
    ("rm c", RemoveCommand.self), ("rm c a --no-sync", RemoveCommand.self),
    ("rename c d", RenameCommand.self), ("rename c d --attribute a", RenameCommand.self),
    ("trash --json", TrashCommand.self), ("restore c", RestoreCommand.self),
    ("generate", GenerateCommand.self),
    ("generate --length 24 --no-symbols --no-look-alikes", GenerateCommand.self),
    ("generate --words 6", GenerateCommand.self), ("generate --pin", GenerateCommand.self),
    ("generate --classes lower,digits --bits", GenerateCommand.self),
    ("generate --words 4 --separator .", GenerateCommand.self),
    ("generate --length 24 --set c a", GenerateCommand.self), ("otp c", OneTimeCodeCommand.self),
    ("otp c a", OneTimeCodeCommand.self), ("copy c a --clear 10", CopyCommand.self),
    ("history c", HistoryCommand.self), ("history c a --reveal --json", HistoryCommand.self),
    ("conflicts --json", ConflictsCommand.self), ("resolve c a --keep 3f", ResolveCommand.self),
    ("resolve c a --both", ResolveCommand.self), ("resolve c --keep 3f", ResolveCommand.self),
    ("import bitwarden f.json --json", ImportCommand.self),
    ("import bitwarden -", ImportCommand.self), ("import pass store", ImportCommand.self),
    ("export json", ExportCommand.self),
    ("export bitwarden f.json --force", ExportCommand.self),
    ("init --server http://127.0.0.1:7480 --account ann", InitCommand.self),
    ("init --server u --account a --device d --invite i --kit-file f", InitCommand.self),
    ("join", JoinCommand.self), ("join --device d --code-fd 3", JoinCommand.self),
    ("join --kit-file f --server u --account a", JoinCommand.self),
    ("devices", DevicesListCommand.self), ("devices --json", DevicesListCommand.self),
    ("devices pair --yes", DevicesPairCommand.self), ("sync --json", SyncCommand.self),
    ("status --json --no-sync", StatusCommand.self), ("watch", WatchCommand.self),
    ("watch c a --json", WatchCommand.self), ("account", AccountShowCommand.self),
    ("devices exposed --json", DevicesExposedCommand.self),
    ("account --json", AccountShowCommand.self),
    ("account delete --name ann --erase", AccountDeleteCommand.self),
    ("account erase --name ann", AccountEraseCommand.self),
    ("server --json", ServerShowCommand.self),
    ("server trust 7Q2M --only", ServerTrustCommand.self),
  ]

  private static func parse(_ line: String) throws -> any ParsableCommand {
    try Higgins.parseAsRoot(line.split(separator: " ").map(String.init))
  }

  @Test func everyCommandLineOfTheContractParses() throws {
    for (line, type) in Self.lines {
      let command = try Self.parse(line)
      #expect(Swift.type(of: command) == type, "\(line)")
    }
  }

  @Test(arguments: [
    "list a b", "show", "get c", "set c", "set c a hunter2", "set c a --type nonsense",
    "set c a --shown --concealed", "new c --kind planet", "rename c", "generate --set c",
    "generate --classes lower,runes", "generate --classes lower --pin",
    "generate --separator .", "generate --words 4 --separator 123456789", "generate --words 1",
    "generate --words 6 --length 20", "generate --length 3",
    "resolve c a", "resolve c a --keep 3f --both", "resolve c --both", "import lotus f",
    "export xml", "init --server u", "join --kit-file f", "join --server u",
    "join --kit-file f --server u --account a --code-fd 3", "devices frob", "frob",
    "copy c a --clear 0", "list --frob",
  ]) func whatDoesNotReadIsWrongUsage(line: String) {
    do {
      _ = try Self.parse(line)
      Issue.record("it parsed")
    } catch {
      #expect(Higgins.exitCode(for: error).rawValue == 64)
    }
  }

  @Test func aValueOnTheCommandLineIsRefusedWithTheReason() {
    do {
      _ = try Self.parse("set c a hunter2")
      Issue.record("it parsed")
    } catch {
      let message = Higgins.message(for: error)
      #expect(message.contains("shell's history"))
      #expect(!message.contains("hunter2"))
    }
  }

  @Test(arguments: [
    "--profile work list", "list --profile work", "list a --profile work",
    "--profile work devices pair", "devices --profile work pair", "devices pair --profile work",
  ]) func globalOptionsStandAnywhere(line: String) throws {
    let command = try #require(try Self.parse(line) as? any DeviceCommand)
    #expect(command.options.profile == "work")
  }

  @Test func theCommandLineWinsOverTheEnvironment() throws {
    let environment = [
      "HIGGINS_HOME": "/tmp/h", "HIGGINS_PROFILE": "env", "HIGGINS_PASSPHRASE_FILE": "/tmp/p",
    ]
    let given = try GlobalOptions.parse(["--profile", "arg", "--passphrase-file", "/tmp/q"])
    #expect(try given.folder(environment: environment).data == "/tmp/h/data/arg")
    #expect(given.passphrasePath(environment: environment) == "/tmp/q")
    let silent = try GlobalOptions.parse([])
    #expect(try silent.folder(environment: environment).data == "/tmp/h/data/env")
    #expect(silent.passphrasePath(environment: environment) == "/tmp/p")
    #expect(silent.passphrasePath(environment: ["HIGGINS_PASSPHRASE_FILE": ""]) == nil)
    #expect(
      try silent.folder(environment: ["HOME": "/h"]).data == "/h/.local/share/higgins/default")
  }

  private static var commands: [any ParsableCommand.Type] {
    func below(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
      let configuration = command.configuration
      let children =
        configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
      return [command] + children.flatMap(below)
    }
    return below(Higgins.self).filter { $0.configuration.shouldDisplay }
  }

  @Test func everyHelpHasAnExampleAndFits() {
    #expect(Self.commands.count > 25)
    for command in Self.commands {
      let help = command.helpMessage(columns: 80)
      #expect(help.contains("EXAMPLE: higgins "), "\(command)")
      #expect(help.contains("OVERVIEW: "), "\(command)")
    }
  }

  @Test func shellsCompleteFiles() {
    let script = Higgins.completionScript(for: .fish).split(separator: "\n")
    let lines = script.filter { $0.contains("-l 'home'") || $0.contains("-file' -d") }
    #expect(lines.count > 60)
    #expect(lines.filter { $0.hasSuffix("-rfka ''") } == [])
    let file = "\"higgins import\" -eq 2' -F"
    #expect(script.contains { $0.contains(file) })
  }

  @Test func commandsThatPrintRecordsTakeJSON() {
    let printing: [any ParsableCommand.Type] = [
      ListCommand.self, ShowCommand.self, TrashCommand.self, HistoryCommand.self,
      ConflictsCommand.self, DevicesListCommand.self, StatusCommand.self, WatchCommand.self,
      ImportCommand.self, SyncCommand.self, UndoCommand.self, AlarmsListCommand.self,
      DraftsListCommand.self,
    ]
    for command in printing {
      #expect(command.helpMessage().contains("--json"), "\(command)")
    }
  }

  @Test func recipesFollowTheOptions() throws {
    let words = try #require(try Self.parse("generate --words 4") as? GenerateCommand).recipe
    #expect(words.kind == .words && words.words == 4)
    let pin = try #require(try Self.parse("generate --pin") as? GenerateCommand).recipe
    #expect(pin.kind == .pin && pin.length == 6)
    let plain = try #require(try Self.parse("generate --no-symbols") as? GenerateCommand).recipe
    #expect(plain.classes == [.lower, .upper, .digits] && plain.length == 20)
  }
}

public import ArgumentParser
import CProcess
import Foundation
public import Selector
import Terminal

/// `higgins`: the selector, and its commands.
@main
struct Higgins: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "higgins",
    abstract: "Your contexts and their attributes, on every device, readable by you alone.",
    discussion: """
      Without a command the selector opens; at its first start it walks through creating or joining \
      an account.

      EXAMPLE: higgins set github.example password
      EXAMPLE: higgins get github.example password

      Exit codes: 0 done; 1 failed; 2 not found or ambiguous; 3 locked or wrong passphrase; \
      4 offline and the command needs the server; 5 a conflict needs a person; 6 integrity alarm; \
      64 wrong usage.
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(
        name: "Context",
        subcommands: [
          ListCommand.self, ShowCommand.self, GetCommand.self, SetCommand.self, NewCommand.self,
          RemoveCommand.self, RenameCommand.self, UndoCommand.self, TrashCommand.self,
          RestoreCommand.self, DraftsCommand.self,
          GenerateCommand.self, OneTimeCodeCommand.self, CopyCommand.self, HistoryCommand.self,
          ConflictsCommand.self, ResolveCommand.self, ImportCommand.self, ExportCommand.self,
        ]),
      CommandGroup(
        name: "Device",
        subcommands: [
          InitCommand.self, JoinCommand.self, DevicesCommand.self, PassphraseCommand.self,
          KitCommand.self, AccountCommand.self, ServerCommand.self, SyncCommand.self,
          StatusCommand.self, AlarmsCommand.self, WatchCommand.self, AgentCommand.self,
          LockCommand.self, UnlockCommand.self, DoctorCommand.self,
          ChatCommand.self,
        ]),
      CommandGroup(name: "Internal", subcommands: [ClearClipboardCommand.self]),
    ])

  @OptionGroup var options: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Press the keys written in this file; - for standard input.", valueName: "file"),
    completion: .file())
  var script: String?

  @Option(
    help: ArgumentHelp(
      "Play the script on a screen of this size that nobody sees, then end.",
      valueName: "columnsxrows"))
  var size: Size?

  @Flag(help: "Line by line instead of a screen: for screen readers, braille, and TERM=dumb.")
  var plain = false

  static func main() async {
    process_conceal()
    // A reader that goes away is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    // What is written is for nobody else on this machine.
    umask(0o077)
    WorkerPool.install()
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: error)
    }
  }

  func validate() throws {
    if plain, script != nil {
      throw ValidationError("--plain reads lines; a --script presses keys. Use one of them.")
    }
    if size != nil, script == nil {
      throw ValidationError("--size is for a script: name it with --script FILE.")
    }
    if script == "-", size == nil {
      throw ValidationError("A script from standard input has no terminal: add --size 80x24.")
    }
  }

  func run() async throws {
    if size == nil, !plain,
      let failure = Self.screenFailure(
        input: isatty(STDIN_FILENO) == 1, output: isatty(STDOUT_FILENO) == 1,
        terminal: ProcessInfo.processInfo.environment["TERM"])
    {
      let code = await Execution.report(failure, at: SystemConsole())
      throw ExitCode(code)
    }
    do {
      try await Screen.run(
        options: options, script: try script.map(ScriptPlayer.read), size: size,
        isPlain: plain)
    } catch {
      throw ExitCode(await Execution.report(Failure(error), at: SystemConsole()))
    }
  }

  /// Why the selector cannot open here; nil when it can.
  static func screenFailure(input: Bool, output: Bool, terminal: String?) -> Failure? {
    guard input, output else { return Failure(TerminalError.notATerminal) }
    guard let terminal, !terminal.isEmpty, terminal != "dumb" else {
      return Failure(TerminalError.dumb(term: terminal ?? ""))
    }
    return nil
  }
}

extension Size: ExpressibleByArgument {
  public init?(argument: String) { self.init(written: argument) }
}

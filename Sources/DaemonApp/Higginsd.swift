import ArgumentParser
import CProcess
import Foundation

/// `higginsd`: the Attribute Server and the Push Service.
@main
struct Higginsd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "higginsd",
    abstract: "The servers of Higgins: they keep and pass on what they cannot read.",
    discussion: """
      EXAMPLE: higginsd serve --data ~/higginsd

      Every option can stand in a TOML file (--config) or in the environment (HIGGINSD_LISTEN for \
      --listen); the command line wins over the environment, the environment over the file.

      Exit codes: 0 done, or stopped as asked; 1 failed; 6 a database has faults; 64 a wrong \
      command line or configuration.
      """,
    version: "0.1.0",
    subcommands: [
      Serve.self, Attributes.self, Push.self, Invite.self, Backup.self, Check.self, Restore.self,
      Channels.self, Key.self,
    ])

  /// Runs the command; whatever a person must read stands on one line of stderr.
  static func main() async {
    process_conceal()
    // Nothing the servers write is for anyone else on this machine.
    umask(0o077)
    // A peer that goes away is an error of that connection, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as DaemonError {
      FileHandle.standardError.write(Data("higginsd: \(error)\n".utf8))
      exit(withError: ExitCode(error.exitCode))
    } catch {
      exit(withError: error)
    }
  }
}

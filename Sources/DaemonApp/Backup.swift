import ArgumentParser
import AttributeServer
import Foundation

/// `higginsd backup`: a copy, also while the server runs.
struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a consistent copy of the database, also while the server runs.",
    discussion: """
      EXAMPLE: higginsd backup ~/backups/2026-11-23.sqlite --data ~/higginsd

      The running server makes the copy, asked through the socket in its data folder; requests go \
      on meanwhile. The copy is checked like `higginsd check` does before it gets its name; FILE \
      must not be there yet and is readable by you alone. Open invites are not in it.

      Devices send again what a restored backup lacks: it need not be new, but the newer it is, the \
      less depends on devices that still live.

      Exit codes: 0 made; 1 not made; 6 the copy has faults and stays as FILE.partial.
      """)

  @Argument(help: ArgumentHelp("Where the copy goes.", valueName: "FILE"), completion: .file())
  var file: String

  @OptionGroup var folder: FolderOption

  func run() async throws {
    let data = try folder.path()
    let summary = try await failing {
      try await ServerBackup.make(file, of: data)
    }
    print("\(file): \(summary)")
  }
}

/// `higginsd check`: follows every chain of a database nobody serves.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify the ledger of a stopped server, or of a backup.",
    discussion: """
      EXAMPLE: higginsd check ~/backups/2026-11-23.sqlite
      EXAMPLE: higginsd check --data ~/higginsd

      Every commit's bytes, hash, signature, predecessor, dependencies and membership; every chain's \
      head; the membership chains; kept digests; snapshots and their chunks; the bytes counted. One \
      line for each finding on stdout; nothing is changed.

      Exit codes: 0 all is well; 1 it cannot be read; 6 there are findings.
      """)

  @Argument(
    help: ArgumentHelp("A backup; without it the folder's database.", valueName: "FILE"),
    completion: .file())
  var file: String?

  @OptionGroup var folder: FolderOption

  func run() throws {
    let path = try file ?? folder.path()
    let (summary, findings) = try failing { try ServerBackup.check(path) }
    for finding in findings { print(finding) }
    guard findings.isEmpty else {
      throw DaemonError.findings("\(path) has \(findings.count) findings; nothing was changed.")
    }
    print("\(path): \(summary); all is well")
  }
}

/// `higginsd restore`: makes a backup the database of a new folder.
struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a backup the database of a folder that has none.",
    discussion: """
      EXAMPLE: higginsd restore ~/backups/2026-11-23.sqlite --data ~/higginsd

      The backup is checked first and not changed. The server gets a new generation; devices notice \
      that it knows less than they do and send again what it lost. Move a damaged folder away \
      before; do not delete it.

      Exit codes: 0 restored; 1 not restored; 6 the backup has faults.
      """)

  @Argument(
    help: ArgumentHelp("A file made by `higginsd backup`.", valueName: "FILE"), completion: .file())
  var file: String

  @OptionGroup var folder: FolderOption

  func run() throws {
    let data = try folder.path()
    let summary = try failing { try ServerBackup.restore(file, to: data) }
    print("\(data): \(summary); start the server")
  }
}

/// Which folder a command is about.
struct FolderOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("The folder of the Attribute Server.", valueName: "DIR"),
    completion: .directory)
  var data: String?

  func path() throws(DaemonError) -> String {
    guard let path = try Settings(path: nil).text("data", data) else {
      throw .usage("--data is missing: the folder of the Attribute Server.")
    }
    return path
  }
}

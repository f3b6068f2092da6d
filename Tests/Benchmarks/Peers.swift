import Foundation

/// A program in whose list a person moves about with keys.
struct Peer {
  let id: String
  let arguments: [String]
  /// A text of its first screen.
  let ready: String
  var down = "j"
  var up = "k"
  /// What begins narrowing the list by the letters that follow, and what gives it up again; nil
  /// where there is nothing like it.
  var narrowing: (begin: String, end: String)?
  var isInstalled = true
}

/// higgins and others like it, each with a list of its own.
final class Peers {
  /// Of commits, files: what those programs are made for.
  private static let fewEntries = 1000

  /// How many contexts, names, lines.
  let entries: Int
  private let stage: Stage
  private let server: Stage.Server

  init(stage: Stage, server: Stage.Server, entries: Int) {
    self.stage = stage
    self.server = server
    self.entries = entries
  }

  var all: [Peer] {
    [
      Peer(id: "higgins", arguments: [], ready: Scale.name(1), narrowing: ("/", "\u{1b}")),
      Peer(
        id: "tig", arguments: ["-C", stage.path("history")], ready: "commit \(Self.fewEntries)",
        isInstalled: Program.isInstalled("tig") && Program.isInstalled("git")),
      Peer(
        id: "mc", arguments: ["--nomouse", stage.path("files"), stage.path("files")],
        ready: "site-000", down: "\u{1b}OB", up: "\u{1b}OA",
        isInstalled: Program.isInstalled("mc")
      ),
      // It draws its list from the bottom to the top; the terminal is not its input.
      Peer(
        id: "fzf", arguments: ["-c", "exec fzf < '\(stage.path("names"))'"],
        ready: "\(entries)/\(entries)", down: "\u{10}", up: "\u{0e}", narrowing: ("", "\u{15}"),
        isInstalled: Program.isInstalled("fzf")),
      Peer(
        id: "less", arguments: [stage.path("names")], ready: "site-00001",
        isInstalled: Program.isInstalled("less")),
    ]
  }

  func program(_ peer: Peer) -> Program {
    switch peer.id {
    case "higgins": stage.higgins("hand", [])
    case "fzf": Program("sh", peer.arguments, environment: stage.environment)
    default: Program(peer.id, peer.arguments, environment: stage.environment)
    }
  }

  /// Makes what the program is to show.
  func furnish(_ peer: Peer) throws {
    switch peer.id {
    case "higgins": try furnishProfile()
    case "tig": try furnishHistory()
    case "mc":
      try stage.makeFolder("files")
      for number in 1...Self.fewEntries { try stage.write("", to: "files/\(Scale.name(number))") }
    default:
      try stage.write(
        (1...entries).map { Scale.name($0) + "\n" }.joined(), to: "names")
    }
  }

  private func furnishProfile() throws {
    try stage.makeAccount("hand", device: "home pc", at: server.address)
    try stage.write(try Scale.export(entries), to: "hand.json")
    let importing = try stage.start(
      stage.higgins("hand", ["import", "bitwarden", stage.path("hand.json")]))
    importing.closeInput()
    try stage.finish(importing, seconds: 900)
    // What the import could not send yet.
    let rest = try stage.start(stage.higgins("hand", ["sync"]))
    rest.closeInput()
    try stage.finish(rest, seconds: 900)
  }

  private func furnishHistory() throws {
    let commits = (1...Self.fewEntries).map { number in
      """
      commit refs/heads/main
      committer ann <ann@example.test> \(1_700_000_000 + number * 60) +0000
      data <<.
      commit \(number) of the history
      .

      """
    }
    let git = { [stage] (arguments: [String]) in
      Program("git", arguments, environment: stage.environment)
    }
    let folder = stage.path("history")
    try stage.run(git(["init", "--quiet", "--initial-branch=main", folder]))
    let importing = try stage.start(git(["-C", folder, "fast-import", "--quiet"]))
    for commit in commits { try importing.write(commit) }
    importing.closeInput()
    try stage.finish(importing)
  }
}

import Foundation

/// What a person does by hand with `pass` and git: insert and push on one machine, pull and show on
/// another. Two stores, one bare repository on the same disk, a key without a passphrase.
final class PasswordStore: Measurement {
  private static let key = "bench@example.test"
  private static let entry = "github.example"

  let title = "pass with git"
  let samples: Int
  private let stage: Stage
  private let missing: String?
  private var values = Values()
  private var insert = Stopwatch()
  private var push = Stopwatch()
  private var pull = Stopwatch()
  private var show = Stopwatch()
  private var whole = Stopwatch()

  init(stage: Stage, samples: Int) {
    self.stage = stage
    let absent = ["pass", "git", "gpg"].filter { !Program.isInstalled($0) }
    missing = absent.isEmpty ? nil : absent.joined(separator: ", ") + " not installed"
    self.samples = absent.isEmpty ? samples : 0
  }

  private func program(_ name: String, _ arguments: [String], store: String = "a") -> Program {
    var environment = stage.environment
    environment["GNUPGHOME"] = stage.path("gnupg")
    environment["PASSWORD_STORE_DIR"] = stage.path("store-\(store)")
    environment["GIT_CONFIG_NOSYSTEM"] = "1"
    for role in ["AUTHOR", "COMMITTER"] {
      environment["GIT_\(role)_NAME"] = "ann"
      environment["GIT_\(role)_EMAIL"] = Self.key
    }
    return Program(name, arguments, environment: environment)
  }

  func prepare() throws {
    guard missing == nil else { return }
    try stage.makeFolder("gnupg")
    // The agent of this folder, which gpg starts and leaves running.
    stage.atEnd(program("gpgconf", ["--kill", "all"]))
    try stage.run(
      program(
        "gpg",
        [
          "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", Self.key, "default",
          "default", "never",
        ]))
    let bare = stage.path("store.git")
    try stage.run(program("git", ["init", "--quiet", "--bare", bare]))
    try stage.run(program("pass", ["init", Self.key]))
    try stage.run(program("pass", ["git", "init", "--quiet"]))
    try stage.run(program("pass", ["git", "remote", "add", "origin", bare]))
    try stage.run(program("pass", ["git", "push", "--quiet", "--set-upstream", "origin", "HEAD"]))
    try stage.run(program("git", ["clone", "--quiet", bare, stage.path("store-b")]))
  }

  func sample() throws {
    let value = values.next()
    let start = ContinuousClock.now
    try insert.time {
      _ = try stage.run(
        program("pass", ["insert", "--multiline", "--force", Self.entry]), input: "\(value)\n")
    }
    try push.time { _ = try stage.run(program("pass", ["git", "push", "--quiet"])) }
    try pull.time { _ = try stage.run(program("pass", ["git", "pull", "--quiet"], store: "b")) }
    let shown = try show.time { try stage.run(program("pass", ["show", Self.entry], store: "b")) }
    guard shown.text.hasPrefix(value) else {
      throw BenchError.failed("pass showed another value")
    }
    whole.note(from: start, to: .now)
  }

  var rows: [Row] {
    let steps = [
      ("pass", "pass, no network: insert, push; pull, show", whole),
      ("pass-insert", "  insert", insert),
      ("pass-push", "  git push", push), ("pass-pull", "  git pull", pull),
      ("pass-show", "  show", show),
    ]
    return steps.map { id, title, stopwatch in
      Row(
        id, title, .milliseconds, stopwatch.milliseconds, of: samples, missing: missing)
    }
  }
}

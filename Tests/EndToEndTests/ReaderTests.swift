import Foundation
import Testing

/// What a server holds of an account opens without this program: with a reader written from the
/// description of the formats, passphrase and kit.
@Suite(.serialized) struct ReaderTests {
  private static func python(_ arguments: [String], on stage: Stage) throws -> Stage.Output {
    let named = ProcessInfo.processInfo.environment["HIGGINS_PYTHON"] ?? "python3"
    let running = try Running(
      executable: URL(fileURLWithPath: "/usr/bin/env"), arguments: [named, "-B"] + arguments,
      environment: ProcessInfo.processInfo.environment, input: nil, folder: stage.folder)
    return running.finish()
  }

  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks PyNaCl, argon2-cffi or cryptography") {
      let stage = try Stage()
      defer { stage.strike() }
      let modules = try python(["-c", "import nacl.bindings, argon2, cryptography"], on: stage)
      return modules.status == 0
    }, .timeLimit(.minutes(3)))
  func aBackupIsAnAccountThatAnotherReaderOpens() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    let file = { (name: String) in stage.folder.appendingPathComponent(name).path }
    try stage.makeDevices(
      [(profile: "home", device: "home pc"), (profile: "work", device: "work pc")],
      kitFile: file("kit"))
    for (profile, value) in [("home", "one"), ("work", "two"), ("home", "three")] {
      let set = try stage.higgins(
        profile, ["set", "bank.example", "password", "-"], input: value + "\n")
      try #require(set.status == 0, "\(set.errors)")
    }
    let backup = try stage.higginsd(["backup", file("backup"), "--data", stage.data.path])
    try #require(backup.status == 0, "\(backup.errors)")
    let reader = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Reader/reader.py").path
    let account = [reader, "account", file("backup"), file("kit"), file("passphrase")]
    let read = try Self.python(account, on: stage)
    #expect(read.status == 0, "\(read.errors)")
    #expect(
      read.text.split(separator: "\n").prefix(2) == [
        "slot: opens; the account is ann",
        "membership: 2 records verify: home pc, work pc",
      ])
    #expect(read.text.contains("commits: 3 verify and open"), "\(read.text)")

    // Without the kit's secret it is nothing to anybody.
    try Data("0000-0000-0000-0000-0000-0000-0000-0000-0000\n".utf8).write(
      to: URL(fileURLWithPath: file("kit")))
    #expect(try Self.python(account, on: stage).status == 1)
  }

  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks PyNaCl, argon2-cffi or cryptography") {
      let stage = try Stage()
      defer { stage.strike() }
      let modules = try python(["-c", "import nacl.bindings, argon2, cryptography"], on: stage)
      return modules.status == 0
    }, .timeLimit(.minutes(3)))
  func anAccountThatRevokedADeviceOpensWithTheNewKitAlone() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    let file = { (name: String) in stage.folder.appendingPathComponent(name).path }
    try stage.makeDevices(
      [(profile: "home", device: "home pc"), (profile: "work", device: "work pc")],
      kitFile: file("kit"))
    func set(_ profile: String, _ value: String) throws {
      let set = try stage.higgins(
        profile, ["set", "bank.example", "password", "-"], input: value + "\n")
      try #require(set.status == 0, "\(set.errors)")
    }
    try set("work", "one")
    let revoked = try stage.higgins(
      "home", ["devices", "revoke", "work pc", "--yes", "--kit-file", file("new kit")])
    try #require(revoked.status == 0, "\(revoked.errors)")
    try set("home", "two")
    let backup = try stage.higginsd(["backup", file("backup"), "--data", stage.data.path])
    try #require(backup.status == 0, "\(backup.errors)")
    let reader = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Reader/reader.py").path
    func read(_ kit: String) throws -> Stage.Output {
      try Self.python(
        [
          reader, "account", file("backup"), file(kit), file("passphrase"),
          file("home/data/home/keyring"),
        ], on: stage)
    }
    let opened = try read("new kit")
    #expect(opened.status == 0, "\(opened.errors)")
    #expect(
      opened.text.split(separator: "\n").prefix(4) == [
        "slot: opens; the account is ann",
        "membership: 3 records verify: home pc, work pc",
        "epochs: 2; revoked: work pc",
        "sealed epochs: 1 open with the device's key",
      ])
    #expect(opened.text.contains(" verify and open, with "), "\(opened.text)")
    #expect(try read("kit").status == 1)
  }
}

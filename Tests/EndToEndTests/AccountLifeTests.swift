import Foundation
import Testing

/// What an account goes through in its life: another passphrase, another kit, another name, a lost
/// device.
@Suite(.serialized) struct AccountLifeTests {
  private static let devices = [
    (profile: "home", device: "home pc"), (profile: "work", device: "work pc"),
  ]

  private struct Account {
    let stage: Stage
    let kit: String

    func file(_ name: String) -> String { stage.folder.appendingPathComponent(name).path }

    func write(_ text: String, to name: String) throws -> String {
      try Data("\(text)\n".utf8).write(to: URL(fileURLWithPath: file(name)))
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o600], ofItemAtPath: file(name))
      return file(name)
    }

    /// With the passphrase in a file instead of that of the stage.
    func higgins(
      _ profile: String, _ arguments: [String], passphrase: String, input: String? = nil
    ) throws -> Stage.Output {
      try stage.higgins(
        profile, arguments + ["--passphrase-file", passphrase], input: input)
    }

    func join(_ profile: String, kit: String, passphrase: String) throws -> Stage.Output {
      try higgins(
        profile,
        [
          "join", "--server", stage.address, "--account", "ann", "--kit-file", kit, "--device",
          profile,
        ], passphrase: passphrase)
    }
  }

  private func begin(_ stage: Stage) throws -> Account {
    try stage.startServer()
    let made = try stage.higgins(
      "home",
      ["init", "--server", stage.address, "--account", "ann", "--device", "home pc"])
    try #require(made.status == 0, "\(made.errors)")
    let account = Account(
      stage: stage, kit: made.text.trimmingCharacters(in: .whitespacesAndNewlines))
    let pairing = try stage.start("home", ["devices", "pair", "--yes"])
    defer { pairing.end() }
    try stage.waitUntil("a pairing code") { pairing.text.contains("\n") }
    let code = pairing.text.split(separator: "\n").first.map(String.init) ?? ""
    let joined = try stage.higgins("work", ["join", "--device", "work pc"], input: code + "\n")
    try #require(joined.status == 0, "\(joined.errors)")
    try #require(pairing.finish().status == 0)
    let set = try stage.higgins("home", ["set", "bank.example", "password", "-"], input: "x\n")
    try #require(set.status == 0, "\(set.errors)")
    return account
  }

  @Test(.timeLimit(.minutes(5)))
  func anotherPassphraseIsTakenByOneDeviceAfterTheOther() throws {
    let stage = try Stage()
    defer { stage.strike() }
    let account = try begin(stage)
    let new = try account.write("a quite new passphrase", to: "new")
    let third = try account.write("and a third one of them", to: "third")
    let changed = try stage.higgins("home", ["passphrase", "--new-passphrase-file", new])
    try #require(changed.status == 0, "\(changed.errors)")
    #expect(try stage.higgins("home", ["list"]).status == 3)
    #expect(try account.higgins("home", ["list"], passphrase: new).status == 0)
    // The other device goes on with its own, and is told.
    #expect(try stage.higgins("work", ["sync"]).status == 0)
    #expect(try stage.higgins("work", ["status"]).text.contains("changed by home pc"))
    let refused = try stage.higgins("work", ["passphrase", "--new-passphrase-file", third])
    #expect(refused.status == 3 && refused.errors.contains("another passphrase"))
    let adopted = try stage.higgins("work", ["passphrase", "--new-passphrase-file", new])
    #expect(adopted.status == 0 && adopted.errors.contains("the account's passphrase now"))
    #expect(try account.higgins("work", ["list"], passphrase: new).status == 0)
    // The kit is the same, and opens with the new passphrase alone.
    let kit = try account.higgins("home", ["kit"], passphrase: new)
    #expect(kit.text.trimmingCharacters(in: .whitespacesAndNewlines) == account.kit)
    let file = try account.write(account.kit, to: "kit")
    let old = try account.write(Stage.passphrase, to: "old")
    #expect(try account.join("tablet", kit: file, passphrase: old).status == 3)
    #expect(try account.join("tablet", kit: file, passphrase: new).status == 0)
    // All others say so, once, whatever they are asked.
    let newcomer = "tablet is a new device of the account: it came in with passphrase and"
    for profile in ["home", "work"] {
      #expect(try account.higgins(profile, ["sync"], passphrase: new).errors.contains(newcomer))
      #expect(try !account.higgins(profile, ["list"], passphrase: new).errors.contains("tablet"))
    }
    #expect(try !account.higgins("tablet", ["list"], passphrase: new).errors.contains("new device"))
  }

  @Test(.timeLimit(.minutes(5)))
  func aLostDeviceErasesItselfAndItsKitOpensNothing() throws {
    let stage = try Stage()
    defer { stage.strike() }
    let account = try begin(stage)
    let named = try stage.higgins("home", ["devices", "rename", "work pc", "lost pc"])
    try #require(named.status == 0, "\(named.errors)")
    let watch = try stage.start("work", ["watch"])
    defer { watch.end() }
    try stage.waitUntil("the lost device to be online") {
      try stage.higgins("home", ["sync"]).status == 0
        && stage.higgins("work", ["status"]).text.contains("connected")
    }
    let revoked = try stage.higgins(
      "home", ["devices", "revoke", "lost pc", "--yes", "--kit-file", account.file("new-kit")])
    try #require(revoked.status == 0, "\(revoked.errors)")
    #expect(revoked.errors.contains("has erased itself"))
    #expect(revoked.errors.contains("what it could read: bank.example / password."))
    let kept = try stage.higgins("home", ["status", "--no-sync"])
    #expect(kept.text.contains("has erased itself"))
    #expect(try stage.higgins("home", ["devices", "exposed"]).text.contains("bank.example"))
    let end = watch.finish()
    #expect(end.status == 1 && end.errors.contains("revoked by home pc"))
    let left = try stage.higgins("work", ["list"])
    #expect(left.status == 1 && left.errors.contains("revoked by home pc"))
    #expect(try stage.higgins("home", ["devices"]).text.contains("has erased itself"))
    let passphrase = try account.write(Stage.passphrase, to: "passphrase-again")
    let old = try account.write(account.kit, to: "old-kit")
    #expect(try account.join("tablet", kit: old, passphrase: passphrase).status == 3)
    let joined = try account.join(
      "tablet", kit: account.file("new-kit"), passphrase: passphrase)
    #expect(joined.status == 0, "\(joined.errors)")
    #expect(joined.errors.contains("The newest change in this account: of "))
    #expect(joined.errors.contains("by home pc. If you remember a later one"))
    #expect(try stage.higgins("tablet", ["get", "bank.example", "password"]).text == "x")
    #expect(try stage.higgins("tablet", ["sync"]).status == 0)
    let heard = try stage.higgins("tablet", ["status", "--no-sync"])
    #expect(heard.text.contains("has erased itself"))
    // What is changed is exposed no more.
    _ = try stage.higgins("tablet", ["set", "bank.example", "password", "-"], input: "y\n")
    #expect(try stage.higgins("home", ["sync"]).status == 0)
    #expect(try !stage.higgins("home", ["devices", "exposed"]).text.contains("bank.example"))
  }

  @Test(.timeLimit(.minutes(5)))
  func aDeletedAccountIsNowhereButInCopiesThatAreErasedByHand() throws {
    let stage = try Stage()
    defer { stage.strike() }
    let account = try begin(stage)
    let kit = try account.write(account.kit, to: "kit")
    let passphrase = try account.write(Stage.passphrase, to: "passphrase-again")
    #expect(try account.join("mobile", kit: kit, passphrase: passphrase).status == 0)
    let watch = try stage.start("work", ["watch"])
    defer { watch.end() }
    try stage.waitUntil("the other device to be online") {
      try stage.higgins("home", ["sync"]).status == 0
        && stage.higgins("work", ["status"]).text.contains("connected")
    }
    let wrong = try stage.higgins("home", ["account", "delete", "--name", "anna"])
    #expect(wrong.status == 1 && wrong.errors.contains("not the account's name"))
    let deleted = try stage.higgins("home", ["account", "delete", "--name", "ann", "--erase"])
    try #require(deleted.status == 0, "\(deleted.errors)")
    #expect(deleted.errors.contains("its copy on this device is erased"))
    #expect(try stage.higgins("home", ["list"]).status == 1)
    // The other one is told by the Push Service, keeps what it has, and changes nothing.
    try stage.waitUntil("the other device to hear of it") {
      try stage.higgins("work", ["status", "--no-sync", "--json"]).text.contains(#""deleted""#)
    }
    let read = try stage.higgins("work", ["get", "bank.example", "password"])
    #expect(read.status == 0 && read.text == "x")
    let set = try stage.higgins("work", ["set", "bank.example", "password", "-"], input: "y\n")
    #expect(set.status == 1 && set.errors.contains("The account was deleted"))
    watch.end()
    // One that was away hears of it when it asks, and waits for nothing after that.
    let start = ContinuousClock.now
    let away = try stage.higgins("mobile", ["sync"])
    #expect(away.status == 1 && away.errors.contains("The account was deleted on home pc"))
    #expect(ContinuousClock.now - start < .seconds(30))
    // The name is free, the kit opens nothing, and a check finds nothing wrong.
    #expect(try account.join("tablet", kit: kit, passphrase: passphrase).status == 3)
    let shown = try stage.higgins("work", ["account"])
    #expect(shown.text.contains("deleted") && shown.errors.contains("on home pc"))
    let erased = try stage.higgins("work", ["account", "erase", "--name", "ann"])
    #expect(erased.status == 0, "\(erased.errors)")
    #expect(try stage.higgins("work", ["list"]).errors.contains("its copy here is erased"))
    let anew = try stage.higgins(
      "work", ["init", "--server", stage.address, "--account", "ann", "--device", "work pc"])
    #expect(anew.status == 0, "\(anew.errors)")
  }
}

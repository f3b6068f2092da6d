import Foundation
import Testing

/// Real programs over TLS: synchronisation and signals, and what a changed certificate does.
@Suite(.serialized) struct ProtectedTests {
  private static let devices = [
    (profile: "home", device: "home pc"), (profile: "work", device: "work pc"),
  ]

  private static func place(_ name: String, key: String, on stage: Stage) throws {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Certificates")
    for (from, to) in [("\(name).pem", "certificate.pem"), ("\(key).key", "key.pem")] {
      let path = stage.folder.appendingPathComponent(to)
      try Data(contentsOf: source.appendingPathComponent(from)).write(to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path.path)
    }
  }

  @Test func aReloadEndsNoServerThatHasNoCertificate() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    stage.reloadServer()
    #expect(stage.stopServer() == 0)
  }

  @Test(.timeLimit(.minutes(3)))
  func devicesKnowTheServerByItsKeyThroughItsRenewalAndNoOther() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try Self.place("first", key: "first", on: stage)
    let file = { (name: String) in stage.folder.appendingPathComponent(name).path }
    try stage.startServer([
      "--tls-certificate", file("certificate.pem"), "--tls-key", file("key.pem"),
    ])
    #expect(stage.address.hasPrefix("https://127.0.0.1:"))
    let stranger = try stage.higgins(
      "stranger", ["init", "--server", stage.address, "--account", "eve"])
    #expect(stranger.status == 6)
    #expect(stranger.errors.contains("certificate is not trusted"))
    try stage.makeDevices(Self.devices)
    // A signal arrives over TLS: nothing else makes this device ask within the test.
    let watch = try stage.start("work", ["watch"])
    defer { watch.end() }
    try stage.waitUntil("a connection") {
      try stage.higgins("work", ["status"]).text.contains("push       connected")
    }
    func set(_ value: String) throws -> Stage.Output {
      try stage.higgins("home", ["set", "bank.example", "user", "-"], input: value + "\n")
    }
    #expect(try set("one").status == 0)
    try stage.waitUntil("the change") { watch.text.contains("bank.example") }

    let healthy = try stage.higgins("home", ["doctor", "--json"])
    for check in ["profile", "server", "tls", "push", "clock", "memory"] {
      #expect(healthy.text.contains("{\"check\":\"\(check)\",\"state\":\"ok\""), "\(healthy.text)")
    }

    // A renewed certificate of the same key: nobody notices.
    try Self.place("renewed", key: "first", on: stage)
    stage.reloadServer()
    try stage.waitUntil("the new certificate") { stage.serverLog.contains("New certificate") }
    let sent = try set("two")
    #expect(sent.status == 0 && sent.errors.isEmpty, "\(sent.errors)")
    #expect(try stage.higgins("home", ["sync"]).status == 0)

    // Another key: nothing is sent to whoever shows it, and nothing is lost.
    try Self.place("second", key: "second", on: stage)
    stage.reloadServer()
    try stage.waitUntil("another key") {
      stage.serverLog.components(separatedBy: "New certificate").count == 3
    }
    let kept = try set("three")
    #expect(kept.status == 0 && kept.errors.contains("another key"), "\(kept.errors)")
    #expect(try stage.higgins("home", ["sync"]).status == 4)
    #expect(try stage.higgins("home", ["get", "bank.example", "user"]).text == "three")
    let ill = try stage.higgins("home", ["doctor"])
    #expect(ill.status == 1)
    #expect(ill.text.contains("another key than the one this device knows"), "\(ill.text)")

    // The right key again: what waited is sent.
    try Self.place("renewed", key: "first", on: stage)
    stage.reloadServer()
    try stage.waitUntil("the right key") {
      stage.serverLog.components(separatedBy: "New certificate").count == 4
    }
    #expect(try stage.higgins("home", ["sync"]).status == 0)
    #expect(stage.stopServer() == 0)
  }

  @Test(.timeLimit(.minutes(3)))
  func aNewKeyThatADeviceAnnouncedIsFollowedByAll() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try Self.place("first", key: "first", on: stage)
    let file = { (name: String) in stage.folder.appendingPathComponent(name).path }
    try stage.startServer([
      "--tls-certificate", file("certificate.pem"), "--tls-key", file("key.pem"),
    ])
    try stage.makeDevices(Self.devices)
    let certificates = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Certificates")
    let key = try stage.higginsd([
      "key", certificates.appendingPathComponent("second.pem").path,
    ]).text.trimmingCharacters(in: .whitespacesAndNewlines)
    let announced = try stage.higgins("home", ["server", "trust", key])
    try #require(announced.status == 0, "\(announced.errors)")
    try Self.place("second", key: "second", on: stage)
    stage.reloadServer()
    try stage.waitUntil("another key") { stage.serverLog.contains("New certificate") }
    // One holds the record; the other finds the new key, and the record behind it.
    for (profile, value) in [("home", "one"), ("work", "two")] {
      let found = try stage.higgins(profile, ["sync"])
      #expect(found.status == 0, "\(found.errors)")
      let set = try stage.higgins(
        profile, ["set", "bank.example", "user", "-"], input: value + "\n")
      #expect(set.status == 0 && !set.errors.contains("wait"), "\(set.errors)")
      #expect(try stage.higgins(profile, ["sync"]).status == 0)
      #expect(try stage.higgins(profile, ["server", "--json"]).text.contains(#""key":"\#(key)""#))
    }
    #expect(try stage.higgins("home", ["sync"]).status == 0)
    #expect(try stage.higgins("home", ["get", "bank.example", "user"]).text == "two")
    // From here on the old key is nobody's.
    let alone = try stage.higgins("work", ["server", "trust", key, "--only"])
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(try stage.higgins("home", ["sync"]).status == 0)
    try Self.place("first", key: "first", on: stage)
    stage.reloadServer()
    try stage.waitUntil("the old key") {
      stage.serverLog.components(separatedBy: "New certificate").count == 3
    }
    for profile in ["home", "work"] {
      #expect(try stage.higgins(profile, ["sync"]).status == 4)
    }
    #expect(stage.stopServer() == 0)
  }
}

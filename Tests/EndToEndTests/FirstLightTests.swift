import Foundation
import Testing

/// The whole system as a person meets it: three selectors side by side, a real server between them.
@Suite(.serialized) struct FirstLightTests {
  private static let devices = [
    (profile: "home", device: "home pc"), (profile: "work", device: "work pc"),
    (profile: "mobile", device: "mobile"),
  ]

  @Test(.timeLimit(.minutes(5)))
  func aPasswordChangedOnOneSelectorAppearsOnTheOthers() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    try stage.makeDevices(Self.devices)
    for (attribute, value) in [
      ("username", "ann"), ("password", "the-old-secret-value"),
      ("email", "ann@example.test"),
    ] {
      let set = try stage.higgins(
        "home", ["set", "github.example", attribute, "-"], input: value + "\n")
      try #require(set.status == 0, "\(set.errors)")
    }
    for device in Self.devices {
      try stage.open(device.profile)
      try stage.unlock(device.profile)
      try stage.wait(for: "github.example", on: device.profile)
      try stage.wait(for: "peers", on: device.profile)
    }
    try stage.wait(for: "peers 3/3", on: "home")

    // `c` opens the generator for the context's password; Enter takes what it made.
    try stage.press(["c"], on: "home")
    try stage.wait(for: "New password", on: "home")
    try stage.press(["Enter"], on: "home")
    for other in ["work", "mobile"] {
      try stage.wait(for: "home pc changed github.example / password", on: other)
    }
    let values = try Self.devices.map {
      try stage.higgins($0.profile, ["get", "github.example", "password"])
    }
    #expect(values.allSatisfy { $0.status == 0 && !$0.text.isEmpty })
    #expect(Set(values.map(\.text)).count == 1)
    #expect(!values[0].text.contains("the-old-secret-value"))

    // A value typed by hand arrives too, and is read there by eye.
    try stage.press(["Tab"], on: "home")
    try stage.press(["j", "j", "Enter"], on: "home")
    try stage.wait(for: "Editing", on: "home")
    try stage.press(["C-a", "C-k"], on: "home")
    try stage.type("ann.b@example.test", on: "home")
    #expect(try !stage.screen("work").contains("ann.b@example.test"))
    try stage.press(["Enter"], on: "home")
    try stage.wait(for: "ann.b@example.test", on: "work")
    try stage.wait(for: "ann.b@example.test", on: "mobile")

    // What the others said they hold, though they never committed anything, is known when all
    // have gone, too.
    let selector = try stage.selector("home")
    for device in Self.devices { try stage.press(["q"], on: device.profile) }
    try stage.waitUntil("the selector to have ended") { kill(selector, 0) != 0 }
    let status = try stage.higgins("home", ["status"])
    #expect(status.text.contains("work pc") && status.text.contains("seen"))
    #expect(!status.text.contains("behind") && !status.text.contains("has not said"))
    #expect(stage.stopServer() == 0)
  }

  @Test(.timeLimit(.minutes(5)))
  func offlineEditsAreKeptAndSentWhenTheServerComesBack() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    try stage.makeDevices(Array(Self.devices.prefix(2)))
    let set = try stage.higgins(
      "home", ["set", "mail.example", "email", "-"], input: "ann@example.test\n")
    try #require(set.status == 0, "\(set.errors)")
    for profile in ["home", "work"] {
      try stage.open(profile)
      try stage.unlock(profile)
      try stage.wait(for: "mail.example", on: profile)
    }

    // The server dies in the middle of an edit.
    try stage.press(["Tab"], on: "home")
    try stage.press(["Enter"], on: "home")
    try stage.wait(for: "Editing", on: "home")
    try stage.press(["C-a", "C-k"], on: "home")
    try stage.type("offline@exam", on: "home")
    stage.killServer()
    try stage.type("ple.test", on: "home")
    try stage.press(["Enter"], on: "home")
    try stage.wait(for: "1 change waiting", on: "home")
    try stage.wait(for: "offline@example.test", on: "home")
    #expect(try !stage.screen("work").contains("offline@example.test"))

    try stage.startServer()
    try stage.press(["s"], on: "home")
    try stage.wait(for: "offline@example.test", on: "work", seconds: 60)
    try stage.waitUntil("nothing waits at home") {
      try !stage.screen("home").contains("1 change waiting")
    }
    // Who came back later than the other missed what that one said it holds.
    for profile in ["home", "work"] {
      try stage.waitUntil("\(profile) to know that the other has everything") {
        try !stage.screen(profile).contains("behind")
      }
    }
  }

  @Test(.timeLimit(.minutes(3)))
  func theServersFilesHoldNoNameAndNoValue() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    try stage.makeDevices(Array(Self.devices.prefix(2)))
    let set = try stage.higgins(
      "home", ["set", "canary-context.example", "canary-label", "-"],
      input: "canary-value-1234\n")
    try #require(set.status == 0, "\(set.errors)")
    let read = try stage.higgins("work", ["sync"])
    try #require(read.status == 0, "\(read.errors)")
    let value = try stage.higgins("work", ["get", "canary-context.example", "canary-label"])
    #expect(value.text == "canary-value-1234")
    let words = ["canary", "home pc", "work pc", Stage.passphrase, "\"ann\""]
    #expect(try Self.files(in: stage.data).count > 1)
    for when in ["while it runs", "after it stopped"] {
      for (name, data) in try Self.files(in: stage.data) {
        for word in words {
          let isThere = data.range(of: Data(word.utf8)) != nil
          #expect(!isThere, "\(word) stands in the server's \(name) \(when)")
        }
      }
      _ = stage.stopServer()
    }
    // The selector's own files are sealed, too.
    let home = stage.folder.appendingPathComponent("home")
    for (name, data) in try Self.files(in: home) {
      for word in ["canary", Stage.passphrase] {
        #expect(data.range(of: Data(word.utf8)) == nil, "\(word) stands in \(name)")
      }
    }
  }

  private static func files(in folder: URL) throws -> [(String, Data)] {
    let walk = FileManager.default.enumerator(atPath: folder.path)
    var found: [(String, Data)] = []
    while let name = walk?.nextObject() as? String {
      let path = folder.appendingPathComponent(name)
      let type = try FileManager.default.attributesOfItem(atPath: path.path)[.type]
      guard type as? FileAttributeType == .typeRegular else { continue }
      found.append((name, try Data(contentsOf: path)))
    }
    return found
  }

  /// Nothing of the Attribute Server is on the network, not even on loopback.
  @Test(.timeLimit(.minutes(3)))
  func devicesOfOneMachineReachTheServerByASocket() throws {
    let stage = try Stage()
    defer { stage.strike() }
    let path = stage.folder.appendingPathComponent("s").path
    for _ in 1...2 {
      // The second time over what the first left there.
      try stage.startServer(["--listen", "unix:\(path)"])
      #expect(stage.address == "http+unix://\(path)")
      if stage.serverLog.components(separatedBy: "Listening").count == 2 { stage.killServer() }
    }
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect(((mode as? NSNumber)?.intValue ?? 0o777) & 0o077 == 0, "for its user alone")
    try stage.makeDevices([
      (profile: "home", device: "home pc"), (profile: "work", device: "work pc"),
    ])
    let watch = try stage.start("work", ["watch"])
    defer { watch.end() }
    try stage.waitUntil("a connection") {
      try stage.higgins("work", ["status"]).text.contains("push       connected")
    }
    let set = try stage.higgins("home", ["set", "bank.example", "user", "-"], input: "ann\n")
    #expect(set.status == 0 && set.errors.isEmpty, "\(set.errors)")
    try stage.waitUntil("the change") { watch.text.contains("bank.example") }
    let healthy = try stage.higgins("home", ["doctor", "--json"]).text
    #expect(healthy.contains(#""check":"server","state":"ok""#), "\(healthy)")
    let refused = try stage.higginsd([
      "serve", "--data", stage.folder.appendingPathComponent("other").path,
      "--push-listen", "unix:\(path)",
    ])
    #expect(refused.status == 64)
    #expect(stage.stopServer() == 0)
  }
}

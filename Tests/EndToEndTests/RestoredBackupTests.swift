import Foundation
import Testing

/// Old copies of data folders that take the place of newer ones, with the real programs.
@Suite(.serialized) struct RestoredBackupTests {
  /// A copy of a folder made while nothing used it.
  private struct Backup {
    let folder: URL
    let copy: URL

    init(of folder: URL) throws {
      self.folder = folder
      copy = folder.deletingLastPathComponent()
        .appendingPathComponent("older \(folder.lastPathComponent)")
      try FileManager.default.copyItem(at: folder, to: copy)
    }

    /// Puts the copy in the folder's place.
    func restore() throws {
      try FileManager.default.removeItem(at: folder)
      try FileManager.default.copyItem(at: copy, to: folder)
    }
  }

  private static func profile(_ name: String, on stage: Stage) -> URL {
    stage.folder.appendingPathComponent("home/data/\(name)")
  }

  /// What was said on stderr.
  @discardableResult
  private func set(_ context: String, _ text: String, by device: String, on stage: Stage) throws
    -> String
  {
    let set = try stage.higgins(device, ["set", context, "password", "-"], input: "\(text)\n")
    // An alarm that stands does not keep anybody from working.
    #expect([0, 6].contains(set.status), "\(set.errors)")
    return set.errors
  }

  private func expect(
    _ values: [String: String], on device: String, of stage: Stage
  ) throws {
    for (context, text) in values {
      let got = try stage.higgins(device, ["get", context, "password"])
      #expect(got.text == text, "\(context) on \(device): \(got.errors)")
    }
  }

  /// A server forgets a device and what it wrote, and another change of the list takes its place.
  @Test(.timeLimit(.minutes(3)))
  func twoListsOfARestoredServerComeTogether() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    try stage.makeDevices([("home", "home pc"), ("work", "work pc")])
    #expect(stage.stopServer() == 0)
    let backup = try Backup(of: stage.data)
    try stage.startServer()
    try stage.pair("mobile", with: "home", named: "mobile")
    try set("phone.example", "of mobile", by: "mobile", on: stage)
    try set("bank.example", "of home", by: "home", on: stage)
    #expect(stage.stopServer() == 0)
    try backup.restore()
    try stage.startServer()
    let renamed = try stage.higgins("work", ["devices", "rename", "home pc", "desk"])
    #expect(renamed.status == 0, "\(renamed.errors)")
    try set("work.example", "of work", by: "work", on: stage)
    // Who holds what was forgotten says so, and nobody is asked for anything.
    let found = try stage.higgins("home", ["sync"])
    #expect(found.status == 6 && found.errors.contains("as if an old copy of it was restored"))
    // Each says and sends its part as it synchronises, in whatever order.
    try stage.waitUntil("all that was forgotten to be back", seconds: 90) {
      for device in ["mobile", "home", "work"] { _ = try stage.higgins(device, ["sync"]) }
      let contexts = try stage.higgins("work", ["list"]).text
      return contexts.contains("phone.example") && contexts.contains("bank.example")
    }
    // What each did not write itself.
    let (phone, bank, work) = ("of mobile", "of home", "of work")
    try expect(["phone.example": phone, "work.example": work], on: "home", of: stage)
    try expect(["phone.example": phone, "bank.example": bank], on: "work", of: stage)
    try expect(["work.example": work], on: "mobile", of: stage)
    let status = try stage.higgins("home", ["status"])
    #expect(status.status == 6)
    #expect(status.text.contains("The server lost 2 changes") && status.text.contains("(rollback)"))
    #expect(status.text.contains("They are back.") && status.text.contains("Both are one again."))
    let list = try stage.higgins("work", ["devices"]).text
    for name in ["desk", "work pc", "mobile"] {
      #expect(list.contains(name), "\(list)")
    }
    #expect(stage.stopServer() == 0)
    #expect(try stage.higginsd(["check", "--data", stage.data.path]).status == 0)
  }

  /// A device's disk is set back with an edit on it that was never sent, then copied while it lives
  /// on: each copy becomes a device of its own.
  @Test(.timeLimit(.minutes(3)))
  func aRestoredAndACopiedDeviceKeepWhatTheyDidNotSend() throws {
    let stage = try Stage()
    defer { stage.strike() }
    try stage.startServer()
    try stage.makeDevices([("home", "home pc"), ("work", "work pc")])
    let home = Self.profile("home", on: stage)
    #expect(stage.stopServer() == 0)
    let backup = try Backup(of: home)
    try stage.startServer()
    try set("first.example", "sent", by: "home", on: stage)
    #expect(stage.stopServer() == 0)
    try backup.restore()
    let unsent = try stage.higgins(
      "home", ["set", "second.example", "password", "-", "--no-sync"], input: "unsent\n")
    #expect(unsent.status == 0, "\(unsent.errors)")
    try FileManager.default.copyItem(at: home, to: Self.profile("twin", on: stage))
    try stage.startServer()
    var said = ["home": "", "work": "", "twin": ""]
    for device in ["home", "twin"] {
      said[device]? += try set("\(device).example", "x", by: device, on: stage)
    }
    for device in ["home", "work", "twin", "home"] {
      let sync = try stage.higgins(device, ["sync"])
      #expect(sync.status == 0, "\(sync.errors)")
      said[device]? += sync.errors
    }
    // Whoever uses one is told so, once.
    for device in ["home", "twin"] {
      let words = said[device, default: ""].components(separatedBy: "has a new identity")
      #expect(words.count == 2, "\(device): \(said)")
    }
    #expect(said["work"]?.contains("has a new identity") == false)
    try expect(
      [
        "first.example": "sent", "second.example": "unsent", "home.example": "x",
        "twin.example": "x",
      ], on: "work", of: stage)
    try expect(["first.example": "sent"], on: "home", of: stage)
    try expect(["home.example": "x"], on: "twin", of: stage)
    let contexts = try stage.higgins("work", ["list"]).text.split(separator: "\n")
    #expect(contexts.count == 4, "\(contexts)")
    let identities = try Set(["home", "work", "twin"].map { try identity(of: $0, on: stage) })
    #expect(identities.count == 3)
    #expect(try stage.higgins("work", ["conflicts"]).text.contains("example") == false)
  }

  private func identity(of device: String, on stage: Stage) throws -> String {
    struct Settings: Decodable { let device: String }
    let file = Self.profile(device, on: stage).appendingPathComponent("profile.json")
    return try JSONDecoder().decode(Settings.self, from: try Data(contentsOf: file)).device
  }
}

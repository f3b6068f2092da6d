import Foundation
import Testing

/// A full life of the programs with texts that stand nowhere else, and then a search for them in
/// all that was left behind.
@Suite(.serialized) struct CanaryTests {
  /// What must be nowhere, and what only the servers must not have.
  private struct Canaries {
    private(set) var nowhere: [String: String] = [:]
    private(set) var notAtServer: [String: String] = [:]

    static func text(_ kind: String) -> String {
      "\(kind)-" + (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined()
    }

    mutating func make(_ kind: String) -> String {
      let text = Self.text(kind)
      nowhere[kind] = text
      return text
    }

    mutating func add(_ kind: String, _ text: String) { nowhere[kind] = text }

    mutating func serverOnly(_ kind: String) -> String {
      let text = Self.text(kind)
      notAtServer[kind] = text
      return text
    }
  }

  /// The text as it is, in base 64 at each of three places of a longer text, in hexadecimal, and as
  /// UTF-16.
  private static func forms(of text: String) -> [Data] {
    let bytes = Data(text.utf8)
    let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let base64 = (0..<3).flatMap { shift -> [Data] in
      let encoded = (Data(count: shift) + bytes).base64EncodedString()
      // Without the ends, which depend on what stands beside it.
      let inner = String(encoded.dropFirst(shift == 0 ? 0 : 4).dropLast(4))
      return [inner, inner.replacing("+", with: "-").replacing("/", with: "_")].map {
        Data($0.utf8)
      }
    }
    let wide = Data(text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
    return [bytes, Data(hex.utf8), Data(hex.uppercased().utf8), wide] + base64
  }

  /// Every file below the folder, as its path and what is in it.
  private static func files(below folder: URL) throws -> [(String, Data)] {
    let walk = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.isRegularFileKey])
    return (walk?.compactMap { $0 as? URL } ?? []).compactMap { file in
      guard (try? file.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true,
        let data = try? Data(contentsOf: file)
      else { return nil }
      return (file.path, data)
    }
  }

  private static func finds(
    _ canaries: [String: String], in places: [(String, Data)]
  ) -> [String] {
    canaries.sorted { $0.key < $1.key }.flatMap { kind, text in
      let forms = forms(of: text)
      return places.filter { place in forms.contains { place.1.range(of: $0) != nil } }
        .map { "\(kind) in \($0.0)" }
    }
  }

  /// Arguments and environment of a process, as anybody who may look sees them.
  private static func shown(by process: Int32) -> [(String, Data)] {
    ["cmdline", "environ"].compactMap { name in
      let path = "/proc/\(process)/\(name)"
      // Unreadable to us is unreadable to every other program of this user.
      return (try? Data(contentsOf: URL(fileURLWithPath: path))).map { (path, $0) }
    }
  }

  @Test func theSearchFindsWhatIsThere() {
    let text = Canaries.text("x")
    for shift in 0..<3 {
      let data = Data(count: shift) + Data("before \(text) after".utf8)
      #expect(Self.finds(["x": text], in: [("plain", data)]) == ["x in plain"])
      let coded = Data(data.base64EncodedString().utf8)
      #expect(Self.finds(["x": text], in: [("coded", coded)]) == ["x in coded"])
    }
    #expect(Self.finds(["x": text], in: [("other", Data("nothing".utf8))]) == [])
  }

  @Test(.timeLimit(.minutes(5)))
  func nothingReadableIsLeftBehind() throws {
    let stage = try Stage()
    defer { stage.strike() }
    var canaries = Canaries()
    canaries.add("passphrase", Stage.passphrase)
    try stage.startServer(["--log-level", "trace"])
    try begin(on: stage, &canaries)
    try use(stage, &canaries)
    var places = try useOnScreen(stage, &canaries)

    // The databases as they are while the server runs, then as it leaves them.
    func search(_ when: String) throws {
      let home = stage.folder.appendingPathComponent("home")
      places += try Self.files(below: home)
      let server =
        try Self.files(below: stage.data) + [
          ("server.log", Data(stage.serverLog.utf8))
        ]
      #expect(places.count > 10 && server.count > 2)
      #expect(server.contains { $0.0.hasSuffix(".sqlite") && $0.1.count > 4096 }, "\(when)")
      #expect(Self.finds(canaries.nowhere, in: places + server) == [], "\(when)")
      #expect(Self.finds(canaries.notAtServer, in: server) == [], "\(when)")
      try Self.checkPermissions(below: home)
      try Self.checkPermissions(below: stage.data)
    }
    try search("while it runs")
    #expect(stage.stopServer() == 0)
    try search("at rest")
  }

  /// 0700 and 0600, whatever the umask was.
  private static func checkPermissions(below folder: URL) throws {
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      let file = folder.appendingPathComponent(path).path
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
      #expect((mode as? NSNumber).map { $0.intValue & 0o077 } == 0, "\(file)")
    }
  }

  /// Two devices of an account, by init and by pairing.
  private func begin(on stage: Stage, _ canaries: inout Canaries) throws {
    let account = canaries.make("account")
    let made = try stage.higgins(
      "home",
      [
        "init", "--server", stage.address, "--account", account, "--device",
        canaries.serverOnly("device"),
      ])
    try #require(made.status == 0, "\(made.errors)")
    let kit = made.text.trimmingCharacters(in: .whitespacesAndNewlines)
    canaries.add("kit", kit)
    canaries.add("bare kit", kit.filter { $0 != "-" })
    let pairing = try stage.start("home", ["devices", "pair", "--yes"])
    defer { pairing.end() }
    try stage.waitUntil("a pairing code") { pairing.text.contains("\n") }
    let code = pairing.text.split(separator: "\n").first.map(String.init) ?? ""
    canaries.add("pairing code", code)
    let joined = try stage.higgins(
      "work", ["join", "--device", canaries.serverOnly("other-device")], input: code + "\n")
    try #require(joined.status == 0, "\(joined.errors)")
    try #require(pairing.finish().status == 0)
  }

  /// What commands do: values, versions, an undo, a removal, an import, a conflict.
  private func use(_ stage: Stage, _ canaries: inout Canaries) throws {
    let context = canaries.make("context")
    func set(_ profile: String, _ label: String, _ kind: String, _ more: [String] = []) throws {
      let set = try stage.higgins(
        profile, ["set", context, label, "-"] + more, input: canaries.make(kind) + "\n")
      try #require(set.status == 0, "\(set.errors)")
    }
    try set("home", canaries.make("label"), "value")
    try set("home", "password", "old")
    try set("home", "password", "new")
    try #require(try stage.higgins("work", ["sync"]).status == 0)
    try set("home", "password", "left", ["--no-sync"])
    try set("work", "password", "right", ["--no-sync"])
    for profile in ["home", "work", "home"] {
      try #require(try stage.higgins(profile, ["sync"]).status == 0)
    }
    #expect(try stage.higgins("home", ["conflicts"]).text.contains("password"))
    try set("work", "gone", "removed")
    try #require(try stage.higgins("work", ["rm", context, "gone"]).status == 0)
    try #require(try stage.higgins("work", ["undo"]).status == 0)
    let file = stage.folder.appendingPathComponent("import.json")
    try Data(
      """
      {"items":[{"type":1,"name":"\(canaries.make("imported"))","notes":"\(canaries.make("note"))",
      "login":{"username":"ann","password":"\(canaries.make("import-password"))"}}]}
      """.utf8
    ).write(to: file)
    let imported = try stage.higgins("home", ["import", "bitwarden", file.path])
    try #require(imported.status == 0, "\(imported.errors)")
    try FileManager.default.removeItem(at: file)
    let wrong = try stage.higgins("home", ["get", context, canaries.make("no-such-label")])
    #expect(wrong.status == 2)
  }

  /// What a selector does, one with an unsaved edit that is killed, and one that crashes; what both
  /// showed of themselves to the system.
  private func useOnScreen(
    _ stage: Stage, _ canaries: inout Canaries
  ) throws -> [(String, Data)] {
    var places: [(String, Data)] = []
    try stage.open("home")
    try stage.unlock("home")
    try stage.wait(for: "imported-", on: "home")
    try stage.press(["Tab"], on: "home")
    try stage.press(["Enter"], on: "home")
    try stage.wait(for: "Editing", on: "home")
    try stage.press(["C-a", "C-k"], on: "home")
    try stage.type(canaries.make("draft"), on: "home")
    // Until what is typed is on disk.
    let database = "home/data/home/database-wal"
    let size = { try? Data(contentsOf: stage.folder.appendingPathComponent(database)).count }
    let before = size() ?? 0
    try stage.waitUntil("the draft") { (size() ?? 0) > before || before == 0 }
    let selector = try stage.selector("home")
    places += Self.shown(by: selector)
    kill(selector, SIGKILL)

    // What a watch shows of changes is for the person; here it has none to show.
    try #require(try stage.higgins("work", ["sync"]).status == 0)
    let watch = try stage.start("work", ["watch"])
    usleep(500_000)
    places += Self.shown(by: watch.identifier)
    // A crash: nothing but its signal is told.
    kill(watch.identifier, SIGSEGV)
    let crashed = watch.finish()
    #expect(crashed.status == 128 + SIGSEGV)
    #expect(crashed.errors.isEmpty, "\(crashed.errors)")
    places.append(("the crash", Data((crashed.text + crashed.errors).utf8)))
    return places
  }
}

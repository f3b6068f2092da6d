import Foundation

/// What a device does beside `contexts` of six attributes each: from nothing to everything there,
/// and one change among them.
final class Scale: Measurement {
  static let attributes = 6

  let samples: Int
  private let contexts: Int
  private let stage: Stage
  private let server: Stage.Server
  private let loads: Int
  private var proxies: [Proxy] = []
  private var screen: Screen?
  private var values = Values(length: 20)
  private var times: [String: Stopwatch] = [:]
  private var counts: [[Proxy.Count]] = [[], []]
  private var memory: [String: [Double]] = [:]

  /// - Parameter loads: how often everything is opened anew.
  init(stage: Stage, server: Stage.Server, contexts: Int, samples: Int, loads: Int) {
    self.stage = stage
    self.server = server
    self.contexts = contexts
    self.samples = samples
    self.loads = loads
  }

  var title: String { "\(contexts) contexts of \(Self.attributes) attributes" }
  private var sender: String { "large-\(contexts)" }
  private var receiver: String { "twin-\(contexts)" }

  /// 15 minutes: what a step may take before it is called failed rather than slow.
  private static let patience = 900.0

  private func time(_ name: String, _ body: () throws -> Void) throws {
    let start = ContinuousClock.now
    try body()
    times[name, default: Stopwatch()].note(from: start, to: .now)
  }

  private func patiently(_ program: Program) throws {
    let command = try stage.start(program)
    command.closeInput()
    try stage.finish(command, seconds: Self.patience)
  }

  func prepare() throws {
    for _ in 0..<2 {
      let proxy = try Proxy(target: server.port)
      stage.loop.add(proxy)
      proxies.append(proxy)
    }
    try stage.makeAccount(
      sender, device: "home pc", at: "http://127.0.0.1:\(proxies[0].port)")
    try stage.write(try Self.export(contexts), to: "scale-\(contexts).json")
    try time("import") {
      try patiently(
        stage.higgins(
          sender, ["import", "bitwarden", stage.path("scale-\(contexts).json"), "--no-sync"]))
    }
    try time("upload") { try patiently(stage.higgins(sender, ["sync"])) }
    try time("join") {
      try stage.pair(receiver, device: "work pc", with: sender)
      try patiently(stage.higgins(receiver, ["sync"]))
    }
    for _ in 0..<loads {
      try time("list") {
        try patiently(stage.higgins(receiver, ["show", Self.name(contexts)]))
      }
    }
    try stage.reroute(receiver, from: proxies[0].port, to: proxies[1].port)
    for _ in 1..<loads { stage.end(try open(sender)) }
    let own = try open(sender)
    let screen = try open(receiver)
    self.screen = screen
    try quiet()
    memory["start"] = [try own.child.memory("VmRSS"), try screen.child.memory("VmRSS")]
  }

  private func open(_ profile: String) throws -> Screen {
    let screen = try stage.show(stage.higgins(profile, []))
    screen.seek(Self.name(1))
    try time("screen") { try screen.wait(for: Self.name(1), seconds: Self.patience) }
    return screen
  }

  /// The middle one is changed; it is on nobody's screen but for the line that tells of it.
  func sample() throws {
    guard let screen else { return }
    let before = proxies.map(\.count)
    let context = Self.name(contexts / 2)
    let command = try stage.beginSetting(sender, context, "password", lead: 0.3)
    screen.seek("changed")
    let start = ContinuousClock.now
    try command.write("\(values.next())\n")
    command.closeInput()
    try stage.loop.wait("the end of higgins set", tick: 1) { command.child.status != nil }
    times["edit", default: Stopwatch()].note(from: start, to: .now)
    let seen = try screen.wait(for: "changed", seconds: 60)
    times["incoming", default: Stopwatch()].note(from: start, to: seen)
    try stage.finish(command)
    try quiet()
    for (place, proxy) in proxies.enumerated() { counts[place].append(proxy.count - before[place]) }
  }

  private func quiet() throws {
    try stage.loop.wait("the end of a synchronisation", seconds: 60) {
      proxies.allSatisfy { ContinuousClock.now - $0.lastTraffic > .milliseconds(500) }
    }
  }

  func finish() throws {
    guard let screen else { return }
    memory["end"] = [try screen.child.memory("VmRSS")]
    memory["peak"] = [try screen.child.memory("VmHWM")]
  }

  var rows: [Row] {
    func row(_ id: String, _ words: String, of wanted: Int) -> Row {
      Row(
        "\(id)-\(contexts)", "\(contexts) contexts: \(words)", .milliseconds,
        times[id]?.milliseconds ?? [], of: wanted)
    }
    func row(_ id: String, memory words: String, of wanted: Int) -> Row {
      Row(
        "memory-\(id)-\(contexts)", "\(contexts) contexts: \(words)", .kibibytes, memory[id] ?? [],
        of: wanted)
    }
    let bytes = ["sender", "receiver"].enumerated().flatMap { place, words in
      [("up", \Proxy.Count.up), ("down", \Proxy.Count.down)].map { name, part in
        Row(
          "change-\(words)-\(name)-\(contexts)",
          "\(contexts) contexts: one change, \(words), \(name)",
          .bytes, counts[place].map { Double($0[keyPath: part]) }, of: samples)
      }
    }
    return [
      row("import", "import", of: 1), row("upload", "first upload", of: 1),
      row("join", "a new device, paired to complete", of: 1),
      row("list", "unlock and show one", of: loads),
      row("screen", "unlock to list", of: loads + 1),
      row("edit", "one edit by a command, sent", of: samples),
      row("incoming", "one change, to painted elsewhere", of: samples),
      row("start", memory: "memory after unlock", of: 2),
      row("end", memory: "memory after the changes", of: 1),
      row("peak", memory: "memory at its highest", of: 1),
    ] + bytes
  }

  /// What grows from one size to another, by rows of the same kind.
  static func ratios(_ small: Int, _ large: Int) -> [Ratio] {
    let kinds = [
      ("import", "import"), ("upload", "first upload"), ("join", "a new device"),
      ("list", "unlock and show one"), ("screen", "unlock to list"), ("edit", "one edit"),
      ("incoming", "one change, to painted"), ("memory-start", "memory after unlock"),
      ("memory-peak", "memory at its highest"),
      ("change-sender-up", "bytes of one change, sent"),
      ("change-sender-down", "bytes of one change, answered"),
      ("change-receiver-up", "bytes of one change, asked for"),
      ("change-receiver-down", "bytes of one change, received"),
    ]
    return kinds.map { id, words in
      Ratio("\(words): \(large) contexts / \(small)", "\(id)-\(large)", over: "\(id)-\(small)")
    }
  }

  static func name(_ number: Int) -> String {
    String(format: "site-%05d.example", number)
  }

  /// What Bitwarden exports, with `count` logins.
  static func export(_ count: Int) throws -> String {
    struct Address: Encodable { let uri: String }
    struct Login: Encodable {
      let username: String
      let password: String
      let uris: [Address]
    }
    struct Field: Encodable {
      let name: String
      let value: String
      var type = 0
    }
    struct Item: Encodable {
      var type = 1
      let name: String
      let notes: String
      let login: Login
      let fields: [Field]
    }
    struct File: Encodable {
      var encrypted = false
      var folders: [String] = []
      let items: [Item]
    }
    let items = (1...count).map { number in
      Item(
        name: name(number), notes: "account number \(number)",
        login: Login(
          username: "ann", password: String(format: "first-password-%05d", number),
          uris: [Address(uri: "https://\(name(number))")]),
        fields: [
          Field(name: "question", value: "first answer \(number)"),
          Field(name: "member", value: "member-\(number)"),
        ])
    }
    return String(decoding: try JSONEncoder().encode(File(items: items)), as: UTF8.self)
  }
}

import Foundation

/// What one changed password costs between device and Attribute Server, heads included, beside a
/// store of `contexts`: the device that made the change, and the one that fetches it.
final class Traffic: Measurement {
  let samples: Int
  private let contexts: Int
  private let stage: Stage
  private let server: Stage.Server
  private var proxies: [Proxy] = []
  private var screen: Screen?
  private var other: Screen?
  private var memory: [Double] = []
  private var values = Values(length: 20)
  private var counts: [[Proxy.Count]] = [[], []]

  init(stage: Stage, server: Stage.Server, contexts: Int, samples: Int) {
    self.stage = stage
    self.server = server
    self.contexts = contexts
    self.samples = samples
  }

  var title: String { "bytes of one change, \(contexts) contexts" }
  private var sender: String { "sender-\(contexts)" }
  private var receiver: String { "receiver-\(contexts)" }

  func prepare() throws {
    for _ in 0..<2 {
      let proxy = try Proxy(target: server.port)
      stage.loop.add(proxy)
      proxies.append(proxy)
    }
    try stage.makeAccount(
      sender, device: "home pc", at: "http://127.0.0.1:\(proxies[0].port)")
    try stage.write(try Self.export(contexts), to: "export-\(contexts).json")
    try stage.run(
      stage.higgins(sender, ["import", "bitwarden", stage.path("export-\(contexts).json")]))
    // Of so many contexts the last part may still wait.
    try stage.run(stage.higgins(sender, ["sync"]))
    try stage.pair(receiver, device: "work pc", with: sender)
    try stage.run(stage.higgins(receiver, ["sync"]))
    // The pairing code named the sender's proxy; the receiver gets one of its own.
    try stage.reroute(receiver, from: proxies[0].port, to: proxies[1].port)
    let screen = try stage.open(sender, showing: "site-0001.example")
    other = try stage.open(receiver, showing: "site-0001.example")
    try quiet()
    // The first context's attributes; its second is the password.
    try screen.typeAndSettle("\tj")
    self.screen = screen
  }

  /// What Bitwarden exports, with `count` logins.
  private static func export(_ count: Int) throws -> String {
    struct Login: Encodable {
      let username: String
      let password: String
    }
    struct Item: Encodable {
      let type = 1
      let name: String
      let login: Login
    }
    struct File: Encodable {
      let encrypted = false
      let folders: [String] = []
      let items: [Item]
    }
    let items = (1...count).map {
      Item(
        name: String(format: "site-%04d.example", $0),
        login: Login(username: "ann", password: String(format: "first-password-%04d", $0)))
    }
    return String(decoding: try JSONEncoder().encode(File(items: items)), as: UTF8.self)
  }

  func sample() throws {
    guard let screen else { return }
    let before = proxies.map(\.count)
    try screen.typeAndSettle("\r")
    // To the line's start, everything away, the new password.
    try screen.typeAndSettle("\u{01}\u{0b}" + values.next())
    try screen.type("\r")
    try stage.loop.wait("the change at the other device") {
      proxies[1].count.down > before[1].down
    }
    try quiet()
    for (place, proxy) in proxies.enumerated() {
      counts[place].append(proxy.count - before[place])
    }
  }

  /// Waits until nothing has gone through for a while.
  private func quiet() throws {
    try stage.loop.wait("the end of a synchronisation", seconds: 30) {
      proxies.allSatisfy { ContinuousClock.now - $0.lastTraffic > .milliseconds(500) }
    }
  }

  func finish() throws {
    if let other { memory = [try other.child.memory("VmRSS")] }
  }

  var rows: [Row] {
    var rows = [
      Row(
        "memory-screen-\(contexts)", "memory: idle selector, \(contexts) contexts", .kibibytes,
        memory, of: 1)
    ]
    for (place, words) in ["sender", "receiver"].enumerated() {
      let parts: [(String, Row.Unit, KeyPath<Proxy.Count, Int>)] = [
        ("up", .bytes, \.up), ("down", .bytes, \.down), ("requests", .requests, \.requests),
      ]
      for (name, unit, part) in parts {
        let samples = counts[place].map { Double($0[keyPath: part]) }
        rows.append(
          Row(
            "\(words)-\(name)-\(contexts)", "one change, \(contexts) contexts: \(words), \(name)",
            unit, samples, of: self.samples))
      }
    }
    return rows
  }
}

extension Proxy.Count {
  static func - (later: Self, earlier: Self) -> Self {
    Self(
      up: later.up - earlier.up, down: later.down - earlier.down,
      requests: later.requests - earlier.requests)
  }
}

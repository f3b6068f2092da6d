import Sync
import Testing
import Wire

@testable import Selector

/// A person with three devices and nine contexts, seen from the home pc.
enum Sample {
  /// 2026-11-22 20:31:07 local time, one hour east of UTC.
  static let now: Int64 = 1_795_375_867_000
  static let home = id(DeviceID.self, 1)
  static let work = id(DeviceID.self, 2)
  static let mobile = id(DeviceID.self, 3)
  static let password = "Tr0ub4dor&3-secret"
  static let oldPassword = "hunter2-secret"
  static let passphrase = "correct horse battery staple"

  static func id<Kind>(_ type: Identifier<Kind>.Type, _ number: UInt8) -> Identifier<Kind> {
    Identifier(bytes: [UInt8](repeating: number, count: 16)) ?? .zero
  }

  static func context(_ number: UInt8) -> ContextID { id(ContextID.self, number) }
  static func attribute(_ number: UInt8) -> AttributeID { id(AttributeID.self, number) }
  static func version(_ number: UInt8) -> VersionID { id(VersionID.self, number) }

  /// `20:31:07` of the sample's day.
  static func at(_ hour: Int, _ minute: Int, _ second: Int) -> Int64 {
    now + Int64((hour - 20) * 3600 + (minute - 31) * 60 + second - 7) * 1000
  }

  static func profile(_ phase: Profile.Phase = .unlocked) -> Profile {
    Profile(
      deviceName: "home pc", deviceID: home, accountName: phase == .empty ? nil : "ann",
      serverURL: "http://127.0.0.1:7480", storePath: "~/.local/share/higgins", phase: phase,
      timeZoneOffset: 3600, themes: ["terminal", "light", "dark"])
  }

  static func value(
    _ number: UInt8, _ text: String?, by device: DeviceID = work, at time: Int64 = now,
    isHead: Bool = true
  ) -> ValueRecord {
    ValueRecord(id: version(number), device: device, at: time, text: text, isHead: isHead)
  }

  static func attributes(
    password: String = Sample.password, heads: [ValueRecord]? = nil, email: String? = nil,
    isPending: Bool = false, recipe: String? = nil
  ) -> [AttributeRecord] {
    let old = now - 12 * 86_400_000
    func make(
      _ number: UInt8, _ label: String, _ kind: AttributeRecord.Kind, _ text: String,
      heads: [ValueRecord]? = nil
    ) -> AttributeRecord {
      AttributeRecord(
        id: attribute(number), label: label, kind: kind,
        isConcealed: kind.isConcealedByDefault, text: text,
        heads: heads ?? [value(number, text)], recipe: kind == .password ? recipe : nil,
        updatedAt: old, updatedBy: work,
        isPending: isPending && number == 3)
    }
    return [
      make(1, "username", .username, "ann"),
      make(2, "password", .password, password, heads: heads),
      make(3, "email", .email, email ?? "ann@example.test"),
      make(4, "totp", .totp, "JBSWY3DPEHPK3PXP"),
      make(5, "notes", .note, "recovery codes in the safe"),
    ]
  }

  static let names = [
    "bank.example", "github.example", "home", "mail.example", "router.lan", "shop.example",
    "vpn.work.example", "wiki.work.example", "work",
  ]

  static let github = context(2)

  static func records(_ attributes: [AttributeRecord]? = nil, isPending: Bool = false)
    -> [ContextRecord]
  {
    names.enumerated().map { place, name in
      let isGithub = name == "github.example"
      return ContextRecord(
        id: context(UInt8(place + 1)), name: name, kind: .account,
        attributes: isGithub ? attributes ?? self.attributes() : name == "home" ? home1 : [],
        updatedAt: now, updatedBy: work, isPending: isPending && name == "mail.example")
    }
  }

  private static var home1: [AttributeRecord] {
    [
      AttributeRecord(
        id: attribute(21), label: "name", kind: .text, isConcealed: false, text: "Ann",
        heads: [value(21, "Ann")], updatedAt: now, updatedBy: home),
      AttributeRecord(
        id: attribute(22), label: "address", kind: .address, isConcealed: false,
        text: "1 Example Street\n10000 Example Town\nExampleland",
        heads: [value(22, "1 Example Street")], updatedAt: now, updatedBy: home),
    ]
  }

  static func peers(workOnline: Bool = true, behind: Int = 0) -> [SyncStatus.Peer] {
    [
      peer(home, "home pc", online: workOnline, this: true),
      peer(work, "work pc", online: workOnline, seen: at(20, 33, 2)),
      peer(mobile, "mobile", online: false, seen: at(17, 20, 0), behind: behind),
    ]
  }

  private static func peer(
    _ id: DeviceID, _ name: String, online: Bool, this: Bool = false, seen: Int64? = nil,
    behind: Int = 0
  ) -> SyncStatus.Peer {
    SyncStatus.Peer(
      id: id, name: name, platform: "linux", isThisDevice: this, isOnline: online, lastSeen: seen,
      behind: behind, keys: "3F9A 71C2 0KMZ 9B1\(name.count)")
  }

  static func status(behind: Int = 0) -> SyncStatus {
    SyncStatus(
      state: .current, push: .connected, pushTransport: "websocket", peers: peers(behind: behind),
      revision: 412, lastReceived: now, lastSent: at(20, 12, 41))
  }

  /// The mobile has joined and said nothing yet.
  static var neverHeard: SyncStatus {
    var status = status()
    status.peers[2] = SyncStatus.Peer(
      id: mobile, name: "mobile", platform: "linux", isThisDevice: false, isOnline: false,
      lastSeen: nil, behind: nil, keys: "3F9A 71C2 0KMZ 9B16")
    return status
  }

  static var offline: SyncStatus {
    SyncStatus(
      state: .offline, waiting: 1, peers: peers(workOnline: false), revision: 413,
      lastReceived: now, offlineSince: at(20, 33, 2), failure: "connection refused",
      nextAttempt: at(20, 34, 55))
  }

  /// What an import of so many new contexts looks like.
  static func additions(_ count: Int, by device: DeviceID) -> [Change] {
    (0..<UInt64(count)).map { number in
      let bytes = withUnsafeBytes(of: number) { Array($0) }
      return Change(
        kind: .added, context: ContextID(bytes: bytes + bytes) ?? .zero, contextName: "\(number)",
        device: device, at: now)
    }
  }

  static func change(
    _ kind: Change.Kind, _ context: UInt8, _ attribute: UInt8? = nil, _ label: String? = nil,
    by device: DeviceID = work, at time: Int64 = now
  ) -> Change {
    Change(
      kind: kind, context: Sample.context(context), contextName: names[Int(context) - 1],
      attribute: attribute.map(Sample.attribute), label: label, device: device, at: time)
  }
}

/// A session and what it asked for, driven by keys as a person names them.
struct Desk {
  var session: Session
  /// Effects of the last step, but for signals to be kept, which are due at almost any time.
  var effects: [Effect] = []
  /// The signals to be kept of the last step.
  var kept: [SignalEntry]?

  init(_ phase: Profile.Phase = .unlocked, size: Size = Size(columns: 80, rows: 24)) {
    session = Session(profile: Sample.profile(phase), size: size)
    send(.clock(Sample.now))
  }

  /// The sample, unlocked, with github.example marked.
  static func open(size: Size = Size(columns: 80, rows: 24)) -> Desk {
    var desk = Desk(size: size)
    desk.send(.status(Sample.status()))
    desk.send(.contexts(Sample.records()))
    desk.send(
      .changed([Sample.change(.set, 6, 3, "email", by: Sample.home, at: Sample.at(20, 12, 40))]))
    desk.press("j")
    _ = desk.session.log.keepDue()
    return desk
  }

  mutating func send(_ event: Event) {
    effects = []
    kept = nil
    take(session.update(event))
  }

  private mutating func take(_ new: [Effect]) {
    for effect in new {
      if case .keepSignals(let signals) = effect { kept = signals } else { effects.append(effect) }
    }
  }

  /// Presses keys written with spaces between: `j Enter C-a x`.
  mutating func press(_ keys: String) {
    effects = []
    kept = nil
    for name in keys.split(separator: " ") {
      guard let key = Key(String(name)) else {
        Issue.record("\(name) is no key")
        return
      }
      take(session.update(.key(key)))
    }
  }

  /// Types text, spaces included.
  mutating func type(_ text: String) {
    effects = []
    for character in text { take(session.update(.key(.character(character)))) }
  }

  mutating func after(seconds: Int64) {
    send(.clock(session.now + seconds * 1000))
  }

  var text: String { session.view().lines.joined(separator: "\n") }
  var message: String? { session.message?.text }
}

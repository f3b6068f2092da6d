import Storage
import Sync
import Vault
import Wire

/// The devices that came in without this one's doing, since a person was last told.
struct Newcomers: Sendable {
  /// One for each.
  fileprivate(set) var notices: [Notice] = []
  /// All devices there are, and how many records say so.
  fileprivate let devices: Set<DeviceID>
  fileprivate let records: Int
}

/// What is known of what others said of themselves, and what a person was told of it.
struct Telling {
  /// The revoked devices that said they have erased themselves.
  fileprivate(set) var farewells: Set<DeviceID> = []
  /// When those that were silent were last asked for.
  fileprivate var asked: Duration?
  /// How many records of the chain a person was told of.
  fileprivate var records = 0
  /// That this device took a new identity, until a command says it.
  fileprivate var replacement: Notice?
}

/// What a person was told of other devices, which outlives the process: who may read the account is
/// never changed without a word on every device.
extension Device {
  private static let toldRow = "newcomers told"
  private static let farewellsRow = "farewells"

  /// nil if there is nothing new, and while locked, since names are sealed: it is said after
  /// unlocking. What was shown is to be handed to ``told(of:)``.
  func newcomers() -> Newcomers? {
    guard keyring != nil, core.membership.count != telling.records else { return nil }
    var newcomers = Newcomers(
      devices: Set(core.membership.devices.keys), records: core.membership.count)
    do {
      guard let told = try devices(in: Self.toldRow) else { return newcomers }
      newcomers.notices = try core.membership.records.compactMap { record in
        guard record.kind == .addDevice, record.signer != .device(settings.device) else {
          return nil
        }
        let addition = try record.addition()
        let device = addition.device.device
        // One with an origin was a device before, under another list.
        guard addition.origin == nil, device != settings.device, !told.contains(device) else {
          return nil
        }
        return notice(of: device, admittedBy: record.signer)
      }
      return newcomers
    } catch {
      complain(error)
      return nil
    }
  }

  private func notice(of device: DeviceID, admittedBy signer: MembershipRecord.Signer) -> Notice {
    let name = name(of: device)
    let way =
      switch signer {
      case .account: "it came in with passphrase and recovery kit"
      case .device(let sponsor): "\(self.name(of: sponsor)) admitted it"
      }
    return Notice(
      code: "newcomer-\(device)",
      text: "\(name) is a new device of the account: \(way). If that was not you, take it out with"
        + " `higgins devices revoke`, and change your passphrase with `--leaked`.",
      at: Self.wallClock, isAlarm: false)
  }

  func tell(_ notice: Notice) {
    if notice.code == "replaced" { telling.replacement = notice }
    tell(.notice(notice))
  }

  /// That this device took a new identity since the last call.
  func takeReplacement() -> Notice? {
    defer { telling.replacement = nil }
    return telling.replacement
  }

  func told(of newcomers: Newcomers) {
    do {
      try keep(newcomers.devices, in: Self.toldRow)
      telling.records = newcomers.records
    } catch {
      complain(error)
    }
  }

  /// Whoever is there when this device first opens needs no word.
  func beginTelling() throws {
    telling.farewells = try devices(in: Self.farewellsRow) ?? []
    guard try devices(in: Self.toldRow) == nil, let newcomers = newcomers() else { return }
    told(of: newcomers)
  }

  var farewells: Set<DeviceID> { telling.farewells }

  /// Keeps that these devices have erased themselves.
  func keep(farewells new: Set<DeviceID>) throws {
    try keep(farewells.union(new), in: Self.farewellsRow)
    telling.farewells.formUnion(new)
  }

  /// Asks for the word of revoked devices beside a synchronisation; at most once a minute, as one
  /// that never says it would be asked for all the time.
  func wantFarewells() {
    let now = Self.moment.uptime
    guard telling.asked.map({ now - $0 >= .seconds(60) }) ?? true, !silent.isEmpty else { return }
    telling.asked = now
    Task { await fetchFarewells() }
  }

  private func devices(in row: String) throws -> Set<DeviceID>? {
    guard let bytes = try store.row(row) else { return nil }
    let size = DeviceID.zero.bytes.count
    let ids = stride(from: 0, to: bytes.count, by: size).compactMap {
      DeviceID(bytes: Array(bytes[$0..<min($0 + size, bytes.count)]))
    }
    return Set(ids)
  }

  private func keep(_ devices: Set<DeviceID>, in row: String) throws {
    try store.setRow(row, devices.sorted().flatMap(\.bytes))
  }
}

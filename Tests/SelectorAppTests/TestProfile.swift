import Foundation
import Storage
import Sync
import Vault
import Wire

@testable import SelectorApp

/// A real profile in a folder of its own: a first device whose server never answers.
final class TestProfile: Sendable {
  static let passphrase = "correct horse battery staple"
  /// Port 1 of loopback: nobody listens there.
  static let nobody = "http://127.0.0.1:1"
  let home: String
  let folder: ProfileFolder

  init() throws {
    home = "\(NSTemporaryDirectory())higgins-test-\(UUID().uuidString.prefix(8))"
    folder = try ProfileFolder(home: home, profile: "home", environment: [:])
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  /// A device that is unlocked and, with no other `server`, offline.
  static func device(server: String = nobody) async throws -> (TestProfile, Device) {
    let profile = try TestProfile()
    try profile.write(server: server)
    let device = try Device.open(profile.folder)
    try await unlocking.unlock(device, try Passphrase(utf8: Array(passphrase.utf8)))
    return (profile, device)
  }

  private static let unlocking = Unlocking()

  /// An account made once: hashing a passphrase takes its time.
  private static let account = Result {
    var entropy = SodiumEntropy()
    let passphrase = try Passphrase(utf8: Array(TestProfile.passphrase.utf8))
    let account = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"), passphrase: passphrase,
      strength: .floor, entropy: &entropy)
    let sealed = try account.keyring.sealedForDisk(
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    return (account: account, sealed: sealed)
  }

  func write(server: String = nobody) throws {
    let (account, sealed) = try Self.account.get()
    try folder.create()
    let store = try SQLiteStore(
      path: folder.database, opening: .new, digest: { Digest32.sha256($0) })
    var first = Transaction()
    first.records = [account.genesis]
    try store.write(first)
    try store.close()
    try folder.writeFile(sealed, to: folder.keyring)
    try folder.writeFile(account.authenticationKey.seed, to: folder.deviceKey)
    try folder.writeSettings(
      ProfileSettings(
        account: account.keyring.account, device: account.keyring.device,
        server: server, createdAt: 0))
  }

  /// Writes a file beside the profile.
  func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let path = "\(home)/\(name)"
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
    else { throw ConsoleError.file(path, operation: "Making", code: EIO) }
    return path
  }
}

/// Ids that read well in expectations.
enum Ids {
  static func make<Kind>(_ number: UInt8) -> Identifier<Kind> {
    let bytes = [UInt8](repeating: 0, count: 15) + [number]
    guard let id = Identifier<Kind>(bytes: bytes) else { preconditionFailure("16 bytes") }
    return id
  }

  /// As text: zeros, then `number`.
  static func text(_ number: UInt8) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}

/// Records as a replica would give them.
enum Make {
  static func value(_ number: UInt8, _ text: String?, device: UInt8 = 1) -> ValueRecord {
    ValueRecord(id: Ids.make(number), device: Ids.make(device), at: 1000, text: text, isHead: true)
  }

  static func attribute(
    _ number: UInt8, _ label: String, _ kind: AttributeRecord.Kind = .text, text: String = "x",
    heads: [ValueRecord] = []
  ) -> AttributeRecord {
    AttributeRecord(
      id: Ids.make(number), label: label, kind: kind, isConcealed: kind.isConcealedByDefault,
      text: text, heads: heads, updatedAt: 2000, updatedBy: Ids.make(1))
  }

  static func context(
    _ number: UInt8, _ name: String, _ attributes: [AttributeRecord] = [],
    names: [ValueRecord] = []
  ) -> ContextRecord {
    ContextRecord(
      id: Ids.make(number), name: name, kind: .account, attributes: attributes, updatedAt: 3000,
      updatedBy: Ids.make(1), names: names)
  }
}

/// Unlocks one device after the other: each hash holds a thread of the pool, which has few, and
/// what is to be answered within seconds must not wait behind those of all tests that begin.
private actor Unlocking {
  private var last: Task<Void, any Error>?

  func unlock(_ device: Device, _ passphrase: Passphrase) async throws {
    let before = last
    let turn = Task {
      _ = await before?.result
      try await device.unlock(passphrase)
    }
    last = turn
    try await turn.value
  }
}

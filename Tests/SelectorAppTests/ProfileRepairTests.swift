import Foundation
import Storage
import Sync
import Testing
import Vault
import Wire

@testable import SelectorApp

/// Profiles that are old, damaged, or in the middle of taking another identity.
@Suite(.serialized) struct ProfileRepairTests {
  private static func passphrase() throws -> Passphrase {
    try Passphrase(utf8: Array(TestProfile.passphrase.utf8))
  }

  private static func set(_ name: String, on device: Device) async throws {
    try await device.save(
      [.createContext(name: name, kind: .account, attributes: [])], immediately: true)
  }

  @Test func aProfileOfVersion1OpensWithEverythingInIt() async throws {
    let profile = try TestProfile()
    try profile.folder.create()
    let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "StorageTests/Fixtures/version1").path
    for (name, path) in [
      ("database", profile.folder.database), ("keyring", profile.folder.keyring),
      ("device.key", profile.folder.deviceKey), ("profile.json", profile.folder.settings),
    ] {
      try FileManager.default.copyItem(atPath: "\(fixture)/\(name)", toPath: path)
      chmod(path, 0o600)
    }
    let device = try Device.open(profile.folder)
    try await device.unlock(try Self.passphrase())
    let contexts = await device.contexts()
    #expect(contexts.map(\.name) == ["bank.example", "github.example"])
    let github = try #require(contexts.last)
    #expect(
      Dictionary(github.attributes.map { ($0.label, $0.text) }) { first, _ in first }
        == ["username": "ann", "password": "third", "note": "unsent"])
    let password = try #require(github.attributes.first { $0.label == "password" })
    #expect(
      await device.history(of: password.id, in: github.id).map(\.text)
        == ["first", "second", "third"])
    #expect(await device.name(of: device.settings.device) == "home pc")
    await device.stop(flush: .zero)
  }

  @Test func aDamagedStoreIsSalvagedAndNamedWhenOpened() async throws {
    let (profile, first) = try await TestProfile.device()
    try await Self.set("a.example", on: first)
    try await Self.set("b.example", on: first)
    await first.stop(flush: .zero)
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: profile.folder.database))
    try handle.truncate(atOffset: 0)
    try handle.close()
    let device = try Device.open(profile.folder)
    let notice = try #require(await device.opening.first)
    #expect(notice.text.hasPrefix("The store was damaged: everything is fetched again"))
    #expect(await device.isUncertain)
    // The server is away, and only it knows who belongs to the account.
    await #expect(throws: DeviceError.self) { try await device.unlock(try Self.passphrase()) }
    await device.stop(flush: .zero)
    let files = try FileManager.default.contentsOfDirectory(atPath: profile.folder.data)
    #expect(files.contains { $0.hasPrefix("database.damaged-") })
  }

  /// A keyring that is gone, of something else, cut short, or with a bit turned over.
  @Test(arguments: [nil, 4, 60, -1]) func aDamagedKeyringIsNoWrongPassphrase(
    _ place: Int?
  ) async throws {
    let (profile, device) = try await TestProfile.device()
    await device.stop(flush: .zero)
    let path = profile.folder.keyring
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    switch place {
    case nil: try FileManager.default.removeItem(atPath: path)
    case 4: bytes = Data("xxxx".utf8)
    case -1: bytes.removeLast()
    case let place?: bytes[place] ^= 1
    }
    if place != nil { try bytes.write(to: URL(fileURLWithPath: path)) }
    chmod(path, 0o600)
    let again = try Device.open(profile.folder)
    do {
      try await again.unlock(try Self.passphrase())
      Issue.record("unlocked")
    } catch {
      let failure = Failure(error)
      #expect(failure.code == .failed)
      #expect(failure.sentence.hasPrefix("\(path) does not read. Nothing was changed."))
      #expect(failure.sentence.hasSuffix("join again."))
    }
    await again.stop(flush: .zero)
  }

  @Test func damageThatOnlyUnlockingFindsIsSalvagedThen() async throws {
    let (profile, first) = try await TestProfile.device()
    for name in ["a.example", "b.example", "c.example"] { try await Self.set(name, on: first) }
    await first.stop(flush: .zero)
    // The last commit's bytes, which nothing but reading it checks.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: profile.folder.database))
    let store = try SQLiteStore(path: profile.folder.database, digest: { Digest32.sha256($0) })
    let last = try #require(
      try store.commits(beyond: Frontier(), count: 9, bytes: .max).last)
    try store.close()
    let place = try #require(bytes.range(of: Data(last.signature.prefix(32))))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: URL(fileURLWithPath: profile.folder.database))
    chmod(profile.folder.database, 0o600)
    let device = try Device.open(profile.folder)
    #expect(await device.opening.isEmpty)
    try await device.unlock(try Self.passphrase())
    #expect(await device.contexts().map(\.name) == ["a.example", "b.example"])
    #expect(await device.opening.first?.text.contains("1 change is fetched again") == true)
    // Nothing is committed before the server was heard, but what is saved is on disk.
    try await Self.set("d.example", on: device)
    #expect(await device.contexts().map(\.name).contains("d.example"))
    await device.stop(flush: .zero)
    let again = try Device.open(profile.folder)
    try await again.unlock(try Self.passphrase())
    #expect(await again.contexts().map(\.name) == ["a.example", "b.example", "d.example"])
    #expect(await again.isUncertain)
    await again.stop(flush: .zero)
  }

  /// What a replacement leaves when its process ends right after the store took it.
  @Test(arguments: [false, true]) func aChangeOfIdentityIsFinishedAtTheNextStart(
    _ filesWereSwitched: Bool
  ) async throws {
    let profile = try TestProfile()
    try profile.write()
    let folder = profile.folder
    let settings = try folder.readSettings()
    let old = try Identity.keyring(
      in: folder, settings: settings, passphrase: try Self.passphrase())
    var entropy = SodiumEntropy()
    let next = try Identity.prepare(successorOf: old, in: folder, entropy: &entropy)
    // Asked again, it is the same: the server may have taken its record already.
    let same = try Identity.prepare(successorOf: old, in: folder, entropy: &entropy)
    #expect(same.keyring.device == next.keyring.device)
    var store = try SQLiteStore(path: folder.database, digest: { Digest32.sha256($0) })
    var membership = Membership(account: settings.account)
    for record in try store.load().records { try membership.append(record) }
    var transaction = Transaction()
    transaction.records = [
      try old.replacing(
        with: next, name: DeviceName(name: "home pc", platform: "linux"), membership: membership,
        dependencies: Frontier(), entropy: &entropy)
    ]
    transaction.device = next.keyring.device
    try store.write(transaction)
    if filesWereSwitched {
      _ = try Identity.finishSwitch(in: folder, settings: settings, store: store)
    }
    try store.close()
    let device = try Device.open(folder)
    #expect(device.settings.device == next.keyring.device)
    #expect(try folder.readFile(folder.deviceKey) == next.authenticationKey.seed)
    try await device.unlock(try Self.passphrase())
    try await Self.set("a.example", on: device)
    #expect(await device.core.frontier.sequence(of: next.keyring.device) == 1)
    await device.stop(flush: .zero)
    // The keyring file is the new one now, and the prepared one is gone.
    let facts = try Keyring.describe(disk: try folder.readFile(folder.keyring))
    #expect(facts.device == next.keyring.device)
    #expect(try Identity.read(successorOf: settings.device, in: folder) == nil)
    store = try SQLiteStore(path: folder.database, digest: { Digest32.sha256($0) })
    #expect(try store.device() == next.keyring.device)
    try store.close()
  }

  @Test func aPreparedIdentityThatNobodyTookChangesNothing() async throws {
    let (profile, device) = try await TestProfile.device()
    var entropy = SodiumEntropy()
    let keyring = try #require(await device.keyring)
    _ = try Identity.prepare(successorOf: keyring, in: profile.folder, entropy: &entropy)
    await device.stop(flush: .zero)
    let again = try Device.open(profile.folder)
    try await again.unlock(try Self.passphrase())
    #expect(again.settings.device == keyring.device)
    await again.stop(flush: .zero)
  }

  @Test func aChangeTellsOnlyTheContextsThatDiffer() async throws {
    let (profile, device) = try await TestProfile.device()
    for name in ["a.example", "b.example", "c.example"] { try await Self.set(name, on: device) }
    var events = await device.events().makeAsyncIterator()
    let b = try #require(await device.contexts().first { $0.name == "b.example" })
    try await device.save([.renameContext(b.id, name: "d.example")], immediately: true)
    try await device.save([.deleteContext(b.id)], immediately: true)
    var updates: [([String], Set<ContextID>)] = []
    while updates.count < 2, let event = await events.next() {
      if case .contextsChanged(let records, let removed) = event {
        updates.append((records.map(\.name), removed))
      }
    }
    #expect(updates.first?.0 == ["d.example"])
    #expect(updates.last?.0 == [] && updates.last?.1 == [b.id])
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aSnapshotIsWrittenAndUnlockedFrom() async throws {
    let (profile, device) = try await TestProfile.device()
    for name in ["a.example", "b.example"] { try await Self.set(name, on: device) }
    let sealed = try await device.sealSnapshotForTest()
    await device.stop(flush: .zero)
    let store = try SQLiteStore(path: profile.folder.database, digest: { Digest32.sha256($0) })
    var transaction = Transaction()
    transaction.snapshot = sealed
    transaction.prune = sealed.frontier
    try store.write(transaction)
    try store.close()
    let again = try Device.open(profile.folder)
    try await again.unlock(try Self.passphrase())
    #expect(await again.contexts().map(\.name) == ["a.example", "b.example"])
    try await Self.set("c.example", on: again)
    #expect(await again.contexts().count == 3)
    await again.stop(flush: .zero)
  }
}

extension Device {
  /// Lets go of the profile as a killed process does.
  func abandonForTest() throws {
    try store.abandon()
    profileLock.release()
  }

  func sealSnapshotForTest() throws -> SealedSnapshot {
    let snapshot = try core.replica.snapshot(now: Self.wallClock, coveredByAll: nil)
    guard let keyring else { throw DeviceError.locked }
    return try keyring.sealSnapshot(
      pieces: snapshot.pieces, root: snapshot.root, versions: snapshot.versions,
      covering: core.frontier, memberHead: core.membership.head, writtenAt: Self.wallClock,
      entropy: &entropy)
  }
}

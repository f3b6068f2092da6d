// Files of the selector's and the server's databases as a failing disk, or somebody with access to
// it, may leave them: they are opened, checked and read, and what is wrong is an error with a name.
import Foundation
import GRDB
import Logging

@testable import Held
@testable import Storage
@testable import Sync
@testable import Vault
@testable import Wire

@Sendable func database(_ bytes: [UInt8]) {
  let damage = Damage(bytes)
  if damage.isOfTheServer { ledger(damage) } else { store(damage) }
}

/// The selector's store: opened, salvaged where it is damaged, and read to its end.
private func store(_ damage: Damage) {
  let path = scratch.file(damage.file(of: storeTemplate))
  do {
    let (store, _) = try SQLiteStore.openOrSalvage(
      path: path, device: writtenDevice, now: 1, digest: { Digest32.sha256($0) })
    defer { try? store.abandon() }
    let state = try store.load()
    var count = 0
    try store.forEachCommit { _ in count += 1 }
    demand(count <= 64, "no commit comes of nothing")
    _ = try store.evidence()
    _ = try store.device()
    _ = try store.row("drafts")
    _ = try store.checkpoint()
    for head in state.frontier.sorted {
      _ = try store.commits(of: head.0, beyond: 0)
      _ = try store.hash(of: head.0, at: head.1.sequence)
    }
  } catch {
    demand(error is StorageError, "what is wrong with a store has a name")
  }
}

/// The server's database: checked like `higginsd check` does, then served from.
private func ledger(_ damage: Damage) {
  let path = scratch.file(damage.file(of: ledgerTemplate))
  do {
    let file = try ServerDatabaseFile.connectReadOnly(path)
    _ = try ServerDatabaseFile.checkIdentity(of: file, path: path)
    _ = try file.read { LedgerCheck.findings(in: $0) }
    try file.close()
  } catch {
    // In words of its own: others may hold what was read.
    if case .databaseUnusable(_, let reason) = ServerDatabaseFile.error(error, path: path) {
      demand(error is DatabaseError, "what is wrong with a database has a name")
      demand(!reason.isEmpty, "and words")
    }
  }
  guard let database = try? ServerDatabase(path: path, logger: silent) else { return }
  defer { try? database.close() }
  var held = database.store
  let request = SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
  for account in (try? held.read { try $0.accounts() }) ?? [] {
    let caller = Caller(account: account, device: writtenDevice)
    _ = try? Ledger().sync(request, by: caller, generation: "g", in: &held)
    _ = try? Ledger().membership(after: nil, by: caller, in: held)
    _ = try? Ledger().prune(now: Ledger.retention, in: &held)
  }
}

/// What happened to a file. The first byte tells to whose (its second bit), and how (its first):
/// the bytes after it are the whole file, or changes of a sound one, four bytes each: a page, where
/// in it, and what with.
private struct Damage {
  private static let page = 4096
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isOfTheServer: Bool { (bytes.first ?? 0) & 2 != 0 }

  func file(of sound: [UInt8]) -> [UInt8] {
    guard let first = bytes.first, first & 1 == 0 else { return Array(bytes.dropFirst()) }
    var file = sound
    for start in stride(from: 1, to: bytes.count - 3, by: 4) where !file.isEmpty {
      change(&file, Array(bytes[start..<(start + 4)]))
    }
    return file
  }

  private func change(_ file: inout [UInt8], _ change: [UInt8]) {
    let pages = max(1, file.count / Self.page)
    let page = Int(change[0]) % pages * Self.page
    let place = Int(change[1]) << 8 | Int(change[2])
    switch place / Self.page {
    case 0..<12:
      let offset = page + place % Self.page
      if offset < file.count { file[offset] = change[3] }
    case 12..<14:
      let other = Int(change[3]) % pages * Self.page
      guard max(page, other) + Self.page <= file.count else { return }
      file.replaceSubrange(page..<(page + Self.page), with: file[other..<(other + Self.page)])
    default: file.removeSubrange(min(file.count, page + place % Self.page)...)
    }
  }
}

/// A folder of this run's own, emptied before each file.
private struct Scratch: Sendable {
  let folder = NSTemporaryDirectory() + "higgins-fuzz-\(getpid())"

  init() {
    mkdir(folder, 0o700)
    atexit { try? FileManager.default.removeItem(atPath: scratch.folder) }
  }

  func file(_ bytes: [UInt8]) -> String {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      unlink(folder + "/" + name)
    }
    let path = folder + "/database"
    let made = FileManager.default.createFile(
      atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
    demand(made, "the scratch file can be written")
    return path
  }

  /// The file that `make` leaves at a path, with its log written back.
  func template(_ make: (String) throws -> Void) -> [UInt8] {
    let path = file([])
    unlink(path)
    do {
      try make(path)
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      fatalError("no template: \(error)")
    }
  }
}

private let scratch = Scratch()
private let silent = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

// MARK: What was sound

/// An account as its first device writes it: six commits, and a snapshot of the first four.
private struct Written: Sendable {
  let account: NewAccount
  private(set) var commits: [Envelope] = []
  let snapshot: SealedSnapshot

  init() throws {
    var entropy = SodiumEntropy()
    account = try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home", platform: "linux"),
      passphrase: Passphrase(utf8: Array("fuzz".utf8)), strength: .floor, entropy: &entropy)
    let (keyring, head) = (account.keyring, account.genesis.hash)
    func sealed(
      _ kind: EnvelopeHeader.Kind, _ sequence: UInt64, after: Digest32
    ) throws -> Envelope {
      try keyring.sealCommit(
        Array("[]".utf8), kind: kind, sequence: sequence, previous: after, memberHead: head,
        dependencies: Frontier(), entropy: &entropy)
    }
    for sequence in 1...UInt64(6) {
      commits.append(try sealed(.data, sequence, after: commits.last?.hash ?? .zero))
    }
    snapshot = SealedSnapshot(
      manifest: try sealed(.snapshotManifest, 4, after: commits[3].hash),
      chunks: [[UInt8](repeating: 1, count: 700), [UInt8](repeating: 2, count: 100)])
  }
}

private let written: Written = {
  guard let written = try? Written() else { fatalError("no account") }
  return written
}()

private let writtenDevice = written.account.keyring.device

private let storeTemplate = scratch.template { path in
  let store = try SQLiteStore(path: path, opening: .new, digest: { Digest32.sha256($0) })
  var first = Transaction()
  first.records = [written.account.genesis]
  first.commits = Array(written.commits.prefix(4))
  try store.write(first)
  var second = Transaction()
  second.snapshot = written.snapshot
  second.commits = Array(written.commits.suffix(2))
  second.settled = [SettledRow(context: .zero, sealed: [1, 2, 3])]
  second.notices = [Notice(code: "fork", text: "x", at: 1, isAlarm: true)]
  second.evidence = [written.commits[0]]
  second.serverFrontier = Frontier([
    writtenDevice: Head(sequence: 1, hash: written.commits[0].hash)
  ])
  try store.write(second)
  try store.setRow("signals", [1, 2, 3])
  try store.close()
}

private let ledgerTemplate = scratch.template { path in
  let database = try ServerDatabase(path: path, logger: silent)
  let account = written.account.keyring.account
  let caller = Caller(account: account, device: writtenDevice)
  let ledger = Ledger()
  var held = database.store
  try held.write { transaction throws in
    try ledger.found(account, genesis: written.account.genesis.bytes, in: &transaction)
  }
  func send(_ commits: ArraySlice<Envelope>) throws {
    let request = SyncRequest(
      generation: nil, frontier: Frontier(), memberHead: nil,
      frames: commits.map { Blob($0.bytes) })
    let answer = try ledger.sync(request, by: caller, generation: "g", in: &held)
    demand(answer.outcomes.allSatisfy { $0.status == .accepted }, "the ledger takes the commits")
  }
  try send(written.commits[..<4])
  let snapshot = written.snapshot
  let offer = SnapshotOffer(
    manifest: Blob(snapshot.manifest.bytes), chunks: snapshot.chunks.map { Digest32.sha256($0) },
    bytes: snapshot.chunks.reduce(0) { $0 + $1.count })
  _ = try ledger.offer(offer, by: caller, now: 0, in: &held)
  for (number, chunk) in snapshot.chunks.enumerated() {
    try ledger.put(chunk, as: number, of: snapshot.id, by: caller, in: &held)
  }
  _ = try ledger.finish(snapshot.id, by: caller, now: 0, in: &held)
  _ = try ledger.prune(now: Ledger.retention, in: &held)
  try send(written.commits[4...])
  try database.close()
}

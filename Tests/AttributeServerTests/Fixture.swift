import AttributeServer
import Crypto
import Foundation
import Synchronization
import Wire

func hash(_ bytes: [UInt8]) -> Digest32 {
  Digest32(bytes: Array(SHA256.hash(data: bytes))) ?? .zero
}

func id<Kind: IdentifierKind>(_ byte: UInt8) -> Identifier<Kind> {
  Identifier(bytes: [UInt8](repeating: byte, count: 16)) ?? .zero
}

func key(_ byte: UInt8) throws -> Curve25519.Signing.PrivateKey {
  try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: byte, count: 32))
}

/// A device with keys made from one byte, and the commits it made.
struct TestDevice {
  let id: DeviceID
  let signing: Curve25519.Signing.PrivateKey
  let authentication: Curve25519.Signing.PrivateKey
  private(set) var head = Head(sequence: 0, hash: .zero)

  init(_ byte: UInt8) throws {
    id = AttributeServerTests.id(byte)
    signing = try key(byte)
    authentication = try key(byte &+ 100)
  }

  var description: DeviceDescription {
    DeviceDescription(
      device: id, signingKey: Blob(signing.publicKey.rawRepresentation),
      sealingKey: Blob([UInt8](repeating: 9, count: 32)),
      authenticationKey: Blob(authentication.publicKey.rawRepresentation),
      sealedName: Blob([UInt8](repeating: 8, count: 64)))
  }

  func header(_ account: TestAccount, dependencies: Frontier = Frontier()) -> EnvelopeHeader {
    EnvelopeHeader(
      kind: .data, account: account.id, epoch: account.epoch, device: id,
      sequence: head.sequence + 1, previous: head.hash, memberHead: account.head,
      dependencies: dependencies, nonce: [UInt8](repeating: 3, count: 24))
  }

  /// Signs without taking note of it.
  func sign(_ header: EnvelopeHeader, size: Int = 64) throws -> [UInt8] {
    let unsigned =
      header.encoded(ciphertextLength: size) + [UInt8](repeating: 0x5a, count: size)
    return unsigned + (try signing.signature(for: Envelope.signatureDomain + unsigned))
  }

  /// Makes the next commit of this device's chain.
  mutating func commit(
    _ account: TestAccount, dependencies: Frontier = Frontier(), size: Int = 64
  ) throws -> [UInt8] {
    let bytes = try sign(header(account, dependencies: dependencies), size: size)
    head = Head(sequence: head.sequence + 1, hash: hash(bytes))
    return bytes
  }
}

/// An account as its owner knows it: keys, first device, membership chain.
struct TestAccount {
  let id: AccountID
  let key: Curve25519.Signing.PrivateKey
  let login: Curve25519.Signing.PrivateKey
  let handle: Digest32
  let genesis: [UInt8]
  var head: Digest32
  var number: UInt64 = 1
  var epoch = Ledger.firstEpoch

  init(_ byte: UInt8, device: TestDevice) throws {
    id = AttributeServerTests.id(byte)
    key = try AttributeServerTests.key(byte &+ 50)
    login = try AttributeServerTests.key(byte &+ 60)
    handle = hash(Array("ctx/v1/handle".utf8) + [byte])
    let body = try JSONEncoder().encode(
      MembershipRecord.Genesis(
        accountKey: Blob(key.publicKey.rawRepresentation), device: device.description))
    genesis = try Self.signed(
      MembershipRecord.unsignedBytes(
        kind: .genesis, account: id, number: 0, previous: .zero, signer: .account,
        dependencies: Frontier(), body: Array(body)), by: key)
    head = hash(genesis)
  }

  func request(
    invite: String? = nil, memoryKibibytes: Int = 1024, passes: Int = 2
  ) -> AccountRequest {
    AccountRequest(
      account: id, handle: handle, invite: invite, genesis: Blob(genesis),
      loginKey: Blob(login.publicKey.rawRepresentation), slot: Blob([1, 2, 3]),
      hashing: PassphraseHashing(
        memoryKibibytes: memoryKibibytes, passes: passes,
        salt: Blob([UInt8](repeating: 4, count: 16))))
  }

  /// A record that adds `device`, signed by `signer` (the account key for nil).
  func addition(
    of device: TestDevice, by signer: TestDevice?, dependencies: Frontier = Frontier(),
    kind: MembershipRecord.Kind = .addDevice, number: UInt64? = nil, previous: Digest32? = nil
  ) throws -> [UInt8] {
    let body = try JSONEncoder().encode(MembershipRecord.Addition(device: device.description))
    return try Self.signed(
      MembershipRecord.unsignedBytes(
        kind: kind, account: id, number: number ?? self.number, previous: previous ?? head,
        signer: signer.map { .device($0.id) } ?? .account, dependencies: dependencies,
        body: Array(body)), by: signer?.signing ?? key)
  }

  /// A record by which `device` takes the place of `replaced`.
  func replacement(
    of replaced: DeviceID, with device: TestDevice, by signer: TestDevice?,
    dependencies: Frontier = Frontier()
  ) throws -> [UInt8] {
    let body = try JSONEncoder().encode(
      MembershipRecord.Replacement(replaced: replaced, device: device.description))
    return try Self.signed(
      MembershipRecord.unsignedBytes(
        kind: .replaceDevice, account: id, number: number, previous: head,
        signer: signer.map { .device($0.id) } ?? .account, dependencies: dependencies,
        body: Array(body)), by: signer?.signing ?? key)
  }

  /// A record that begins `epoch` without the devices `revoked`, cutting at `cut`.
  func rotation(
    without revoked: [DeviceID], by signer: TestDevice, cut: Frontier, epoch: UInt32 = 1
  ) throws -> [UInt8] {
    let body = try JSONEncoder().encode(
      MembershipRecord.Rotation(
        epoch: epoch, revoked: revoked, keys: [],
        commitment: Blob([UInt8](repeating: 5, count: 32)),
        slot: MembershipRecord.SlotChange(
          version: epoch + 1, slot: Blob([7, 7, 7]),
          loginKey: Blob(try AttributeServerTests.key(77).publicKey.rawRepresentation),
          hashing: PassphraseHashing(
            memoryKibibytes: 2048, passes: 3, salt: Blob([UInt8](repeating: 6, count: 16))))))
    return try Self.signed(
      MembershipRecord.unsignedBytes(
        kind: .rotateEpoch, account: id, number: number, previous: head,
        signer: .device(signer.id), dependencies: cut, body: Array(body)), by: signer.signing)
  }

  /// A record of `kind` with any body, by a device.
  func record(
    _ kind: MembershipRecord.Kind, _ body: some Encodable, by signer: TestDevice
  ) throws -> [UInt8] {
    try Self.signed(
      MembershipRecord.unsignedBytes(
        kind: kind, account: id, number: number, previous: head, signer: .device(signer.id),
        dependencies: Frontier(), body: Array(try JSONEncoder().encode(body))),
      by: signer.signing)
  }

  mutating func extended(by record: [UInt8]) {
    head = hash(record)
    number += 1
  }

  private static func signed(
    _ bytes: [UInt8], by key: Curve25519.Signing.PrivateKey
  ) throws -> [UInt8] {
    bytes + (try key.signature(for: MembershipRecord.signatureDomain + bytes))
  }
}

/// An account with two devices, founded in a store.
struct TestLedger<Store: LedgerStore> {
  var store: Store
  var ledger = Ledger()
  var home: TestDevice
  var work: TestDevice
  var account: TestAccount

  init(store: Store) throws {
    self.store = store
    home = try TestDevice(1)
    work = try TestDevice(2)
    account = try TestAccount(200, device: home)
    let (account, ledger) = (account, ledger)
    try self.store.write { transaction throws in
      try ledger.found(account.id, genesis: account.genesis, in: &transaction)
    }
    let record = try account.addition(of: work, by: home)
    _ = try append(record, by: home)
    self.account.extended(by: record)
  }

  mutating func append(
    _ record: [UInt8], by device: TestDevice, isRestored: Bool? = nil
  ) throws -> MembershipResponse {
    try ledger.append(
      MembershipRequest(expectedHead: account.head, record: Blob(record), isRestored: isRestored),
      by: Caller(account: account.id, device: device.id), in: &store)
  }

  mutating func sync(
    _ frames: [[UInt8]] = [], holding frontier: Frontier = Frontier(), by device: TestDevice? = nil,
    memberHead: Digest32? = nil, maxBytes: Int = Limits.pageBytes
  ) throws -> SyncResponse {
    try ledger.sync(
      SyncRequest(
        generation: nil, frontier: frontier, memberHead: memberHead,
        frames: frames.map { Blob($0) }, maxBytes: maxBytes),
      by: Caller(account: account.id, device: (device ?? home).id), generation: "g", in: &store)
  }

  /// The outcome of one frame, `accepted` or `known` or the code it was refused with.
  mutating func outcome(of frame: [UInt8]) throws -> String {
    let outcome = try sync([frame]).outcomes[0]
    return outcome.problem?.code.rawValue ?? outcome.status.rawValue
  }
}

/// A snapshot as a device would write it: the server sees signatures and digests only.
struct TestSnapshot {
  let manifest: [UInt8]
  let chunks: [[UInt8]]

  var id: Digest32 { hash(manifest) }
  var bytes: Int { chunks.reduce(0) { $0 + $1.count } }

  /// Covers `frontier`; `fill` makes chunks that no other snapshot has.
  init(
    of account: TestAccount, by device: TestDevice, covering frontier: Frontier, chunks: Int = 2,
    fill: UInt8 = 1, size: Int = 1000, _ change: (inout EnvelopeHeader) -> Void = { _ in }
  ) throws {
    self.chunks = (0..<chunks).map { [UInt8](repeating: fill &+ UInt8($0), count: size) }
    var header = device.header(account)
    header.kind = .snapshotManifest
    let own = frontier[device.id]
    header.sequence = own?.sequence ?? 0
    header.previous = own?.hash ?? .zero
    header.dependencies = frontier
    header.dependencies[device.id] = nil
    header.nonce = [UInt8](repeating: fill, count: 24)
    change(&header)
    manifest = try device.sign(header)
  }

  var offer: SnapshotOffer {
    SnapshotOffer(manifest: Blob(manifest), chunks: chunks.map(hash), bytes: bytes)
  }
}

extension TestLedger {
  private func caller(_ device: TestDevice?) -> Caller {
    Caller(account: account.id, device: (device ?? home).id)
  }

  mutating func offer(
    _ snapshot: TestSnapshot, by device: TestDevice? = nil, now: Int64 = 0
  ) throws -> SnapshotProgress {
    try ledger.offer(snapshot.offer, by: caller(device), now: now, in: &store)
  }

  mutating func put(
    _ number: Int, of snapshot: TestSnapshot, by device: TestDevice? = nil
  ) throws {
    try ledger.put(
      snapshot.chunks[number], as: number, of: snapshot.id, by: caller(device), in: &store)
  }

  mutating func finish(
    _ snapshot: TestSnapshot, by device: TestDevice? = nil, now: Int64 = 0
  ) throws -> SnapshotSummary {
    try ledger.finish(snapshot.id, by: caller(device), now: now, in: &store)
  }

  /// Offers, sends what is missing, and finishes.
  @discardableResult
  mutating func upload(_ snapshot: TestSnapshot, now: Int64 = 0) throws -> SnapshotSummary {
    for number in try offer(snapshot, now: now).missing { try put(number, of: snapshot) }
    return try finish(snapshot, now: now)
  }

  var frontier: Frontier {
    get throws { try store.read { try $0.frontier(of: account.id) } }
  }

  var usedBytes: Int {
    get throws { try store.read { try $0.account(account.id)?.usedBytes } ?? -1 }
  }

  /// The ids of the complete snapshots, oldest first.
  var complete: [Digest32] {
    get throws {
      try store.read { try $0.snapshots(of: account.id).filter(\.isComplete).map(\.id) }
    }
  }

  /// `count` commits of each device, the second's depending on the first's.
  mutating func commitBoth(_ count: Int, size: Int = 64) throws {
    for _ in 0..<count {
      let first = try home.commit(account, size: size)
      let second = try work.commit(
        account, dependencies: Frontier([home.id: home.head]), size: size)
      let outcomes = try sync([first, second]).outcomes
      guard outcomes.allSatisfy({ $0.status == .accepted }) else { throw Unexpected() }
    }
  }

  var heads: Frontier { Frontier([home.id: home.head, work.id: work.head]) }
}

struct Unexpected: Error {}

/// What `body` is refused with; nil when it is not.
func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? Problem)?.code.rawValue ?? "\(error)"
  }
}

/// A clock that moves when told to.
final class TestClock: Sendable {
  private let passed = Mutex<Duration>(.zero)
  static let start: Int64 = 1_700_000_000_000

  func advance(_ duration: Duration) {
    passed.withLock { $0 += duration }
  }

  var clock: ServerClock {
    ServerClock(
      now: {
        self.passed.withLock { Self.start + Int64($0 / .milliseconds(1)) }
      }, uptime: { self.passed.withLock { $0 } })
  }
}

/// A folder that is removed with this value.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "higginsd-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}

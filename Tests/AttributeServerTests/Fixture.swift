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
      kind: .data, account: account.id, epoch: Ledger.firstEpoch, device: id,
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

  func request(invite: String? = nil) -> AccountRequest {
    AccountRequest(
      account: id, handle: handle, invite: invite, genesis: Blob(genesis),
      loginKey: Blob(login.publicKey.rawRepresentation), slot: Blob([1, 2, 3]),
      hashing: PassphraseHashing(
        memoryKibibytes: 1024, passes: 2, salt: Blob([UInt8](repeating: 4, count: 16))))
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

  mutating func append(_ record: [UInt8], by device: TestDevice) throws -> MembershipResponse {
    try ledger.append(
      MembershipRequest(expectedHead: account.head, record: Blob(record)),
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

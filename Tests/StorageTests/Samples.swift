import Foundation
import Storage
import Sync
import Vault
import Wire

/// Stands in for SHA-256: 32 bytes that differ when the input does.
@Sendable func digest(_ bytes: [UInt8]) -> Digest32 {
  var lanes: [UInt64] = [1, 2, 3, 4]
  for (place, byte) in bytes.enumerated() {
    lanes[place % 4] = (lanes[place % 4] ^ UInt64(byte)) &* 0x100_0000_01b3
    lanes[(place + 1) % 4] ^= lanes[place % 4] >> 7
  }
  var writer = ByteWriter()
  for lane in lanes { writer.write(lane) }
  return Digest32(bytes: writer.bytes)!
}

func id<Kind>(_ number: UInt8) -> Identifier<Kind> {
  Identifier(bytes: [UInt8](repeating: number, count: 16))!
}

/// A device whose commits follow each other.
struct Author {
  let device: DeviceID
  private(set) var sequence: UInt64 = 0
  private var previous = Digest32.zero

  init(_ number: UInt8) {
    device = id(number)
  }

  var frontier: Frontier {
    sequence == 0 ? Frontier() : Frontier([device: Head(sequence: sequence, hash: previous)])
  }

  mutating func commit(bytes: Int = 100, dependencies: Frontier = Frontier()) -> Envelope {
    sequence += 1
    let header = EnvelopeHeader(
      kind: .data, account: id(1), epoch: 1, device: device, sequence: sequence,
      previous: previous, memberHead: .zero, dependencies: dependencies,
      nonce: [UInt8](repeating: 7, count: 24))
    let text = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &+ Int(sequence)) }
    let all = header.encoded(ciphertextLength: bytes) + text + [UInt8](repeating: 9, count: 64)
    guard let envelope = try? Envelope(bytes: all) else { preconditionFailure("a bad sample") }
    previous = digest(envelope.bytes)
    return envelope
  }

  mutating func commits(_ count: Int, bytes: Int = 100) -> [Envelope] {
    (0..<count).map { _ in commit(bytes: bytes) }
  }
}

/// A snapshot of device 9, which never committed.
func snapshot(covering frontier: Frontier, chunks: Int = 2, bytes: Int = 100) -> SealedSnapshot {
  let header = EnvelopeHeader(
    kind: .snapshotManifest, account: id(1), epoch: 1, device: id(9), sequence: 0,
    previous: .zero, memberHead: .zero, dependencies: frontier,
    nonce: [UInt8](repeating: 7, count: 24))
  let all =
    header.encoded(ciphertextLength: 20) + [UInt8](repeating: UInt8(chunks), count: 20)
    + [UInt8](repeating: 9, count: 64)
  guard let manifest = try? Envelope(bytes: all) else { preconditionFailure("a bad sample") }
  return SealedSnapshot(
    manifest: manifest,
    chunks: (0..<chunks).map { [UInt8](repeating: UInt8($0), count: bytes) })
}

func record(_ number: UInt64, body: String = "{}") -> MembershipRecord {
  let unsigned = MembershipRecord.unsignedBytes(
    kind: .genesis, account: id(1), number: number, previous: .zero, signer: .account,
    dependencies: Frontier(), body: Array(body.utf8))
  guard
    let record = try? MembershipRecord(bytes: unsigned + [UInt8](repeating: 3, count: 64))
  else { preconditionFailure("a bad sample") }
  return record
}

extension Transaction {
  init(commits: [Envelope]) {
    self.init()
    self.commits = commits
  }
}

/// A folder that goes with the test.
final class Scratch {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "storage-tests-\(UInt64.random(in: 0 ... .max))"
    mkdir(path, 0o700)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  var database: String { path + "/database" }

  func store(_ opening: SQLiteStore.Opening = .new) throws -> SQLiteStore {
    try SQLiteStore(path: database, opening: opening, digest: digest)
  }

  func copy(to other: Scratch) throws {
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: database + suffix, toPath: other.database + suffix)
    }
  }

  func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as! NSNumber).intValue
  }
}

import Foundation
import Testing
import Wire

@testable import Vault

/// One thing that is wrong with recorded bytes, as `MustFail/cases.json` lists them for every
/// reader of the formats. The edits are done in this order: `edits`, `insert`, `replace`, `cut`,
/// `append`;
/// then what `fit` names is made to fit again, as somebody would who holds the key.
struct MustFailCase: Codable, CustomTestStringConvertible {
  /// What the bytes are; the recorded ones lie in `Golden`.
  let layout: String
  let name: String
  /// Offset and the bytes that stand there instead, in hexadecimal.
  var edits: [Edit]?
  var insert: Edit?
  /// From the first offset to the second.
  var replace: Replacement?
  var cut: Int?
  var append: String?
  /// `signature` by the device's key, `account` by the account's, `checksum`, or signatures that
  /// are good elsewhere: `authentication` (by the wrong key) and `domain` (for another kind of
  /// bytes).
  var fit: String?
  /// Of a row; and of a sealed epoch, where it is opened.
  var binding: String?
  /// In place of bytes.
  var text: String?
  /// The error, as `VaultError` prints.
  var expect: String

  struct Edit: Codable {
    let offset: Int
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      offset = try container.decode(Int.self)
      bytes = try #require(Hex.decode(container.decode(String.self)))
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(offset)
      try container.encode(Hex.encode(bytes))
    }
  }

  struct Replacement: Codable {
    let range: Range<Int>
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      let start = try container.decode(Int.self)
      range = start..<(try container.decode(Int.self))
      bytes = try #require(Hex.decode(container.decode(String.self)))
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(range.lowerBound)
      try container.encode(range.upperBound)
      try container.encode(Hex.encode(bytes))
    }
  }

  var testDescription: String { "\(layout): \(name)" }

  private static var file: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "MustFail/cases.json")
  }

  static func all() throws -> [MustFailCase] {
    try JSONDecoder().decode([MustFailCase].self, from: Data(contentsOf: file))
  }

  /// The wrong bytes.
  func apply(to recorded: [UInt8], _ keyring: Keyring, _ other: AuthenticationKey) -> [UInt8] {
    var bytes = recorded
    for edit in edits ?? [] {
      bytes.replaceSubrange(edit.offset..<(edit.offset + edit.bytes.count), with: edit.bytes)
    }
    if let insert { bytes.insert(contentsOf: insert.bytes, at: insert.offset) }
    if let replace { bytes.replaceSubrange(replace.range, with: replace.bytes) }
    if let cut { bytes = Array(bytes.prefix(cut)) }
    if let append, let more = Hex.decode(append) { bytes += more }
    let body = Array(bytes.dropLast(64))
    let domain =
      ["envelope", "manifest"].contains(layout)
      ? Envelope.signatureDomain : MembershipRecord.signatureDomain
    switch fit {
    case "signature": return body + keyring.deviceKeys.signing.sign(domain + body)
    case "account":
      guard let seed = try? Fixture.accountSeed() else { return [] }
      return body + SigningKey(seed: seed).sign(domain + body)
    case "authentication": return body + other.sign(domain + body).bytes
    case "domain":
      return body + keyring.deviceKeys.signing.sign(MembershipRecord.signatureDomain + body)
    case "checksum":
      let body = Array(bytes.dropLast(32))
      return body + Digest32.sha256(body).bytes
    default: return bytes
    }
  }
}

/// The recorded cases: each ends in its own error, and the bytes as recorded in none.
@Suite struct MustFailCorpusTests {
  private static func golden(_ layout: String) throws -> [UInt8] {
    let (file, field) =
      switch layout {
      case "envelope": ("commit.json", "envelope")
      case "row": ("commit.json", "row")
      case "genesis", "slot": ("account.json", layout)
      case "addition", "offer", "answer": ("pairing.json", layout)
      case "replacement": ("replacement.json", "record")
      case "rotation": ("rotation.json", "record")
      case "sealed epoch": ("rotation.json", "sealed")
      case "keyring": ("keyring.json", "file")
      case "slot change": ("records.json", "slotChange")
      case "renaming", "ending": ("records.json", layout)
      case "server keys": ("policies.json", "trust")
      case "suite raise": ("policies.json", "raise")
      case "identity said anew": ("parting.json", "record")
      case "manifest": ("snapshot.json", layout)
      case "chunk": ("snapshot.json", "chunk0")
      default: throw VaultError.malformed(field: layout)
      }
    return try Golden(file, make: { [:] }).bytes(field)
  }

  private static func open(
    _ layout: String, _ bytes: [UInt8], binding: String?, text: String?
  ) throws {
    let account = try Fixture.account.get()
    let keyring = account.keyring
    switch layout {
    case "envelope":
      _ = try keyring.openCommit(envelope(bytes), membership: Fixture.chain())
    case "manifest": _ = try keyring.openManifest(envelope(bytes), membership: Fixture.chain())
    case "chunk":
      let chunks = [bytes, try Golden("snapshot.json") { [:] }.bytes("chunk1")]
      let manifest = try envelope(golden("manifest"))
      _ = try Fixture.opened(SealedSnapshot(manifest: manifest, chunks: chunks))
    case "genesis", "addition", "replacement", "server keys", "identity said anew":
      var chain =
        layout == "genesis" ? Membership(account: keyring.account) : try Fixture.chain()
      try chain.append(record(bytes))
    case "slot change", "renaming", "suite raise", "ending":
      var chain = try Fixture.chain()
      if layout == "renaming" { try chain.append(record(golden("slot change"))) }
      if layout == "suite raise" { try chain.append(record(golden("server keys"))) }
      if layout == "ending" {
        try chain.end(by: record(bytes))
      } else {
        try chain.append(record(bytes))
      }
    case "rotation":
      var chain = try GoldenTests.pairedChain()
      try chain.append(record(bytes))
      _ = try keyring.extended(by: chain)
    case "sealed epoch": try openSealedEpoch(bytes, place: binding ?? "here")
    case "slot":
      var entropy = SodiumEntropy()
      _ = try Fixture.login.get().recover(
        slot: Blob(bytes), device: DeviceName(name: "mobile", platform: ""),
        membership: Fixture.chain(), dependencies: Frontier(), entropy: &entropy)
    case "keyring": _ = try Keyring.open(disk: bytes, passphrase: Fixture.typed())
    case "row": _ = try keyring.openRow(bytes, binding: binding ?? "draft/1")
    case "offer": _ = try PairingOffer.open(letter: bytes, code: pairing().code)
    case "answer": _ = try pairing().joining.accept(answer: bytes)
    case "pairing code":
      _ = try PairingCode(text: text ?? Golden("pairing.json") { [:] }.text("code"))
    case "kit":
      _ = try Enrolment.kitLogin(
        kit: text ?? account.kit, passphrase: Fixture.typed(), hashing: account.hashing)
    default: throw VaultError.malformed(field: layout)
    }
  }

  private static func envelope(_ bytes: [UInt8]) throws -> Envelope {
    try VaultError.reading { () throws(WireError) in try Envelope(bytes: bytes) }
  }

  private static func record(_ bytes: [UInt8]) throws -> MembershipRecord {
    try VaultError.reading { () throws(WireError) in try MembershipRecord(bytes: bytes) }
  }

  /// Whether the two secrets open where `place` says, with the key of the device that stays.
  private static func openSealedEpoch(_ bytes: [UInt8], place: String) throws {
    let keyring = try Fixture.account.get().keyring
    let own = keyring.deviceKeys
    let other = try #require(DeviceID(bytes: Golden("rotation.json") { [:] }.bytes("revoked")))
    let (account, epoch, device): (AccountID, UInt32, DeviceID) =
      switch place {
      case "epoch 0": (keyring.account, 0, own.device)
      case "epoch 2": (keyring.account, 2, own.device)
      case "another account": (.zero, 1, own.device)
      case "another device": (keyring.account, 1, other)
      default: (keyring.account, 1, own.device)
      }
    var writer = SecretWriter()
    own.write(to: &writer)
    let keys = try SecretReader.read(writer.padded()) { reader throws(VaultError) in
      try DeviceKeys(reading: &reader, device: device)
    }
    _ = try SealedEpoch.open(Blob(bytes), account: account, epoch: epoch, device: keys)
  }

  /// The new device of the recorded pairing.
  private static func pairing() throws -> (code: PairingCode, joining: JoiningDevice) {
    let code = try PairingCode(text: Golden("pairing.json") { [:] }.text("code"))
    var entropy = SeededEntropy("golden pairing")
    _ = try PairingCode(server: Fixture.server, pin: nil, entropy: &entropy)
    return (
      code,
      try JoiningDevice.make(
        code: code, device: DeviceName(name: "work pc", platform: "Debian 12"), entropy: &entropy)
    )
  }

  private static let isText: Set<String> = ["pairing code", "kit"]

  private static func error(of wrong: MustFailCase) throws -> String {
    let account = try Fixture.account.get()
    let recorded = isText.contains(wrong.layout) ? [] : try golden(wrong.layout)
    let bytes = wrong.apply(to: recorded, account.keyring, account.authenticationKey)
    do {
      try open(wrong.layout, bytes, binding: wrong.binding, text: wrong.text)
      return "taken for good"
    } catch let error as VaultError {
      return "\(error)"
    }
  }

  @Test func eachCaseEndsInItsError() throws {
    let cases = try MustFailCase.all()
    #expect(cases.count > 500)
    #expect(Set(cases.map(\.testDescription)).count == cases.count, "each has a name of its own")
    for wrong in cases {
      let error = try Self.error(of: wrong)
      #expect(error == wrong.expect, "\(wrong.testDescription)")
    }
  }

  @Test func whatTheCasesAreMadeOfOpens() throws {
    let cases = try MustFailCase.all()
    for layout in Set(cases.map(\.layout)) {
      let bytes = Self.isText.contains(layout) ? [] : try Self.golden(layout)
      try Self.open(layout, bytes, binding: nil, text: nil)
    }
  }
}

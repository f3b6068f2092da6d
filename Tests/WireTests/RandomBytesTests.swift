import Foundation
import Testing

@testable import Wire

/// Bytes nobody meant: reading them may fail but never trap, and what does read is written back as
/// the same bytes.
@Suite struct RandomBytesTests {
  @Test func noiseNeverTraps() {
    var chance = SeededBytes(seed: 3)
    for _ in 0..<3000 {
      let bytes = chance.bytes(Int.random(in: 0...400, using: &chance))
      check(bytes)
      check(EnvelopeHeader.magic + [1, 1] + bytes)
      check(MembershipRecord.magic + [1, 2] + bytes)
      check(MembershipRecord.magic + [1, 4] + bytes)
      check(EnvelopeHeader.magic + [1, 4] + bytes)
    }
  }

  @Test func damagedEnvelopesAndRecordsNeverTrap() {
    var chance = SeededBytes(seed: 4)
    for _ in 0..<3000 {
      check(damaged(Sample.envelope, &chance))
      check(damaged(Sample.addition, &chance))
    }
  }

  @Test func textThatReadsHasOneForm() {
    let signs = Array("ABQZabgwyz0189-_ +/=é".utf8)
    var chance = SeededBytes(seed: 6)
    var readable = 0
    for _ in 0..<3000 {
      let count = Int.random(in: 0...12, using: &chance)
      let bytes = (0..<count).compactMap { _ in signs.randomElement(using: &chance) }
      let text = String(decoding: bytes, as: UTF8.self)
      if let decoded = Base64URL.decode(text) {
        readable += 1
        #expect(Base64URL.encode(decoded) == text)
      }
      if let decoded = Hex.decode(text) { #expect(Hex.encode(decoded) == text.lowercased()) }
    }
    #expect(readable > 100)
  }

  @Test func damagedFramesNeverTrap() throws {
    var chance = SeededBytes(seed: 5)
    for round in 0..<3000 {
      let form = PushFrameTests.forms[round % PushFrameTests.forms.count]
      let bytes = damaged(Array(form.text.utf8), &chance)
      guard let frame = try? PushFrame(text: bytes) else { continue }
      #expect(try PushFrame(text: try frame.encoded()) == frame, "damage \(round)")
    }
  }

  /// Nesting is where readers of JSON run out of stack.
  @Test(arguments: ["[", #"{"frames":"#, #"{"frontier":["#])
  func bottomlessNestingIsRefused(opening: String) {
    let text = String(repeating: opening, count: Limits.requestBytes / opening.utf8.count)
    #expect(throws: (any Error).self) { try decoded(SyncRequest.self, text) }
    let frame = Array(text.utf8.prefix(Limits.pushFrameBytes))
    #expect(throws: WireError.malformed(field: "push frame")) { try PushFrame(text: frame) }
  }

  private func check(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    if let envelope = try? Envelope(bytes: bytes) {
      let again = envelope.header.encoded(ciphertextLength: envelope.ciphertext.count)
      #expect(
        again + envelope.ciphertext + envelope.signature == bytes, sourceLocation: sourceLocation)
    }
    if let record = try? MembershipRecord(bytes: bytes) {
      let again = MembershipRecord.unsignedBytes(
        kind: record.kind, account: record.account, number: record.number,
        previous: record.previous, signer: record.signer, dependencies: record.dependencies,
        body: record.body)
      #expect(again + record.signature == bytes, sourceLocation: sourceLocation)
    }
    _ = try? PushFrame(text: bytes)
  }

  /// One to three changes: a bit turned, a byte exchanged, a run cut out or doubled.
  private func damaged(_ bytes: [UInt8], _ chance: inout SeededBytes) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &chance) where !bytes.isEmpty {
      let position = Int.random(in: bytes.indices, using: &chance)
      let end = min(bytes.count, position + Int.random(in: 1...20, using: &chance))
      switch Int.random(in: 0..<4, using: &chance) {
      case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
      case 1: bytes[position] = UInt8.random(in: .min ... .max, using: &chance)
      case 2: bytes.removeSubrange(position..<end)
      default: bytes.insert(contentsOf: bytes[position..<end], at: position)
      }
    }
    return bytes
  }
}

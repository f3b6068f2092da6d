import Sync
import Vault
import Wire

/// What a hostile server does to its answers.
enum Hostility: String, CaseIterable, Sendable {
  /// Leaves out a commit that others depend on.
  case omit
  /// Answers as it stood before.
  case rollBack
  /// Gives two commits in the wrong order.
  case swap
  /// Puts one commit's ciphertext into another.
  case swapCiphertexts
  /// Sends everything again.
  case replay
  /// Alters a commit and signs it with a key of its own.
  case signAnew
  /// Alters a commit and leaves its signature.
  case alter
  /// Gives a commit of another account.
  case otherAccount
  /// Gives a commit of a device that no record made a member.
  case intrude
  /// Gives a length that no memory holds.
  case hugeLength
  /// Says that it holds more than any chain has.
  case hugeFrontier
  /// Gives the membership records in the wrong order.
  case reorderMembership
  /// Names a membership head of its own.
  case forgeMembershipHead
  /// Says that it holds another commit under a sequence that is held here.
  case fork

  /// The alarms of which one has to be raised; empty when nothing is to be noticed.
  var alarms: Set<String> {
    switch self {
    case .omit: ["withheld", "broken_chain"]
    case .rollBack: ["rollback"]
    case .swap: ["withheld", "broken_chain"]
    case .swapCiphertexts, .signAnew, .alter, .otherAccount, .intrude: ["forged"]
    case .replay: []
    case .hugeLength: ["malformed"]
    case .hugeFrontier: ["withheld", "broken_chain", "rollback"]
    case .reorderMembership, .forgeMembershipHead: ["membership"]
    case .fork: ["fork"]
    }
  }
}

/// Carries out one kind of hostility on answers; remembers what it needs for it.
struct HostileServer {
  let move: Hostility
  /// The commits each caller was given last.
  private var past: [DeviceID: [Blob]] = [:]
  /// What each caller was last told that the server holds.
  private var told: [DeviceID: Frontier] = [:]
  private let other: Family
  private let intruder: (keyring: Keyring, record: MembershipRecord)

  init(move: Hostility, family: Family, other: Family) {
    self.move = move
    self.other = other
    intruder = family.intruder
  }

  /// The answer as the hostile server gives it; nil when this one gives no occasion.
  mutating func distort(
    _ response: SyncResponse, to request: SyncRequest, of caller: DeviceID,
    _ entropy: inout SeededEntropy
  ) throws -> SyncResponse? {
    var answer = response
    defer {
      past[caller] = Array(((past[caller] ?? []) + response.frames).suffix(8))
      told[caller] = response.serverFrontier
    }
    switch move {
    case .omit: return omitting(response)
    case .rollBack: return rolledBack(response, knownTo: caller)
    case .swap:
      guard let (first, second) = dependentPair(in: answer.frames) else { return nil }
      answer.frames.swapAt(first, second)
    case .swapCiphertexts:
      guard answer.frames.count > 1 else { return nil }
      let (first, second) = try (envelope(answer, 0), envelope(answer, answer.frames.count - 1))
      answer.frames[0] = Blob(
        first.header.encoded(ciphertextLength: second.ciphertext.count) + second.ciphertext
          + first.signature)
    case .replay:
      guard let given = past[caller], !given.isEmpty else { return nil }
      answer.frames = given + answer.frames
    case .signAnew: try replaceFirst(&answer) { try signedAnew($0, &entropy) }
    case .alter:
      try replaceFirst(&answer) { envelope in
        var bytes = envelope.bytes
        bytes[envelope.headerBytes.count + 3] ^= 1
        return bytes
      }
    case .otherAccount:
      try replaceFirst(&answer) { envelope in
        var foreign = DeviceEntropy(seed: entropy.next(), bug: nil)
        return try other.keyrings[0].sealCommit(
          Array("[]".utf8), kind: .data, sequence: envelope.header.sequence,
          previous: envelope.header.previous, memberHead: envelope.header.memberHead,
          dependencies: envelope.header.dependencies, entropy: &foreign
        ).bytes
      }
    case .intrude:
      let (keyring, record) = intruder
      var chance = DeviceEntropy(seed: entropy.next(), bug: nil)
      answer.frames.append(
        Blob(
          try keyring.sealCommit(
            Array("[]".utf8), kind: .data, sequence: 1, previous: .zero, memberHead: record.hash,
            dependencies: Frontier(), entropy: &chance
          ).bytes))
    case .hugeLength:
      try replaceFirst(&answer) { envelope in
        var bytes = envelope.bytes
        for place in (envelope.headerBytes.count - 4)..<envelope.headerBytes.count {
          bytes[place] = 0xFF
        }
        return bytes
      }
    case .hugeFrontier:
      // Of several, so that their sum is more than any number.
      guard answer.serverFrontier.heads.count > 1 else { return nil }
      for device in answer.serverFrontier.heads.keys {
        answer.serverFrontier[device] = Head(sequence: .max, hash: .zero)
      }
    case .reorderMembership:
      guard answer.membership.count > 1 else { return nil }
      answer.membership.reverse()
    case .forgeMembershipHead: answer.memberHead = Digest32.sha256(entropy.bytes(8))
    case .fork:
      let others = request.frontier.sorted.filter { $0.device != caller }
      guard let (device, head) = others.first else { return nil }
      guard response.serverFrontier[device] == head else { return nil }
      answer.serverFrontier[device] = Head(
        sequence: head.sequence, hash: Digest32.sha256(entropy.bytes(8)))
    }
    return answer == response ? nil : answer
  }

  private func envelope(_ answer: SyncResponse, _ number: Int) throws -> Envelope {
    try Envelope(bytes: answer.frames[number].bytes)
  }

  private func replaceFirst(
    _ answer: inout SyncResponse, _ body: (Envelope) throws -> [UInt8]
  ) throws {
    guard !answer.frames.isEmpty else { return }
    answer.frames[0] = Blob(try body(try envelope(answer, 0)))
  }

  /// The first commit of which a later one of the page depends is left out.
  private func omitting(_ response: SyncResponse) -> SyncResponse? {
    guard let (first, _) = dependentPair(in: response.frames) else { return nil }
    var answer = response
    answer.frames.remove(at: first)
    return answer
  }

  /// Two places of which the second depends on the first.
  private func dependentPair(in frames: [Blob]) -> (Int, Int)? {
    let headers = frames.compactMap { try? Envelope(bytes: $0.bytes).header }
    guard headers.count == frames.count else { return nil }
    for second in headers.indices {
      for first in 0..<second {
        let (before, after) = (headers[first], headers[second])
        let follows = before.device == after.device && before.sequence + 1 == after.sequence
        let needs = after.dependencies.sequence(of: before.device) >= before.sequence
        if follows || needs { return (first, second) }
      }
    }
    return nil
  }

  /// Something the caller knew to be there is no longer.
  private func rolledBack(
    _ response: SyncResponse, knownTo caller: DeviceID
  ) -> SyncResponse? {
    guard let (device, _) = told[caller]?.sorted.first else { return nil }
    var answer = response
    answer.frames = []
    answer.more = false
    answer.serverFrontier[device] = nil
    return answer
  }

  /// The commit with one bit altered, under a signature by a key the account does not know.
  private func signedAnew(
    _ envelope: Envelope, _ entropy: inout SeededEntropy
  ) throws -> [UInt8] {
    var altered = envelope.signedBytes
    altered[altered.count - 1] ^= 1
    let key = try AuthenticationKey(seed: entropy.bytes(32))
    return Array(altered.dropFirst(Envelope.signatureDomain.count)) + key.sign(altered).bytes
  }
}

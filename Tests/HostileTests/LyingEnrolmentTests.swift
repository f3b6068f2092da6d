import Foundation
import Storage
import Sync
import Testing
import Transport
import Wire

@testable import SelectorApp
@testable import Vault

/// Lies to a device that does not know the account yet, and to the one that admits it.
@Suite(.serialized) struct LyingEnrolmentTests {
  private static func recover(_ world: World, _ url: String) async throws {
    try await Onboarding.recover(
      folder: try World.profile("mobile", in: world.folder), server: url, account: "ann",
      device: "mobile", passphrase: World.typed(), kit: world.kit)
  }

  /// Nothing of the new device may be left where the account's keys could have come to lie.
  private static func hasProfile(_ world: World) throws -> Bool {
    try World.profile("mobile", in: world.folder).exists
  }

  @Test func kitAndPassphraseRecoverWhenNobodyLies() async throws {
    let world = try await World()
    try await world.run { url in
      try await Self.recover(world, url)
      let hasProfile = try Self.hasProfile(world)
      #expect(hasProfile)
    }
  }

  @Test(arguments: [
    (1, 3), (0, 0), (64 * 1024 - 1, 3), (64 * 1024, 2), (64 * 1024, 0), (1024 * 1024 + 1, 3),
    (Int(UInt32.max), 3), (64 * 1024, 11), (64 * 1024, Int(UInt32.max)),
  ])
  func hashingIsNeitherWeakenedNorBlownUp(_ memory: Int, _ passes: Int) async throws {
    let world = try await World()
    try await world.run { url in
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.challenge) else { return }
        let answer: ChallengeResponse = try exchange.read()
        try exchange.write(
          ChallengeResponse(
            challenge: answer.challenge, instance: answer.instance,
            hashing: answer.hashing.map {
              PassphraseHashing(memoryKibibytes: memory, passes: passes, salt: $0.salt)
            }))
      }
      let error = await #expect(throws: VaultError.self) { try await Self.recover(world, url) }
      #expect(error == .parametersOutOfRange(memoryKibibytes: memory, passes: passes))
      #expect(error.map { Failure($0).code } == .alarm)
      // Nothing that was made of the passphrase has been sent.
      #expect(!world.server.script.seen.contains { $0.contains(Route.slot) })
      let hasProfile = try Self.hasProfile(world)
      #expect(!hasProfile)
    }
  }

  /// What is done to the slot, or to the list of devices, that a recovery is given.
  enum Lie: String, CaseIterable, CustomTestStringConvertible {
    case slotOfAnother, slotChanged, slotOfNoise, slotCut, slotWithoutEnd
    case chainOfAnother, chainCut, chainWithInvention, chainOfNoise

    var testDescription: String { rawValue }

    var alarm: VaultError {
      switch self {
      case .slotOfAnother, .slotChanged, .slotOfNoise, .slotCut, .slotWithoutEnd, .chainOfNoise:
        .cannotOpen
      case .chainOfAnother, .chainCut: .wrongAccount
      case .chainWithInvention: .badSignature
      }
    }
  }

  /// As strong as the account it is passed off as.
  private static let stranger = Result {
    var entropy = SodiumEntropy()
    return try Enrolment.createAccount(
      name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: World.typed(), strength: .standard, entropy: &entropy)
  }

  @Test(arguments: Lie.allCases)
  func aRecoveryIsNotLedAstray(_ lie: Lie) async throws {
    let world = try await World()
    let invention = try LyingSyncTests.Invention(
      for: try World.profile("home", in: world.folder))
    var entropy = SodiumEntropy()
    let noise = entropy.bytes(300)
    let stranger = try Self.stranger.get()
    try await world.run { url in
      world.server.script.answering { exchange in
        guard exchange.status == 200 else { return }
        if exchange.path.hasPrefix(Route.slot) {
          let answer: SlotResponse = try exchange.read()
          var slot = answer.slot.bytes
          switch lie {
          case .slotOfAnother: slot = stranger.slot.bytes
          case .slotChanged: slot[slot.count - 20] ^= 1
          case .slotOfNoise: slot = noise
          case .slotCut: slot.removeLast(slot.count / 2)
          case .slotWithoutEnd: slot += [UInt8](repeating: 0, count: Limits.slotBytes)
          default: return
          }
          try exchange.write(
            SlotResponse(account: answer.account, slot: Blob(slot), token: answer.token))
        } else if exchange.method == "GET", exchange.path.hasPrefix(Route.membership) {
          let answer: MembershipResponse = try exchange.read()
          var records = answer.records
          switch lie {
          case .chainOfAnother: records = [Blob(stranger.genesis.bytes)]
          case .chainCut: records = []
          case .chainOfNoise: records.append(Blob(noise))
          case .chainWithInvention:
            records.append(Blob(try invention.record(after: answer.memberHead).bytes))
          default: return
          }
          try exchange.write(
            MembershipResponse(
              memberHead: answer.memberHead, records: records,
              serverFrontier: answer.serverFrontier))
        }
      }
      let error = await #expect(throws: VaultError.self) { try await Self.recover(world, url) }
      #expect(error == lie.alarm)
      #expect(error.map { Failure($0).code } == .alarm)
      #expect(world.server.script.changes > 0)
      #expect(!world.server.script.seen.contains("POST \(Route.membership)"))
      let hasProfile = try Self.hasProfile(world)
      #expect(!hasProfile)
    }
  }

  /// What somebody in the middle of a pairing does, who does not know the code.
  enum Interference: String, CaseIterable, CustomTestStringConvertible {
    case offerReplaced, offerChanged, offerOfNoise, answerReplaced, answerChanged, answerOfNoise
    case recordNotKept, chainReplaced

    var testDescription: String { rawValue }

    var isOfTheOffer: Bool { [.offerReplaced, .offerChanged, .offerOfNoise].contains(self) }

    func isNamed(by error: any Error) -> Bool {
      switch self {
      case .recordNotKept: error as? DeviceError == .notAdmitted
      case .chainReplaced: error as? VaultError == .wrongAccount
      default: error as? VaultError == .cannotOpen
      }
    }
  }

  @Test(arguments: Interference.allCases)
  func whoeverStandsInTheMiddleOfAPairingGetsNothing(
    _ interference: Interference
  ) async throws {
    let world = try await World()
    let invention = try LyingSyncTests.Invention(
      for: try World.profile("home", in: world.folder))
    try await world.run { url in
      var entropy = SodiumEntropy()
      let noise = entropy.bytes(300)
      // Letters as good as the real ones, made with a code of the attacker's own.
      let code = try PairingCode(server: url, pin: nil, entropy: &entropy)
      let own = try JoiningDevice.make(
        code: code, device: DeviceName(name: "mobile", platform: "linux"), entropy: &entropy)
      world.server.script.asking { exchange in
        guard exchange.method == "POST", exchange.path.hasPrefix(Route.enrol) else { return }
        let request = try JSONDecoder().decode(MailboxRequest.self, from: Data(exchange.request))
        guard let letter = request.letter else { return }
        var bytes = letter.bytes
        switch (interference, request.box) {
        case (.offerReplaced, .offer): bytes = own.offerLetter
        case (.offerChanged, .offer), (.answerChanged, .answer): bytes[bytes.count - 1] ^= 1
        case (.answerReplaced, .answer): bytes = own.offerLetter
        case (.offerOfNoise, .offer), (.answerOfNoise, .answer): bytes = noise
        default: return
        }
        exchange.request = Array(
          try JSONEncoder().encode(MailboxRequest(box: request.box, letter: Blob(bytes))))
      }
      world.server.script.answering { exchange in
        guard exchange.method == "GET", exchange.path.hasPrefix(Route.membership) else { return }
        let answer: MembershipResponse = try exchange.read()
        var records = answer.records
        switch interference {
        case .recordNotKept: records.removeLast()
        case .chainReplaced: records = [Blob(invention.genesis.bytes)]
        default: return
        }
        try exchange.write(
          MembershipResponse(
            memberHead: answer.memberHead, records: records, serverFrontier: answer.serverFrontier))
      }
      let home = try await World.opened(try World.profile("home", in: world.folder))
      let before = await Shown(home)
      let error = await #expect(throws: (any Error).self) {
        try await World.pair(home) { code in
          try await Onboarding.join(
            folder: try World.profile("mobile", in: world.folder), code: code, device: "mobile",
            passphrase: World.typed(), showWords: { _ in })
        }
      }
      if let error {
        #expect(interference.isNamed(by: error), "\(error)")
        #expect(Failure(error).code == .alarm)
      }
      let hasProfile = try Self.hasProfile(world)
      #expect(!hasProfile)
      // Whoever changed the offer has made nobody a member.
      if interference.isOfTheOffer { #expect(await Shown(home) == before) }
      #expect(world.server.script.changes > 0)
      await home.stop(flush: .zero)
    }
  }
}

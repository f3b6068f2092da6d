import Foundation
import Storage
import Sync
import Testing
import Vault
import Wire

@testable import SelectorApp

/// Lies in the answers of synchronisations: each is named by an alarm, and changes nothing.
@Suite(.serialized) struct LyingSyncTests {
  /// What the server does to an answer that carries a new commit of the work pc.
  enum Lie: String, CaseIterable, CustomTestStringConvertible {
    case deviceInvented, chainReplaced, headInvented, commitForged, commitOfStranger
    case commitWithheld, frontierForked, everythingForgotten, frontierBeyondAll

    var testDescription: String { rawValue }

    var alarms: Set<String> {
      switch self {
      case .deviceInvented, .chainReplaced, .headInvented: ["membership", "forged"]
      case .commitForged, .commitOfStranger: ["forged"]
      case .commitWithheld: ["withheld", "broken_chain"]
      case .frontierForked: ["fork"]
      case .everythingForgotten: ["rollback"]
      case .frontierBeyondAll: ["withheld", "rollback", "broken_chain"]
      }
    }

    /// The answer as the liar gives it; unchanged where there is no occasion.
    func tell(_ answer: inout SyncResponse, _ asked: SyncRequest, _ world: Invention) throws {
      switch self {
      case .deviceInvented:
        let record = try world.record(after: answer.memberHead)
        answer.membership.append(Blob(record.bytes))
        answer.memberHead = record.hash
      case .chainReplaced:
        answer.membership = [Blob(world.genesis.bytes)]
        answer.memberHead = world.genesis.hash
      case .headInvented: answer.memberHead = .sha256([1])
      case .commitForged:
        guard let frame = answer.frames.first else { return }
        var bytes = frame.bytes
        bytes[bytes.count - 70] ^= 1
        answer.frames[0] = Blob(bytes)
      case .commitOfStranger:
        guard !answer.frames.isEmpty else { return }
        answer.frames[0] = Blob(try world.commit().bytes)
      case .commitWithheld:
        guard answer.frames.count > 1 else { return }
        answer.frames.removeFirst()
      case .frontierForked:
        guard let (device, head) = asked.frontier.sorted.last else { return }
        answer.serverFrontier[device] = Head(sequence: head.sequence, hash: .sha256([2]))
      case .everythingForgotten:
        answer.frames = []
        answer.serverFrontier = Frontier()
      case .frontierBeyondAll:
        guard let (device, _) = asked.frontier.sorted.first else { return }
        answer.serverFrontier[device] = Head(sequence: .max, hash: .sha256([3]))
      }
    }
  }

  /// What a server can make up that has no key of the account.
  struct Invention: Sendable {
    let account: AccountID
    let genesis: MembershipRecord
    private let stranger: NewAccount

    init(for account: AccountID) throws {
      var entropy = SodiumEntropy()
      self.account = account
      stranger = try Enrolment.createAccount(
        name: "ann", device: DeviceName(name: "home pc", platform: "linux"),
        passphrase: World.typed(), strength: .floor, entropy: &entropy)
      genesis = stranger.genesis
    }

    /// Adds a device of the server's own, signed by it.
    func record(after head: Digest32) throws -> MembershipRecord {
      var bytes = stranger.genesis.bytes
      bytes.replaceSubrange(5..<6, with: [2])
      bytes.replaceSubrange(6..<22, with: account.bytes)
      bytes.replaceSubrange(22..<30, with: [0, 0, 0, 0, 0, 0, 0, 2])
      bytes.replaceSubrange(30..<62, with: head.bytes)
      return try MembershipRecord(bytes: bytes)
    }

    func commit() throws -> Envelope {
      var entropy = SodiumEntropy()
      return try stranger.keyring.sealCommit(
        Array("[]".utf8), kind: .data, sequence: 1, previous: .zero, memberHead: genesis.hash,
        dependencies: Frontier(), entropy: &entropy)
    }
  }

  @Test(arguments: Lie.allCases)
  func aLieIsNamedAndChangesNothing(_ lie: Lie) async throws {
    let world = try await World()
    try await world.run { _ in
      try await world.changeElsewhere("third")
      try await world.changeElsewhere("fourth")
      let home = try await world.open("home")
      let account = home.settings.account
      // What was here before anything of the liar arrived.
      await home.stop(flush: .zero)
      let invention = try Invention(for: account)
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.sync), exchange.status == 200 else { return }
        var answer: SyncResponse = try exchange.read()
        let asked = try JSONDecoder().decode(SyncRequest.self, from: Data(exchange.request))
        try lie.tell(&answer, asked, invention)
        try exchange.write(answer)
      }
      let profile = try World.profile("home", in: world.folder)
      let device = try await World.opened(profile)
      let before = await Shown(device)
      await device.start(push: false)
      let outcome = await device.synchronise(within: .seconds(20))
      let codes = Set(await device.alarms().map(\.code))
      #expect(!codes.isEmpty && codes.isSubset(of: lie.alarms), "\(outcome): \(codes)")
      #expect(world.server.script.changes > 0)
      // Commits that are genuine may be taken beside the lie; an invented device never.
      let after = await Shown(device)
      #expect(after.devices == before.devices)
      if [.deviceInvented, .commitForged, .commitOfStranger, .commitWithheld].contains(lie) {
        #expect(after == before)
      }
      await device.stop(flush: .zero)

      // The alarm outlives the process; the truth mends what was withheld.
      world.server.script.beHonest()
      let again = try await world.open("home")
      #expect(await !again.alarms().isEmpty)
      _ = await again.synchronise(within: .seconds(20))
      #expect(await again.contexts().first?.attributes.first?.text == "fourth")
      #expect(await Shown(again).devices == before.devices)
      await again.stop(flush: .zero)
    }
  }

  @Test(arguments: [
    "", "null", "[]", "{}", "{\"generation\":1}", String(repeating: "[", count: 200_000),
    "{\"frames\":[\"!!!\"]}", "\u{0}\u{1}", String(repeating: "9", count: 100_000),
  ])
  func nonsenseIsNoAnswerAndNoCrash(_ body: String) async throws {
    let world = try await World()
    try await world.run { _ in
      world.server.script.answering { exchange in
        if exchange.path.hasPrefix(Route.sync) { exchange.body = Array(body.utf8) }
      }
      let home = try await world.open("home")
      let before = await Shown(home)
      guard case .waiting = await home.synchronise(within: .seconds(10)) else {
        Issue.record("it was taken for an answer")
        return
      }
      #expect(await Shown(home) == before)
      await home.stop(flush: .zero)
    }
  }

  @Test func anAnswerWithoutEndIsCutOff() async throws {
    let world = try await World()
    try await world.run { _ in
      world.server.script.answering { exchange in
        guard exchange.path.hasPrefix(Route.sync) else { return }
        exchange.body = [UInt8](repeating: 0x20, count: 12 << 20)
      }
      let home = try await world.open("home")
      let before = await Shown(home)
      guard case .waiting(let reason, _) = await home.synchronise(within: .seconds(20)) else {
        Issue.record("it was taken for an answer")
        return
      }
      #expect(reason.contains("longer than"), "\(reason)")
      #expect(await Shown(home) == before)
      await home.stop(flush: .zero)
    }
  }
}

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
    case commitWithheld, frontierForked, ownFrontierForked, everythingForgotten
    case frontierBeyondAll, ownFrontierBeyondAll

    var testDescription: String { rawValue }

    var alarm: String {
      switch self {
      case .deviceInvented, .chainReplaced, .headInvented: "membership"
      case .commitForged, .commitOfStranger: "forged"
      case .commitWithheld: "broken_chain"
      case .frontierForked, .ownFrontierForked: "fork"
      case .everythingForgotten: "rollback"
      case .frontierBeyondAll, .ownFrontierBeyondAll: "withheld"
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
      case .frontierForked, .ownFrontierForked:
        guard let (device, head) = chain(in: asked.frontier, world) else { return }
        answer.serverFrontier[device] = Head(sequence: head.sequence, hash: .sha256([2]))
      case .everythingForgotten:
        answer.frames = []
        answer.serverFrontier = Frontier()
      case .frontierBeyondAll, .ownFrontierBeyondAll:
        guard let (device, _) = chain(in: asked.frontier, world) else { return }
        answer.serverFrontier[device] = Head(sequence: .max, hash: .sha256([3]))
      }
    }

    /// The chain that is lied about: the asking device's own, or the other's.
    private func chain(in frontier: Frontier, _ world: Invention) -> (DeviceID, Head)? {
      let isOwn = [.ownFrontierForked, .ownFrontierBeyondAll].contains(self)
      return frontier.sorted.first { ($0.0 == world.victim) == isOwn }
    }
  }

  /// What a server can make up that has no key of the account.
  struct Invention: Sendable {
    let account: AccountID
    /// The device that is lied to.
    let victim: DeviceID
    let genesis: MembershipRecord
    private let stranger: NewAccount

    init(for profile: ProfileFolder) throws {
      var entropy = SodiumEntropy()
      let settings = try profile.readSettings()
      (account, victim) = (settings.account, settings.device)
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
      // What was here before anything of the liar arrived.
      await home.stop(flush: .zero)
      let invention = try Invention(for: try World.profile("home", in: world.folder))
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
      #expect(await device.alarms().map(\.code) == [lie.alarm], "\(outcome)")
      #expect(world.server.script.changes > 0)
      // Commits that are genuine may be taken beside the lie; an invented device never. A device
      // whose own chain is said to be another goes on under another id, and that is all it costs.
      let after = await Shown(device)
      let devices = before.devices + (lie == .ownFrontierForked ? 1 : 0)
      #expect(after.devices == devices)
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
      #expect(await Shown(again).devices == devices)
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

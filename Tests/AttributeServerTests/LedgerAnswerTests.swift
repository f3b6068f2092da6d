import AttributeServer
import Testing
import Wire

struct LedgerAnswerTests {
  /// Two devices answer each other: every commit depends on the one before.
  private func conversation<Store: LedgerStore>(
    _ fixture: inout TestLedger<Store>, rounds: Int
  ) throws -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for round in 0..<rounds {
      if round.isMultiple(of: 2) {
        let seen = fixture.work.head.sequence == 0 ? [:] : [fixture.work.id: fixture.work.head]
        frames.append(try fixture.home.commit(fixture.account, dependencies: Frontier(seen)))
      } else {
        let seen = Frontier([fixture.home.id: fixture.home.head])
        frames.append(try fixture.work.commit(fixture.account, dependencies: seen))
      }
    }
    return frames
  }

  private func pagesAreCausalAndWhole<Store: LedgerStore>(_ store: Store) throws {
    var fixture = try TestLedger(store: store)
    let frames = try conversation(&fixture, rounds: 7)
    let sent = try fixture.sync(frames)
    #expect(sent.outcomes.allSatisfy { $0.status == .accepted })
    #expect(sent.frames.isEmpty, "what was just sent does not come back")
    var held = Frontier()
    var received: [[UInt8]] = []
    var pages = 0
    repeat {
      let page = try fixture.sync(holding: held, maxBytes: frames[1].count * 2)
      #expect(page.frames.count <= 2)
      for frame in page.frames {
        let header = try Envelope(bytes: frame.bytes).header
        #expect(held.reaches(header.dependencies))
        held[header.device] = Head(sequence: header.sequence, hash: hash(frame.bytes))
      }
      received += page.frames.map(\.bytes)
      pages += 1
      #expect(page.more == (received.count < frames.count))
    } while received.count < frames.count && pages < 10
    #expect(received == frames)
    #expect(pages == 4)
    #expect(try fixture.sync(holding: held).frames.isEmpty)
  }

  @Test func pagesAreCausalAndWholeInMemory() throws {
    try pagesAreCausalAndWhole(MemoryLedgerStore())
  }

  @Test func pagesAreCausalAndWholeOnDisk() throws {
    let folder = try TemporaryFolder()
    try pagesAreCausalAndWhole(try openStore(folder))
  }

  @Test func aPageHoldsAtLeastOneCommitHoweverSmall() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let frames = try conversation(&fixture, rounds: 2)
    _ = try fixture.sync(frames)
    for maxBytes in [Int.min, 0, 1] {
      let page = try fixture.sync(maxBytes: maxBytes)
      #expect(page.frames == [Blob(frames[0])])
      #expect(page.more)
    }
  }

  @Test func aDeviceThatForgotItsOwnCommitsGetsThemBack() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let frames = try conversation(&fixture, rounds: 1)
    _ = try fixture.sync(frames)
    let response = try fixture.sync(holding: Frontier(), by: fixture.home)
    #expect(response.frames == [Blob(frames[0])])
    #expect(response.serverFrontier == Frontier([fixture.home.id: fixture.home.head]))
  }

  /// The server was set back to an older copy: it says what it holds, and the caller can heal it.
  @Test func aFrontierBeyondTheServersIsAnsweredWithTheServers() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    let frames = try conversation(&fixture, rounds: 3)
    _ = try fixture.sync([frames[0]])
    let backup = fixture.store
    _ = try fixture.sync(frames)
    let ahead = fixture.store.frontier(of: fixture.account.id)
    fixture.store = backup
    let response = try fixture.sync(holding: ahead)
    #expect(response.frames.isEmpty)
    #expect(response.serverFrontier.sequence(of: fixture.home.id) == 1)
    #expect(
      try fixture.sync(frames, holding: ahead).outcomes.map(\.status) == [
        .known, .accepted, .accepted,
      ])
    #expect(fixture.store.frontier(of: fixture.account.id) == ahead)
  }

  @Test func membershipComesAfterTheHeadTheCallerHolds() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    #expect(try fixture.sync().membership.count == 2)
    #expect(try fixture.sync(memberHead: hash(fixture.account.genesis)).membership.count == 1)
    #expect(try fixture.sync(memberHead: fixture.account.head).membership.isEmpty)
    #expect(try fixture.sync(memberHead: hash([9])).membership.count == 2)
    #expect(try fixture.sync().memberHead == fixture.account.head)
  }

  @Test func onlyTheNewestSignalOfADeviceWaits() throws {
    var fixture = try TestLedger(store: MemoryLedgerStore())
    _ = fixture.store.takeSignals()
    _ = try fixture.sync(try conversation(&fixture, rounds: 5))
    let signals = fixture.store.takeSignals()
    #expect(signals.map(\.sequence) == [3, 2])
    #expect(fixture.store.takeSignals().isEmpty)
  }
}

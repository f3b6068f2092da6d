import Testing
import Vault
import Wire

@testable import Sync

/// A device whose list of devices the server has another one in the place of.
@Suite struct PartingTests {
  private func note(_ name: String) -> Edit {
    .createContext(name: name, kind: .note, attributes: [])
  }

  private func renaming(
    of device: DeviceID, by keyring: Keyring, in chain: Membership, _ bench: inout HealingBench,
    to name: String = "new"
  ) throws -> MembershipRecord {
    try keyring.renaming(
      device, to: DeviceName(name: name, platform: "linux"), membership: chain,
      frontier: Frontier(), entropy: &bench.entropy)
  }

  private func append(_ record: MembershipRecord, to chain: Membership) throws -> Membership {
    var next = chain
    try next.append(record)
    return next
  }

  /// What a server with that list, and without commits, answers somebody of another list.
  private func answer(_ bench: HealingBench, _ chain: Membership) -> SyncResponse {
    var response = bench.answer(holding: Frontier())
    response.membership = chain.records.map { Blob($0.bytes) }
    response.memberHead = chain.head
    return response
  }

  private func isRead(_ effects: [SyncCore.Effect]) -> Bool {
    effects.contains { if case .readBranches = $0 { true } else { false } }
  }

  /// As the shell answers for the whole log.
  private func readLog(_ bench: inout HealingBench) throws {
    let log = bench.log
    try bench.take(
      .branches(
        bench.core.wholeLog.map { claim in
          SyncCore.Branch(
            device: claim.device, proven: nil,
            commits: log.filter { $0.header.device == claim.device })
        }))
  }

  @Test func aDeviceGoesOverAndSaysAnewWhatWasForgotten() throws {
    var bench = try HealingBench()
    let former = bench.core.device
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("before")], immediately: true))
    let shared = bench.core.membership
    let forgotten = try renaming(of: peer.device, by: bench.keyring, in: shared, &bench)
    try bench.take(.recordsShown([Blob(forgotten.bytes)], isRefused: false))
    try bench.take(.saved([note("after")], immediately: true))
    let other = try append(
      try renaming(of: former, by: peer, in: shared, &bench, to: "other"), to: shared)

    #expect(isRead(try bench.take(.answered(answer(bench, other)))))
    #expect(bench.core.alarms.map(\.code) == ["membership"])
    // The process may end in between.
    try bench.restart()
    try readLog(&bench)
    #expect(bench.core.membership.head == other.head && bench.disk.records == other.records)
    #expect(bench.log.map(\.header.sequence) == [1], "the other stands on the forgotten record")
    #expect(bench.core.replica.contexts.map(\.name) == ["after", "before"])
    try bench.restart()
    #expect(bench.core.forgotten == [forgotten])
    try bench.take(.branches([]))

    let next = try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(next.contains(.restate(forgotten)) && !next.contains(.replaceDevice))
    let said = try bench.keyring.restating(
      forgotten, membership: bench.core.membership, frontier: bench.core.frontier)
    try bench.take(.recordsShown([Blob(said.bytes)], isRefused: false))
    try bench.take(.behind)
    let last = try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(last.contains(.replaceDevice) && bench.disk.forgotten.isEmpty)
    #expect(bench.core.alarms.map(\.text.isEmpty) == [false])
    #expect(bench.core.alarms[0].text.hasSuffix("Both are one again."))
    try bench.replace()
    #expect(bench.log.map(\.header.device) == [former, bench.core.device])
    #expect(bench.core.device != former && bench.disk.settled.isEmpty)
    try bench.restart()
    #expect(bench.core.replica.contexts.map(\.name) == ["after", "before"])
  }

  @Test func aDeviceWhoseCommitsAreGoodInBothListsStaysWhoItIs() throws {
    var bench = try HealingBench()
    let former = bench.core.device
    let peer = try bench.pairedDevice()
    try bench.take(.saved([note("before")], immediately: true))
    let shared = bench.core.membership
    let forgotten = try renaming(of: peer.device, by: peer, in: shared, &bench)
    var shown = bench.answer(holding: bench.core.frontier)
    shown.membership = [Blob(forgotten.bytes)]
    shown.memberHead = forgotten.hash
    try bench.take(.answered(shown))
    let other = try append(
      try renaming(of: former, by: peer, in: shared, &bench, to: "other"), to: shared)
    try bench.take(.requested)
    #expect(isRead(try bench.take(.answered(answer(bench, other)))))
    try readLog(&bench)
    #expect(bench.core.membership.head == other.head)
    #expect(!bench.core.isReplacing && bench.log.count == 1 && bench.core.device == former)
    #expect(!bench.disk.notices.contains { $0.code == "replacing" })
  }

  @Test func aDeviceInWhoseNameATwinWroteTakesANewIdentity() throws {
    var bench = try HealingBench()
    let former = bench.core.device
    let (work, phone) = (try bench.pairedDevice(), try bench.pairedDevice())
    try bench.take(.saved([note("before")], immediately: true))
    let shared = bench.core.membership
    // Whoever began the epoch had seen a second commit in the name of this device.
    let cut = Frontier([former: Head(sequence: 2, hash: shared.head)])
    let rotation = try bench.rotation(by: work, without: [phone.device], cut: cut)
    let forgotten = try renaming(of: work.device, by: work, in: shared, &bench)
    try bench.take(.recordsShown([Blob(forgotten.bytes)], isRefused: false))
    let other = try append(rotation, to: shared)
    try bench.take(.answered(answer(bench, other)))
    try readLog(&bench)
    #expect(bench.core.membership.head == other.head && bench.core.isReplacing)
    try bench.take(.saved([note("after")], immediately: true))
    #expect(bench.log.map(\.header.sequence) == [1] && bench.disk.settled.count == 1)
    try bench.restart()
    #expect(bench.core.isReplacing)
  }

  @Test func aListThatSomebodyWroteWhoWasTakenOutIsNotBelieved() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let shared = bench.core.membership
    let revocation = try bench.rotation(
      by: bench.keyring, without: [peer.device], cut: bench.core.frontier)
    try bench.take(.recordsShown([Blob(revocation.bytes)], isRefused: false))
    let held = bench.core.membership.head
    let other = try append(
      try renaming(of: peer.device, by: peer, in: shared, &bench), to: shared)
    #expect(!isRead(try bench.take(.answered(answer(bench, other)))))
    #expect(bench.core.membership.head == held && bench.core.membership.revoked.count == 1)
    #expect(bench.core.alarms.map(\.code) == ["membership"])
    #expect(bench.core.alarms[0].text.contains("written by a device that was taken out"))
  }

  /// The server's list has somebody again who was taken out, until that is said anew.
  private struct Owing {
    var bench: HealingBench
    let work: Keyring
    let phone: Keyring
    let revocation: MembershipRecord
  }

  private func owing() throws -> Owing {
    var bench = try HealingBench()
    let (work, phone) = (try bench.pairedDevice(), try bench.pairedDevice())
    let shared = bench.core.membership
    let revocation = try bench.rotation(
      by: bench.keyring, without: [work.device], cut: bench.core.frontier)
    try bench.take(.recordsShown([Blob(revocation.bytes)], isRefused: false))
    let other = try append(
      try renaming(of: phone.device, by: phone, in: shared, &bench), to: shared)
    try bench.take(.answered(answer(bench, other)))
    try readLog(&bench)
    #expect(bench.core.membership.head == other.head && bench.core.owesKeys)
    return Owing(bench: bench, work: work, phone: phone, revocation: revocation)
  }

  @Test func nothingIsSealedBeforeARevocationIsSaidAnew() throws {
    var (bench, revocation) = { ($0.bench, $0.revocation) }(try owing())
    try bench.take(.saved([note("secret")], immediately: true))
    #expect(bench.log.isEmpty && bench.disk.settled.count == 1)
    try bench.restart()
    try bench.take(.requested)
    #expect(bench.log.isEmpty)
    let effects = try bench.take(.answered(bench.answer(holding: Frontier())))
    #expect(effects.contains(.restate(revocation)))
    let said = try bench.keyring.restating(
      revocation, membership: bench.core.membership, frontier: bench.core.frontier)
    try bench.take(.recordsShown([Blob(said.bytes)], isRefused: false))
    #expect(!bench.core.owesKeys && bench.core.membership.revoked.count == 1)
    bench.now.uptime += .seconds(5)
    try bench.take(.timer)
    #expect(bench.log.map(\.header.epoch) == [1])
  }

  @Test func nothingIsBelievedFromWhomTheForgottenListTookOut() throws {
    var owing = try owing()
    let chain = owing.bench.core.membership
    let record = try renaming(of: owing.work.device, by: owing.work, in: chain, &owing.bench)
    var response = owing.bench.answer(holding: Frontier())
    response.membership = [Blob(record.bytes)]
    response.memberHead = record.hash
    try owing.bench.take(.requested)
    try owing.bench.take(.answered(response))
    #expect(owing.bench.core.membership.head == chain.head)
    #expect(owing.bench.core.alarms.map(\.code) == ["membership"])
  }

  @Test func aPersonIsAskedWhereOnlyThePassphraseHelps() throws {
    var owing = try owing()
    let chain = owing.bench.core.membership
    // The phone changes the keys, and knows nothing of the revocation.
    let rotation = try owing.bench.rotation(by: owing.phone, cut: Frontier())
    var response = owing.bench.answer(holding: Frontier())
    response.membership = [Blob(rotation.bytes)]
    response.memberHead = rotation.hash
    try owing.bench.take(.requested)
    let effects = try owing.bench.take(.answered(response))
    #expect(!effects.contains { if case .restate = $0 { true } else { false } })
    #expect(owing.bench.core.membership.count == chain.count + 1)
    #expect(owing.bench.core.needsRevocation)
    #expect(owing.bench.core.alarms.map(\.text.isEmpty) == [false])
    #expect(owing.bench.core.alarms[0].text.contains("revoke the device once more"))
  }

  @Test func anotherPassphraseThatCannotBeSaidAnewIsAskedForAgain() throws {
    var bench = try HealingBench()
    let former = bench.core.device
    let peer = try bench.pairedDevice()
    let shared = bench.core.membership
    let renaming = try renaming(of: peer.device, by: bench.keyring, in: shared, &bench)
    let change = try bench.passphraseChange(in: append(renaming, to: shared))
    try bench.take(
      .recordsShown([renaming, change].map { Blob($0.bytes) }, isRefused: false))
    let other = try append(
      try self.renaming(of: former, by: peer, in: shared, &bench, to: "other"), to: shared)
    try bench.take(.requested)
    try bench.take(.answered(answer(bench, other)))
    try readLog(&bench)
    let said = try bench.keyring.restating(
      renaming, membership: bench.core.membership, frontier: bench.core.frontier)
    try bench.take(.recordsShown([Blob(said.bytes)], isRefused: false))
    #expect(bench.core.forgotten == [renaming, change])
    try bench.take(.requested)
    let effects = try bench.take(.answered(bench.answer(holding: bench.core.frontier)))
    #expect(!effects.contains(.restate(change)), "its slot names what was before it there")
    #expect(bench.core.forgotten.isEmpty && bench.disk.forgotten.isEmpty)
    #expect(bench.core.alarms.map(\.code) == ["membership"])
    #expect(bench.core.alarms[0].text.contains("Change it once more with `higgins passphrase`"))
  }

  @Test func aLockedDeviceWaitsForItsKeys() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let shared = bench.core.membership
    let forgotten = try renaming(of: peer.device, by: bench.keyring, in: shared, &bench)
    try bench.take(.recordsShown([Blob(forgotten.bytes)], isRefused: false))
    let other = try append(
      try renaming(of: peer.device, by: peer, in: shared, &bench, to: "other"), to: shared)
    try bench.take(.locked)
    #expect(!isRead(try bench.take(.answered(answer(bench, other)))))
    #expect(bench.core.membership.head == forgotten.hash)
    try bench.unlock()
    try bench.take(.requested)
    #expect(isRead(try bench.take(.answered(answer(bench, other)))))
  }

  @Test func aDeviceThatTheOtherListTookOutErasesItself() throws {
    var bench = try HealingBench()
    let peer = try bench.pairedDevice()
    let shared = bench.core.membership
    let revocation = try bench.rotation(by: peer, without: [bench.core.device], cut: Frontier())
    let forgotten = try renaming(of: peer.device, by: bench.keyring, in: shared, &bench)
    try bench.take(.recordsShown([Blob(forgotten.bytes)], isRefused: false))
    let other = try append(revocation, to: shared)
    let effects = try bench.take(
      .recordsShown(other.records.map { Blob($0.bytes) }, isRefused: true))
    #expect(effects.contains(.wipe) && bench.core.isRevoked)
    #expect(bench.disk.records == other.records)
  }
}

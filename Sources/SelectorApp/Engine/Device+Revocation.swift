import Foundation
import Storage
import Sync
import Transport
import Vault
import Wire

/// What a person has to know after a device was revoked.
struct Revoked: Sendable {
  /// The devices taken out, as they were called.
  let names: [String]
  /// The new kit; the old one opens nothing any more.
  let kit: String
  /// Whether those that are online have erased themselves already.
  let haveErased: Bool
  /// What they could read, and nothing un-reads.
  let exposed: [ExposedSecret]
}

/// Taking a device out of the account.
extension Device {
  /// Other devices may change something while a record is made; then it is made anew.
  private static let revocationAttempts = 5
  /// How long to wait for the word of a device that is online.
  private static let farewellWait = Duration.seconds(5)

  /// Takes the device out with all identities it had: it gets no key any more, is refused by the
  /// servers at once, and erases itself when it hears of it.
  func revoke(_ device: DeviceID, passphrase: Passphrase) async throws -> Revoked {
    let leaving = core.membership.lineage(of: device).filter { core.membership.revoked[$0] == nil }
    guard !leaving.isEmpty else { throw DeviceError.revokedAlready }
    guard !leaving.contains(settings.device) else { throw DeviceError.revokingItself }
    let names = Set(leaving.map { name(of: $0) }).sorted()
    let kit = try await beginEpoch(without: leaving, passphrase: passphrase)
    await fetchFarewells(of: leaving, within: Self.farewellWait)
    let exposed = exposed
    if !exposed.isEmpty {
      report("exposed", "Consider changing what it could read: \(Lines.summary(of: exposed)).")
    }
    return Revoked(
      names: names, kit: kit, haveErased: leaving.isSubset(of: farewells), exposed: exposed)
  }

  /// What devices that were taken out could read and is still the same.
  var exposed: [ExposedSecret] { core.replica.exposed(by: core.membership) }

  /// New keys and a new kit for all devices but `leaving`, under `newPassphrase` or the same one.
  ///
  /// - Returns: the kit, which is shown once and kept nowhere.
  func beginEpoch(
    without leaving: Set<DeviceID>, passphrase: Passphrase, newPassphrase: Passphrase? = nil
  ) async throws -> String {
    guard let keyring else { throw DeviceError.locked }
    let (login, slot) = try await proveKit(keyring, passphrase)
    for attempt in 1...Self.revocationAttempts {
      try await confirmEverything()
      do {
        let kit = try await rotate { device throws in
          guard let keyring = device.keyring else { throw DeviceError.locked }
          return try keyring.rotation(
            without: device.core.membership.lineages(of: leaving),
            membership: device.core.membership, cut: device.core.serverFrontier, slot: slot,
            login: login, passphrase: newPassphrase ?? passphrase,
            isNewPassphrase: newPassphrase != nil, strength: .standard, entropy: &device.entropy)
        }
        // Something was committed between the two.
        guard let kit else { continue }
        try await confirmEverything()
        await finishSnapshot(within: .seconds(20))
        return kit
      } catch ServiceFailure.refused(let problem)
        where problem.code == .staleMembership && attempt < Self.revocationAttempts
      {
        continue
      }
    }
    throw ServiceFailure.refused(Problem(.staleMembership))
  }

  /// Has the server begin the epoch; nothing is committed meanwhile.
  ///
  /// - Returns: its kit; nil where the server does not hold everything, or not it alone.
  private func rotate(
    _ make: (isolated Device) throws -> PreparedRotation
  ) async throws -> String? {
    try take(.rotating(true))
    defer { attempt(.rotating(false)) }
    guard core.serverFrontier == core.frontier else { return nil }
    let rotation = try make(self)
    let answer = try await client.appendMembership(
      MembershipRequest(
        expectedHead: core.membership.head, record: Blob(rotation.record.bytes)))
    guard answer.memberHead == rotation.record.hash else {
      throw ServiceFailure.unintelligible("another record was appended")
    }
    try take(.recordsShown([Blob(rotation.record.bytes)], isRefused: false))
    return rotation.kit
  }

  /// Passphrase and account secret, proven to the server, and the slot it keeps for them.
  func proveKit(
    _ keyring: Keyring, _ passphrase: Passphrase
  ) async throws -> (KitLogin, Blob) {
    let handle = Enrolment.handle(of: keyring.accountName)
    let challenge = try await client.challenge(ChallengeRequest(handle: handle))
    guard let hashing = challenge.hashing else {
      throw ServiceFailure.unintelligible("a challenge without hashing")
    }
    let login = try keyring.login(passphrase, hashing: hashing)
    let proof = client.proofBytes(for: challenge, action: .slot, audiences: [])
    do {
      let answer = try await client.slot(
        SlotRequest(
          handle: handle, challenge: challenge.challenge, signature: login.sign(proof)))
      return (login, answer.slot)
    } catch ServiceFailure.refused(let problem) where problem.code == .authenticationFailed {
      throw VaultError.wrongPassphrase
    }
  }

  // MARK: The word of those that were taken out

  /// The revoked devices that did not say that they have erased themselves.
  var silent: Set<DeviceID> { Set(core.membership.revoked.keys).subtracting(farewells) }

  /// Asks once for the word of those that did not say it yet.
  func fetchFarewells() async {
    if !silent.isEmpty { await fetchFarewells(of: silent, within: .zero) }
  }

  /// Asks until all of `devices` said that they have erased themselves, or `limit` is over.
  func fetchFarewells(of devices: Set<DeviceID>, within limit: Duration) async {
    let end = Self.moment.uptime + limit
    var wait = Duration.milliseconds(100)
    while true {
      do {
        note(try await client.membership(after: core.membership.head).farewells ?? [])
        if devices.isSubset(of: farewells) || Self.moment.uptime + wait > end { return }
        try await Task.sleep(for: wait)
        wait *= 2
      } catch {
        // It is asked for again whenever the devices are listed.
        return
      }
    }
  }

  private func note(_ words: [Farewell]) {
    var heard: Set<DeviceID> = []
    for word in words where !farewells.contains(word.device) {
      guard let epoch = core.membership.revoked[word.device],
        let description = core.membership.devices[word.device],
        let record = core.membership.rotations.first(where: { $0.body.epoch == epoch }),
        AuthenticationKey.verifies(
          word.signature,
          of: Farewell.signedBytes(
            account: settings.account, device: word.device,
            record: core.membership.records[record.number].hash),
          by: description.authenticationKey)
      else { continue }
      heard.insert(word.device)
      report("erased", "\(name(of: word.device)) has erased itself.")
    }
    do {
      if !heard.isEmpty { try keep(farewells: heard) }
    } catch {
      complain(error)
    }
    publishStatus()
  }

  // MARK: Being taken out

  /// The server refuses this device as revoked: it must show the record that says so.
  func askWhyRevoked() async {
    do {
      let answer = try await client.membership(after: core.membership.head)
      try take(.recordsShown(answer.records, isRefused: true))
    } catch let failure as ServiceFailure {
      attempt(.failed(failure))
    } catch {
      lose(error)
    }
  }

  /// This device is no member any more, by a record that verifies: erases keys and data first,
  /// tells the server that it did, and leaves nothing but a line that says so.
  func wipe() {
    guard wiped == nil else { return }
    let signer = core.membership.records.last { $0.kind == .rotateEpoch }?.signer
    let author: String =
      if case .device(let device)? = signer { name(of: device) } else { "another device" }
    let text =
      "This device was revoked by \(author) on \(Lines.time(Self.wallClock)), and has erased"
      + " everything of the account that was on it."
    wiped = text
    let farewell = farewell()
    do {
      try folder.writeFile(Array(text.utf8), to: folder.farewell)
      // Whether it closes does not matter any more.
      try? store.abandon()
      try folder.erase()
    } catch {
      report("storage", Failure(error).sentence)
    }
    forgetEverything()
    saying = Task { [client] in
      // Whoever revoked this device learns of it when it can be said.
      if let farewell { try? await client.farewell(farewell) }
    }
    tell(.contexts([]))
    tell(.revoked(text))
  }

  /// Signed with the key that works while locked; nil when that is gone already.
  private func farewell() -> Farewell? {
    guard
      let rotation = core.membership.rotations.last(where: {
        $0.body.revoked.contains(settings.device)
      }), let key = try? AuthenticationKey(seed: try folder.readFile(folder.deviceKey))
    else { return nil }
    let signed = Farewell.signedBytes(
      account: settings.account, device: settings.device,
      record: core.membership.records[rotation.number].hash)
    return Farewell(device: settings.device, signature: key.sign(signed))
  }
}

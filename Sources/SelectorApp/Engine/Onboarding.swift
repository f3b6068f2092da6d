import Foundation
import Storage
import Sync
import Transport
import Vault
import Wire

/// How a profile begins: a new account, a pairing code, or passphrase and kit.
enum Onboarding {
  /// Where the store keeps this device's own name, for screens while it is locked.
  static let nameRow = "device name"
  /// The answer to a device that was not admitted. Anyone could send it: it only ends the waiting.
  static let declined: [UInt8] = [0]

  /// Creates an account on `server` with this profile as its first device.
  ///
  /// `pin` is what the server is known by where no authority vouches for it.
  ///
  /// - Returns: the kit, which is shown once and kept nowhere.
  static func create(
    folder: ProfileFolder, server: String, pin: Digest32? = nil, account: String, device: String,
    passphrase: Passphrase, invite: String?
  ) async throws -> String {
    let lock = try begin(folder)
    defer { lock.release() }
    let address = try ServerAddress(server)
    let client = try Self.client(for: address, pin: pin)
    let info = try await compatible(client)
    var entropy = SodiumEntropy()
    let new = try Enrolment.createAccount(
      name: account, device: DeviceName(name: device, platform: platform),
      passphrase: passphrase, strength: .standard, entropy: &entropy)
    let files = ProfileFiles(
      name: device,
      keyring: try new.keyring.sealedForDisk(
        passphrase: passphrase, strength: .standard, entropy: &entropy),
      deviceKey: new.authenticationKey.seed,
      settings: ProfileSettings(
        account: new.keyring.account, device: new.keyring.device, server: address.url,
        pin: pin, instance: info.instance, createdAt: Device.wallClock))
    var first = Transaction()
    first.records = [new.genesis]
    // The keys are on disk before the server knows them, and the profile begins when it does.
    try files.prepare(folder, first)
    _ = try await client.createAccount(new.request(invite: invite))
    try folder.writeSettings(files.settings)
    return new.kit
  }

  /// Makes this profile another device of the account whose trusted device made `code`.
  static func join(
    folder: ProfileFolder, code: String, device: String, passphrase: Passphrase,
    showWords: @Sendable ([String]) async -> Void
  ) async throws {
    let lock = try begin(folder)
    defer { lock.release() }
    let code = try PairingCode(text: code)
    let address = try ServerAddress(code.server)
    let anonymous = try Self.client(for: address, pin: code.pin)
    let info = try await compatible(anonymous)
    var entropy = SodiumEntropy()
    let joining = try JoiningDevice.make(
      code: code, device: DeviceName(name: device, platform: platform), entropy: &entropy)
    try await anonymous.post(joining.offerLetter, to: .offer, of: code.rendezvous)
    await showWords(joining.words)
    let answer = try await letter(from: anonymous, code.rendezvous)
    guard answer != declined else { throw DeviceError.pairingDeclined }
    let joined = try received { () throws(VaultError) in try joining.accept(answer: answer) }
    let client = try Self.client(
      for: address, pin: code.pin,
      prover: DeviceKeyProver(device: joined.keyring.device, key: joined.authenticationKey))
    let records = try await chain(client, token: nil)
    let files = ProfileFiles(
      name: device,
      keyring: try joined.keyring.sealedForDisk(
        passphrase: passphrase, strength: .standard, entropy: &entropy),
      deviceKey: joined.authenticationKey.seed,
      settings: ProfileSettings(
        account: joined.keyring.account, device: joined.keyring.device, server: address.url,
        pin: code.pin, instance: info.instance, createdAt: Device.wallClock))
    try files.finish(
      folder,
      try first(
        records, joined.keyring, bound: joined.frontier, memberHead: joined.memberHead))
  }

  /// Makes this profile another device with nothing but passphrase and kit.
  static func recover(
    folder: ProfileFolder, server: String, pin: Digest32? = nil, account: String, device: String,
    passphrase: Passphrase, kit: String
  ) async throws {
    let lock = try begin(folder)
    defer { lock.release() }
    let address = try ServerAddress(server)
    let client = try Self.client(for: address, pin: pin)
    let info = try await compatible(client)
    let handle = Enrolment.handle(of: account)
    let challenge = try await client.challenge(ChallengeRequest(handle: handle))
    guard let hashing = challenge.hashing else {
      throw ServiceFailure.unintelligible("a challenge without hashing")
    }
    let login = try Enrolment.kitLogin(kit: kit, passphrase: passphrase, hashing: hashing)
    let proof = client.proofBytes(for: challenge, action: .slot, audiences: [])
    let slot = try await client.slot(
      SlotRequest(
        handle: handle, challenge: challenge.challenge, signature: login.sign(proof)))
    let answer = try await client.membership(after: nil, token: slot.token)
    var membership = Membership(account: slot.account)
    for record in try Self.records(answer) { try membership.append(record) }
    var entropy = SodiumEntropy()
    let recovered = try received { () throws(VaultError) in
      try login.recover(
        slot: slot.slot, device: DeviceName(name: device, platform: platform),
        membership: membership, dependencies: answer.serverFrontier, entropy: &entropy)
    }
    _ = try await client.appendMembership(
      MembershipRequest(expectedHead: membership.head, record: Blob(recovered.record.bytes)),
      token: slot.token)
    let files = ProfileFiles(
      name: device,
      keyring: try recovered.keyring.sealedForDisk(
        passphrase: passphrase, strength: .standard, entropy: &entropy),
      deviceKey: recovered.authenticationKey.seed,
      settings: ProfileSettings(
        account: slot.account, device: recovered.keyring.device, server: address.url,
        pin: pin, instance: info.instance, createdAt: Device.wallClock))
    try files.finish(
      folder,
      try first(
        membership.records + [recovered.record], recovered.keyring,
        bound: recovered.frontier, memberHead: recovered.memberHead))
  }

  static var platform: String { "linux" }

  private static func begin(_ folder: ProfileFolder) throws -> ProfileLock {
    guard !folder.exists else { throw DeviceError.alreadyAProfile }
    try folder.create()
    let lock = try ProfileLock.acquire(folder.lock)
    // Without settings it is what an interrupted beginning left: keys of an account nobody saw. Or
    // the last word of a device that was revoked, which begins anew here.
    for file in [folder.database, folder.keyring, folder.deviceKey, folder.farewell] {
      for path in [file, "\(file)-wal", "\(file)-shm"]
      where FileManager.default.fileExists(atPath: path) {
        try FileManager.default.removeItem(atPath: path)
      }
    }
    return lock
  }

  private static func compatible(_ client: AttributeClient) async throws -> ServerInfo {
    let info = try await client.info()
    let own = ServerInfo.protocolVersion
    guard (info.minimumProtocol...max(info.minimumProtocol, info.maximumProtocol)).contains(own)
    else {
      throw DeviceError.incompatibleServer(
        minimum: info.minimumProtocol, maximum: info.maximumProtocol)
    }
    return info
  }

  private static func letter(
    from client: AttributeClient, _ rendezvous: RendezvousID
  ) async throws -> [UInt8] {
    let expiry = Device.wallClock + Limits.pairingCodeLife.components.seconds * 1000
    while Device.wallClock < expiry {
      try Task.checkCancellation()
      let letter = try await client.read(.answer, of: rendezvous, wait: .seconds(20))
      if let letter { return letter }
    }
    throw DeviceError.pairingExpired
  }

  private static func client(
    for address: ServerAddress, pin: Digest32? = nil, prover: (any DeviceProver)? = nil
  ) throws -> AttributeClient {
    try AttributeClient(
      address: address, trust: .of(pin: pin), prover: prover, digest: { Digest32.sha256($0) })
  }

  private static func chain(
    _ client: AttributeClient, token: String?
  ) async throws -> [MembershipRecord] {
    try records(try await client.membership(after: nil, token: token))
  }

  private static func records(
    _ answer: MembershipResponse
  ) throws(VaultError) -> [MembershipRecord] {
    do throws(WireError) {
      var records: [MembershipRecord] = []
      for blob in answer.records { records.append(try MembershipRecord(bytes: blob.bytes)) }
      return records
    } catch {
      throw .cannotOpen
    }
  }

  /// Runs `body`, which opens what a server or a mailbox gave. Nobody typed that, and a slot was
  /// given out for the passphrase proven to be its own; so what does not read or open is no mistake
  /// of a person but was changed on the way, and is named so.
  static func received<Value>(
    _ body: () throws(VaultError) -> Value
  ) throws(VaultError) -> Value {
    do {
      return try body()
    } catch {
      switch error {
      case .malformed, .overLimit, .wrongPassphrase: throw .cannotOpen
      default: throw error
      }
    }
  }

  /// What the first transaction of a device holds, after the chain was found to be the account's
  /// own, to hold the record the sponsor named, and to admit this device.
  private static func first(
    _ records: [MembershipRecord], _ keyring: Keyring, bound: Frontier, memberHead: Digest32
  ) throws -> Transaction {
    var membership = Membership(account: keyring.account)
    for record in records { try membership.append(record) }
    try keyring.check(membership)
    guard membership.contains(memberHead), membership.devices[keyring.device] != nil else {
      throw DeviceError.notAdmitted
    }
    var transaction = Transaction()
    transaction.records = records
    // A server that later shows less than this has lost or hides something.
    transaction.serverFrontier = bound
    return transaction
  }
}

/// The files a profile begins with. The settings come last: they make it a profile.
private struct ProfileFiles {
  let name: String
  let keyring: [UInt8]
  let deviceKey: [UInt8]
  let settings: ProfileSettings

  /// Writes everything but the settings.
  func prepare(_ folder: ProfileFolder, _ first: Transaction) throws {
    let store = try SQLiteStore(
      path: folder.database, opening: .new, digest: { Digest32.sha256($0) })
    try store.write(first)
    try store.setRow(Onboarding.nameRow, Array(name.utf8))
    try store.close()
    try folder.writeFile(keyring, to: folder.keyring)
    try folder.writeFile(deviceKey, to: folder.deviceKey)
  }

  func finish(_ folder: ProfileFolder, _ first: Transaction) throws {
    try prepare(folder, first)
    try folder.writeSettings(settings)
  }
}

extension ServerTrust {
  /// The pin of a pairing code where there is one, the machine's authorities otherwise.
  static func of(pin: Digest32?) -> ServerTrust {
    pin.map { .pin($0) } ?? .authorities()
  }
}

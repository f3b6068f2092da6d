import Foundation
import Storage
import Sync
import Transport
import Vault
import Wire

/// A device's next identity, prepared on disk before anybody hears of it.
///
/// The store says who this device is (``SQLiteStore/device()``); settings, authentication key and
/// keyring follow it. A successor's file lies beside them under its predecessor's id, so that at
/// whatever moment the process ends, the next one finds what belongs to the identity in the store.
/// Its keyring is sealed with a random passphrase, and that with the predecessor's row key: whoever
/// opens the old keyring opens the new one. At the next unlocking it is sealed with the person's
/// passphrase and takes the keyring file's place.
enum Identity {
  struct Prepared: Codable {
    let device: DeviceID
    /// The authentication key's seed, as it will lie in its own file.
    let seed: Blob
    /// The random passphrase, sealed with the predecessor's row key.
    let key: Blob
    /// The keyring as a file, sealed with that passphrase.
    let keyring: Blob
  }

  private static let passphraseBytes = 32

  private static func path(of predecessor: DeviceID, in folder: ProfileFolder) -> String {
    "\(folder.data)/successor.\(predecessor)"
  }

  private static func binding(_ device: DeviceID) -> String { "successor/\(device)" }

  static func read(
    successorOf predecessor: DeviceID, in folder: ProfileFolder
  ) throws -> Prepared? {
    let path = path(of: predecessor, in: folder)
    do {
      return try JSONDecoder().decode(Prepared.self, from: Data(try folder.readFile(path)))
    } catch StorageError.missing {
      return nil
    } catch is DecodingError {
      throw DeviceError.damagedProfile(file: path)
    }
  }

  /// The successor prepared earlier, or a new one; it is on disk when this returns.
  static func prepare(
    successorOf keyring: Keyring, in folder: ProfileFolder, entropy: inout some Entropy
  ) throws -> Successor {
    if let prepared = try read(successorOf: keyring.device, in: folder) {
      let known = Successor(
        keyring: try open(prepared, with: keyring),
        authenticationKey: try AuthenticationKey(seed: prepared.seed.bytes))
      let renewed = keyring.renewed(known)
      if renewed.keyring !== known.keyring {
        try write(renewed, successorOf: keyring, in: folder, entropy: &entropy)
      }
      return renewed
    }
    let next = keyring.successor(entropy: &entropy)
    try write(next, successorOf: keyring, in: folder, entropy: &entropy)
    return next
  }

  private static func write(
    _ next: Successor, successorOf keyring: Keyring, in folder: ProfileFolder,
    entropy: inout some Entropy
  ) throws {
    let secret = Array(Data(entropy.bytes(passphraseBytes)).base64EncodedString().utf8)
    let file = Prepared(
      device: next.keyring.device, seed: Blob(next.authenticationKey.seed),
      key: Blob(
        try keyring.sealRow(secret, binding: binding(next.keyring.device), entropy: &entropy)),
      keyring: Blob(
        try next.keyring.sealedForDisk(
          passphrase: try Passphrase(utf8: secret), strength: .floor, entropy: &entropy)))
    try folder.writeFile(
      Array(try JSONEncoder().encode(file)), to: path(of: keyring.device, in: folder))
  }

  private static func open(_ successor: Prepared, with keyring: Keyring) throws -> Keyring {
    let secret = try keyring.openRow(successor.key.bytes, binding: binding(successor.device))
    return try Keyring.open(
      disk: successor.keyring.bytes, passphrase: try Passphrase(utf8: secret))
  }

  /// Brings authentication key and settings to the identity the store has; the settings come last.
  static func finishSwitch(
    in folder: ProfileFolder, settings: ProfileSettings, store: SQLiteStore
  ) throws -> ProfileSettings {
    guard let device = try store.device(), device != settings.device else { return settings }
    var (last, seed): (DeviceID, [UInt8]?) = (settings.device, nil)
    while last != device, let next = try read(successorOf: last, in: folder) {
      (last, seed) = (next.device, next.seed.bytes)
    }
    guard last == device, let seed else {
      // The store is older than the files: what it says of this device's identity is history.
      var transaction = Transaction()
      transaction.device = settings.device
      try store.write(transaction)
      return settings
    }
    let switched = ProfileSettings(
      account: settings.account, device: device, server: settings.server, pin: settings.pin,
      instance: settings.instance, createdAt: settings.createdAt,
      passphraseChanges: settings.passphraseChanges)
    try folder.writeFile(seed, to: folder.deviceKey)
    try folder.writeSettings(switched)
    return switched
  }

  /// The keyring as it is on disk.
  ///
  /// - Throws: ``DeviceError/damagedProfile(file:)`` for what is no keyring, with any passphrase.
  static func openKeyring(in folder: ProfileFolder, passphrase: Passphrase) throws -> Keyring {
    do {
      return try Keyring.open(disk: try folder.readFile(folder.keyring), passphrase: passphrase)
    } catch let error as VaultError {
      switch error {
      case .malformed, .badChecksum, .overLimit:
        throw DeviceError.damagedProfile(file: folder.keyring)
      default: throw error
      }
    } catch let error as StorageError {
      guard case .missing = error else { throw error }
      throw DeviceError.damagedProfile(file: folder.keyring)
    }
  }

  /// The keyring of the identity the settings name; it takes the place of an older one's file.
  static func keyring(
    in folder: ProfileFolder, settings: ProfileSettings, passphrase: Passphrase
  ) throws -> Keyring {
    var opened = try openKeyring(in: folder, passphrase: passphrase)
    guard opened.account == settings.account else {
      throw DeviceError.damagedProfile(file: folder.keyring)
    }
    var passed: [DeviceID] = []
    while opened.device != settings.device {
      guard passed.count < Limits.devices,
        let next = try read(successorOf: opened.device, in: folder)
      else { throw DeviceError.damagedProfile(file: folder.keyring) }
      passed.append(opened.device)
      opened = try open(next, with: opened)
    }
    guard !passed.isEmpty else { return opened }
    var entropy = SodiumEntropy()
    let facts = try Keyring.describe(disk: try folder.readFile(folder.keyring)).hashing
    let sealed = try opened.sealedForDisk(
      passphrase: passphrase,
      strength: facts.memoryKibibytes < HashingStrength.standard.memoryKibibytes
        ? .low : .standard, entropy: &entropy)
    try folder.writeFile(sealed, to: folder.keyring)
    for device in passed { try folder.removeFile(path(of: device, in: folder)) }
    return opened
  }
}

/// A restored or cloned device becomes another one.
extension Device {
  /// Other devices may change the list while the record is made; then it is made anew.
  private static let replacementAttempts = 5

  /// Has the server admit this device's successor, signed by the old key, and goes on as it.
  func replaceDevice() async throws {
    for attempt in 1...Self.replacementAttempts {
      guard let keyring, core.isReplacing else { return }
      let next = try Identity.prepare(
        successorOf: keyring, in: folder, entropy: &entropy)
      if let record = recordAdmitting(next.keyring.device) {
        return try take(.replaced(next.keyring, record))
      }
      let record = try keyring.replacing(
        with: next,
        name: DeviceName(name: name(of: settings.device), platform: Onboarding.platform),
        membership: core.membership, dependencies: core.serverFrontier, entropy: &entropy)
      do {
        _ = try await client.appendMembership(
          MembershipRequest(expectedHead: core.membership.head, record: Blob(record.bytes)))
        return try take(.replaced(next.keyring, record))
      } catch ServiceFailure.refused(let problem)
        where problem.code == .staleMembership && attempt < Self.replacementAttempts
      {
        try await extendMembership()
      }
    }
  }

  /// Gives a server that was set back the records of devices it forgot. Another device may have
  /// done so already, or commits they stand on may have to be there first: refused, it is tried
  /// again in a while.
  func restoreMembership(_ records: [MembershipRecord]) async throws {
    for record in records {
      _ = try await client.appendMembership(
        MembershipRequest(
          expectedHead: record.previous, record: Blob(record.bytes), isRestored: true))
    }
    try take(.behind)
  }

  /// Says anew what a list of devices said that gave way to the server's. Another device may have
  /// done so already: refused, what is left is looked at again in a while.
  func restate(_ record: MembershipRecord) async throws {
    guard let keyring, core.isOwed(record) else { return }
    let isCut = record.kind == .rotateEpoch
    if isCut { try take(.rotating(true)) }
    defer { if isCut { attempt(.rotating(false)) } }
    let next: MembershipRecord
    do {
      next = try keyring.restating(
        record, membership: core.membership, frontier: core.serverFrontier)
    } catch VaultError.cannotOpen {
      // Another device was given that key.
      return
    }
    let answer = try await client.appendMembership(
      MembershipRequest(expectedHead: core.membership.head, record: Blob(next.bytes)))
    guard answer.memberHead == next.hash else {
      throw ServiceFailure.unintelligible("another record was appended")
    }
    try take(.recordsShown([Blob(next.bytes)], isRefused: false))
    try take(.behind)
  }

  /// Takes what others appended meanwhile, by a synchronisation that asks for nothing else.
  private func extendMembership() async throws {
    let response = try await client.synchronise(
      SyncRequest(
        generation: core.generation, frontier: core.frontier, memberHead: core.membership.head,
        frames: []))
    try take(response)
  }

  /// Tells the core what of this device's own chain is proven to be on the server, and what is not.
  func readBranches(_ claims: [SyncCore.Claim]) {
    do {
      let branches = try claims.map { claim in
        var proven: Head?
        if let published = claim.published,
          try store.hash(of: claim.device, at: published.sequence) == published.hash
        {
          proven = published
        }
        return SyncCore.Branch(
          device: claim.device, proven: proven,
          commits: try store.commits(of: claim.device, beyond: proven?.sequence ?? 0))
      }
      Task { self.attempt(.branches(branches)) }
    } catch {
      complain(error)
    }
  }

  /// The record of an attempt whose answer was lost, or what another device said of it anew.
  private func recordAdmitting(_ device: DeviceID) -> MembershipRecord? {
    core.membership.records.last { $0.newDevice?.device == device }
  }
}

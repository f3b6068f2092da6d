import Storage
import Sync
import Transport
import Vault
import Wire

/// Following a server that was given another key.
extension Device {
  /// The keys by which the server is known: those a member said last, else the pin of this device;
  /// none where authorities are trusted.
  var serverKeys: [Digest32] {
    core.membership.serverKeys.isEmpty
      ? settings.pin.map { [$0] } ?? [] : core.membership.serverKeys
  }

  /// Says to all devices that the server may show `key`, too, or `alone` that one.
  func trust(serverKey key: Digest32, alone: Bool) async throws {
    guard let pin = settings.pin else { throw DeviceError.serverHasNoPin }
    try await confirmEverything()
    let known = alone ? [] : Set(serverKeys).union([pin])
    let wanted = Array(known.union([key]))
    guard wanted.count <= MembershipRecord.ServerKeys.limit else {
      throw DeviceError.tooManyServerKeys(limit: MembershipRecord.ServerKeys.limit)
    }
    guard Set(wanted) != Set(core.membership.serverKeys) else { return }
    try await append { here throws in
      guard let keyring = here.keyring else { throw DeviceError.locked }
      return try keyring.trusting(
        serverKeys: wanted, membership: here.core.membership, frontier: here.core.serverFrontier)
    }
    // Its signal brings the others.
    try await confirmEverything()
  }

  /// The server shows another key than the pin. If a member has said so, that is the pin now: in a
  /// record that is held here, or in one that is signed and continues the chain, whoever shows it.
  /// Otherwise everything stays as it is, and this is false.
  func followsNewKey() async -> Bool {
    do {
      let address = try ServerAddress(settings.server)
      let found = try await AttributeClient.examine(
        address, pin: nil, now: Self.wallClock, digest: { Digest32.sha256($0) })
      guard let key = found?.key, key != settings.pin else { return false }
      var candidate = settings
      candidate.pin = key
      let other = try Self.client(for: candidate, in: folder)
      if !core.membership.serverKeys.contains(key) {
        // The proof names the key of this connection, so it is worth nothing elsewhere; and nothing
        // is told but which device asks.
        let answer = try await other.membership(after: core.membership.head)
        guard try core.membership.extended(by: answer.records).serverKeys.contains(key) else {
          return false
        }
        try take(.recordsShown(answer.records, isRefused: false))
      }
      guard wiped == nil, core.membership.serverKeys.contains(key) else { return false }
      try keep(candidate)
      client = other
    } catch {
      // Nothing that an unknown server says is worth more than that it is unknown.
      return false
    }
    report("server_key", "The server has the new key that a device of yours announced.")
    reconnect()
    return true
  }
}

extension Membership {
  /// This chain with records that continue it.
  fileprivate func extended(by blobs: [Blob]) throws -> Membership {
    var next = self
    for blob in blobs { try next.append(try MembershipRecord(bytes: blob.bytes)) }
    return next
  }
}

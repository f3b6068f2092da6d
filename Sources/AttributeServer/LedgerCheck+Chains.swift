import Foundation
import GRDB
import Wire

extension LedgerCheck {
  /// Where the walk along one device's chain is.
  private struct Place {
    var sequence: UInt64 = 0
    /// Nil where a snapshot passed over and nothing ties what follows to what came before.
    var hash: Digest32? = .zero
  }

  /// Walks the device's chain from its first commit to its head, over digests whose bytes were
  /// pruned and places that a heal snapshot passed over.
  mutating func checkChain(of device: LedgerDevice, account: LedgerAccount) throws {
    let base = try transaction.bases(of: account.id)[device.id] ?? 0
    let jumps = Dictionary(
      try transaction.jumps(of: device.id).map { ($0.after, $0.upTo) }, uniquingKeysWith: max)
    var place = Place()
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT sequence, hash, id, bytes FROM commits WHERE device = :device
          UNION ALL SELECT sequence, hash, NULL, NULL FROM link WHERE device = :device
          ORDER BY sequence
          """), arguments: ["device": Data(device.id.bytes)])
    while let row = try rows.next(), findings.count < Self.mostFindings {
      let sequence = try row.count("sequence")
      let name = "commit \(sequence) of device \(device.id)"
      let taken: Int64? = try row.optional("id")
      if sequence == jumps[place.sequence], taken == nil {
        place.hash = nil
      } else if sequence == place.sequence {
        add("\(name) is kept twice", account.id)
      } else if sequence != place.sequence + 1 {
        let last = max(sequence, 1) - 1
        add(
          "commits \(place.sequence + 1) to \(last) of device \(device.id) are missing", account.id)
        place.hash = nil
      }
      let hash = try row.digest("hash")
      if let taken {
        try checkCommit(
          row.bytes("bytes"), id: taken, hash: hash, name: name, after: place,
          sequence: sequence, device: device, account: account)
      } else if sequence > base {
        add("the bytes of \(name) are missing, and no snapshot stands for them", account.id)
      }
      place = Place(sequence: sequence, hash: hash)
    }
    let head = try transaction.frontier(of: account.id)[device.id]
    let end = place.sequence == 0 ? nil : Head(sequence: place.sequence, hash: place.hash ?? .zero)
    if head != end {
      add(
        """
        the chain of device \(device.id) ends at \(place.sequence) and its head says \
        \(head?.sequence ?? 0)
        """, account.id)
    }
    if base > place.sequence { add("the base of device \(device.id) is ahead of it", account.id) }
  }

  private mutating func checkCommit(
    _ bytes: [UInt8], id: Int64, hash: Digest32, name: String, after place: Place,
    sequence: UInt64, device: LedgerDevice, account: LedgerAccount
  ) throws {
    if digest(bytes) != hash { add("\(name) is not what was taken", account.id) }
    let envelope: Envelope
    do {
      envelope = try Envelope(bytes: bytes)
    } catch {
      add("\(name) does not read", account.id)
      return
    }
    let header = envelope.header
    if header.account != account.id || header.device != device.id || header.sequence != sequence {
      add("\(name) is another one", account.id)
    }
    if let previous = place.hash, header.previous != previous {
      add("\(name) does not follow the one before", account.id)
    }
    if signatures,
      !verifies(envelope.signature, of: envelope.signedBytes, by: device.signingKey)
    {
      add("the signature of \(name) does not verify", account.id)
    }
    let seen = try transaction.memberNumber(of: header.memberHead, account: account.id)
    if header.epoch > account.epoch || (seen ?? 0) < device.addedBy || seen == nil {
      add("\(name) stands on a membership record that is not there", account.id)
    }
    for (other, head) in header.dependencies.sorted
    where try !isHeld(head, of: other, before: id) {
      add(
        "\(name) depends on commit \(head.sequence) of device \(other), which is not held",
        account.id)
    }
  }

  /// Whether that commit is held by that hash, and was taken before the row `id`.
  private func isHeld(_ head: Head, of device: DeviceID, before id: Int64) throws -> Bool {
    let row = try db.row(
      "SELECT id, hash FROM commits WHERE device = ? AND sequence = ?",
      [Data(device.bytes), Int64(clamping: head.sequence)])
    if let row {
      let place: Int64 = try row.value("id")
      return try row.digest("hash") == head.hash && place < id
    }
    if let hash = try transaction.hash(device: device, sequence: head.sequence) {
      return hash == head.hash
    }
    return try transaction.jumps(of: device).contains {
      $0.after < head.sequence && head.sequence < $0.upTo
    }
  }
}

// MARK: Snapshots

extension LedgerCheck {
  mutating func checkSnapshots(
    of account: LedgerAccount, devices: [DeviceID: LedgerDevice]
  ) throws {
    let snapshots = try transaction.snapshots(of: account.id)
    for snapshot in snapshots {
      try checkManifest(of: snapshot, devices: devices, account: account)
      try checkChunks(of: snapshot, account: account)
    }
    let bases = try transaction.bases(of: account.id)
    if !bases.isEmpty,
      !snapshots.contains(where: { $0.isComplete && Ledger.covers($0.frontier, bases) })
    {
      add("commits were pruned, and no complete snapshot stands for them", account.id)
    }
  }

  private mutating func checkManifest(
    of snapshot: LedgerSnapshot, devices: [DeviceID: LedgerDevice], account: LedgerAccount
  ) throws {
    let name = "snapshot \(snapshot.id)"
    if digest(snapshot.manifest) != snapshot.id {
      add("the manifest of \(name) is not what was taken", account.id)
    }
    let envelope = try Envelope(bytes: snapshot.manifest)
    if !verifies(
      envelope.signature, of: envelope.signedBytes, by: devices[snapshot.device]?.signingKey ?? [])
    {
      add("the signature of \(name) does not verify", account.id)
    }
    guard snapshot.isComplete else { return }
    let frontier = try transaction.frontier(of: account.id)
    for (device, head) in snapshot.frontier.sorted {
      let hash = try transaction.hash(device: device, sequence: head.sequence)
      let isPassedOver = try transaction.jumps(of: device).contains {
        $0.after < head.sequence && head.sequence < $0.upTo
      }
      if head.sequence > frontier.sequence(of: device) || (hash != head.hash && !isPassedOver) {
        add("\(name) covers what is not held of device \(device)", account.id)
      }
    }
  }

  private mutating func checkChunks(of snapshot: LedgerSnapshot, account: LedgerAccount) throws {
    let name = "snapshot \(snapshot.id)"
    var number = 0
    var bytes = 0
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: "SELECT number, hash, bytes FROM snapshotChunk WHERE snapshot = ? ORDER BY number"),
      arguments: [Data(snapshot.id.bytes)])
    while let row = try rows.next() {
      if try row.count("number") != UInt64(number) {
        add("chunk \(number) of \(name) is missing", account.id)
      }
      if let chunk = (try row.optional("bytes") as Data?).map(Array.init) {
        bytes += chunk.count
        if try digest(chunk) != row.digest("hash") {
          add("chunk \(number) of \(name) is not what was taken", account.id)
        }
      } else if snapshot.isComplete {
        add("chunk \(number) of \(name) is missing", account.id)
      }
      number += 1
    }
    if number != snapshot.chunks || (snapshot.isComplete && bytes != snapshot.bytes) {
      add("\(name) has not the chunks it should", account.id)
    }
  }
}

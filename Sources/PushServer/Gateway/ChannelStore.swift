import Crypto
import Foundation
import GRDB
import Wire

/// The channels of sleeping devices, and what waits to be sent through them, in one SQLite file.
///
/// A channel has at most one row of what waits, so the queue is never longer than there are
/// channels: a newer signal takes the older one's place. Each method is one transaction; times are
/// milliseconds since 1970.
final class ChannelStore: Sendable {
  /// Dead letters kept; the oldest goes when another comes.
  static let deadLetterLimit = 1_000
  /// Between two challenges of a device: whoever names a stranger's endpoint cannot flood it.
  static let challengeInterval: Int64 = 60_000
  /// 60 days without registering or taking anything: the device is gone.
  static let idleLimit: Int64 = 60 * 86_400_000

  /// What waits for one channel.
  struct Wake: Hashable, Sendable {
    let channel: PushChannel
    /// Counts what took the row's place; tells whether something newer came while it was sent.
    let revision: Int64
    /// When the oldest unsent signal came.
    let since: Int64
    let attempts: Int
  }

  private let database: DatabaseQueue

  /// Opens the file or makes it; `nil` keeps everything in memory.
  init(path: String?) throws {
    var configuration = Configuration()
    // `higginsd channels` reads while the service writes.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA secure_delete = ON") }
    database =
      try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
      ?? DatabaseQueue(configuration: configuration)
    var migrator = DatabaseMigrator()
    migrator.registerMigration("channels") { try $0.execute(sql: Self.schema) }
    migrator.registerMigration("revoked") {
      try $0.execute(
        sql: """
          CREATE TABLE revoked (
            account TEXT NOT NULL, device TEXT NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY (account, device)
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX revokedUntil ON revoked (until)
          """)
    }
    try migrator.migrate(database)
  }

  private static let schema = """
    CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE channel (
      id TEXT PRIMARY KEY, account TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL,
      registration BLOB NOT NULL, place BLOB NOT NULL, confirmed INTEGER NOT NULL,
      challenge TEXT NOT NULL, challengedAt INTEGER NOT NULL, usedAt INTEGER NOT NULL,
      registeredAt INTEGER NOT NULL,
      deliveredAt INTEGER NOT NULL DEFAULT 0, UNIQUE (account, device)
    ) STRICT;
    CREATE INDEX channelPlace ON channel (place);
    CREATE TABLE wake (
      channel TEXT PRIMARY KEY REFERENCES channel (id) ON DELETE CASCADE,
      author TEXT NOT NULL, sequence INTEGER NOT NULL, since INTEGER NOT NULL,
      due INTEGER NOT NULL, attempts INTEGER NOT NULL, revision INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX wakeDue ON wake (due);
    CREATE TABLE deadLetter (
      id INTEGER PRIMARY KEY, channel TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
      attempts INTEGER NOT NULL, reason TEXT NOT NULL
    ) STRICT;
    """

  /// The secret of that name, made by `make` the first time.
  func secret(_ name: String, make: () -> [UInt8]) throws -> [UInt8] {
    let new = Data(make())
    return try database.write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)", arguments: [name, new])
      let kept = try Data.fetchOne(
        db, sql: "SELECT value FROM secret WHERE name = ?", arguments: [name])
      return Array(kept ?? new)
    }
  }

  // MARK: registration

  /// Registers a device's channel in place of the one it had. The same place again stays confirmed;
  /// another one gets a challenge first.
  func register(
    _ registration: ChannelRegistration, account: AccountID, device: DeviceID, now: Int64
  ) throws -> PushChannel {
    let encoded = try JSONEncoder().encode(registration)
    return try database.write { db in
      // Its last token may be good for some minutes yet.
      let isRevoked = try Bool.fetchOne(
        db, sql: "SELECT 1 FROM revoked WHERE account = ? AND device = ? AND until > ?",
        arguments: ["\(account)", "\(device)", now])
      guard isRevoked == nil else { throw Problem(.authenticationRevoked) }
      let old = try Row.fetchOne(
        db, sql: "SELECT * FROM channel WHERE account = ? AND device = ?",
        arguments: ["\(account)", "\(device)"])
      let place = Data(registration.place)
      if let old, old["place"] == place {
        try db.execute(
          sql: "UPDATE channel SET registration = ?, usedAt = ?, registeredAt = ? WHERE id = ?",
          arguments: [encoded, now, now, old["id"] as String])
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM channel WHERE id = ?", arguments: [old["id"] as String])
        if let channel = try row.map(Self.channel) {
          if !channel.isConfirmed { try Self.challenge(channel, old: old, db, now: now) }
          return channel
        }
      }
      if let old {
        try db.execute(
          sql: "DELETE FROM channel WHERE id = ?", arguments: [old["id"] as String])
      }
      let channel = PushChannel(
        id: Self.random(), account: account, device: device, registration: registration,
        isConfirmed: false, challenge: Self.random(), registeredAt: now)
      try db.execute(
        sql: """
          INSERT INTO channel (id, account, device, kind, registration, place, confirmed, challenge,
            challengedAt, usedAt, registeredAt) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?)
          """,
        arguments: [
          channel.id, "\(account)", "\(device)", registration.kind.rawValue, encoded, place,
          channel.challenge, now, now,
        ])
      try Self.challenge(channel, old: old, db, now: now)
      return channel
    }
  }

  private static func challenge(
    _ channel: PushChannel, old: Row?, _ db: Database, now: Int64
  ) throws {
    let last: Int64 = old?["challengedAt"] ?? 0
    let due = max(now, last + challengeInterval)
    try db.execute(
      sql: """
        INSERT INTO wake (channel, author, sequence, since, due, attempts, revision)
        VALUES (?, '', 0, ?, ?, 0, 1) ON CONFLICT (channel) DO NOTHING
        """, arguments: [channel.id, now, due])
    try db.execute(
      sql: "UPDATE channel SET challengedAt = ? WHERE id = ?", arguments: [due, channel.id])
  }

  /// Takes back a challenge. The channel counts from now on, and any other device's at the same
  /// place no more: the place has changed hands. False when that was not the challenge.
  func confirm(
    _ challenge: String, account: AccountID, device: DeviceID, now: Int64
  ) throws -> Bool {
    try database.write { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM channel WHERE account = ? AND device = ?",
          arguments: ["\(account)", "\(device)"]),
        Self.isSame(row["challenge"], challenge)
      else { return false }
      let id: String = row["id"]
      try db.execute(
        sql: "UPDATE channel SET confirmed = 1, usedAt = ? WHERE id = ?", arguments: [now, id])
      try db.execute(sql: "DELETE FROM wake WHERE channel = ?", arguments: [id])
      try db.execute(
        sql: "DELETE FROM channel WHERE place = ? AND id <> ?",
        arguments: [row["place"] as Data, id])
      return true
    }
  }

  func channel(account: AccountID, device: DeviceID) throws -> PushChannel? {
    try database.read { db in
      try Row.fetchOne(
        db, sql: "SELECT * FROM channel WHERE account = ? AND device = ?",
        arguments: ["\(account)", "\(device)"]
      ).map(Self.channel)
    }
  }

  func unregister(account: AccountID, device: DeviceID) throws {
    try database.write { db in
      try db.execute(
        sql: "DELETE FROM channel WHERE account = ? AND device = ?",
        arguments: ["\(account)", "\(device)"])
    }
  }

  /// Forgets the devices' channels with what waits for them, and takes no new ones of theirs until
  /// their last tokens have ended. Survives a restart, as the channels do.
  func revoke(_ revocations: [Revocation], now: Int64) throws {
    let until = now + RevokedDevices.life.milliseconds
    try database.write { db in
      try db.execute(sql: "DELETE FROM revoked WHERE until <= ?", arguments: [now])
      for revocation in revocations {
        let device: StatementArguments = ["\(revocation.account)", "\(revocation.device)"]
        try db.execute(
          sql: "DELETE FROM channel WHERE account = ? AND device = ?", arguments: device)
        try db.execute(
          sql: "INSERT OR REPLACE INTO revoked (account, device, until) VALUES (?, ?, ?)",
          arguments: device + [until])
      }
    }
  }

  // MARK: the queue

  /// Queues the signal for the account's confirmed channels but the author's own.
  ///
  /// - Parameters:
  ///   - signal: What came.
  ///   - connected: Devices that were told already.
  ///   - now: The time.
  ///   - patience: How long, in milliseconds, a connected device has to acknowledge, and another to
  ///     come back by itself.
  ///   - intervals: The least milliseconds between two messages of a channel, by kind.
  func offer(
    _ signal: Signal, connected: Set<DeviceID>, now: Int64,
    patience: (connected: Int64, away: Int64), intervals: [ChannelRegistration.Kind: Int64]
  ) throws {
    try database.write { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, device, kind, deliveredAt FROM channel
          WHERE account = ? AND device <> ? AND confirmed = 1
          """, arguments: ["\(signal.account)", "\(signal.device)"])
      for row in rows {
        let isConnected = DeviceID(row["device"] as String).map(connected.contains) ?? false
        let interval = ChannelRegistration.Kind(rawValue: row["kind"]).flatMap { intervals[$0] }
        let last: Int64 = row["deliveredAt"]
        let due = max(
          now + (isConnected ? patience.connected : patience.away), last + (interval ?? 0))
        // What waits already keeps its time: signals without end must not put it off for ever.
        try db.execute(
          sql: """
            INSERT INTO wake (channel, author, sequence, since, due, attempts, revision)
            VALUES (?, ?, ?, ?, ?, 0, 1) ON CONFLICT (channel) DO UPDATE
            SET author = excluded.author, sequence = excluded.sequence, revision = revision + 1
            """,
          arguments: [
            row["id"] as String, "\(signal.device)", Int64(clamping: signal.sequence), now, due,
          ])
      }
    }
  }

  /// The device has what waited last, so there is nothing to wake it for.
  func acknowledged(
    account: AccountID, device: DeviceID, author: DeviceID, sequence: UInt64
  ) throws {
    try database.write { db in
      try db.execute(
        sql: """
          DELETE FROM wake WHERE author = ? AND sequence <= ? AND channel IN
          (SELECT id FROM channel WHERE account = ? AND device = ? AND confirmed = 1)
          """,
        arguments: ["\(author)", Int64(clamping: sequence), "\(account)", "\(device)"])
    }
  }

  /// The device is connected and was told whether it is behind.
  func joined(account: AccountID, device: DeviceID) throws {
    try database.write { db in
      try db.execute(
        sql: """
          DELETE FROM wake WHERE channel IN
          (SELECT id FROM channel WHERE account = ? AND device = ? AND confirmed = 1)
          """, arguments: ["\(account)", "\(device)"])
    }
  }

  /// What is due, the longest waiting first.
  func due(_ now: Int64, limit: Int) throws -> [Wake] {
    try database.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT channel.*, revision, since, attempts FROM wake JOIN channel
          ON channel.id = wake.channel WHERE due <= ? ORDER BY due LIMIT ?
          """, arguments: [now, limit]
      ).map { row in
        Wake(
          channel: try Self.channel(row), revision: row["revision"], since: row["since"],
          attempts: row["attempts"])
      }
    }
  }

  /// When the next is due; nil when nothing waits.
  func nextDue() throws -> Int64? {
    try database.read { try Int64.fetchOne($0, sql: "SELECT min(due) FROM wake") }
  }

  func waiting() throws -> Int {
    try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM wake") ?? 0 }
  }

  /// It was delivered; what came meanwhile goes when `next` has come.
  func delivered(_ wake: Wake, now: Int64, next: Int64) throws {
    try database.write { db in
      let id = wake.channel.id
      try db.execute(
        sql: "DELETE FROM wake WHERE channel = ? AND revision = ?", arguments: [id, wake.revision])
      try db.execute(
        sql: "UPDATE wake SET due = ?, since = ?, attempts = 0 WHERE channel = ?",
        arguments: [next, now, id])
      try db.execute(
        sql: "UPDATE channel SET deliveredAt = ?, usedAt = ? WHERE id = ?",
        arguments: [now, now, id])
    }
  }

  func postpone(_ wake: Wake, to due: Int64) throws {
    try database.write { db in
      try db.execute(
        sql: "UPDATE wake SET due = ?, attempts = attempts + 1 WHERE channel = ?",
        arguments: [due, wake.channel.id])
    }
  }

  /// Gives the message up, or with `forgetting` the channel, and keeps a note for the operator.
  func bury(_ wake: Wake, reason: String, now: Int64, forgetting: Bool) throws {
    try database.write { db in
      let id = wake.channel.id
      try db.execute(
        sql: """
          INSERT INTO deadLetter (channel, kind, at, attempts, reason) VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [
          id, wake.channel.registration.kind.rawValue, now, wake.attempts + 1, reason,
        ])
      try db.execute(
        sql: """
          DELETE FROM deadLetter WHERE id <= (SELECT max(id) FROM deadLetter) - ?
          """, arguments: [Self.deadLetterLimit])
      if forgetting {
        try db.execute(sql: "DELETE FROM channel WHERE id = ?", arguments: [id])
      } else {
        try db.execute(
          sql: "DELETE FROM wake WHERE channel = ? AND revision = ?",
          arguments: [id, wake.revision])
      }
    }
  }

  /// Drops channels that were not used for ``idleLimit``.
  func prune(now: Int64) throws {
    try database.write { db in
      try db.execute(
        sql: "DELETE FROM channel WHERE usedAt < ?", arguments: [now - Self.idleLimit])
    }
  }

  // MARK: the operator's list

  func list() throws -> [ChannelRecord] {
    try database.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT id, kind, confirmed, usedAt, deliveredAt, due, attempts FROM channel
          LEFT JOIN wake ON wake.channel = channel.id ORDER BY usedAt, id
          """
      ).map { row in
        ChannelRecord(
          channel: row["id"], kind: row["kind"], confirmed: row["confirmed"],
          usedAt: row["usedAt"], deliveredAt: (row["deliveredAt"] as Int64).nonzero,
          dueAt: row["due"], attempts: row["attempts"] ?? 0)
      }
    }
  }

  func deadLetters() throws -> [DeadLetter] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM deadLetter ORDER BY id").map { row in
        DeadLetter(
          channel: row["channel"], kind: row["kind"], at: row["at"], attempts: row["attempts"],
          reason: row["reason"])
      }
    }
  }

  // MARK: parts

  private static func channel(_ row: Row) throws -> PushChannel {
    let registration = try JSONDecoder().decode(
      ChannelRegistration.self, from: row["registration"] as Data)
    guard let account = AccountID(row["account"] as String),
      let device = DeviceID(row["device"] as String)
    else { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
    return PushChannel(
      id: row["id"], account: account, device: device, registration: registration,
      isConfirmed: row["confirmed"], challenge: row["challenge"],
      registeredAt: row["registeredAt"])
  }

  /// 128 random bits as hexadecimal digits.
  private static func random() -> String {
    Hex.encode(SymmetricKey(size: .bits128).withUnsafeBytes(Array.init))
  }

  /// Whether the texts are the same; takes as long when they are not.
  private static func isSame(_ known: String, _ given: String) -> Bool {
    let pair = [known, given].map { Array(SHA256.hash(data: Array($0.utf8))) }
    return zip(pair[0], pair[1]).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

extension Int64 {
  fileprivate var nonzero: Int64? { self == 0 ? nil : self }
}

import Foundation
import GRDB
public import Wire

/// How an account is proved with passphrase and kit.
struct Login: Sendable {
  let account: AccountID
  /// Ed25519, 32 bytes.
  let loginKey: [UInt8]
  let slot: [UInt8]
  let hashing: PassphraseHashing
}

extension ServerDatabase {
  /// Founds the account, with its login and the invite's use, in one transaction.
  ///
  /// `invite` is the digest of the invite's code; nil where none is needed.
  func createAccount(
    _ request: AccountRequest, invite: Digest32?, ledger: Ledger
  ) async throws(Problem) {
    try await run { store throws(Problem) in
      try store.write { transaction throws in
        if let invite { try transaction.use(invite: invite) }
        guard try transaction.login(handle: request.handle) == nil else {
          throw Problem(.accountExists)
        }
        try ledger.found(request.account, genesis: request.genesis.bytes, in: &transaction)
        try transaction.insert(login: request)
      }
    }
  }

  /// Whether exactly this account was created already: the answer to the first sending was lost.
  func holds(_ request: AccountRequest) async throws(Problem) -> Bool {
    try await run { store throws(Problem) in
      try store.read { transaction throws in
        guard let login = try transaction.login(handle: request.handle) else { return false }
        return try login.account == request.account && login.loginKey == request.loginKey.bytes
          && transaction.memberNumber(of: digest(request.genesis.bytes), account: request.account)
            == 0
      }
    }
  }

  func login(handle: Digest32) async throws(Problem) -> Login? {
    try await run { store throws(Problem) in
      try store.read { try $0.login(handle: handle) }
    }
  }

  func device(_ id: DeviceID) async throws(Problem) -> LedgerDevice? {
    try await run { store throws(Problem) in
      try store.read { try $0.device(id) }
    }
  }

  /// Whether anybody has an account here.
  public func hasAccounts() async throws(Problem) -> Bool {
    try await run { store throws(Problem) in
      try store.read { try $0.db.row("SELECT 1 AS one FROM account LIMIT 1") != nil }
    }
  }
}

extension SQLiteLedgerTransaction {
  fileprivate func login(handle: Digest32) throws -> Login? {
    guard let row = try db.row("SELECT * FROM login WHERE handle = ?", [Data(handle.bytes)]) else {
      return nil
    }
    return Login(
      account: try row.identifier("account"), loginKey: try row.bytes("loginKey"),
      slot: try row.bytes("slot"),
      hashing: PassphraseHashing(
        memoryKibibytes: try row.value("memoryKibibytes"), passes: try row.value("passes"),
        salt: Blob(try row.bytes("salt"))))
  }

  fileprivate func insert(login request: AccountRequest) throws {
    try db.run(
      """
      INSERT INTO login (account, handle, loginKey, slot, memoryKibibytes, passes, salt)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        Data(request.account.bytes), Data(request.handle.bytes), Data(request.loginKey.bytes),
        Data(request.slot.bytes), request.hashing.memoryKibibytes, request.hashing.passes,
        Data(request.hashing.salt.bytes),
      ])
  }

  /// An invite's file may outlive its use by a crash; the row here does not forget.
  fileprivate func use(invite: Digest32) throws {
    let hash = Data(invite.bytes)
    guard try db.row("SELECT 1 AS one FROM usedInvite WHERE hash = ?", [hash]) == nil else {
      throw Problem(.inviteRequired)
    }
    try db.run("INSERT INTO usedInvite (hash) VALUES (?)", [hash])
  }
}

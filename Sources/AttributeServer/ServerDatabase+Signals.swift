import Foundation
import GRDB
import Wire

extension ServerDatabase {
  /// Signals that were queued with their commits and not delivered yet: the newest of each device.
  func pendingSignals(limit: Int) async throws(Problem) -> [Signal] {
    try await run { store throws(Problem) in
      try store.read { transaction throws in
        try transaction.db.rows("SELECT * FROM signal LIMIT ?", [limit]).map { row throws in
          Signal(
            account: try row.identifier("account"), device: try row.identifier("device"),
            sequence: try row.count("sequence"))
        }
      }
    }
  }

  /// Forgets what was delivered; a newer signal queued meanwhile stays.
  func forget(_ signals: [Signal]) async throws(Problem) {
    try await run { store throws(Problem) in
      try store.write { transaction throws in
        for signal in signals {
          try transaction.db.run(
            "DELETE FROM signal WHERE device = ? AND sequence <= ?",
            [Data(signal.device.bytes), Int64(clamping: signal.sequence)])
        }
      }
    }
  }

  /// The newest record of an account whose other devices are to hear of it.
  struct UntoldRecord: Hashable, Sendable {
    let account: AccountID
    let device: DeviceID
    let number: UInt64

    var signal: Signal { Signal(account: account, recordBy: device) }
  }

  /// What was queued with records and not delivered yet.
  func untoldRecords(limit: Int) async throws(Problem) -> [UntoldRecord] {
    try await run { store throws(Problem) in
      try store.read { transaction throws in
        try transaction.db.rows("SELECT * FROM recordSignal LIMIT ?", [limit]).map { row throws in
          UntoldRecord(
            account: try row.identifier("account"), device: try row.identifier("device"),
            number: try row.count("number"))
        }
      }
    }
  }

  /// Forgets what was delivered; what a newer record queued meanwhile stays.
  func forget(_ records: [UntoldRecord]) async throws(Problem) {
    try await run { store throws(Problem) in
      try store.write { transaction throws in
        for record in records {
          try transaction.db.run(
            "DELETE FROM recordSignal WHERE account = ? AND number = ?",
            [Data(record.account.bytes), Int64(clamping: record.number)])
        }
      }
    }
  }
}

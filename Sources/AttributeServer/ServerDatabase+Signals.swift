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
}

import Foundation
import Selector
import Storage
import Vault

/// The list of signals across restarts: one row of the store, sealed as drafts are.
extension Device {
  /// Names the row, and binds what is sealed to it.
  private static let signalsRow = "signals"

  /// Keeps the list in place of the one before.
  func keep(_ signals: [SignalEntry]) throws {
    guard wiped == nil, let keyring else { return }
    let row = try keyring.sealRow(
      Array(try JSONEncoder().encode(signals)), binding: Self.signalsRow, entropy: &entropy)
    try store.setRow(Self.signalsRow, row)
  }

  /// What was kept, the newest first. A list that does not open, as after this device took another
  /// identity, begins anew: what it tells is in the history as well.
  func signals() -> [SignalEntry] {
    do {
      guard let keyring, let row = try store.row(Self.signalsRow) else { return [] }
      let bytes = try keyring.openRow(row, binding: Self.signalsRow)
      return try JSONDecoder().decode([SignalEntry].self, from: Data(bytes))
    } catch {
      return []
    }
  }
}

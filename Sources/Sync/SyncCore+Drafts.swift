import Foundation
import Vault
import Wire

/// Forms that are open: kept sealed from burst to burst of typing, and offered back when the
/// program ended before they were closed. Nothing of them is ever in a commit.
extension SyncCore {
  mutating func keep(
    _ draft: Draft, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    guard let keyring else { throw EditError.locked }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let row = DraftRow(
      id: draft.id,
      sealed: try keyring.sealRow(
        Array(try encoder.encode(draft)), binding: Self.binding(of: draft.id), entropy: &entropy))
    drafts.removeAll { $0.id == draft.id }
    drafts.append(draft)
    draftRows.removeAll { $0.id == draft.id }
    draftRows.append(row)
    step.transaction.drafts = draftRows
  }

  mutating func drop(_ id: DraftID, _ step: inout Step) {
    guard draftRows.contains(where: { $0.id == id }) else { return }
    drafts.removeAll { $0.id == id }
    draftRows.removeAll { $0.id == id }
    step.transaction.drafts = draftRows
  }

  mutating func openDrafts(with keyring: Keyring) throws {
    drafts = []
    for row in draftRows {
      let bytes = try keyring.openRow(row.sealed, binding: Self.binding(of: row.id))
      do {
        drafts.append(try JSONDecoder().decode(Draft.self, from: Data(bytes)))
      } catch is DecodingError {
        // Of a form that only a later program has: it stays where it is, and keeps nobody out.
        continue
      }
    }
  }

  /// Seals everything on this disk anew, for a device that has other keys now.
  mutating func resealRows(
    with keyring: Keyring, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    try sealSettling(touched: Set(settling.keys), keyring, &entropy)
    step.transaction.settled = settledRows
    let open = drafts
    draftRows = []
    drafts = []
    for draft in open { try keep(draft, &step, &entropy) }
    step.transaction.drafts = draftRows
  }

  private static func binding(of draft: DraftID) -> String { "draft/\(draft)" }
}

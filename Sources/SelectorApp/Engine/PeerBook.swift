import Foundation
import Storage
import Wire

/// What was last heard of the other devices, kept beside the log: who opens the selector in the
/// morning sees who had everything in the evening, though nobody else is awake.
///
/// It is worth no error: what cannot be read or written is heard again.
struct PeerBook: Codable, Equatable {
  struct Entry: Codable, Equatable {
    /// The newest commit of this device that it said it holds.
    var held: UInt64?
    /// When it came or went last, in milliseconds since 1970.
    var seen: Int64?
  }

  private static let row = "peers"

  /// Whose commits are counted: another identity of this device has a chain of its own.
  let author: DeviceID
  var entries: [DeviceID: Entry] = [:]

  var held: [DeviceID: UInt64] { entries.compactMapValues(\.held) }

  var presence: [DeviceID: PushFrame.Presence] {
    entries.reduce(into: [:]) { presence, entry in
      guard let seen = entry.value.seen else { return }
      presence[entry.key] = PushFrame.Presence(
        device: entry.key, online: false, at: seen, frontier: nil)
    }
  }

  static func read(of author: DeviceID, from store: SQLiteStore) -> PeerBook {
    guard let bytes = try? store.row(row),
      var book = try? JSONDecoder().decode(PeerBook.self, from: Data(bytes))
    else { return PeerBook(author: author) }
    if book.author != author {
      book = PeerBook(author: author, entries: book.entries.mapValues { Entry(seen: $0.seen) })
    }
    return book
  }

  func write(to store: SQLiteStore) {
    try? store.setRow(Self.row, (try? JSONEncoder().encode(self)).map(Array.init))
  }
}

import Foundation
import Storage
import Sync
import Testing
import Vault
import Wire

@testable import SelectorApp

/// What a process knows of the other devices, when none of them is there to tell it.
@Suite struct PeerBookTests {
  private let path = "\(NSTemporaryDirectory())peers-\(UUID().uuidString.prefix(8))"

  private func store() throws -> SQLiteStore {
    try SQLiteStore(path: path, opening: .new, digest: { Digest32.sha256($0) })
  }

  @Test func whatWasHeardIsThereAgain() throws {
    let store = try store()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var book = PeerBook(author: Ids.make(1))
    #expect(PeerBook.read(of: Ids.make(1), from: store) == book)
    book.entries[Ids.make(2)] = PeerBook.Entry(held: 42, seen: 5)
    book.entries[Ids.make(3)] = PeerBook.Entry(held: 7)
    book.write(to: store)
    let read = PeerBook.read(of: Ids.make(1), from: store)
    #expect(read == book)
    #expect(read.held == [Ids.make(2): 42, Ids.make(3): 7])
    #expect(read.presence.values.map(\.at) == [5])
    #expect(read.presence.values.allSatisfy { !$0.online })
    try store.close()
  }

  @Test func anotherIdentityKeepsOnlyWhenTheyWereSeen() throws {
    let store = try store()
    defer { try? FileManager.default.removeItem(atPath: path) }
    PeerBook(author: Ids.make(1), entries: [Ids.make(2): PeerBook.Entry(held: 42, seen: 5)])
      .write(to: store)
    let read = PeerBook.read(of: Ids.make(9), from: store)
    #expect(read.held.isEmpty)
    #expect(read.presence[Ids.make(2)]?.at == 5)
    try store.close()
  }

  @Test func whatDoesNotReadIsNothing() throws {
    let store = try store()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try store.setRow("peers", Array("{".utf8))
    #expect(PeerBook.read(of: Ids.make(1), from: store) == PeerBook(author: Ids.make(1)))
    try store.close()
  }
}

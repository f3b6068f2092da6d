import Foundation
import Sync
import Testing

@testable import SelectorApp

/// What the devices of an account are called.
struct DeviceNameTests {
  /// An account in which nothing happens publishes no status later.
  @Test func theNamesAreThereWhenTheStoreIsOpen() async throws {
    let world = try await World()
    defer { try? FileManager.default.removeItem(at: world.folder) }
    let device = try Device.open(try World.profile("work", in: world.folder))
    let events = await device.events()
    try await device.unlock(try World.typed())
    await device.stop(flush: .zero)
    var status: SyncStatus?
    for await event in events {
      if case .status(let new) = event { status = new }
      if case .contexts(let records) = event, !records.isEmpty { break }
    }
    #expect(status?.peers.map(\.name).sorted() == ["home pc", "work pc"])
  }
}

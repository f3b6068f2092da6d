import Sync
import Testing
import Vault
import Wire

@testable import Simulation

/// A server that shows different devices different histories, or a snapshot that is none.
@Suite struct ViewTests {
  private static func world(
    bias: Int = 0, setsBack: Bool = false, away: Int? = nil
  ) throws -> World {
    let world = try World(
      family: try Runs.family.get(), seed: 2010,
      weather: Weather(name: "views", snapshotBias: bias), devices: 3)
    world.mayAlarm = true
    world.setsBack = setsBack
    if let away { world.cutOff[away] = true }
    try world.create(on: world.devices[0])
    try world.settle(until: world.now + 3000)
    return world
  }

  private static func alarms(of device: SimulatedDevice) -> Set<String> {
    Set(device.core.alarms.map(\.code))
  }

  private static func texts(of device: SimulatedDevice) -> Set<String> {
    let replica = device.core.replica
    return Set(
      replica.contexts.flatMap { context in
        context.attributes.flatMap { attribute in
          replica.history(of: attribute.id, in: context.id).compactMap(\.text)
        }
      })
  }

  @Test func aHistoryThatWasHiddenFromADeviceIsNamedAndBothAreKept() throws {
    let world = try Self.world()
    world.otherView = world.server
    world.misled = [2]
    try world.setFirst(on: 0, immediately: true)
    try world.setFirst(on: 2, immediately: true)
    try world.settle(until: world.now + 5000)
    #expect(Self.texts(of: world.devices[0]) != Self.texts(of: world.devices[2]))
    try world.showOneHistory()
    #expect(Self.alarms(of: world.devices[2]) == ["rollback"])
    #expect(Self.alarms(of: world.devices[0]).isEmpty)
    try world.heal()
    try world.checkRest()
    #expect(world.devices[0].core.replica.conflictCount == 1)
  }

  @Test(arguments: [(1, 1), (2, 1), (1, 2)])
  func twoHistoriesOfOneDeviceAreAFork(own: Int, twins: Int) throws {
    let world = try Self.world(setsBack: true)
    try world.showTwoHistories(own, and: twins)
    let believed = Self.texts(of: world.devices[2])
    try world.showOneHistory()
    #expect(Self.alarms(of: world.devices[2]) == ["fork"])
    #expect(Self.texts(of: world.devices[2]) == believed, "nothing of it was taken")
    // The twin takes another identity, and what it wrote reaches the rest under that.
    try world.settle(until: world.now + 60_000)
    #expect(Self.texts(of: world.devices[0]) == Self.texts(of: world.devices[1]))
    #expect(Self.texts(of: world.devices[0]).isSuperset(of: believed))
    // A person has both put together where the other history was believed.
    try world.take(.mergeWanted, by: world.devices[2])
    try world.settle(until: world.now + 10_000)
    #expect(world.tally[.merge] == 1)
    try world.heal()
    try world.checkRest()
  }

  /// A device away for a month, to whom the server can only give a snapshot.
  private static func awayForAMonth() throws -> World {
    let world = try Self.world(bias: 499, away: 2)
    try world.setFirst(on: 0, immediately: true)
    try world.settle(until: world.now + 5000)
    try world.passMonth()
    try world.setFirst(on: 1, immediately: true)
    try world.settle(until: world.now + 5000)
    try world.passMonth()
    return world
  }

  @Test(arguments: [
    "a bit of a part", "a part too few", "parts in another order", "a part twice", "no parts",
  ])
  func aSnapshotThatIsNotGenuineIsNamedAndNotTaken(forgery: String) throws {
    let world = try Self.awayForAMonth()
    let device = world.devices[2]
    let before = Self.texts(of: device)
    world.forgesSnapshots = { chunks in
      switch forgery {
      case "a bit of a part": chunks[0][chunks[0].count / 2] ^= 1
      case "a part too few": chunks.removeLast()
      case "parts in another order":
        chunks.reverse()
        if chunks.count == 1 { chunks[0].reverse() }
      case "a part twice": chunks.append(chunks[0])
      default: chunks = []
      }
    }
    world.cutOff = [:]
    try world.take(.requested, by: device)
    try world.settle(until: world.now + 3000)
    #expect(Self.alarms(of: device) == ["forged"])
    #expect(before.isEmpty && Self.texts(of: device).isEmpty)
    #expect(device.disk.current.checkpoint == nil)
    world.forgesSnapshots = nil
    try world.heal()
    try world.checkRest()
  }
}

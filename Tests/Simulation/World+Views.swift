import Sync

/// A server that shows one history of a device to some and another one to others.
extension World {
  /// Device 1 is cloned. What it writes is shown to all but device 2; what its twin writes to
  /// device 2 alone.
  func showTwoHistories(_ own: Int, and twins: Int) throws {
    (setsBack, mayAlarm) = (true, true)
    try clone(devices[1])
    let twin = devices.count - 1
    try settle(until: now + 3000)
    otherView = server
    misled = [2, twin]
    for _ in 0..<own { try setFirst(on: 1, immediately: true) }
    for _ in 0..<twins { try setFirst(on: twin, immediately: true) }
    try settle(until: now + 5000)
  }

  /// The server forgets that it showed two histories: the first is everybody's now.
  func showOneHistory() throws {
    misled = []
    for device in devices { try take(.requested, by: device) }
    try settle(until: now + 5000)
  }
}

extension Scenario {
  /// Who believed the longer of two histories names them when it is shown the shorter one.
  static func fork(_ world: World) throws {
    world.setsBack = true
    try world.create(on: world.devices[0])
    try world.settle(until: world.now + 3000)
    try world.showTwoHistories(1, and: 2)
    try world.showOneHistory()
    guard world.devices[2].core.alarms.contains(where: { $0.code == "fork" }) else {
      throw Violation(.s12, "two histories of a device were not named")
    }
    try world.settle(until: world.now + 60_000)
    try world.heal()
    try world.checkRest()
  }
}

import Sync
import Vault
import Wire

/// What happens in a run.
enum Scenario {
  /// A life in bad weather, then everything becomes well: all have to hold everything.
  static func safety(_ world: World) throws {
    try world.live(acts: 10)
    try world.heal()
    try world.checkRest()
  }

  /// Nothing is lost on the way and nothing heals it: signals alone bring everyone up to date.
  static func liveness(_ world: World) throws {
    try world.live(acts: 8)
    try world.finishForms()
    try world.settle(until: world.now + 10_000)
    try world.checkRest()
  }

  /// A device is given another name while nobody writes anything: all hear of it, by its signal
  /// alone.
  static func renaming(_ world: World) throws {
    try world.settle(until: world.now + 10_000)
    let before = world.devices[0].core.membership.count
    try world.rename(world.devices[1], by: world.devices[0])
    try world.settle(until: world.now + 5000)
    for device in world.devices where device.core.membership.count != before + 1 {
      throw Violation(.s9, "\(device.number) has not heard of a new name")
    }
  }

  /// Two persons who edit the same, the same in every run: the ground for trying every place at
  /// which something can break.
  static let script: [@Sendable (World) throws -> Void] = [
    { try $0.create(on: $0.devices[0]) },
    { try $0.settle(until: $0.now + 700) },
    { try $0.setFirst(on: 0) },
    { try $0.setFirst(on: 1, immediately: true) },
    { try $0.settle(until: $0.now + 700) },
    { try $0.openFirst(on: 1) },
    { try $0.setFirst(on: 0, immediately: true) },
    { try $0.settle(until: $0.now + 5000) },
    { try $0.create(on: $0.devices[1]) },
    { try $0.resolveFirst(on: 0) },
    { try $0.settle(until: $0.now + 200) },
    { try $0.deleteFirst(on: 1) },
    { try $0.setFirst(on: 0) },
    { try $0.settle(until: $0.now + 6000) },
  ]

  /// Two devices change one value at once, and one of the changes is taken back: the other stays.
  static func undo(_ world: World) throws {
    let (home, work) = (world.devices[0], world.devices[1])
    try world.create(on: home)
    try world.setFirst(on: home.number, immediately: true)
    try world.settle(until: world.now + 3000)
    world.cutOff[work.number] = true
    for device in [home, work] { try world.setFirst(on: device.number, immediately: true) }
    world.cutOff = [:]
    try world.settle(until: world.now + 60_000)
    try world.undo(on: home)
    try world.heal()
    try world.checkRest()
  }

  /// A server is set back to before a device was taken out, and takes a record from somebody who
  /// has not heard of that. Who has taken it out stops as soon as it has gone over to that list.
  static func parting(_ world: World) throws {
    guard world.devices.count > 2 else { return }
    let (home, work, lost) = (world.devices[0], world.devices[1], world.devices[2])
    try world.create(on: home)
    try world.settle(until: world.now + 5000)
    (world.cutOff[work.number], world.cutOff[lost.number]) = (true, true)
    let before = world.server.past.count - 1
    try world.revoke(lost, by: home)
    try world.settle(until: world.now + 2000)
    try world.setFirst(on: home.number, immediately: true)
    world.cutOff[home.number] = true
    try world.restoreServer(before)
    world.cutOff[work.number] = nil
    try world.rename(home, by: work)
    try world.settle(until: world.now + 2000)
    world.cutOff[home.number] = nil
    let end = world.now + 60_000
    while home.core.forgotten.isEmpty, world.now < end { try world.settle(until: world.now + 1) }
    guard !home.core.forgotten.isEmpty else { throw Violation(.s9, "no list gave way") }
    world.crash(home)
    try world.heal()
    try world.checkRest()
  }

  /// One device takes another out, and the server is set back to before; it reaches nobody then.
  private static func forgetRevocation(
    of lost: SimulatedDevice, by home: SimulatedDevice, in world: World
  ) throws {
    try world.create(on: home)
    try world.settle(until: world.now + 5000)
    for device in world.devices where device !== home { world.cutOff[device.number] = true }
    let before = world.server.past.count - 1
    try world.revoke(lost, by: home)
    try world.settle(until: world.now + 2000)
    world.cutOff[home.number] = true
    try world.restoreServer(before)
  }

  /// A server that was set back to before a device was taken out goes on for months without who did
  /// it, and prunes what that would cut off. Another record of its list ends the waiting.
  static func prunedCut(_ world: World) throws {
    guard world.devices.count > 2 else { return }
    let (home, work, lost) = (world.devices[0], world.devices[1], world.devices[2])
    try forgetRevocation(of: lost, by: home, in: world)
    world.cutOff[work.number] = nil
    for _ in 0..<4 {
      try world.setFirst(on: work.number, immediately: true)
      try world.settle(until: world.now + 40_000)
      try world.passMonth()
    }
    world.cutOff[home.number] = nil
    try world.take(.requested, by: home)
    try world.settle(until: world.now + 60_000)
    let isWaiting = !world.serverChain.contains { $0.hash == home.core.membership.head }
    guard isWaiting, home.core.alarms.contains(where: { $0.code == "rollback" }) else {
      throw Violation(.s9, "nothing was pruned")
    }
    try world.rename(home, by: work)
    try world.settle(until: world.now + 2000)
    try world.heal()
    try world.checkRest()
  }

  /// A server that was set back to before a device was taken out plays along with it: it takes the
  /// addition of another one that this device signs.
  static func intruding(_ world: World) throws {
    let (lost, home) = (world.devices[0], world.devices[1])
    try forgetRevocation(of: lost, by: home, in: world)
    try world.admitIntruder(by: lost)
    world.cutOff[home.number] = nil
    try world.take(.requested, by: home)
    try world.settle(until: world.now + 60_000)
    guard home.core.membership.revoked[lost.keyring.device] != nil else {
      throw Violation(.s13, "a device that was taken out is a member again, with another one")
    }
    guard home.core.alarms.contains(where: { $0.code == "membership" }) else {
      throw Violation(.s12, "nobody is told of a list that a revoked device wrote")
    }
  }

  /// A twin of a device is at work at a server that was set back to before the device wrote: what
  /// another device wrote on that goes back with it.
  static func twoHistories(_ world: World) throws {
    let (home, work) = (world.devices[0], world.devices[1])
    world.setsBack = true
    world.mayAlarm = true
    try world.create(on: home)
    try world.settle(until: world.now + 5000)
    let before = world.server.past.count - 1
    let twin = world.devices.count
    world.cutOff[twin] = true
    try world.clone(home)
    for device in [home, work] {
      try world.setFirst(on: device.number, immediately: true)
      try world.settle(until: world.now + 5000)
    }
    (world.cutOff[home.number], world.cutOff[work.number]) = (true, true)
    try world.restoreServer(before)
    world.cutOff[twin] = nil
    try world.setFirst(on: twin, immediately: true)
    try world.settle(until: world.now + 35_000)
    world.cutOff[home.number] = nil
    try world.take(.requested, by: home)
    try world.settle(until: world.now + 70_000)
    guard world.server.frontier(of: world.family.account).reaches(home.core.frontier) else {
      throw Violation(.s9, "what no server will take is kept")
    }
    try world.heal()
    try world.checkRest()
  }

  /// What a device alone holds was pruned there, since the server held it; then the server is set
  /// back to before that. A twin of the device, or another one, goes on with it for a month. `kept`
  /// of the device's changes are left on the server.
  static func prunedAlone(_ world: World, twin: Bool, kept: Int) throws {
    let home = world.devices[0]
    world.setsBack = true
    world.mayAlarm = true
    try world.create(on: home)
    try world.settle(until: world.now + 5000)
    for _ in 0..<kept { try write(on: home.number, in: world) }
    let before = world.server.past.count - 1
    if twin {
      world.cutOff[world.devices.count] = true
      try world.clone(home)
    }
    for other in world.devices.dropFirst() { world.cutOff[other.number] = true }
    try writeForAMonth(on: home.number, in: world)
    try world.take(.requested, by: home)
    try world.settle(until: world.now + 5000)
    guard home.disk.current.state.floor.sequence(of: home.keyring.device) > 1 else {
      throw Violation(.s10, "nothing was pruned")
    }
    world.cutOff = [home.number: true]
    try world.restoreServer(before)
    try writeForAMonth(on: twin ? world.devices.count - 1 : 1, in: world)
    world.cutOff = [:]
    try world.take(.requested, by: home)
    try crashWhereItFetched(home, in: world)
    try world.heal()
    try world.checkRest()
  }

  /// So much that a snapshot is written, and a month that makes it stand for all before it.
  private static func writeForAMonth(on number: Int, in world: World) throws {
    for _ in 0..<4 { try write(on: number, in: world) }
    try world.passMonth()
  }

  private static func write(on number: Int, in world: World) throws {
    try world.setFirst(on: number, immediately: true)
    try world.settle(until: world.now + 40_000)
  }

  /// The device crashes as soon as it has a snapshot of somebody else, if it comes to that.
  private static func crashWhereItFetched(_ device: SimulatedDevice, in world: World) throws {
    func author() -> DeviceID? { device.disk.current.checkpoint?.manifest.header.device }
    let former = author()
    let end = world.now + 35_000
    while world.now < end, device.isUp {
      try world.settle(until: world.now + 1)
      if author() != former { world.crash(device) }
    }
  }

  static func script(_ world: World) throws {
    for act in script { try act(world) }
    try world.heal()
    try world.checkRest()
  }
}

extension World {
  func finishForms() throws {
    for device in devices where device.form != nil { try closeForm(of: device) }
  }

  /// The first context of a device that is up and unlocked, with its first attribute.
  private func first(
    of device: SimulatedDevice
  ) -> (context: ContextRecord, attribute: AttributeRecord)? {
    guard device.isUp, !device.isLocked, let context = device.core.replica.contexts.first,
      let attribute = context.attributes.first
    else { return nil }
    return (context, attribute)
  }

  func setFirst(on number: Int, immediately: Bool = false) throws {
    guard let (context, attribute) = first(of: devices[number]) else { return }
    try set(attribute.id, in: context.id, of: devices[number], immediately: immediately)
  }

  func openFirst(on number: Int) throws {
    guard let (context, attribute) = first(of: devices[number]) else { return }
    try openForm(of: devices[number], context: context.id, attribute: attribute)
  }

  func resolveFirst(on number: Int) throws {
    guard let (context, attribute) = first(of: devices[number]),
      let head = attribute.heads.last
    else { return }
    rewritten.insert(attribute.id)
    try save([.resolve(context.id, attribute.id, keep: head.id)], by: devices[number])
  }

  func deleteFirst(on number: Int) throws {
    guard let (context, _) = first(of: devices[number]) else { return }
    try save([.deleteContext(context.id)], by: devices[number])
  }
}

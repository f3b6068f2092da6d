import Sync
import Testing
import Vault
import Wire

@testable import Simulation

/// The cases in which password managers lost an edit: real replicas and servers, in virtual time.
@Suite struct ClassicCaseTests {
  /// Two devices that hold a context of two attributes.
  private static func world() throws -> (World, ContextID) {
    let world = try World(
      family: try Runs.family.get(), seed: 2010, weather: .calm, devices: 2)
    try world.create(on: world.devices[0])
    try world.settle(until: world.now + 5000)
    return (world, try #require(world.devices[1].core.replica.contexts.first).id)
  }

  private static func record(_ context: ContextID, on device: SimulatedDevice) throws
    -> ContextRecord
  {
    try #require(device.core.replica[context])
  }

  private static func password(
    _ context: ContextID, on device: SimulatedDevice
  ) throws -> AttributeRecord {
    try #require(
      try record(context, on: device).attributes.first { $0.label == "password" })
  }

  /// Both reach the server again, and everything is checked.
  private static func reconnect(_ world: World) throws {
    world.cutOff = [:]
    try world.heal()
    try world.checkRest()
  }

  @Test func aOneTimeCodeAddedOfflineMeetsAPasswordChangedElsewhere() throws {
    let (world, context) = try Self.world()
    let (home, work) = (world.devices[0], world.devices[1])
    world.cutOff[home.number] = true
    let code = Edit.NewAttribute(label: "code", kind: .totp, text: "JBSWY3DPEHPK3PXP")
    try world.save([.addAttribute(context, code)], by: home)
    try world.set(try Self.password(context, on: work).id, in: context, of: work)
    try world.settle(until: world.now + 60_000)
    let changed = try Self.password(context, on: work).text
    #expect(try Self.password(context, on: home).text != changed)
    try Self.reconnect(world)
    for device in [home, work] {
      let record = try Self.record(context, on: device)
      #expect(record.attributes.first { $0.label == "code" }?.text == code.text)
      #expect(try Self.password(context, on: device).text == changed)
      #expect(!record.hasConflict)
    }
  }

  @Test func anEditorLeftOpenForTenMinutesWhileAnotherDeviceSaves() throws {
    let (world, context) = try Self.world()
    let (home, work) = (world.devices[0], world.devices[1])
    let before = try Self.password(context, on: home)
    let form = SimulatedDevice.Form(
      context: context, attribute: before.id, base: before.heads.map(\.id),
      draft: home.entropy.identifier())
    home.form = form
    try world.take(.formOpened(context), by: home)
    try world.type(into: form, on: home)
    try world.settle(until: world.now + 300_000)
    try world.set(before.id, in: context, of: work)
    try world.settle(until: world.now + 300_000)
    let elsewhere = try Self.password(context, on: work).text
    #expect(try Self.password(context, on: home).text == elsewhere, "it shows what came")
    try world.saveForm(of: home)
    try world.closeForm(of: home)
    let typed = try #require(home.promised.last).text
    try Self.reconnect(world)
    for device in [home, work] {
      let password = try Self.password(context, on: device)
      #expect(Set(password.heads.map(\.text)) == [elsewhere, typed])
      #expect(device.core.replica.conflictCount == 1)
    }
    let kept = try #require(
      try Self.password(context, on: work).heads.first { $0.text == elsewhere })
    world.rewritten.insert(before.id)
    try world.save([.resolve(context, before.id, keep: kept.id)], by: work)
    try Self.reconnect(world)
    #expect(try Self.password(context, on: home).heads.map(\.text) == [elsewhere])
    let history = home.core.replica.history(of: before.id, in: context)
    #expect(history.contains { $0.text == typed }, "what was not kept is history")
  }

  @Test func theSamePasswordChangedOnTwoDevicesOffline() throws {
    let (world, context) = try Self.world()
    let (home, work) = (world.devices[0], world.devices[1])
    for device in [home, work] { world.cutOff[device.number] = true }
    var texts: Set<String?> = []
    for device in [home, work] {
      try world.set(try Self.password(context, on: device).id, in: context, of: device)
      texts.insert(try Self.password(context, on: device).text)
    }
    try world.settle(until: world.now + 60_000)
    try Self.reconnect(world)
    let shown = try [home, work].map { try Self.password(context, on: $0) }
    #expect(shown.allSatisfy { Set($0.heads.map(\.text)) == texts && texts.count == 2 })
    #expect(shown[0].text == shown[1].text, "both show the same one first")
  }
}

import ArgumentParser
import Foundation
import Selector
import Storage
import Sync
import Testing
import Vault

@testable import SelectorApp

/// What is left in memory of what was readable.
@Suite(.serialized) struct MemoryTests {
  /// A text that stands nowhere else, in the program's file neither.
  private static func canary(_ kind: String) -> String {
    "\(kind)-canary-"
      + (0..<6).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }
      .joined(separator: "-")
  }

  @Test func theScanFindsWhatIsThere() throws {
    let text = Self.canary("held")
    let held = [text]
    let count = try MemoryScan.count([.init("held", text)])["held"] ?? 0
    #expect(count > 0)
    withExtendedLifetime(held) {}
  }

  @Test func memoryThatIsGivenBackIsZeroed() throws {
    var needle: MemoryScan.Needle?
    func use() {
      let text = Self.canary("freed")
      needle = MemoryScan.Needle("freed", text)
      let copies = (0..<100).map { "\($0): \(text)" }.joined(separator: ",")
      var bytes = Array(copies.utf8)
      // Grows, and so is moved.
      for _ in 0..<1000 { bytes.append(contentsOf: text.utf8) }
      #expect(Data(bytes).count == bytes.count)
    }
    use()
    #expect(try MemoryScan.count([#require(needle)]) == ["freed": 0])
  }

  @Test func guardedMemoryIsNotReadableOutsideItsScope() throws {
    let text = Self.canary("guarded")
    let needle = MemoryScan.Needle("guarded", text)
    let secret = SecretBytes(count: text.utf8.count) { output in
      for (place, byte) in text.utf8.enumerated() { output[place] = byte }
    }
    #expect(try MemoryScan.count([needle])["guarded"] ?? 1 <= 1, "the text itself, held here")
    secret.withBytes { #expect($0.count == text.utf8.count) }
    withExtendedLifetime(text) {}
  }

  @Test func aLockedSelectorHoldsNothingThatCouldBeRead() async throws {
    let (profile, device) = try await TestProfile.device()
    var needles: [MemoryScan.Needle] = []
    func text(_ kind: String) -> String {
      let text = Self.canary(kind)
      needles.append(MemoryScan.Needle(kind, text))
      return text
    }
    var session = Session(
      profile: Profile(
        deviceName: "home pc", deviceID: device.settings.device, serverURL: nil, storePath: "",
        phase: .unlocked, timeZoneOffset: 0, themes: ["terminal"]),
      size: Size(columns: 80, rows: 24))
    _ = session.update(.clock(1_000_000))
    try await Self.live(text, device, &session)
    let missing = try MemoryScan.count(needles).filter { $0.value == 0 }
    #expect(missing == [:], "all of it was held")

    try await device.lock()
    for effect in session.update(.clock(1_000_000 + Session.idleMilliseconds + 60_000)) {
      if case .keepSignals = effect { continue }
      #expect(effect == .lock)
    }
    _ = session.update(.contexts(await device.contexts()))
    #expect(await device.contexts().isEmpty)
    let left = try MemoryScan.count(needles).filter { $0.value > 0 }
    #expect(left == [:])
    await device.stop(flush: .zero)
    withExtendedLifetime((profile, session)) {}
  }

  /// Writes, changes, searches and shows; its own locals end with it.
  private static func live(
    _ text: (String) -> String, _ device: Device, _ session: inout Session
  ) async throws {
    let context = text("context")
    for (label, kind) in [(text("label"), "value"), ("password", "password")] {
      for _ in 0..<2 {
        let console = TestConsole(input: Array(text(kind).utf8))
        let command = try #require(
          try Higgins.parseAsRoot(["set", context, label, "-", "--no-sync"])
            as? any DeviceCommand)
        #expect(await Execution.run(command, on: device, console: console) == 0)
      }
    }
    _ = session.update(.contexts(await device.contexts()))
    let record = try #require(await device.contexts().first)
    _ = session.update(
      .changed(
        record.attributes.map {
          Change(
            kind: .set, context: record.id, contextName: record.name, attribute: $0.id,
            label: $0.label, device: $0.updatedBy, at: 1_000_000)
        }))
    _ = session.view()
    for name in ["/", "c", "a", "n"] {
      let key = try #require(Key(name))
      _ = session.update(.key(key))
    }
    _ = session.view()
  }
}

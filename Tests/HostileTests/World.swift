import ArgumentParser
import Foundation
import Storage
import Sync
import Testing
import Transport
import Vault
import Wire

@testable import SelectorApp

/// Two devices of one account, each with a change of its own, and their server: made once, copied
/// for each test.
struct World {
  static let passphrase = "correct horse battery staple"
  static let context = "bank.example"
  let folder: URL
  let kit: String
  let server = HostileServer()

  private struct Made {
    let folder: URL
    let kit: String
  }

  private static let made = Task { try await make() }

  static func typed() throws -> Passphrase { try Passphrase(utf8: Array(passphrase.utf8)) }

  private static func scratch() throws -> URL {
    let folder = URL(fileURLWithPath: NSTemporaryDirectory())
      .appendingPathComponent("higgins-hostile-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return folder
  }

  init() async throws {
    let made = try await Self.made.value
    folder = try Self.scratch()
    kit = made.kit
    for part in ["server", "home"] {
      try FileManager.default.copyItem(
        at: made.folder.appendingPathComponent(part), to: folder.appendingPathComponent(part))
    }
  }

  private static func make() async throws -> Made {
    let folder = try scratch()
    let home = try profile("home", in: folder)
    let work = try profile("work", in: folder)
    nonisolated(unsafe) var kit = ""
    try await HostileServer().run(folder.appendingPathComponent("server")) { url in
      kit = try await Onboarding.create(
        folder: home, server: url, account: "ann", device: "home pc", passphrase: typed(),
        invite: nil)
      let device = try await opened(home)
      try await pair(device) { code in
        try await Onboarding.join(
          folder: work, code: code, device: "work pc", passphrase: typed(), showWords: { _ in })
      }
      try await set("password", "first", on: device)
      #expect(await device.synchronise(within: .seconds(20)) == .confirmed)
      await device.stop(flush: .zero)
      let other = try await opened(work)
      await other.start(push: false)
      #expect(await other.synchronise(within: .seconds(20)) == .confirmed)
      try await set("password", "second", on: other)
      #expect(await other.synchronise(within: .seconds(20)) == .confirmed)
      await other.stop(flush: .zero)
      let again = try await opened(home)
      await again.start(push: false)
      #expect(await again.synchronise(within: .seconds(20)) == .confirmed)
      await again.stop(flush: .zero)
    }
    for profile in [home, work] { try hashLess(profile) }
    return Made(folder: folder, kit: kit)
  }

  /// Each test unlocks its devices several times: with the weakest hash that opens. The account's
  /// own stays what it was made with, so that recoveries hash as a person's do.
  private static func hashLess(_ profile: ProfileFolder) throws {
    var entropy = SodiumEntropy()
    let keyring = try Keyring.open(
      disk: try profile.readFile(profile.keyring), passphrase: typed())
    let sealed = try keyring.sealedForDisk(
      passphrase: typed(), strength: .floor, entropy: &entropy)
    try profile.writeFile(sealed, to: profile.keyring)
  }

  static func profile(_ name: String, in folder: URL) throws -> ProfileFolder {
    try ProfileFolder(
      home: folder.appendingPathComponent("home").path, profile: name, environment: [:])
  }

  static func opened(_ profile: ProfileFolder) async throws -> Device {
    let device = try Device.open(profile)
    try await device.unlock(try typed())
    return device
  }

  /// Runs `body` with the server at work; the address it has now stands in the profiles.
  func run(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = folder
    try await server.run(folder.appendingPathComponent("server")) { url in
      for name in ["home", "work"] {
        let profile = try Self.profile(name, in: folder)
        var settings = try profile.readSettings()
        settings.server = url
        try profile.writeSettings(settings)
      }
      try await body(url)
    }
  }

  func open(_ name: String) async throws -> Device {
    let device = try await Self.opened(try Self.profile(name, in: folder))
    await device.start(push: false)
    return device
  }

  /// The work pc changes something, as honestly as the server is at the moment.
  func changeElsewhere(_ value: String) async throws {
    let work = try await open("work")
    try await Self.set("password", value, on: work)
    #expect(await work.synchronise(within: .seconds(20)) == .confirmed)
    await work.stop(flush: .zero)
  }

  static func set(_ label: String, _ value: String, on device: Device) async throws {
    let console = QuietConsole(input: Array(value.utf8))
    let command = try #require(
      try Higgins.parseAsRoot(["set", context, label, "-", "--no-sync"]) as? any DeviceCommand)
    try await command.run(on: device, console: console)
  }

  /// Shows a code on `device` and gives it to `join`; whoever asks is admitted.
  static func pair(
    _ device: Device, with join: @escaping @Sendable (String) async throws -> Void
  ) async throws {
    await device.start(push: false)
    let (codes, code) = AsyncStream.makeStream(of: String.self)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        _ = try await device.pair(
          PairingExchange(
            showCode: { text, _ in
              code.yield(text)
              code.finish()
            }, confirm: { _, _ in true }), passphrase: typed())
      }
      tasks.addTask {
        for await text in codes { try await join(text) }
      }
      // The first failure ends the other side, too.
      for try await _ in tasks {}
    }
  }
}

/// All that a device shows: what no lie may change.
struct Shown: Equatable {
  let contexts: [ContextRecord]
  let devices: Int

  init(_ device: Device) async {
    contexts = await device.contexts()
    devices = await device.status().peers.count
  }
}

/// A console without a person.
struct QuietConsole: Console {
  var isTerminal: Bool { false }
  var isInputTerminal: Bool { false }
  var input: [UInt8] = []

  func write(_ bytes: [UInt8], to stream: ConsoleStream) async throws {}
  func readSecret(_ prompt: String) async throws -> [UInt8] { throw ConsoleError.noTerminal("") }
  func ask(_ question: String) async throws -> String { throw ConsoleError.noTerminal("") }
  func read(_ source: ConsoleSource, limitBytes: Int) async throws -> [UInt8] { input }
  func writeFile(_ path: String, _ bytes: [UInt8], replacing: Bool) async throws {}
  func copy(_ text: String, clearAfter seconds: Int) async throws -> String { "" }
}

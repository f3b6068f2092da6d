import ArgumentParser
import Sync
import Vault

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the account's devices, or admit another one.",
    discussion: "EXAMPLE: higgins devices pair",
    subcommands: [DevicesListCommand.self, DevicesPairCommand.self],
    defaultSubcommand: DevicesListCommand.self)
}

struct DevicesListCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the account's devices.",
    discussion: "EXAMPLE: higgins devices --json")

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    if await device.status().push == .down {
      await device.start(push: false)
      _ = await device.synchronise(within: Saving.sendingLimit)
    }
    let status = await device.status()
    guard output.json else { return try await console.line(StatusRecord.devices(of: status)) }
    for peer in status.peers { try await console.record(StatusRecord.Device(peer: peer)) }
  }
}

struct DevicesPairCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "pair",
    abstract: "Print a pairing code and wait for the new device.",
    discussion: """
      EXAMPLE: higgins devices pair

      The code is the first line of standard output and good for one device within 5 minutes: enter \
      it there with `higgins join`. Whoever has the code can ask to be admitted; compare the words on \
      both screens before you say yes.
      """)

  @Flag(help: "Admit without asking, for scripts that keep the code to themselves.")
  var yes = false

  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    let admitsAll = yes
    let exchange = PairingExchange(
      showCode: { code, expiry in
        // When nobody reads, the next question fails, and so does the pairing.
        try? await console.line(code)
        try? await console.note(
          "Enter it on the new device with `higgins join` before \(Lines.clock(expiry)).")
      },
      confirm: { name, words in
        await Self.confirm(name, words, admitsAll: admitsAll, at: console)
      })
    let name = try await device.pair(exchange)
    try await console.line("Admitted \(name.name).")
  }

  private static func confirm(
    _ name: String, _ words: [String], admitsAll: Bool, at console: any Console
  ) async -> Bool {
    do {
      try await console.note(
        "\(name) asks to be admitted. Its screen must show: \(words.joined(separator: " "))")
      return admitsAll ? true : try await console.confirm("Admit \(name)?")
    } catch {
      return false
    }
  }
}

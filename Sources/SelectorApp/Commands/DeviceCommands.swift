import ArgumentParser
import Sync
import Vault
import Wire

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the account's devices, admit another one, or take one out.",
    discussion: "EXAMPLE: higgins devices pair",
    subcommands: [
      DevicesListCommand.self, DevicesPairCommand.self, DevicesRenameCommand.self,
      DevicesRevokeCommand.self, DevicesExposedCommand.self,
    ],
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
    await device.fetchFarewells()
    let status = await device.status()
    guard output.json else { return try await console.line(StatusRecord.devices(of: status)) }
    for peer in status.peers { try await console.record(StatusRecord.Device(peer: peer)) }
    for former in status.former { try await console.record(StatusRecord.Former(device: former)) }
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
      both screens before you say yes. Asks for the passphrase again.
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
    let passphrase = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .existing("Passphrase again: ")
    let name = try await device.pair(exchange, passphrase: passphrase)
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

struct DevicesRenameCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Give a device another name, on all devices.",
    discussion: """
      EXAMPLE: higgins devices rename "work pc" "old work pc"
      """)

  @Argument(help: "The device's name, the beginning or a part of it, or its id.")
  var device: String

  @Argument(help: "At most 64 characters.")
  var name: String

  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on here: Device, console: any Console) async throws {
    await here.start(push: false)
    _ = await here.synchronise(within: Saving.sendingLimit)
    let peer = try Matching.device(device, in: await here.nameable)
    try await here.rename(peer.id, to: name)
  }
}

struct DevicesRevokeCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Take a lost device out of the account, with new keys for all others.",
    discussion: """
      EXAMPLE: higgins devices revoke mobile --kit-file ~/higgins-kit

      The device can read nothing that is saved from then on, the servers refuse it at once, and it \
      erases itself when it hears of it. What it could read before cannot be taken back: change the \
      passwords that matter. It knew the kit, so there is a new one: print it, and destroy the old. \
      Asks for the passphrase again.
      """)

  @Argument(help: "The device's name, the beginning or a part of it, or its id.")
  var device: String

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var kit: KitOptions
  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on here: Device, console: any Console) async throws {
    await here.start(push: false)
    _ = await here.synchronise(within: Saving.sendingLimit)
    let peer = try Matching.device(
      device, in: await here.nameable.filter { !$0.isThisDevice })
    if !yes {
      let question = "Take \(peer.name) out of the account, and make new keys and a new kit?"
      guard try await console.confirm(question) else {
        throw Failure(.failed, "Nothing was changed.")
      }
    }
    let passphrase = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .existing("Passphrase again: ")
    let revoked = try await here.revoke(peer.id, passphrase: passphrase)
    try await tell(revoked, at: console)
  }

  private func tell(_ revoked: Revoked, at console: any Console) async throws {
    let names = revoked.names.joined(separator: ", ")
    try await console.note(
      revoked.haveErased
        ? "Revoked \(names), which has erased itself."
        : "Revoked \(names). It erases itself when it hears of it.")
    if !revoked.exposed.isEmpty {
      try await console.note(
        "Consider changing what it could read: \(Lines.summary(of: revoked.exposed))."
          + " `higgins devices exposed` lists what is left.")
    }
    try await kit.tell(revoked.kit, at: console)
  }
}

struct DevicesExposedCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "exposed",
    abstract: "List the secrets that revoked devices could read and that were not changed since.",
    discussion: """
      EXAMPLE: higgins devices exposed

      Whoever has a lost device may have read them before it was revoked. Change the passwords that \
      matter; each leaves the list when it is changed here or on any device.
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let exposed = await device.exposed
    guard output.json else {
      return try await console.line(Lines.table(exposed.map { [$0.contextName, $0.label] }))
    }
    for secret in exposed { try await console.record(ExposedRecord(secret: secret)) }
  }
}

/// What `devices exposed` prints.
struct ExposedRecord: Encodable {
  let secret: ExposedSecret

  private enum Key: String, CodingKey {
    case context, contextName, attribute, label
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(secret.context, forKey: .context)
    try container.encode(secret.contextName, forKey: .contextName)
    try container.encode(secret.attribute, forKey: .attribute)
    try container.encode(secret.label, forKey: .label)
  }
}

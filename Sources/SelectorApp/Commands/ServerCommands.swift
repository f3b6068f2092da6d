import ArgumentParser
import Storage
import Wire

struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Show by which key the server is known, or announce another one.",
    discussion: "EXAMPLE: higgins server",
    subcommands: [ServerShowCommand.self, ServerTrustCommand.self],
    defaultSubcommand: ServerShowCommand.self)
}

struct ServerShowCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the server's address and the keys it is known by.",
    discussion: "EXAMPLE: higgins server --json")

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .whereReady }

  func run(on device: Device, console: any Console) async throws {
    let pin = device.settings.pin
    let keys = await device.serverKeys
    let record = ServerRecord(
      server: device.settings.server, key: pin?.fingerprint, known: keys.map(\.fingerprint))
    if output.json { return try await console.record(record) }
    let known = record.key ?? "by its certificate's authority"
    var rows = [["server", record.server], ["key", known]]
    rows += keys.filter { $0 != pin }.map { ["also known", $0.fingerprint] }
    try await console.line(Lines.table(rows))
  }
}

/// What `server` prints.
struct ServerRecord: Encodable {
  let server: String
  /// The one it showed last; null where an authority vouches for it.
  let key: String?
  let known: [String]
}

struct ServerTrustCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust",
    abstract: "Announce a new key of the server to all devices, before or after it is changed.",
    discussion: """
      EXAMPLE: higgins server trust 7Q2M-4XKD-90PA-…

      A signed record tells the other devices, so none of them has to join again: those that hear of \
      it before the key is changed, and those that find the new key there first. Copy the key from \
      the log of higginsd, or let `higginsd key CERTIFICATE` print it.
      """)

  @Argument(help: "The new key: 52 letters and digits, as higginsd writes it.")
  var key: String

  @Flag(help: "The key before is not the server's any more.")
  var only = false

  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    guard let digest = Digest32(fingerprint: key) else {
      throw Failure(
        .usage,
        "That is no server key: it has 52 letters and digits. Nothing was changed. Copy it from the"
          + " log of higginsd.")
    }
    await device.start(push: false)
    try await device.trust(serverKey: digest, alone: only)
    try await console.note("All devices take that key for the server's now.")
  }
}

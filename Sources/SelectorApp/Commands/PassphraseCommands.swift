import ArgumentParser
import Vault

struct PassphraseCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "passphrase",
    abstract: "Change the passphrase of the account and of this device.",
    discussion: """
      EXAMPLE: higgins passphrase

      Asks for the present one, and for the new one twice. The kit stays the same. Every other \
      device goes on with its present passphrase until you run this there, too, with the same new \
      one.

      When somebody may have seen the passphrase, --leaked also makes new keys and a new kit: who \
      knows the old passphrase, the old kit and what the server had can read nothing saved later. \
      Change the passwords that matter as well.
      """)

  @Flag(help: "Somebody may know it: also make new keys and a new kit.")
  var leaked = false

  @Option(
    help: ArgumentHelp("A file whose first line is the new one.", valueName: "file"),
    completion: .file())
  var newPassphraseFile: String?

  @OptionGroup var kit: KitOptions
  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func validate() throws {
    guard kit.kitFile == nil || leaked else {
      throw ValidationError("--kit-file goes with --leaked; without it the kit stays the same.")
    }
  }

  func run(on device: Device, console: any Console) async throws {
    await device.start(push: false)
    let old = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .existing("Present passphrase: ")
    // A service manager's credential is the present one.
    let new = try await PassphraseSource(
      path: newPassphraseFile, console: console, environment: [:]
    ).new()
    guard leaked else {
      switch try await device.changePassphrase(from: old, to: new) {
      case .changed:
        return try await console.note(
          "The passphrase is changed. Run this on your other devices, too.")
      case .adopted:
        return try await console.note("This device takes the account's passphrase now.")
      }
    }
    let text = try await device.replaceLeakedPassphrase(old, by: new)
    try await console.note(
      "Passphrase and keys are changed. Run `higgins passphrase` on your other devices, too.")
    try await kit.tell(text, at: console)
  }
}

struct KitCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "kit",
    abstract: "Show the recovery kit again, or make a new one.",
    discussion: """
      EXAMPLE: higgins kit --new --kit-file ~/higgins-kit

      Kit and passphrase together make another device when every device is lost. When the paper is \
      lost, --new makes another kit and new keys; the old kit opens nothing any more. Asks for the \
      passphrase again.
      """)

  @Flag(help: "Make a new one.")
  var new = false

  @OptionGroup var kit: KitOptions
  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    let passphrase = try await PassphraseSource(path: options.passphrasePath(), console: console)
      .existing("Passphrase again: ")
    guard new else {
      return try await kit.write(try await device.kit(passphrase), at: console)
    }
    await device.start(push: false)
    try await kit.tell(
      try await device.beginEpoch(without: [], passphrase: passphrase), at: console)
  }
}

/// Where a kit goes.
struct KitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write the kit to this new file instead.", valueName: "file"),
    completion: .file())
  var kitFile: String?

  /// A new kit, which is nowhere else.
  func tell(_ kit: String, at console: any Console) async throws {
    if kitFile != nil {
      do {
        return try await write(kit, at: console)
      } catch {
        try await console.note("\(Failure(error).sentence) The kit is shown instead.")
      }
    }
    try await console.note("The new recovery kit; write it down, and destroy the old one:")
    try await console.line(kit)
  }

  func write(_ kit: String, at console: any Console) async throws {
    guard let kitFile else { return try await console.line(kit) }
    try await console.writeFile(kitFile, Array("\(kit)\n".utf8), replacing: false)
    try await console.note("The recovery kit is in \(kitFile); print it.")
  }
}

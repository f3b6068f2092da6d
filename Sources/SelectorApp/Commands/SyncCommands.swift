import ArgumentParser
import Storage
import Sync
import Wire

struct SyncCommand: DeviceCommand {
  /// 60 s in which nothing moves: a page of 4 MiB takes 32 s at 1 Mbit/s.
  private static let limit = Duration.seconds(60)

  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Synchronise now.",
    discussion: """
      EXAMPLE: higgins sync && echo "everything is on the server"

      Exits 0 only when the server confirmed everything, 4 when it cannot be reached, 6 when an \
      integrity alarm stands.
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .whereReady }

  func run(on device: Device, console: any Console) async throws {
    await device.start(push: false)
    let outcome = await device.synchronise(untilNothingMovesFor: Self.limit)
    if outcome == .confirmed {
      await device.finishSnapshot(within: Self.limit)
      await device.fetchFarewells()
    }
    if output.json { try await console.record(await device.statusRecord()) }
    switch outcome {
    case .confirmed:
      guard !output.json else { return }
      try await console.note("The server has everything, and so has this device.")
    case .waiting(let reason, let changes):
      throw Failure(
        .offline, changes > 0 ? Saving.waits(reason, changes) : reason)
    case .alarm(let text): throw Failure(.alarm, text)
    case .deleted: throw DeviceError.deleted(text: await device.deletionText)
    }
  }
}

struct StatusCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show how synchronisation stands.",
    discussion: """
      EXAMPLE: higgins status --json

      Exits 6 while an integrity alarm stands. Without a running selector the server is asked \
      first, for up to 2 s.
      """)

  @OptionGroup var saving: SavingOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  var unlocking: Unlocking { .whereReady }
  var tellsAlarms: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    if !saving.noSync, await device.status().push == .down {
      await device.start(push: false)
      _ = await device.synchronise(within: Saving.sendingLimit)
      await device.fetchFarewells()
    }
    let record = await device.statusRecord()
    if output.json {
      try await console.record(record)
    } else {
      try await console.line(record.text)
    }
    if let alarm = record.alarms.first { throw Failure(.alarm, alarm.text) }
  }
}

extension Device {
  /// Where this device stands now.
  func statusRecord() -> StatusRecord {
    StatusRecord(
      account: accountName(), device: isLocked ? ownName : name(of: settings.device),
      server: settings.server, status: status(), alarms: core.alarms,
      isReplacing: core.isReplacing, isUncertain: isUncertain,
      passphraseChangedBy: passphraseChangedBy, progress: counted)
  }
}

struct WatchCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print a line for each change as it arrives.",
    discussion: """
      EXAMPLE: higgins watch github.example password --json

      Ends with Ctrl-C. Other commands reach the profile meanwhile.
      """)

  @Argument(help: .contextName)
  var context: String?

  @Argument(help: .attributeName)
  var attribute: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  var holdsProfile: Bool { true }

  func run(on device: Device, console: any Console) async throws {
    let filter = try Filter(context, attribute, in: await device.contexts())
    let events = await device.events()
    await device.start(push: true)
    if console.isTerminal { try await console.note("Waiting for changes; Ctrl-C ends.") }
    do {
      for await event in events {
        if case .revoked(let text) = event { throw DeviceError.revoked(text: text) }
        guard case .changed(let changes) = event else { continue }
        for change in changes where filter.takes(change) {
          try await print(change, of: device, at: console)
        }
      }
    } catch ConsoleError.closed {
      // Whoever read has seen enough.
    }
  }

  private func print(_ change: Change, of device: Device, at console: any Console) async throws {
    let record = WatchRecord(change: change)
    guard !output.json else { return try await console.record(record) }
    let place = [change.contextName, change.label].compactMap(\.self).joined(separator: " / ")
    let name = await device.name(of: change.device)
    try await console.line("\(Lines.clock(change.at))  \(name)  \(record.kind)  \(place)")
  }

  struct Filter {
    let context: ContextRecord?
    let attribute: AttributeRecord?

    init(
      _ context: String?, _ attribute: String?, in contexts: [ContextRecord]
    ) throws(MatchFailure) {
      guard let context else {
        self.context = nil
        self.attribute = nil
        return
      }
      let found = try Matching.context(context, in: contexts)
      self.context = found
      if let attribute {
        self.attribute = try Matching.attribute(attribute, in: found)
      } else {
        self.attribute = nil
      }
    }

    func takes(_ change: Change) -> Bool {
      guard let context else { return true }
      guard change.context == context.id else { return false }
      return attribute == nil || change.attribute == attribute?.id
    }
  }
}

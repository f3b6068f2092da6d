import ArgumentParser
import Sync

/// A command that works on a profile: here when nothing else uses it, else in the process that
/// does. Either way ``run(on:console:)`` is what runs.
protocol DeviceCommand: AsyncParsableCommand, Sendable {
  var options: GlobalOptions { get }
  /// What the profile must be before the command runs.
  var unlocking: Unlocking { get }
  /// Whether it stays long, so that other commands must reach the profile through it.
  var holdsProfile: Bool { get }
  /// Whether it is for the process that has the profile, and nothing without one.
  var needsHolder: Bool { get }
  /// Whether it says itself what alarms stand.
  var tellsAlarms: Bool { get }
  /// Whether nothing of the account may be here afterwards because a person wanted that.
  var erases: Bool { get }

  func run(on device: Device, console: any Console) async throws
}

/// Whether a command can do without the passphrase.
enum Unlocking {
  case required
  /// Unlocks where a passphrase file is named or a person can be asked, and does with less
  /// otherwise.
  case whereReady
  /// Takes the profile as it is.
  case never
}

extension DeviceCommand {
  var unlocking: Unlocking { .required }
  var holdsProfile: Bool { false }
  var needsHolder: Bool { false }
  var tellsAlarms: Bool { false }
  var erases: Bool { false }

  func run() async throws {
    try Execution.exitIfFailed(await Launcher(command: self).run())
  }
}

/// Runs commands and turns what they throw into a sentence and an exit code.
enum Execution {
  /// One command on an open profile; its exit code.
  static func run(
    _ command: any DeviceCommand, on device: Device, console: any Console
  ) async -> Int32 {
    do {
      if command.unlocking == .required, await device.isLocked { throw DeviceError.locked }
      try await command.run(on: device, console: console)
      if !command.erases, let text = await device.wiped { throw DeviceError.revoked(text: text) }
      if !command.tellsAlarms { await tellAlarms(of: device, at: console) }
      await tellReplacement(of: device, at: console)
      await tellNewcomers(of: device, at: console)
      return 0
    } catch {
      let failure = failure(of: error)
      if !command.tellsAlarms, failure.code != .alarm {
        await tellAlarms(of: device, at: console)
      }
      return await report(failure, at: console)
    }
  }

  /// A command that did what it should says on stderr that an alarm stands all the same.
  private static func tellAlarms(of device: Device, at console: any Console) async {
    for alarm in await device.alarms() {
      // `higgins status` tells whoever cannot be told here.
      try? await console.note("higgins: ALARM: \(alarm.text) See `higgins alarms`.")
    }
  }

  /// A copy of this device at work, or an old one put back, is never passed over in silence.
  private static func tellReplacement(of device: Device, at console: any Console) async {
    guard let notice = await device.takeReplacement() else { return }
    try? await console.note("higgins: \(notice.text)")
  }

  private static func tellNewcomers(of device: Device, at console: any Console) async {
    guard let newcomers = await device.newcomers() else { return }
    do {
      for notice in newcomers.notices { try await console.note("higgins: \(notice.text)") }
      await device.told(of: newcomers)
    } catch {
      // Where this cannot be said, the next command says it.
    }
  }

  /// Says a failure on one line of stderr; its exit code.
  static func report(_ failure: Failure, at console: any Console) async -> Int32 {
    if !failure.sentence.isEmpty {
      // If even stderr is gone, the exit code still tells.
      try? await console.note("higgins: \(failure.sentence)")
    }
    return failure.code.rawValue
  }

  /// Whatever a cancelled task failed with, it failed because it was cancelled.
  private static func failure(of error: any Error) -> Failure {
    Failure(Task.isCancelled && !(error is ConsoleError) ? CancellationError() : error)
  }

  /// Runs `body` until it ends or a person interrupts it; its exit code.
  static func reporting(
    _ console: any Console, _ body: @escaping @Sendable () async throws -> Int32
  ) async -> Int32 {
    let task = Task { () async -> Int32 in
      do {
        return try await body()
      } catch {
        return await report(failure(of: error), at: console)
      }
    }
    let interruption = Interruption { task.cancel() }
    defer { interruption.end() }
    return await task.value
  }

  /// Runs what sets a device up. A server that cannot be reached means something else there than
  /// for a device that has changes of its own.
  static func settingUp<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch ServiceFailure.unreachable(let reason) {
      throw Failure(
        .offline,
        "The server cannot be reached (\(reason)). This device was not set up. Check the address and"
          + " try again.")
    }
  }

  static func exitIfFailed(_ code: Int32) throws {
    if code != 0 { throw ExitCode(code) }
  }
}

import ArgumentParser
import Foundation
import Storage
import Sync

/// Brings a command to its profile: opens it, or hands the command to the process that has it open.
struct Launcher: Sendable {
  /// How long to try to get at a profile another process uses without listening: two commands in a
  /// row of a script, or a selector that is just starting.
  private static let patience = Duration.seconds(10)
  private static let retry = Duration.milliseconds(50)
  /// What a command may still send before it ends. Those that change something have tried already.
  private static let flush = Duration.zero

  let command: any DeviceCommand
  var console: any Console = SystemConsole()
  /// As they were typed, without the program's name.
  var arguments = Array(CommandLine.arguments.dropFirst())

  /// The exit code.
  func run() async -> Int32 {
    await Execution.reporting(console) { try await self.launch() }
  }

  private func launch() async throws -> Int32 {
    let folder = try command.options.folder()
    guard folder.exists else { throw DeviceError.absence(of: folder) }
    switch try await reach(folder) {
    case .owned(let device): return await runHere(device)
    case .elsewhere(let channel):
      return try await ControlClient(channel: channel, console: console).run(arguments)
    }
  }

  private enum Reached {
    case owned(Device)
    case elsewhere(ControlChannel)
  }

  private func reach(_ folder: ProfileFolder) async throws -> Reached {
    let clock = ContinuousClock()
    let end = clock.now + Self.patience
    while true {
      do {
        return .owned(try Device.open(folder))
      } catch StorageError.heldBy(let pid) {
        if let channel = try ControlSocket.connect(folder.socket) { return .elsewhere(channel) }
        guard clock.now < end else { throw ControlError.notAnswering(pid: pid) }
        try await Task.sleep(for: Self.retry)
      }
    }
  }

  private func runHere(_ device: Device) async -> Int32 {
    var server: ControlServer?
    let code: Int32
    do {
      if command.needsHolder { throw ControlError.noHolder }
      if command.unlocking != .never { try await unlock(device) }
      for notice in await device.opening { try await console.note("higgins: \(notice.text)") }
      if await device.core.isEnded {
        try await console.note("higgins: \(await device.deletionText)")
      }
      if command.holdsProfile { server = try ControlServer.start(device) }
      code = await Execution.run(command, on: device, console: console)
    } catch {
      code = await Execution.report(Failure(error), at: console)
    }
    server?.stop()
    await device.stop(flush: Self.flush)
    return code
  }

  private func unlock(_ device: Device) async throws {
    let path = command.options.passphrasePath()
    let source = PassphraseSource(path: path, console: console)
    do {
      try await device.unlock(try await source.existing())
    } catch let failure as Failure
      where command.unlocking == .whereReady && path == nil && failure.code == .locked
    {
      return
    }
  }
}

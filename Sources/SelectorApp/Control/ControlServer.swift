import ArgumentParser
import Foundation
import Storage
import Synchronization

/// Serves the commands of others while this process uses the profile.
///
/// A connection brings one command: it is parsed and run here as if it had been started here, with
/// a console that reaches back. A command ends when its person goes away.
final class ControlServer: Sendable {
  private let device: Device
  private let path: String
  private let descriptor: Int32
  private let connections = Mutex<[Int: ControlChannel]>([:])

  private init(device: Device, path: String, descriptor: Int32) {
    self.device = device
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Begins to listen at the profile's socket.
  static func start(_ device: Device) throws -> ControlServer {
    let path = device.folder.socket
    let server = ControlServer(
      device: device, path: path, descriptor: try ControlSocket.listen(path))
    // A thread of its own: it waits for connections as long as the profile is in use.
    Thread.detachNewThread { server.acceptAll() }
    return server
  }

  /// Stops listening and ends the commands that run.
  func stop() {
    unlink(path)
    shutdown(descriptor, Int32(SHUT_RDWR))
    for channel in connections.withLock({ Array($0.values) }) { channel.shut() }
  }

  private func acceptAll() {
    var number = 0
    while true {
      let connection = accept(descriptor, nil, nil)
      if connection < 0 {
        if [EINTR, ECONNABORTED].contains(errno) { continue }
        guard [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(errno) else { return }
        // Out of descriptors or memory: others give some back.
        usleep(100_000)
        continue
      }
      // A program started for the clipboard has no business with it.
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      number += 1
      let channel = ControlChannel(descriptor: connection)
      let key = number
      Task { await self.serve(channel, key: key) }
    }
  }

  private func serve(_ channel: ControlChannel, key: Int) async {
    let isRoom = connections.withLock { open in
      guard open.count < ControlLimits.connections else { return false }
      open[key] = channel
      return true
    }
    if isRoom {
      await ControlConversation(channel: channel, device: device).run()
    } else {
      let failure = Failure(ControlError.tooManyCommands(limit: ControlLimits.connections))
      await ControlConversation.refuse(channel, failure)
    }
    connections.withLock { $0[key] = nil }
    channel.shut()
  }
}

/// One command that came over the control socket.
struct ControlConversation {
  let channel: ControlChannel
  let device: Device
  /// Whose commands are taken; another one only in tests.
  var user = geteuid()

  func run() async {
    do {
      try channel.checkPeer(user: user)
      channel.limitWait(seconds: ControlLimits.greetingSeconds)
      guard case .run(let request) = try await channel.receive() else { return }
      guard request.version == ControlMessage.version else { throw ControlError.otherVersion }
      channel.limitWait(seconds: 0)
      try await channel.send(.welcome(version: ControlMessage.version, pid: getpid()))
      try await serve(request)
    } catch {
      await Self.refuse(channel, Failure(error))
    }
  }

  /// Says why nothing comes of it. Who does not listen any more misses nothing.
  static func refuse(_ channel: ControlChannel, _ failure: Failure) async {
    try? await channel.send(
      .failed(code: failure.code.rawValue, sentence: failure.sentence))
  }

  /// The command and the messages of its person, until one of the two ends.
  private func serve(_ request: ControlMessage.Request) async throws {
    let console = RemoteConsole(channel: channel, request: request)
    let device = device
    let running = Task {
      await Self.execute(request.arguments, on: device, console: console)
    }
    let channel = channel
    let listening = Task {
      do {
        while let message = try await channel.receive() { try await console.deliver(message) }
      } catch {
        // What does not read is answered by the end of the conversation.
      }
      await console.end()
      running.cancel()
    }
    let code = await running.value
    try await channel.send(.exit(code: code))
    channel.shut()
    await listening.value
  }

  private static func execute(
    _ arguments: [String], on device: Device, console: RemoteConsole
  ) async -> Int32 {
    let command: any ParsableCommand
    do {
      command = try Higgins.parseAsRoot(arguments)
    } catch {
      return await Execution.report(Failure(ControlError.otherVersion), at: console)
    }
    guard let command = command as? any DeviceCommand else {
      let name = type(of: command)._commandName
      return await Execution.report(
        Failure(ControlError.notForwarded(command: "higgins \(name)")), at: console)
    }
    await device.touch()
    let code = await Execution.run(command, on: device, console: console)
    await device.touch()
    return code
  }
}

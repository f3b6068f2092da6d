import Foundation
import Storage
import Sync
import Testing

@testable import SelectorApp

/// The control socket, with a real device behind it.
@Suite(.serialized) struct ControlTests {
  /// The two ends of a connected socket.
  private static func pair() throws -> (client: ControlChannel, server: ControlChannel) {
    let (client, server) = try descriptors()
    return (ControlChannel(descriptor: client), ControlChannel(descriptor: server))
  }

  private static func descriptors() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
      throw ControlError.gone
    }
    return (ends[0], ends[1])
  }

  /// Runs a command line over a socket; its exit code.
  private static func forward(
    _ arguments: [String], to device: Device, at console: any Console
  ) async throws -> Int32 {
    let (client, server) = try pair()
    async let serving: Void = ControlConversation(channel: server, device: device).run()
    // A client that fails must not leave the server waiting for it: what is deferred after the
    // conversation began happens before its end is awaited.
    defer { client.shut() }
    let code = try await ControlClient(channel: client, console: console).run(arguments)
    await serving
    return code
  }

  @Test func aForwardedCommandReadsAndPrintsAtItsOwnConsole() async throws {
    let (profile, device) = try await TestProfile.device()
    let writing = TestConsole(input: Array("hunter2\n".utf8))
    #expect(
      try await Self.forward(
        ["set", "github.example", "password", "-", "--no-sync"], to: device, at: writing) == 0)
    let reading = TestConsole()
    #expect(
      try await Self.forward(["get", "github", "password"], to: device, at: reading) == 0)
    #expect(reading.output == "hunter2")
    let failing = TestConsole()
    #expect(try await Self.forward(["get", "nobody", "x"], to: device, at: failing) == 2)
    #expect(failing.errors == "higgins: \"nobody\" names no context. Nothing was changed.\n")
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aForwardedCommandAsksItsOwnPerson() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole(secrets: ["one", "one"])
    #expect(
      try await Self.forward(
        ["set", "a.example", "password", "--no-sync"], to: device, at: console) == 0)
    #expect(console.prompts == ["a.example / password: ", "The same again: "])
    let alone = TestConsole()
    #expect(
      try await Self.forward(
        ["set", "a.example", "password", "--no-sync"], to: device, at: alone) == 64)
    #expect(alone.errors.hasPrefix("higgins: There is no terminal to ask for a secret."))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func filesAreThoseOfTheCommandAndTravelInPieces() async throws {
    let (profile, device) = try await TestProfile.device()
    let items = (0..<600).map { number in
      """
      {"type":2,"name":"note \(number)","notes":"\(String(repeating: "n", count: 900))","secureNote":{"type":0}}
      """
    }.joined(separator: ",")
    let file = Array("{\"encrypted\":false,\"folders\":[],\"items\":[\(items)]}".utf8)
    #expect(file.count > 2 * ControlLimits.chunkBytes)
    let console = TestConsole(files: ["in.json": file])
    #expect(
      try await Self.forward(
        ["import", "bitwarden", "in.json", "--no-sync"], to: device, at: console) == 0)
    #expect(console.output.hasPrefix("Imported 600 contexts (600 notes)"))
    #expect(
      try await Self.forward(["export", "json", "out.json"], to: device, at: console) == 0)
    let written = try #require(console.file("out.json"))
    #expect(written.count > 2 * ControlLimits.chunkBytes)
    #expect(written.count { $0 == 0x0a } == 600)
    // A file that is there is not replaced, and what the far side says of it is said here.
    #expect(
      try await Self.forward(["export", "json", "out.json"], to: device, at: console) == 1)
    #expect(console.errors.contains("out.json is there already"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aLockedOwnerSaysSo() async throws {
    let (profile, device) = try await TestProfile.device()
    try await device.lock()
    let console = TestConsole()
    #expect(try await Self.forward(["list"], to: device, at: console) == 3)
    #expect(console.errors.contains("The profile is locked."))
    // What needs no passphrase goes on.
    let status = TestConsole()
    #expect(
      try await Self.forward(["status", "--json", "--no-sync"], to: device, at: status) == 0)
    #expect(status.output.contains("\"state\":\"locked\""))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func commandsThatCannotBeHandedOverAreRefused() async throws {
    let (profile, device) = try await TestProfile.device()
    let console = TestConsole()
    let line = ["init", "--server", "http://127.0.0.1:1", "--account", "ann"]
    #expect(try await Self.forward(line, to: device, at: console) == 1)
    #expect(console.errors.contains("`higgins init` cannot run while a selector uses"))
    let odd = TestConsole()
    #expect(try await Self.forward(["frob"], to: device, at: odd) == 1)
    #expect(odd.errors.contains("is of another version"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func watchEndsWhenItsPersonGoes() async throws {
    let (profile, device) = try await TestProfile.device()
    let (client, server) = try Self.pair()
    let serving = Task { await ControlConversation(channel: server, device: device).run() }
    try await client.send(
      .run(.init(arguments: ["watch", "--json"], isTerminal: false, isInputTerminal: false)))
    #expect(try await client.receive() == .welcome(version: ControlMessage.version, pid: getpid()))
    let setting = Task {
      // The watch begins some time after its greeting; each of these is one more chance.
      var number = 0
      while !Task.isCancelled {
        number += 1
        try await device.save(
          [.createContext(name: "site \(number)", kind: .account, attributes: [])],
          immediately: true)
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    guard case .write(let line, .output) = try await client.receive() else {
      Issue.record("no change was printed")
      return
    }
    setting.cancel()
    #expect(String(decoding: line, as: UTF8.self).contains("\"contextName\":\"site "))
    client.shut()
    await serving.value
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func anotherUserIsNotServed() async throws {
    let (profile, device) = try await TestProfile.device()
    let (client, server) = try Self.pair()
    #expect(throws: ControlError.foreignPeer(user: geteuid())) {
      try server.checkPeer(user: geteuid() + 1)
    }
    try await client.send(
      .run(.init(arguments: ["list"], isTerminal: false, isInputTerminal: false)))
    await ControlConversation(channel: server, device: device, user: geteuid() + 1).run()
    guard case .failed(1, let sentence) = try await client.receive() else {
      Issue.record("another user was served")
      return
    }
    #expect(sentence.hasPrefix("User \(geteuid()) stands at the other end"))
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func messagesGoThroughWhole() async throws {
    let (client, server) = try Self.pair()
    let messages: [ControlMessage] = [
      .run(.init(arguments: ["get", "a b", "ü"], isTerminal: true, isInputTerminal: false)),
      .bytes(Data([0, 255]), isLast: true), .done, .failed(code: 3, sentence: "s"),
      .welcome(version: 1, pid: 7), .write(Data([1]), to: .errors), .readSecret(prompt: "p"),
      .ask(question: "q"), .read(.input, limitBytes: 5), .read(.file("/f"), limitBytes: 5), .more,
      .openFile(path: "/f", replacing: true), .append(Data([2])), .closeFile,
      .copy(text: "t", clearAfterSeconds: 4), .exit(code: 5),
    ]
    for message in messages {
      try await client.send(message)
      #expect(try await server.receive() == message)
    }
    client.shut()
    #expect(try await server.receive() == nil)
  }

  @Test func aMessageOverTheLimitIsRefusedUnread() async throws {
    let (raw, end) = try Self.descriptors()
    defer { close(raw) }
    let server = ControlChannel(descriptor: end)
    try Descriptor.write([0xff, 0xff, 0xff, 0xff], to: raw)
    await #expect(throws: ControlError.tooLarge(bytes: 0xffff_ffff)) { try await server.receive() }
    let big = Data(repeating: 0, count: ControlLimits.messageBytes)
    await #expect(throws: ControlError.self) { try await server.send(.append(big)) }
  }

  @Test(arguments: ["{}", "garbage", "", "{\"frob\":{}}"]) func garbageIsRefused(
    body: String
  ) async throws {
    let (raw, end) = try Self.descriptors()
    defer { close(raw) }
    let server = ControlChannel(descriptor: end)
    try Descriptor.write([0, 0, 0, UInt8(body.utf8.count)] + Array(body.utf8), to: raw)
    await #expect(throws: ControlError.malformed) { try await server.receive() }
  }

  @Test func aMessageThatBreaksOffIsNotTakenForAnEnd() async throws {
    let (raw, end) = try Self.descriptors()
    let server = ControlChannel(descriptor: end)
    try Descriptor.write([0, 0, 0, 9, 0x7b], to: raw)
    close(raw)
    await #expect(throws: ControlError.gone) { try await server.receive() }
  }

  @Test func anAnswerNobodyAskedForEndsTheCommand() async throws {
    let (profile, device) = try await TestProfile.device()
    let (client, server) = try Self.pair()
    let serving = Task { await ControlConversation(channel: server, device: device).run() }
    try await client.send(
      .run(.init(arguments: ["watch"], isTerminal: false, isInputTerminal: false)))
    _ = try await client.receive()
    try await client.send(.done)
    await serving.value
    await device.stop(flush: .zero)
    withExtendedLifetime(profile) {}
  }

  @Test func aSilentOwnerIsNotWaitedForForEver() async throws {
    let (raw, end) = try Self.descriptors()
    let channel = ControlChannel(descriptor: end)
    close(raw)
    await #expect(throws: ControlError.self) {
      try await ControlClient(channel: channel, console: TestConsole()).run(["list"])
    }
  }

  @Test func theSocketIsTheUsersAloneAndGoesWithItsServer() async throws {
    let (profile, device) = try await TestProfile.device()
    let path = profile.folder.socket
    // What a crash left behind is no obstacle.
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let server = try ControlServer.start(device)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    let channel = try #require(try ControlSocket.connect(path))
    let console = TestConsole()
    #expect(
      try await ControlClient(channel: channel, console: console).run(["list", "--json"]) == 0)
    server.stop()
    #expect(try ControlSocket.connect(path) == nil)
    await device.stop(flush: .zero)
  }

  @Test func aPathTooLongForASocketIsRefused() {
    let path = "/tmp/" + String(repeating: "x", count: 120)
    #expect(
      throws: ControlError.failed(path: path, operation: "Naming", code: ENAMETOOLONG)
    ) { try ControlSocket.connect(path) }
  }
}

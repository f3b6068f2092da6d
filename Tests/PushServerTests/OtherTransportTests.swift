import Foundation
import Testing
import Wire

@testable import PushServer

/// The same session over Server-Sent Events and over long polling, for networks that let no
/// WebSocket through.
@Suite(.serialized, .timeLimit(.minutes(1))) struct OtherTransportTests {
  private func hello(_ device: DeviceID) throws -> String {
    let frame = PushFrame.hello(token: "\(someone):\(device)", frontier: empty)
    return String(decoding: try frame.encoded(), as: UTF8.self)
  }

  private struct Polled: Decodable {
    let frames: [PushFrame]
    let session: String
  }

  private func poll(_ socket: RawSocket, _ path: String, _ body: String) async throws -> Polled {
    let answer = try await socket.post(path, body)
    try #require(answer.head.hasPrefix("HTTP/1.1 200"), "\(answer.head)")
    return try JSONDecoder().decode(Polled.self, from: Data(answer.body.utf8))
  }

  private func events(_ device: DeviceID, at service: PushService) async throws -> EventSocket {
    let socket = EventSocket(try await RawSocket(port: service.devicePort))
    let body = try hello(device)
    let head = try await socket.socket.request(
      """
      POST /push/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r
      \(body)
      """)
    #expect(head.hasPrefix("HTTP/1.1 200"))
    #expect(head.contains("content-type: text/event-stream"))
    return socket
  }

  @Test func aStreamOfEventsCarriesASession() async throws {
    try await running { service in
      let work = try await events(id(3), at: service)
      let first = try #require(await work.event())
      let session = try JSONDecoder().decode([String: String].self, from: Data(first.utf8))
      let name = try #require(session["session"])
      #expect(
        try await work.frame() == .welcome(behind: false, presence: [], pingSeconds: 25))
      let home = try await device(id(2), at: service).socket
      guard case .presence(let came) = try await work.frame() else {
        Issue.record("no presence")
        return
      }
      #expect(came.device == id(2))
      let signal = Signal(account: someone, device: id(2), sequence: 1)
      _ = try await post(try json(signal), at: service)
      guard case .signal(let update?) = try await work.frame() else {
        Issue.record("no signal")
        return
      }
      #expect(update.sequence == 1)
      let ack = PushFrame.acknowledgement(device: id(2), sequence: 1, by: nil)
      let sender = try await RawSocket(port: service.devicePort)
      let text = String(decoding: try ack.encoded(), as: UTF8.self)
      for _ in 0..<2 {
        let answer = try await sender.post("/push/events/\(name)", text)
        #expect(answer.head.hasPrefix("HTTP/1.1 204"), "the connection is kept for more")
      }
      #expect(
        try await home.receivePush() == .acknowledgement(device: id(2), sequence: 1, by: id(3)))
      try await work.socket.close()
    }
  }

  @Test func aStreamThatBreaksTheRulesIsToldSoAndEnds() async throws {
    try await running { service in
      let socket = EventSocket(try await RawSocket(port: service.devicePort))
      _ = try await socket.socket.request(
        "POST /push/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
      _ = await socket.event()
      #expect(try await socket.frame() == .bye(reason: .malformed, retryAfterMilliseconds: 0))
      #expect(await socket.event() == nil)
    }
  }

  @Test func pollsCarryASession() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let first = try await poll(socket, "/push/poll", try hello(id(3)))
      #expect(first.frames == [.welcome(behind: false, presence: [], pingSeconds: 25)])
      let path = "/push/poll/\(first.session)"
      let home = try await device(id(2), at: service).socket
      let second = try await poll(socket, path, "[]")
      guard case .presence(let came)? = second.frames.first, second.frames.count == 1 else {
        Issue.record("no presence: \(second.frames)")
        return
      }
      #expect(came.device == id(2) && second.session == first.session)
      // Two signals between two polls: the newest is enough.
      for sequence in [1, 2] as [UInt64] {
        let signal = Signal(account: someone, device: id(2), sequence: sequence)
        _ = try await post(try json(signal), at: service)
      }
      let third = try await poll(socket, path, "[]")
      guard case .signal(let update?)? = third.frames.first, third.frames.count == 1 else {
        Issue.record("no signal: \(third.frames)")
        return
      }
      #expect(update.sequence == 2)
      let other = try await RawSocket(port: service.devicePort)
      let ack = PushFrame.acknowledgement(device: id(2), sequence: 2, by: nil)
      let text = "[\(String(decoding: try ack.encoded(), as: UTF8.self))]"
      async let held = poll(socket, path, text)
      #expect(
        try await home.receivePush() == .acknowledgement(device: id(2), sequence: 2, by: id(3)))
      // A poll that comes while another waits ends that one, so that a device never has two.
      async let replaced = poll(other, path, #"[{"type":"ping"}]"#)
      #expect(try await held.frames == [])
      #expect(try await replaced.frames == [.pong])
    }
  }

  /// The bodies of revocations and their answer.
  private func revoke(_ device: DeviceID, at service: PushService) async throws {
    let answer = try await post(
      try json(revocations([device])), at: service, path: Route.revocations)
    #expect(answer.hasPrefix("HTTP/1.1 200"))
  }

  @Test func aDeviceRevokedBetweenTwoPollsIsToldByTheNext() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let first = try await poll(socket, "/push/poll", try hello(id(3)))
      try await revoke(id(3), at: service)
      #expect(try await service.connectionCount() == 0)
      let path = "/push/poll/\(first.session)"
      #expect(
        try await poll(socket, path, "[]").frames
          == [.bye(reason: .revoked, retryAfterMilliseconds: 0)])
      #expect(try await socket.post(path, "[]").head.hasPrefix("HTTP/1.1 404"), "told once")
      #expect(
        try await poll(socket, "/push/poll", try hello(id(3))).frames
          == [.bye(reason: .revoked, retryAfterMilliseconds: 0)])
    }
  }

  @Test func aRevokedDeviceReadsItInTheStreamOfEvents() async throws {
    try await running { service in
      let work = try await events(id(3), at: service)
      _ = await work.event()
      _ = try await work.frame()
      try await revoke(id(3), at: service)
      #expect(try await work.frame() == .bye(reason: .revoked, retryAfterMilliseconds: 0))
      #expect(await work.event() == nil)
    }
  }

  @Test func aSessionNobodyStartedIsNotFound() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      for path in ["/push/poll/00", "/push/events/00"] {
        #expect(try await socket.post(path, "[]").head.hasPrefix("HTTP/1.1 404"))
      }
      let answer = try await socket.request("GET /push/poll HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 405"))
    }
  }

  @Test func aBadPollIsRefusedAndTheSessionGoesOn() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let first = try await poll(socket, "/push/poll", try hello(id(3)))
      let path = "/push/poll/\(first.session)"
      #expect(try await socket.post(path, "{").head.hasPrefix("HTTP/1.1 400"))
      #expect(try await poll(socket, path, #"[{"type":"ping"}]"#).frames == [.pong])
    }
  }
}

/// Reads a stream of events.
private struct EventSocket {
  let socket: RawSocket

  init(_ socket: RawSocket) {
    self.socket = socket
  }

  /// The data of the next event; nil when the stream has ended.
  func event() async -> String? {
    var data: String?
    while let line = await socket.line() {
      if line.isEmpty, let data { return data }
      if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
    }
    return nil
  }

  func frame() async throws -> PushFrame? {
    guard let text = await event() else { return nil }
    return try PushFrame(text: Array(text.utf8), limitBytes: 1 << 20)
  }
}

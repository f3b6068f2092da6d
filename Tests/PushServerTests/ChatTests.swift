import Testing

@testable import PushServer

@Suite(.serialized, .timeLimit(.minutes(1))) struct ChatTests {
  static let messages: [(String, String?, String?)] = [
    (
      "password#Alex4@Android@02248011: has joined!", "Alex4@Android@02248011: has joined!",
      "password"
    ),
    ("Alex4@Android@02248011: hello: again", "Alex4@Android@02248011: hello: again", nil),
    ("a@b@c:", "a@b@c:", nil),
    ("#a@b@c:x", "a@b@c:x", ""),
    ("a@b@c:x#y", "a@b@c:x#y", nil),
    ("a@b:x", nil, nil), ("a@b@c@d:x", nil, nil), ("a@@c:x", nil, nil), ("a@b@c", nil, nil),
    ("a\n@b@c:x", nil, nil), (String(repeating: "a", count: 65) + "@b@c:x", nil, nil),
    ("", nil, nil),
  ]

  @Test(arguments: messages)
  func aMessageIsTakenApart(whole: String, sent: String?, secret: String?) {
    let message = try? ChatMessage(whole)
    #expect(message?.sent == sent)
    #expect(message?.secret == secret)
  }

  private func join(_ service: PushService, _ first: String) async throws -> RawSocket {
    let socket = try await RawSocket.webSocket(
      port: service.devicePort, path: "/push_server/async/")
    try await socket.send(RawSocket.frame(1, Array(first.utf8)))
    return socket
  }

  @Test func whatOneSaysEverybodyGetsWithoutTheSecret() async throws {
    try await running(chat: .init(secret: "password")) { service in
      let alex = try await join(service, "password#Alex4@Android@02248011: has joined!")
      #expect(try await alex.receive()?.text == "Alex4@Android@02248011: has joined!")
      let ann = try await join(service, "password#ann@web@1:hi")
      #expect(try await ann.receive()?.text == "ann@web@1:hi")
      #expect(try await alex.receive()?.text == "ann@web@1:hi")
      try await alex.send(RawSocket.frame(1, Array("Alex4@Android@02248011:hi ann".utf8)))
      #expect(try await ann.receive()?.text == "Alex4@Android@02248011:hi ann")
    }
  }

  @Test(arguments: ["ann@web@1:hi", "wrong#ann@web@1:hi", "password", "#ann@web@1:hi"])
  func withoutTheSecretNobodyIsLetIn(first: String) async throws {
    try await running(chat: .init(secret: "password")) { service in
      let end = try await join(service, first).end()
      #expect(end.code == 1008)
    }
  }

  @Test func theSecretStandsInTheFirstMessageOnly() async throws {
    try await running(chat: .init(secret: "password")) { service in
      let ann = try await join(service, "password#ann@web@1:hi")
      _ = try await ann.receive()
      try await ann.send(RawSocket.frame(1, Array("password#ann@web@1:again".utf8)))
      #expect(try await ann.receive().map(\.closeCode) == 1008)
    }
  }

  @Test func whoTalksWithoutEndIsSentAway() async throws {
    try await running(chat: .init()) { service in
      let ann = try await RawSocket.webSocket(
        port: service.devicePort, path: "/push_server/async/")
      let line = RawSocket.frame(1, Array("ann@web@1:x".utf8))
      try await ann.send((0..<60).flatMap { _ in line })
      var frames: [RawSocket.Frame] = []
      while let frame = try await ann.receive() {
        frames.append(frame)
        if frame.opcode == 8 { break }
      }
      #expect(frames.last?.closeCode == 1013)
    }
  }

  @Test func thePageComesWithAPolicyAndOnlyWhereItIsWanted() async throws {
    try await running(chat: .init()) { service in
      for path in ["/push_server/", "/push_server/chat.js", "/push_server/chat.css"] {
        let socket = try await RawSocket(port: service.devicePort)
        let head = try await socket.request("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(head.hasPrefix("HTTP/1.1 200"))
        #expect(head.contains("content-security-policy: default-src 'none'"))
      }
    }
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let head = try await socket.request("GET /push_server/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 404"))
    }
  }

  @Test func aPageFromElsewhereIsNotLetIn() async throws {
    try await running(chat: .init()) { service in
      for (origin, status) in [("http://bank.example", 403), ("http://localhost", 101)] {
        let socket = try await RawSocket(port: service.devicePort)
        let head = try await socket.request(
          """
          GET /push_server/async/ HTTP/1.1\r\nHost: localhost\r\nOrigin: \(origin)\r
          Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
          """)
        #expect(head.hasPrefix("HTTP/1.1 \(status)"))
      }
    }
  }

  private static let handshake =
    "GET /push_server/async/ HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    + "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n\r\n"

  @Test func theTranscriptOfTheProposalReplaysByteForByte() async throws {
    try await running(chat: .init(secret: "password", speaksHixie75: true)) { service in
      let socket = try await RawSocket(port: service.devicePort)
      #expect(
        try await socket.request(Self.handshake)
          == "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\n"
          + "Connection: Upgrade\r\nWebSocket-Origin: http://localhost:8080\r\n"
          + "WebSocket-Location: ws://localhost:8080/push_server/async/\r\n\r\n")
      let first = "password#Alex4@Android@02248011: has joined!"
      try await socket.send([0x00] + Array(first.utf8) + [0xff])
      let answer = [0x00] + Array("Alex4@Android@02248011: has joined!".utf8) + [0xff]
      #expect(await socket.bytes(answer.count) == answer)
      // Old and new talk to each other.
      let ann = try await join(service, "password#ann@web@1:hi")
      #expect(await socket.bytes(14) == [0x00] + Array("ann@web@1:hi".utf8) + [0xff])
      try await ann.close()
      try await socket.send([0x41])
      #expect(await socket.bytes(1) == nil)
    }
  }

  @Test func theOldHandshakeIsRefusedUnlessItIsWanted() async throws {
    try await running(chat: .init()) { service in
      let socket = try await RawSocket(port: service.devicePort)
      #expect(try await socket.request(Self.handshake).hasPrefix("HTTP/1.1 400"))
    }
  }
}

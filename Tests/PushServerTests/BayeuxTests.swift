import Foundation
@testable import PushServer
import Testing
import Wire

/// Bayeux 1.0 over requests and WebSockets. `BayeuxClientTests` does it with a client of others.
@Suite(.timeLimit(.minutes(1))) struct BayeuxTests {
  typealias Message = [String: Any]

  /// Shakes hands, subscribes and connects for the first time; the client's id.
  private func start(_ socket: RawSocket, as device: DeviceID) async throws -> String {
    let answer = try #require(try await exchange(socket, [try handshake(device)]).first)
    #expect(answer["successful"] as? Bool == true, "\(answer)")
    #expect(answer["version"] as? String == "1.0")
    let client = try #require(answer["clientId"] as? String)
    let first = try await exchange(socket, [connect(client)])
    #expect(first.count == 1, "the first connect is answered at once")
    let subscribed = try await exchange(socket, [subscribe(client)])
    #expect(subscribed.first?["successful"] as? Bool == true, "\(subscribed)")
    #expect(subscribed.first?["subscription"] as? String == "/account/signals")
    let behind = try await exchange(socket, [connect(client)])
    #expect(behind.first?["data"] as? [String: String] == ["type": "signal"], "\(behind)")
    return client
  }

  @Test func aConnectIsHeldUntilThereIsASignal() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      try await send(socket, [connect(client, id: "7")])
      // Its own commits are no news to a device.
      for author in [id(3), id(2)] as [DeviceID] {
        _ = try await post(
          try json(Signal(account: someone, device: author, sequence: 4)), at: service)
      }
      let answers = try await receive(socket)
      #expect(answers.map { $0["channel"] as? String } == ["/account/signals", "/meta/connect"])
      let signal = answers.first?["data"] as? Message
      #expect(signal?["device"] as? String == "\(id(2) as DeviceID)")
      #expect(signal?["sequence"] as? Int == 4)
      #expect(answers.last?["id"] as? String == "7")
      #expect(answers.last?["successful"] as? Bool == true)
    }
  }

  @Test func whatCameBetweenTwoConnectsIsCoalesced() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      for sequence in 1...5 as ClosedRange<UInt64> {
        let signal = Signal(account: someone, device: id(2), sequence: sequence)
        _ = try await post(try json(signal), at: service)
      }
      let answers = try await exchange(socket, [connect(client)])
      #expect(answers.count == 2)
      #expect((answers.first?["data"] as? Message)?["sequence"] as? Int == 5)
    }
  }

  /// The handshake compares; what came before anybody listened must not fall between.
  @Test(arguments: [true, false]) func whatCameBeforeTheSubscriptionIsToldAsBehind(
    knownBefore: Bool
  ) async throws {
    try await running { service in
      let signal = try json(Signal(account: someone, device: id(2), sequence: 1))
      if knownBefore { _ = try await post(signal, at: service) }
      let socket = try await RawSocket(port: service.devicePort)
      let answer = try await exchange(socket, [try handshake(id(3))])
      let client = try #require(answer.first?["clientId"] as? String)
      if !knownBefore { _ = try await post(signal, at: service) }
      #expect(try await exchange(socket, [connect(client)]).count == 1)
      _ = try await exchange(socket, [subscribe(client)])
      let answers = try await exchange(socket, [connect(client)])
      #expect(answers.count == 2, "\(answers)")
      #expect(answers.first?["data"] as? [String: String] == ["type": "signal"])
    }
  }

  @Test func aSocketCarriesTheSameAndASessionOutlivesIt() async throws {
    try await running { service in
      let socket = try await RawSocket.webSocket(port: service.devicePort, path: "/bayeux")
      let say = { (socket: RawSocket, messages: [Message]) in
        try await socket.send(RawSocket.frame(1, Array(try text(messages).utf8)))
        let frame = try #require(try await socket.receive())
        return try read(Data(frame.payload))
      }
      let shaken = try await say(socket, [try handshake(id(3))])
      let client = try #require(shaken.first?["clientId"] as? String)
      let both = try await say(socket, [connect(client), subscribe(client)])
      #expect(both.compactMap { $0["successful"] as? Bool } == [true, true])
      #expect(try await say(socket, [connect(client)]).count == 2, "you are behind, once")
      try await socket.send(RawSocket.frame(1, Array(try text([connect(client)]).utf8)))
      try await socket.close()
      while try await service.openChannels() > 0 { try await Task.sleep(for: .milliseconds(5)) }
      // Nobody reads the held connect any more: this must not go with it.
      _ = try await post(
        try json(Signal(account: someone, device: id(2), sequence: 1)), at: service)
      let next = try await RawSocket(port: service.devicePort)
      let answers = try await exchange(next, [connect(client)])
      #expect(answers.first?["channel"] as? String == "/account/signals", "\(answers)")
    }
  }

  @Test func aBatchThatDidNotArriveIsMadeUpFor() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      var hello = try handshake(id(3))
      var ext = try #require(hello["ext"] as? Message)
      ext["ack"] = true
      hello["ext"] = ext
      let answer = try #require(try await exchange(socket, [hello]).first)
      #expect((answer["ext"] as? Message)?["ack"] as? Bool == true)
      let client = try #require(answer["clientId"] as? String)
      let first = try await exchange(socket, [connect(client), subscribe(client)])
      #expect((first.first?["ext"] as? Message)?["ack"] as? Int == 1)
      let behind = try await exchange(socket, [connect(client, ack: 1)])
      let batch = try #require((behind.last?["ext"] as? Message)?["ack"] as? Int)
      _ = try await post(
        try json(Signal(account: someone, device: id(2), sequence: 1)), at: service)
      #expect(try await exchange(socket, [connect(client, ack: batch)]).count == 2)
      // As if that answer had been lost.
      let again = try await exchange(socket, [connect(client, ack: batch)])
      #expect(again.first?["data"] as? [String: String] == ["type": "signal"], "\(again)")
    }
  }

  @Test func acknowledgementsArePassedOn() async throws {
    try await running { service in
      let home = try await device(id(2), at: service).socket
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      _ = try await home.receivePush()
      let message: Message = [
        "channel": "/service/acknowledgements", "clientId": client,
        "data": ["device": "\(id(2) as DeviceID)", "sequence": 9],
      ]
      #expect(try await exchange(socket, [message]).first?["successful"] as? Bool == true)
      #expect(
        try await home.receivePush() == .acknowledgement(device: id(2), sequence: 9, by: id(3)))
    }
  }

  @Test func aNewerConnectionOfTheDeviceEndsTheSession() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      try await send(socket, [connect(client)])
      _ = try await device(id(3), at: service)
      let answer = try #require(try await receive(socket).first)
      #expect(answer["error"] as? String == "409::the device has a newer connection")
      #expect((answer["advice"] as? Message)?["reconnect"] as? String == "none")
      let late = try #require(try await exchange(socket, [connect(client)]).first)
      #expect(late["error"] as? String == "402:\(client):unknown client")
      #expect((late["advice"] as? Message)?["reconnect"] as? String == "handshake")
    }
  }

  @Test func aRevokedDeviceIsToldSoAndToStayAway() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      try await send(socket, [connect(client)])
      _ = try await post(
        try json(revocations([id(3)])), at: service, path: Route.revocations)
      let held = try #require(try await receive(socket).first)
      let again = try #require(try await exchange(socket, [try handshake(id(3))]).first)
      for answer in [held, again] {
        #expect(answer["error"] as? String == "403::the device was revoked")
        #expect((answer["advice"] as? Message)?["reconnect"] as? String == "none")
      }
    }
  }

  @Test func disconnectingEndsTheSession() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      let client = try await start(socket, as: id(3))
      let bye: Message = ["channel": "/meta/disconnect", "clientId": client]
      #expect(try await exchange(socket, [bye]).first?["successful"] as? Bool == true)
      #expect(try await service.connectionCount() == 0)
    }
  }

  @Test func whatIsNotOfferedIsRefused() async throws {
    try await running { service in
      let socket = try await RawSocket(port: service.devicePort)
      func error(_ message: Message) async throws -> String? {
        try await exchange(socket, [message]).first?["error"] as? String
      }
      var old = try handshake(id(3))
      old["version"] = "2.0"
      #expect(try await error(old) == "400:2.0:Bayeux 1.0 is spoken here")
      var callback = try handshake(id(3))
      callback["supportedConnectionTypes"] = ["callback-polling"]
      #expect(try await error(callback) == "400::no connection type in common")
      var bare = try handshake(id(3))
      bare["ext"] = nil
      #expect(
        try await error(bare) == "401::a push token and a frontier must stand in ext.higgins")
      var wrong = try handshake(id(3))
      wrong["ext"] = ["higgins": try hello("x")]
      #expect(try await error(wrong) == "401::the token is not accepted")
      let client = try await start(socket, as: id(3))
      let foreign: Message = [
        "channel": "/meta/subscribe", "clientId": client, "subscription": "/foo",
      ]
      #expect(try await error(foreign) == "403:/foo:no such channel")
      // Nobody can make a signal but the Attribute Server.
      let forged: Message = [
        "channel": "/account/signals", "clientId": client,
        "data": ["device": "\(id(2) as DeviceID)", "sequence": 1],
      ]
      #expect(try await error(forged) == "403:/account/signals:nobody may publish here")
      for nonsense in ["{", "[]", "[1]", "7"] {
        let answer = try await socket.post("/bayeux", nonsense)
        #expect(answer.head.hasPrefix("HTTP/1.1 400"), "\(nonsense)")
      }
    }
  }

  // MARK: messages

  private func hello(_ token: String) throws -> Message {
    let frame = try PushFrame.hello(token: token, frontier: empty).encoded()
    return try #require(try JSONSerialization.jsonObject(with: Data(frame)) as? Message)
  }

  private func handshake(_ device: DeviceID) throws -> Message {
    [
      "channel": "/meta/handshake", "version": "1.0", "id": "1",
      "supportedConnectionTypes": ["websocket", "long-polling"],
      "ext": ["higgins": try hello("\(someone):\(device)")],
    ]
  }

  private func connect(_ client: String, id: String = "2", ack: Int? = nil) -> Message {
    var message: Message = [
      "channel": "/meta/connect", "clientId": client, "connectionType": "long-polling", "id": id,
    ]
    if let ack { message["ext"] = ["ack": ack] }
    return message
  }

  private func subscribe(_ client: String) -> Message {
    ["channel": "/meta/subscribe", "clientId": client, "subscription": "/account/signals"]
  }

  private func text(_ messages: [Message]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: messages), as: UTF8.self)
  }

  private func read(_ body: Data) throws -> [Message] {
    try #require(try JSONSerialization.jsonObject(with: body) as? [Message])
  }

  private func send(_ socket: RawSocket, _ messages: [Message]) async throws {
    let body = try text(messages)
    try await socket.send(
      Array(
        """
        POST /bayeux HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
        Content-Length: \(body.utf8.count)\r\n\r\n\(body)
        """.utf8))
  }

  private func receive(_ socket: RawSocket) async throws -> [Message] {
    let answer = try await socket.answer()
    #expect(answer.head.hasPrefix("HTTP/1.1 200"), "\(answer.head)")
    return try read(Data(answer.body.utf8))
  }

  private func exchange(_ socket: RawSocket, _ messages: [Message]) async throws -> [Message] {
    try await send(socket, messages)
    return try await receive(socket)
  }
}

import Access
import Crypto
import Foundation
import Logging
@testable import PushServer
import Testing
import Wire

@Suite(.serialized, .timeLimit(.minutes(1))) struct PushServiceTests {
  @Test func aSignalGoesFromTheServerToTheOtherDeviceAndItsReceiptBack() async throws {
    try await running(absence: .milliseconds(100)) { service in
      let (home, homeWelcome) = try await device(id(2), at: service)
      #expect(homeWelcome == .welcome(behind: false, presence: [], pingSeconds: 25))
      let (work, workWelcome) = try await device(id(3), at: service)
      guard case .welcome(false, let present, 25) = workWelcome else {
        Issue.record("no welcome: \(String(describing: workWelcome))")
        return
      }
      #expect(present.map(\.device) == [id(2)])
      guard case .presence(let came) = try await home.receivePush() else {
        Issue.record("no presence")
        return
      }
      #expect(came.device == id(3) && came.online)
      let signal = Signal(account: someone, device: id(2), sequence: 1, trace: "abc")
      #expect(try await post(try json(signal), at: service).hasPrefix("HTTP/1.1 200"))
      guard case .signal(let update?) = try await work.receivePush() else {
        Issue.record("no signal")
        return
      }
      #expect(update.device == id(2) && update.sequence == 1 && update.trace == "abc")
      try await work.send(.acknowledgement(device: id(2), sequence: 1, by: nil))
      #expect(
        try await home.receivePush() == .acknowledgement(device: id(2), sequence: 1, by: id(3)))
      try await work.close()
      guard case .presence(let went) = try await home.receivePush() else {
        Issue.record("no presence")
        return
      }
      #expect(went.device == id(3) && !went.online)
    }
  }

  @Test func drainingSendsEveryDeviceAway() async throws {
    var sockets: [RawSocket] = []
    try await running { service in
      for byte in UInt8(2)...4 { sockets.append(try await device(id(byte), at: service).socket) }
      #expect(try await service.connectionCount() == 3)
    }
    for socket in sockets {
      let end = try await socket.end()
      guard case .bye(.draining, let wait) = end.bye else {
        Issue.record("no bye: \(String(describing: end.bye))")
        continue
      }
      #expect((0...530).contains(wait))
      #expect(end.code == 1001)
    }
  }

  @Test func aNewerConnectionReplacesTheOldOne() async throws {
    try await running { service in
      let old = try await device(id(2), at: service).socket
      _ = try await device(id(2), at: service)
      let end = try await old.end()
      #expect(end.bye == .bye(reason: .replaced, retryAfterMilliseconds: 0))
      #expect(end.code == 4409)
    }
  }

  struct Wrong: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let code: Int
  }

  private static let text = Array(#"{"type":"ping"}"#.utf8)

  static let wrongs = [
    Wrong(
      testDescription: "unmasked", bytes: RawSocket.frame(1, text, masked: false), code: 1002),
    Wrong(testDescription: "reserved bit", bytes: RawSocket.frame(1, text, rsv: 4), code: 1002),
    Wrong(testDescription: "reserved opcode", bytes: RawSocket.frame(5, text), code: 1002),
    Wrong(
      testDescription: "fragmented ping", bytes: RawSocket.frame(9, [], fin: false), code: 1002),
    Wrong(
      testDescription: "long ping", bytes: RawSocket.frame(9, [UInt8](repeating: 0, count: 126)),
      code: 1002),
    Wrong(testDescription: "continues nothing", bytes: RawSocket.frame(0, text), code: 1002),
    Wrong(testDescription: "binary", bytes: RawSocket.frame(2, text), code: 1003),
    Wrong(testDescription: "not UTF-8", bytes: RawSocket.frame(1, [0xc3, 0x28]), code: 1007),
    Wrong(testDescription: "not JSON", bytes: RawSocket.frame(1, [0x7b]), code: 1008),
    Wrong(testDescription: "before hello", bytes: RawSocket.frame(1, text), code: 1008),
    Wrong(
      testDescription: "one frame too long",
      bytes: RawSocket.frame(1, [UInt8](repeating: 0x20, count: 4097)), code: 1009),
    Wrong(
      testDescription: "many frames too long",
      bytes: RawSocket.frame(1, [UInt8](repeating: 0x20, count: 4000), fin: false)
        + RawSocket.frame(0, [UInt8](repeating: 0x20, count: 97)), code: 1009),
    Wrong(
      testDescription: "a length beyond all",
      bytes: [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], code: 1009),
  ]

  @Test(arguments: wrongs)
  func aBrokenRuleEndsTheConnectionWithItsCode(wrong: Wrong) async throws {
    try await running { service in
      let socket = try await RawSocket.webSocket(port: service.devicePort)
      try await socket.send(wrong.bytes)
      let end = try await socket.end()
      #expect(end.code == wrong.code)
      #expect(end.bye == .bye(reason: .malformed, retryAfterMilliseconds: 0))
    }
  }

  @Test func aHelloInPiecesIsPutTogether() async throws {
    try await running { service in
      let socket = try await RawSocket.webSocket(port: service.devicePort)
      let hello = try PushFrame.hello(token: "\(someone):\(id(2) as DeviceID)", frontier: empty)
        .encoded()
      try await socket.send(
        RawSocket.frame(1, Array(hello.prefix(10)), fin: false) + RawSocket.frame(9, [7])
          + RawSocket.frame(0, Array(hello.dropFirst(10))))
      #expect(try await socket.receive() == RawSocket.Frame(opcode: 10, payload: [7]))
      #expect(
        try await socket.receivePush() == .welcome(behind: false, presence: [], pingSeconds: 25))
    }
  }

  @Test func aCloseIsAnswered() async throws {
    try await running { service in
      let socket = try await device(id(2), at: service).socket
      try await socket.send(RawSocket.frame(8, [0x03, 0xe8]))
      #expect(try await socket.end().code == 1000)
      #expect(try await socket.receive() == nil)
    }
  }

  @Test func aBadTokenIsSentAway() async throws {
    try await running { service in
      let socket = try await RawSocket.webSocket(port: service.devicePort)
      try await socket.send(.hello(token: "nobody", frontier: empty))
      let end = try await socket.end()
      #expect(end.bye == .bye(reason: .unauthenticated, retryAfterMilliseconds: 0))
      #expect(end.code == 4401)
    }
  }

  @Test func onlyListedOriginsAreLetIn() async throws {
    try await running(origins: ["https://github.example"]) { service in
      for (origin, status) in [("https://bank.example", 403), ("https://github.example", 101)] {
        let socket = try await RawSocket(port: service.devicePort)
        let answer = try await socket.request(
          """
          GET /push HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r
          Origin: \(origin)\r\nSec-WebSocket-Version: 13\r
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
          """)
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
      }
    }
  }

  @Test func requestsThatAreNoWebSocketAreAnswered() async throws {
    try await running { service in
      for (path, status) in [("/push", 426), ("/healthz", 200), ("/", 404)] {
        let socket = try await RawSocket(port: service.devicePort)
        let answer = try await socket.request("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
      }
    }
  }

  @Test func signalsNeedTheServiceKeyAndTheirShape() async throws {
    try await running { service in
      let signal = try json(Signal(account: someone, device: id(2), sequence: 1))
      #expect(try await post(signal, at: service, key: "wrong").hasPrefix("HTTP/1.1 401"))
      #expect(try await post("{}", at: service).hasPrefix("HTTP/1.1 400"))
      #expect(try await post("", at: service).hasPrefix("HTTP/1.1 400"))
      #expect(try await post(signal, at: service, path: "/v1/else").hasPrefix("HTTP/1.1 404"))
      #expect(try await post(" [\(signal), \(signal)]", at: service).hasPrefix("HTTP/1.1 200"))
      let padded = "[" + String(repeating: " ", count: Limits.signalBodyBytes) + "]"
      #expect(try await post(padded, at: service).hasPrefix("HTTP/1.1 413"))
      let long = Signal(
        account: someone, device: id(2), sequence: 1, trace: String(repeating: "x", count: 33))
      #expect(try await post(try json(long), at: service).hasPrefix("HTTP/1.1 413"))
    }
  }

  @Test func aFullServiceTakesNobodyMore() async throws {
    try await running(connections: 1) { service in
      _ = try await device(id(2), at: service)
      let socket = try await RawSocket(port: service.devicePort)
      #expect(try await socket.receive() == nil)
    }
  }

  @Test func anAddressInUseIsNamed() async throws {
    try await running { service in
      let port = service.devicePort
      await #expect(
        throws: PushServerError.cannotListen(
          address: "127.0.0.1:\(port)", reason: "Address already in use")
      ) {
        try await PushService.start(
          PushConfiguration(
            devicePort: port, serviceKey: key, tokens: PlainTokens(), now: { 0 },
            uptime: { .zero }, logger: Logger(label: "test")))
      }
    }
  }
}

import Testing

@testable import PushServer

/// The rules of RFC 6455 as tables; every case is read whole and cut in every possible way.
@Suite struct WebSocketReaderTests {
  private static let limit = 1000

  private func read(_ bytes: [UInt8], cut: Int) -> [WebSocketReader.Item] {
    var reader = WebSocketReader(limitBytes: Self.limit)
    return stride(from: 0, to: bytes.count, by: cut).flatMap {
      reader.read(bytes[$0..<min($0 + cut, bytes.count)])
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let items: [WebSocketReader.Item]

    init(_ name: String, _ bytes: [UInt8], _ items: [WebSocketReader.Item]) {
      testDescription = name
      self.bytes = bytes
      self.items = items
    }
  }

  private static func frame(
    _ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, rsv: UInt8 = 0, masked: Bool = true
  ) -> [UInt8] {
    RawSocket.frame(opcode, payload, fin: fin, masked: masked, rsv: rsv)
  }

  private static let hello = Array("hello".utf8)
  private static let long = [UInt8](repeating: 0x61, count: 300)

  static let cases = [
    Case("text", frame(1, hello), [.text(hello)]),
    Case("empty text", frame(1, []), [.text([])]),
    Case("text with a two-byte length", frame(1, long), [.text(long)]),
    Case("binary", frame(2, [0xff]), [.binary([0xff])]),
    Case(
      "parts with a ping between",
      frame(1, [0x61], fin: false) + frame(9, [7])
        + frame(0, [0x62], fin: false) + frame(0, [0x63]),
      [.part, .ping([7]), .part, .text([0x61, 0x62, 0x63])]),
    Case(
      "a character across parts", frame(1, [0xc3], fin: false) + frame(0, [0xa4]),
      [.part, .text([0xc3, 0xa4])]),
    Case("pong", frame(10, [1, 2]), [.pong]),
    Case("two messages", frame(1, hello) + frame(2, []), [.text(hello), .binary([])]),
    Case("close without a code", frame(8, []), [.close(nil)]),
    Case("close with a reason", frame(8, [3, 0xe8] + hello), [.close(1000)]),
    Case("close with a code of an application", frame(8, [0x0f, 0xa0]), [.close(4000)]),
    Case("nothing after a close", frame(8, []) + frame(1, hello), [.close(nil)]),
    Case("close with half a code", frame(8, [3]), [.violation(.protocolError)]),
    Case("close with a code nobody sends", frame(8, [3, 0xed]), [.violation(.protocolError)]),
    Case("close with a code below 1000", frame(8, [3, 0xe7]), [.violation(.protocolError)]),
    Case(
      "close with a reason that is no text", frame(8, [3, 0xe8, 0xff]),
      [.violation(.invalidPayload)]),
    Case("unmasked", frame(1, hello, masked: false), [.violation(.protocolError)]),
    Case("reserved bit", frame(1, hello, rsv: 1), [.violation(.protocolError)]),
    Case("reserved opcode", frame(3, hello), [.violation(.protocolError)]),
    Case("reserved control opcode", frame(11, []), [.violation(.protocolError)]),
    Case("ping in parts", frame(9, [], fin: false), [.violation(.protocolError)]),
    Case("long ping", frame(9, long), [.violation(.protocolError)]),
    Case("continues nothing", frame(0, hello), [.violation(.protocolError)]),
    Case(
      "a message within another", frame(1, hello, fin: false) + frame(1, hello),
      [.part, .violation(.protocolError)]),
    Case("not UTF-8", frame(1, [0xc3, 0x28]), [.violation(.invalidPayload)]),
    Case("a character cut off", frame(1, [0xe2, 0x82]), [.violation(.invalidPayload)]),
    Case(
      "one message too long", frame(1, [UInt8](repeating: 0x20, count: limit + 1)),
      [.violation(.tooBig)]),
    Case(
      "parts too long",
      frame(1, [UInt8](repeating: 0x20, count: limit), fin: false)
        + frame(0, [0x20]), [.part, .violation(.tooBig)]),
    Case(
      "a length beyond all", [0x82, 0xff, 0x7f] + [UInt8](repeating: 0xff, count: 7),
      [.violation(.tooBig)]),
    Case(
      "a length with the highest bit", [0x82] + [UInt8](repeating: 0xff, count: 9),
      [.violation(.protocolError)]),
  ]

  @Test(arguments: cases)
  func whatIsReadDoesNotDependOnTheCuts(item: Case) {
    for cut in [1, 2, 3, 7, item.bytes.count] {
      #expect(read(item.bytes, cut: cut) == item.items, "cut every \(cut)")
    }
  }

  @Test func textThatCannotBecomeValidIsRefusedBeforeItsEnd() {
    var reader = WebSocketReader(limitBytes: Self.limit)
    let bytes = Self.frame(1, [0x61, 0xff] + Self.long)
    #expect(reader.read(bytes.prefix(20)) == [.violation(.invalidPayload)])
    #expect(reader.read(bytes.dropFirst(20)) == [])
  }

  @Test func whatIsUTF8AgreesWithTheStandardLibrary() {
    var bytes: [UInt8] = []
    var state: UInt64 = 7
    for round in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let edges: [UInt8] = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed]
      let more: [UInt8] = [0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
      if round % 5 == 0 { bytes = [] }
      bytes.append((edges + more)[Int(state >> 33) % (edges.count + more.count)])
      var checker = UTF8Checker()
      let isValid: Bool
      do {
        try checker.check(bytes)
        isValid = checker.isComplete
      } catch {
        isValid = false
      }
      #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
    }
  }

  @Test func randomBytesNeverTrap() {
    var state: UInt64 = 11
    for _ in 0..<2000 {
      var reader = WebSocketReader(limitBytes: 64)
      let bytes = (0..<40).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 40)
      }
      let items = reader.read(bytes)
      #expect(items.count <= bytes.count)
    }
  }
}

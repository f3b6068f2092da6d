import Testing

@testable import Transport

@Suite struct EventStreamReaderTests {
  private func read(_ text: String, limitBytes: Int = 100) throws -> [EventStreamReader.Item] {
    var whole = EventStreamReader(limitBytes: limitBytes)
    let items = try whole.read(Array(text.utf8))
    // The same, byte by byte.
    var slow = EventStreamReader(limitBytes: limitBytes)
    #expect(try text.utf8.flatMap { try slow.read([$0]) } == items)
    return items
  }

  @Test(arguments: [
    "event: session\ndata: a\n\n", "event: session\r\ndata: a\r\n\r\n",
    "event:session\rdata:a\r\r", "id: 7\nretry: 9\nevent: session\ndata: a\n\n",
  ])
  func anEventHasANameAndData(_ text: String) throws {
    #expect(try read(text) == [.event("session", Array("a".utf8))])
  }

  @Test func anEventWithoutNameIsAMessageAndLinesAreJoined() throws {
    #expect(try read("data: a\ndata:  b\n\n") == [.event("message", Array("a\n b".utf8))])
  }

  @Test func commentsShowLifeAndEmptyEventsNothing() throws {
    #expect(
      try read(": ping\n\n\nevent: x\n\ndata: a\n\n") == [
        .comment, .event("message", Array("a".utf8)),
      ])
  }

  @Test func halfAnEventIsNone() throws {
    #expect(try read("data: a\n") == [])
  }

  @Test func anEndlessLineAndEndlessDataAreRefused() throws {
    for text in [String(repeating: "x", count: 101), String(repeating: "data: abc\n", count: 40)] {
      var reader = EventStreamReader(limitBytes: 100)
      #expect(throws: TransportError.self) { try reader.read(Array(text.utf8)) }
    }
  }
}

import Foundation
import Testing

@testable import Wire

@Suite struct PushFrameTests {
  /// Every frame and its one form.
  static let forms: [(frame: PushFrame, text: String)] = [
    (
      .hello(token: "a.b/c", frontier: .zero),
      #"{"frontier":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","token":"a.b/c","type":"hello"}"#
    ),
    (
      .welcome(
        behind: true,
        presence: [
          .init(device: Sample.device, online: true, at: 5, frontier: .zero),
          .init(device: Sample.other, online: false, at: 6),
        ], pingSeconds: 25),
      #"{"behind":true,"pingSeconds":25,"presence":[{"at":5,"#
        + #""device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
        + #""frontier":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","online":true},"#
        + #"{"at":6,"device":"d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2","online":false}],"type":"welcome"}"#
    ),
    (.signal(nil), #"{"type":"signal"}"#),
    (
      .signal(.init(device: Sample.device, sequence: 42, at: 1_700_000_000_000)),
      #"{"at":1700000000000,"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","sequence":42,"#
        + #""type":"signal"}"#
    ),
    (
      .signal(.init(device: Sample.device, sequence: .max, at: 0, trace: "t1")),
      #"{"at":0,"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","sequence":18446744073709551615,"#
        + #""trace":"t1","type":"signal"}"#
    ),
    (
      .acknowledgement(device: Sample.device, sequence: 42, by: nil),
      #"{"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","sequence":42,"type":"ack"}"#
    ),
    (
      .acknowledgement(device: Sample.device, sequence: 42, by: Sample.other),
      #"{"by":"d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2","device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
        + #""sequence":42,"type":"ack"}"#
    ),
    (
      .presence(.init(device: Sample.device, online: false, at: 7)),
      #"{"at":7,"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","online":false,"type":"presence"}"#
    ),
    (.ping, #"{"type":"ping"}"#),
    (.pong, #"{"type":"pong"}"#),
    (
      .bye(reason: .draining, retryAfterMilliseconds: 1500),
      #"{"reason":"draining","retryAfterMilliseconds":1500,"type":"bye"}"#
    ),
  ]

  @Test(arguments: forms.indices)
  func aFrameHasOneForm(index: Int) throws {
    let (frame, text) = Self.forms[index]
    #expect(String(decoding: try frame.encoded(), as: UTF8.self) == text)
    #expect(try PushFrame(text: Array(text.utf8)) == frame)
  }

  @Test(arguments: [
    "", "t1", "a b~", "a\"b", "a\\b", "a/b", "a\nb", "\u{7f}", "ä", "\u{2028}", "🜁",
  ])
  func aTraceComesThroughWhateverItIs(trace: String) throws {
    let frame = PushFrame.signal(
      .init(device: Sample.device, sequence: 1, at: -1, trace: trace))
    #expect(try PushFrame(text: try frame.encoded()) == frame)
    // As an encoder writes it.
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(try frame.encoded() == Array(try encoder.encode(frame)))
  }

  @Test func aSignalWithoutADeviceSaysYouAreBehind() throws {
    #expect(try PushFrame(text: Array(#"{"type":"signal"}"#.utf8)) == .signal(nil))
    #expect(try PushFrame(text: Array(#"{"type":"signal","device":null}"#.utf8)) == .signal(nil))
  }

  @Test(arguments: [
    "draining", "revoked", "replaced", "slow", "expired", "malformed", "unauthenticated", "busy",
  ])
  func everyReasonReads(name: String) throws {
    let text = #"{"type":"bye","reason":"\#(name)","retryAfterMilliseconds":0}"#
    let reason = try #require(PushFrame.Reason(rawValue: name))
    #expect(
      try PushFrame(text: Array(text.utf8)) == .bye(reason: reason, retryAfterMilliseconds: 0))
  }

  @Test func keysOfALaterServerAreIgnored() throws {
    #expect(try PushFrame(text: Array(#"{"later":[{}],"type":"ping"}"#.utf8)) == .ping)
  }

  // MARK: Refusals

  @Test(arguments: [
    "", " ", "null", "[]", "{}", "ping", #"{"type":"shout"}"#, #"{"type":7}"#,
    #"{"type":"hello"}"#, #"{"type":"hello","token":"t"}"#,
    #"{"type":"hello","token":"t","frontier":"AAAA"}"#,
    #"{"type":"ack","device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"}"#,
    #"{"type":"ack","device":"d1","sequence":1}"#,
    #"{"type":"ack","device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","sequence":-1}"#,
    #"{"type":"signal","device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"}"#,
    #"{"type":"bye","reason":"bored","retryAfterMilliseconds":0}"#,
    #"{"type":"ping"}{"type":"ping"}"#, "{\"type\":\"ping\"\u{0}}",
  ])
  func whatIsNoFrameIsRefused(text: String) {
    #expect(throws: WireError.malformed(field: "push frame")) {
      try PushFrame(text: Array(text.utf8))
    }
  }

  @Test(arguments: forms.indices)
  func everyTruncationIsRefused(index: Int) {
    let text = Array(Self.forms[index].text.utf8)
    for count in text.indices {
      #expect(throws: WireError.malformed(field: "push frame")) {
        try PushFrame(text: Array(text[..<count]))
      }
    }
  }

  @Test func aFrameAtTheLimitReadsAndOneByteMoreDoesNot() throws {
    let frame = Array(#"{"type":"ping"}"#.utf8)
    let padded = frame + Sample.repeated(0x20, Limits.pushFrameBytes - frame.count)
    #expect(try PushFrame(text: padded) == .ping)
    #expect(throws: WireError.overLimit(limit: "push frame bytes", value: 4097)) {
      try PushFrame(text: padded + [0x20])
    }
    #expect(try PushFrame(text: padded + [0x20], limitBytes: .max) == .ping)
  }
}

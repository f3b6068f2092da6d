import Selector
import Testing

@testable import Terminal

@Suite struct InputDecoderTests {
  private func keys(_ text: String, table: KeyTable = KeyTable()) -> [String] {
    var decoder = InputDecoder(table: table)
    return (decoder.feed(Array(text.utf8)) + decoder.flush()).map(name)
  }

  private func name(_ event: TerminalEvent) -> String {
    switch event {
    case .key(let key): key.description
    case .paste(let text): "paste:" + text
    case .mouse(let mouse): "\(mouse.act) \(mouse.position.row),\(mouse.position.column)"
    case let other: "\(other)"
    }
  }

  /// Not as arguments of the test: those would be printed with their escape sequences.
  private let sequences: [(bytes: String, keys: [String])] = [
    ("jG 5", ["j", "G", "Space", "5"]),
    ("\r\n\t\u{7F}", ["Enter", "Enter", "Tab", "Backspace"]),
    ("\u{1}\u{E}\u{1F}\u{0}", ["C-a", "C-n", "C-_", "C-Space"]),
    ("é漢😀", ["é", "漢", "😀"]),
    ("e\u{301}x", ["e\u{301}", "x"]),
    ("\u{1B}", ["Esc"]),
    ("\u{1B}\u{1B}", ["Esc", "Esc"]),
    ("\u{1B}b\u{1B}\u{7F}\u{1B}é", ["M-b", "M-Backspace", "M-é"]),
    ("\u{1B}[", ["M-["]),
    ("\u{1B}O", ["M-O"]),
    ("\u{1B}[A\u{1B}OB\u{1B}[Z", ["Up", "Down", "S-Tab"]),
    ("\u{1B}[1;5C\u{1B}[1;3D\u{1B}[1;2A\u{1B}[1;7F", ["C-Right", "M-Left", "Up", "C-M-End"]),
    ("\u{1B}[1~\u{1B}[3~\u{1B}[5;5~\u{1B}[6~", ["Home", "Del", "C-PgUp", "PgDn"]),
    ("\u{1B}OP\u{1B}[15~\u{1B}[24~\u{1B}[1;2P", ["F1", "F5", "F12", "F1"]),
    ("\u{1B}[27;5;13~\u{1B}[97;5u", ["C-Enter", "C-a"]),
    ("\u{1B}\u{1B}[A", ["M-Up"]),
    ("\u{1B}OM\u{1B}Op\u{1B}Ok", ["Enter", "0", "+"]),
    ("a\u{1B}[<0;3;4Mb\u{1B}[?1;2cd\u{1B}[Ie", ["a", "press 3,2", "b", "d", "e"]),
    ("\u{1B}[<64;1;1M\u{1B}[<65;250;80Mx", ["wheelUp 0,0", "wheelDown 79,249", "x"]),
    ("\u{1B}[<0;3;4m\u{1B}[<2;3;4M\u{1B}[<35;3;4M\u{1B}[<0;3Mx", ["x"]),
    ("\u{1B}[200~a\rb\r\nc\u{1B}[A\u{1B}[201~j", ["paste:a\nb\nc\u{1B}[A", "j"]),
    ("\u{1B}[201~x", ["x"]),
  ]

  @Test func bytesBecomeKeys() {
    for (bytes, expected) in sequences {
      #expect(keys(bytes) == expected)
    }
  }

  @Test func theResultIsTheSameHoweverTheBytesAreCut() {
    let text = "a\u{1B}[1;5Cé漢\u{1B}[200~x\u{1B}[20y漢\u{1B}[201~\u{1B}b\u{1B}OP\u{1B}[Zq"
    var whole = InputDecoder()
    let expected = whole.feed(Array(text.utf8))
    #expect(expected.count == 9)
    for length in 1...7 {
      var decoder = InputDecoder()
      var events: [TerminalEvent] = []
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        events += decoder.feed(rest.prefix(length))
        rest = rest.dropFirst(length)
      }
      #expect(events == expected, "\(length) bytes at a time")
      #expect(decoder.waitMilliseconds == nil)
    }
  }

  @Test func itWaitsOnlyForWhatHasBegun() {
    var decoder = InputDecoder()
    _ = decoder.feed([0x61])
    #expect(decoder.waitMilliseconds == nil)
    _ = decoder.feed([0x1B])
    #expect(decoder.waitMilliseconds == InputDecoder.escapeWait)
    _ = decoder.feed(Array("[1".utf8))
    #expect(decoder.waitMilliseconds == InputDecoder.restWait)
    _ = decoder.feed(Array(";5C".utf8))
    #expect(decoder.waitMilliseconds == nil)
    _ = decoder.feed([0xC3])
    #expect(decoder.waitMilliseconds == InputDecoder.restWait)
    #expect(decoder.flush().isEmpty)
    _ = decoder.feed(Array("\u{1B}[200~abc".utf8))
    #expect(decoder.waitMilliseconds == nil)
    #expect(decoder.flush().isEmpty)
  }

  @Test func aPasteOverTheLimitIsRefusedWhole() {
    var decoder = InputDecoder(pasteLimit: 100)
    var events = decoder.feed(Array("\u{1B}[200~".utf8))
    for _ in 0..<101 {
      events += decoder.feed([UInt8(ascii: "x")])
    }
    events += decoder.feed(Array("\u{1B}[201~j".utf8))
    #expect(events == [.pasteRefused(bytes: 101), .key(.character("j"))])
  }

  @Test func brokenUTF8IsPassedOver() {
    var decoder = InputDecoder()
    let events = decoder.feed([0xFF, 0x61, 0xC3, 0x62, 0xED, 0xA0, 0x80, 0x63])
    #expect(events.map(name) == ["a", "b", "c"])
  }

  @Test func randomBytesNeverTrapAndNeverStick() {
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<400 {
      var decoder = InputDecoder(table: KeyTable([(Array("\u{1B}[[A".utf8), .named(.f(1)))]))
      for _ in 0..<40 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        let common: [UInt8] = [0x1B, 0x5B, 0x4F, 0x7E, 0x3B, 0x32, 0x30]
        let byte = UInt8(truncatingIfNeeded: state >> 8)
        _ = decoder.feed([state & 1 == 0 ? common[Int(byte) % common.count] : byte])
      }
      _ = decoder.feed(Array("\u{1B}[201~".utf8))
      _ = decoder.flush()
      #expect(decoder.feed([0x6A]) == [.key(.character("j"))])
    }
  }

  @Test func theTerminalsOwnSequencesComeFirst() {
    let table = KeyTable([
      (Array("\u{1B}[[A".utf8), .named(.f(1))), (Array("\u{1B}[1;2P".utf8), .named(.f(13))),
    ])
    #expect(keys("\u{1B}[[A\u{1B}[1;2P\u{1B}[A", table: table) == ["F1", "F13", "Up"])
  }

  @Test func backspaceIsWhatTheLineSays() {
    var decoder = InputDecoder(erase: 0x08)
    #expect(decoder.feed([0x08, 0x7F]).map(name) == ["Backspace", "Backspace"])
    var usual = InputDecoder()
    #expect(usual.feed([0x08]).map(name) == ["C-h"])
  }
}

@Suite struct FeaturesTests {
  @Test func paddingIsLeftOut() {
    let bytes = Features.withoutPadding(Array("\u{1B}[H\u{1B}[J$<50>x$<2*/>$<".utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == "\u{1B}[H\u{1B}[Jx$<")
  }
}

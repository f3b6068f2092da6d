import Foundation
@testable import PushServer
import Testing
import Wire

/// The scanner reads what the decoder reads, or nothing.
@Suite struct SignalScannerTests {
  private static let account = "0123456789abcdefFEDCBA9876543210"
  private static let device = "ffffffffffffffff0000000000000001"
  private static let whole =
    #"{"account":"\#(account)","device":"\#(device)","sequence":18446744073709551615,"trace":"@t=1"}"#

  private static func decoded(_ text: String) -> [Signal]? {
    let decoder = JSONDecoder()
    if let list = try? decoder.decode([Signal].self, from: Data(text.utf8)) { return list }
    return (try? decoder.decode(Signal.self, from: Data(text.utf8))).map { [$0] }
  }

  static let plain = [
    whole, "[\(whole)]", "[\(whole),\(whole)]", "[]", " [ ] \r\n",
    "\t{ \"sequence\" : 0 ,\n\"device\":\"\(device)\", \"account\" :\"\(account)\" } ",
  ]

  @Test(arguments: plain) func thePlainFormIsRead(text: String) {
    let read = SignalScanner.signals(in: Array(text.utf8))
    #expect(read != nil && read == Self.decoded(text))
  }

  private static let largest = "18446744073709551615"

  /// What is put in another's place in a signal of the plain form.
  private static let changes: [(old: String, new: String)] = [
    ("@t=1", #"\u0040"#), ("@t=1", "\u{e9}"), ("@t=1", "\t"), (#""@t=1""#, "null"),
    (largest, "18446744073709551616"), (largest, "-1"), (largest, "1.0"), (largest, "1e3"),
    (largest, "01"), (largest, #""1""#), (account, String(account.dropLast())),
    (account, account.dropLast() + "g"), ("trace", "sequence"), ("trace", "other"),
    ("device", "account"),
  ]

  static let unusual: [String] =
    [
      "", "{", "[", "{}", "[{}]", "[\(whole)", "\(whole)]", "\(whole)\(whole)", "[\(whole),]",
      "[\(whole) \(whole)]", "{,}", "null", "7",
    ] + changes.map { whole.replacingOccurrences(of: $0.old, with: $0.new) }

  @Test(arguments: unusual) func theUnusualIsLeftToTheDecoder(text: String) {
    #expect(SignalScanner.signals(in: Array(text.utf8)) == nil)
  }

  @Test func whateverIsChangedItReadsAsTheDecoderDoes() {
    var random = SystemRandomNumberGenerator()
    let bytes = Array("[\(Self.whole), \(Self.whole)]".utf8)
    for _ in 0..<3_000 {
      var changed = bytes
      for _ in 0...Int.random(in: 0...2, using: &random) {
        let place = Int.random(in: changed.indices, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: changed[place] = .random(in: 0...127, using: &random)
        case 1: changed.remove(at: place)
        default: changed.insert(Array(#"{}[]",:0 9\"#.utf8).randomElement() ?? 0, at: place)
        }
      }
      guard let read = SignalScanner.signals(in: changed) else { continue }
      let text = String(decoding: changed, as: UTF8.self)
      #expect(read == Self.decoded(text), "\(text)")
    }
  }
}

/// The writer writes what the frame itself writes, or nothing.
@Suite struct SignalWriterTests {
  @Test(arguments: [nil, "", "@t=1", #"a"b"#, #"a\b"#, "\n", "é"])
  func aSignalReadsAsTheFrameItIs(trace: String?) throws {
    for (sequence, at) in [(0, 0), (1, 9), (10, 1_700_000_000_000), (.max, .max), (7, -1)]
      as [(UInt64, Int64)]
    {
      let update = PushFrame.Update(device: id(0xa7), sequence: sequence, at: at, trace: trace)
      let expected = try PushFrame.signal(update).encoded()
      let isPlain = at >= 0 && [nil, "", "@t=1"].contains(trace)
      #expect(SignalWriter.text(of: update) == (isPlain ? expected : nil))
    }
  }
}

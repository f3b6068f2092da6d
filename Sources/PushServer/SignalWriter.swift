import Wire

/// Writes the frame that goes out in numbers: the same text as ``/Wire/PushFrame`` makes of it, but
/// byte by byte, since a device waits for it.
enum SignalWriter {
  /// nil for a trace that needs escapes.
  static func text(of update: PushFrame.Update) -> [UInt8]? {
    let trace = update.trace ?? ""
    let isPlain = trace.utf8.allSatisfy {
      (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    guard isPlain, update.at >= 0 else { return nil }
    var text: [UInt8] = []
    text.reserveCapacity(160)
    text += #"{"at":"#.utf8
    append(UInt64(update.at), to: &text)
    text += #","device":""#.utf8
    for byte in update.device.bytes {
      text.append(digit(byte >> 4))
      text.append(digit(byte & 15))
    }
    text += #"","sequence":"#.utf8
    append(update.sequence, to: &text)
    if update.trace != nil {
      text += #","trace":""#.utf8
      text += trace.utf8
      text.append(UInt8(ascii: "\""))
    }
    text += #","type":"signal"}"#.utf8
    return text
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  private static func append(_ number: UInt64, to text: inout [UInt8]) {
    let start = text.count
    var rest = number
    repeat {
      text.append(0x30 + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    text[start...].reverse()
  }
}

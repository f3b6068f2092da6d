import Wire

/// Reads signals in the form in which they come in numbers: objects of the four known keys, plain
/// strings, whole numbers. It takes a twentieth of the time a decoder does, which a device waits
/// for.
///
/// Whatever is unusual (an escape, an unknown or repeated key, a number with a point) is left to
/// the decoder: what is read here reads the same there.
struct SignalScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0

  /// The body's one signal or its list of them; nil for one that a decoder has to look at.
  static func signals(in body: [UInt8]) -> [Signal]? {
    body.withUnsafeBufferPointer { bytes in
      var scanner = SignalScanner(bytes: bytes)
      return scanner.body()
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  private mutating func body() -> [Signal]? {
    var signals: [Signal] = []
    if take("[") {
      if !take("]") {
        repeat {
          guard let signal = signal() else { return nil }
          signals.append(signal)
        } while take(",")
        guard take("]") else { return nil }
      }
    } else {
      guard let signal = signal() else { return nil }
      signals = [signal]
    }
    skipBlanks()
    return place == bytes.count ? signals : nil
  }

  private mutating func signal() -> Signal? {
    guard take("{") else { return nil }
    var account: AccountID?
    var device: DeviceID?
    var sequence: UInt64?
    var trace: String?
    repeat {
      guard let key = string(), take(":") else { return nil }
      if account == nil, key.elementsEqual("account".utf8) {
        guard let id = id(AccountKind.self) else { return nil }
        account = id
      } else if device == nil, key.elementsEqual("device".utf8) {
        guard let id = id(DeviceKind.self) else { return nil }
        device = id
      } else if sequence == nil, key.elementsEqual("sequence".utf8) {
        guard let number = number() else { return nil }
        sequence = number
      } else if trace == nil, key.elementsEqual("trace".utf8) {
        guard let text = string() else { return nil }
        trace = String(decoding: text, as: UTF8.self)
      } else {
        return nil
      }
    } while take(",")
    guard take("}"), let account, let device, let sequence else { return nil }
    return Signal(account: account, device: device, sequence: sequence, trace: trace)
  }

  // MARK: pieces

  private mutating func skipBlanks() {
    while place < bytes.count {
      switch bytes[place] {
      case 0x20, 0x09, 0x0a, 0x0d: place += 1
      default: return
      }
    }
  }

  /// Passes the character if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  /// A string of printable ASCII without escapes.
  private mutating func string() -> Slice<UnsafeBufferPointer<UInt8>>? {
    guard take("\"") else { return nil }
    let start = place
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        place += 1
        return bytes[start..<(place - 1)]
      case UInt8(ascii: "\\"): return nil
      case 0x20...0x7e: place += 1
      default: return nil
      }
    }
    return nil
  }

  private mutating func id<Kind>(_ kind: Kind.Type) -> Identifier<Kind>? {
    guard let digits = string(), digits.count == 2 * Identifier<Kind>.byteCount else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digits.count / 2) { id in
      var position = digits.startIndex
      for place in id.indices {
        guard let high = Self.digit(digits[position]), let low = Self.digit(digits[position + 1])
        else { return nil }
        id[place] = high << 4 | low
        position += 2
      }
      return Identifier<Kind>(bytes: id)
    }
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }

  /// A whole number as JSON writes it: digits, and no zero before others.
  private mutating func number() -> UInt64? {
    skipBlanks()
    let start = place
    var value: UInt64 = 0
    while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
      let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = tenfold.addingReportingOverflow(UInt64(bytes[place] - 0x30))
      guard !isTooLarge, !overflows else { return nil }
      value = sum
      place += 1
    }
    guard place > start, bytes[start] != 0x30 || place == start + 1 else { return nil }
    // A point or an exponent may follow, and then it is another number.
    switch place < bytes.count ? bytes[place] : UInt8(ascii: ".") {
    case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return nil
    default: return value
    }
  }
}

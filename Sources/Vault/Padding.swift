import Wire

/// Hides how long a plaintext is: its length in four bytes, the plaintext, zeros.
///
/// The whole is 512 bytes or the next power of two up to 64 KiB; above, a Padmé length (at most
/// 12% more, and only the logarithm of the length shows; PURBs, Nikitin et al. 2019).
enum Padding {
  static let smallest = 512
  static let powersEnd = 64 * 1024
  static let prefixBytes = 4

  /// How long `count` bytes become.
  static func paddedCount(_ count: Int) -> Int {
    let whole = count + prefixBytes
    if whole <= smallest { return smallest }
    let exponent = Int.bitWidth - 1 - (whole - 1).leadingZeroBitCount
    if whole <= powersEnd { return 1 << (exponent + 1) }
    return padme(whole)
  }

  private static func padme(_ count: Int) -> Int {
    let exponent = Int.bitWidth - 1 - count.leadingZeroBitCount
    let kept = Int.bitWidth - exponent.leadingZeroBitCount
    let mask = (1 << (exponent - kept)) - 1
    return (count + mask) & ~mask
  }

  static func pad(_ plaintext: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt32(plaintext.count))
    writer.write(plaintext)
    let zeros = paddedCount(plaintext.count) - prefixBytes - plaintext.count
    writer.write(repeatElement(UInt8(0), count: zeros))
    return writer.bytes
  }

  /// Where the plaintext lies in `padded`. Any other form of padding than the one ``pad(_:)`` makes
  /// is refused.
  static func contents<Bytes: RandomAccessCollection<UInt8>>(
    of padded: Bytes
  ) throws(VaultError) -> Range<Int> where Bytes.Index == Int {
    guard padded.count >= smallest else { throw .malformed(field: "padding") }
    let count = padded.prefix(prefixBytes).reduce(0) { $0 << 8 | Int($1) }
    let contents = prefixBytes..<(prefixBytes + count)
    guard contents.upperBound <= padded.count, paddedCount(count) == padded.count,
      padded[contents.upperBound...].allSatisfy({ $0 == 0 })
    else { throw .malformed(field: "padding") }
    return contents
  }

  static func unpad(_ padded: [UInt8]) throws(VaultError) -> [UInt8] {
    Array(padded[try contents(of: padded)])
  }
}

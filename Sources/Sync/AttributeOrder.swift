/// The places of attributes among each other: texts in the order of their bytes.
enum AttributeOrder {
  /// Room of this many between neighbours, for attributes that will be put there.
  private static let step = 65_536
  /// Digits alone are written; what a later program writes may be any bytes.
  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  /// A key after `last` ("" for the first): twelve decimal digits.
  static func key(after last: String) -> String {
    let number = (Int(last.prefix(12)) ?? 0) + step
    let digits = String(number)
    return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }

  /// A key between two others, as short as it can be; nil where there is none.
  ///
  /// - Parameters:
  ///   - low: the key before it; "" for none.
  ///   - high: the key after it; nil for none.
  static func key(between low: String, and high: String?) -> String? {
    guard let high else { return Self.key(after: low) }
    guard low < high else { return nil }
    let lower = Array(low.utf8)
    let upper = Array(high.utf8)
    var key: [UInt8] = []
    var isBelow = false
    for place in 0..<max(lower.count, upper.count) + 1 {
      let from = place < lower.count ? lower[place] : digits.lowerBound
      let to = isBelow || place >= upper.count ? digits.upperBound + 1 : upper[place]
      let middle = from + (to > from ? (to - from) / 2 : 0)
      if middle > from, digits.contains(middle) {
        key.append(middle)
        break
      }
      key.append(from)
      if !isBelow { isBelow = place < upper.count && from < upper[place] }
    }
    let text = String(decoding: key, as: UTF8.self)
    return low < text && text < high ? text : nil
  }
}

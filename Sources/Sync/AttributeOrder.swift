/// The places of attributes among each other: texts in the order of their bytes.
enum AttributeOrder {
  /// Room of this many between neighbours, for attributes that will be put there.
  private static let step = 65_536

  /// A key after `last` ("" for the first): twelve decimal digits.
  static func key(after last: String) -> String {
    let number = (Int(last.prefix(12)) ?? 0) + step
    let digits = String(number)
    return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }
}

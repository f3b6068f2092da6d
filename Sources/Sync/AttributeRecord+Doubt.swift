import Vault

extension AttributeRecord.Kind {
  /// What makes `text` unlikely to be of this kind, as the end of a sentence that begins with the
  /// label; nil where nothing does.
  ///
  /// Nothing but a one-time code's secret is ever refused for it (``isUsable(_:)``): the world
  /// knows stranger telephone numbers than any program.
  public func doubt(about text: String) -> String? {
    guard !text.isEmpty, !isLikely(text) else { return nil }
    switch self {
    case .email: return "looks like no e-mail address"
    case .url: return "looks like no address of a site"
    case .phone: return "looks like no telephone number"
    case .date: return "looks like no date, as 2026-11-23"
    case .card: return "has a wrong digit, or is no card number"
    case .totp: return "is no secret for one-time codes: base 32, or otpauth://"
    default: return nil
    }
  }

  /// Whether a value can do what this kind is for.
  public func isUsable(_ text: String) -> Bool {
    self != .totp || text.isEmpty || isLikely(text)
  }

  private func isLikely(_ text: String) -> Bool {
    let isOneWord = !text.contains(where: \.isWhitespace)
    switch self {
    case .email:
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return isOneWord && parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
    case .url: return isOneWord && text.contains { $0 == "." || $0 == ":" }
    case .phone:
      let digits = text.filter(\.isNumber).count
      return (3...20).contains(digits)
        && text.allSatisfy { $0.isNumber || "+-/.() xX#*".contains($0) }
    case .date: return Self.isDate(text)
    case .card: return Self.isCardNumber(text)
    case .totp:
      do {
        _ = try OneTimeCode(text)
        return true
      } catch {
        return false
      }
    default: return true
    }
  }

  /// `2026-11-23` (ISO 8601), a day the calendar has.
  private static func isDate(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.joined().allSatisfy(\.isASCIIDigit) else {
      return false
    }
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == 3, (1...12).contains(numbers[1]) else { return false }
    let year = numbers[0]
    let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[numbers[1] - 1]).contains(numbers[2])
  }

  /// 12 to 19 digits whose last is right (ISO/IEC 7812-1, annex B), with spaces or dashes or none.
  private static func isCardNumber(_ text: String) -> Bool {
    let digits = text.filter { $0 != " " && $0 != "-" }
    guard (12...19).contains(digits.count), digits.allSatisfy(\.isASCIIDigit) else {
      return false
    }
    let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
      let number = digit.element.wholeNumberValue ?? 0
      let doubled = number * 2 > 9 ? number * 2 - 9 : number * 2
      return sum + (digit.offset.isMultiple(of: 2) ? number : doubled)
    }
    return sum.isMultiple(of: 10)
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}

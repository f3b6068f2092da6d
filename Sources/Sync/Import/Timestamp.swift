/// An instant as ISO 8601 text, such as `2024-03-01T10:00:00.000Z`, in milliseconds since 1970.
///
/// Days are counted in the proleptic Gregorian calendar with years that begin in March, so that the
/// leap day is the last of its year (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
enum Timestamp {
  private static let dayMilliseconds: Int64 = 86_400_000

  /// The text of an instant, in UTC with milliseconds.
  static func text(_ milliseconds: Int64) -> String {
    // Texts have four digits of year: 0000 to 9999.
    let bounded = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let time = ((bounded % dayMilliseconds) + dayMilliseconds) % dayMilliseconds
    let (year, month, day) = date(ofDay: (bounded - time) / dayMilliseconds)
    let seconds = time / 1000
    return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
      + "T\(digits(seconds / 3600, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2))"
      + ".\(digits(time % 1000, 3))Z"
  }

  /// The instant `text` names; nil when it does not read. Digits beyond milliseconds are dropped.
  static func milliseconds(_ text: String) -> Int64? {
    var rest = Array(text.utf8)[...]
    guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2),
      take(&rest, "-"), let day = number(&rest, 2), take(&rest, "T") || take(&rest, " "),
      let hour = number(&rest, 2), take(&rest, ":"), let minute = number(&rest, 2),
      take(&rest, ":"), let second = number(&rest, 2), let thousandths = fraction(&rest),
      let offset = zone(&rest), rest.isEmpty
    else { return nil }
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    let days = Self.day(year: year, month: month, day: day)
    guard date(ofDay: days) == (year, month, day) else { return nil }
    return days * dayMilliseconds + ((hour * 60 + minute - offset) * 60 + second) * 1000
      + thousandths
  }

  private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    guard take(&rest, ".") else { return 0 }
    let run = rest.prefix { (0x30...0x39).contains($0) }
    guard (1...9).contains(run.count) else { return nil }
    rest = rest.dropFirst(run.count)
    return (run + [0x30, 0x30]).prefix(3).reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  /// Minutes east of UTC; a text without a zone is UTC.
  private static func zone(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    if rest.isEmpty || take(&rest, "Z") { return 0 }
    let sign: Int64 = take(&rest, "+") ? 1 : -1
    guard sign == 1 || take(&rest, "-"), let hours = number(&rest, 2) else { return nil }
    _ = take(&rest, ":")
    guard let minutes = number(&rest, 2), hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }

  private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
    guard rest.first.map(UInt32.init) == character.value else { return false }
    rest = rest.dropFirst()
    return true
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int64? {
    let run = rest.prefix(count)
    guard run.count == count, run.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    rest = rest.dropFirst(count)
    return run.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
    let march = month <= 2 ? year - 1 : year
    let era = (march >= 0 ? march : march - 399) / 400
    let yearOfEra = march - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let month = march < 10 ? march + 3 : march - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1
    )
  }

  private static func digits(_ value: Int64, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
}

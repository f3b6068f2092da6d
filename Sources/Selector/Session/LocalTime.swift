/// Local dates and times of milliseconds since 1970, as screens write them.
struct LocalTime: Hashable, Sendable {
  /// Local time minus UTC, in seconds.
  let offsetSeconds: Int

  /// `20:31:07`
  func clock(_ time: Int64) -> String {
    let second = secondOfDay(time)
    return minutes(time) + ":" + Self.two(second % 60)
  }

  /// `20:31`
  func minutes(_ time: Int64) -> String {
    let second = secondOfDay(time)
    return Self.two(second / 3600) + ":" + Self.two(second / 60 % 60)
  }

  /// `2026-11-22`
  func date(_ time: Int64) -> String {
    let (year, month, day) = Self.civil(day(time))
    return "\(year)-\(Self.two(month))-\(Self.two(day))"
  }

  /// `20:31` on the day of `now`, else the date.
  func short(_ time: Int64, now: Int64) -> String {
    day(time) == day(now) ? minutes(time) : date(time)
  }

  /// `20:31:07` on the day of `now`, else month and day: `11-22`.
  func stamp(_ time: Int64, now: Int64) -> String {
    day(time) == day(now) ? clock(time) : String(date(time).suffix(5))
  }

  private func second(_ time: Int64) -> Int64 {
    time.flooredDivision(by: 1000).addingReportingOverflow(Int64(offsetSeconds)).partialValue
  }

  private func day(_ time: Int64) -> Int64 { second(time).flooredDivision(by: 86400) }

  private func secondOfDay(_ time: Int64) -> Int {
    let second = second(time)
    return Int(second - second.flooredDivision(by: 86400) * 86400)
  }

  private static func two(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }

  /// The Gregorian date of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level
  /// date algorithms", `civil_from_days`).
  private static func civil(_ day: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted.flooredDivision(by: 146_097)
    let dayOfEra = Int(shifted - era * 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}

extension Int64 {
  func flooredDivision(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

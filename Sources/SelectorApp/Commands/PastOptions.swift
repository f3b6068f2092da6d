import ArgumentParser
import Foundation

/// For commands that can show everything as it was.
struct PastOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "As it was then: 2026-11-23, 2026-11-23T14:30 or 2026-11-23T14:30:05, in local time unless it"
        + " ends in Z or +01:00; a date alone means the end of that day.",
      valueName: "time"),
    transform: { try PointInTime.milliseconds($0, now: Device.wallClock) })
  var at: Int64?
}

/// Reads a date or a time of ISO 8601.
enum PointInTime {
  /// Milliseconds since 1970.
  ///
  /// - Throws: `ValidationError` for what is no time, and for the future.
  static func milliseconds(_ text: String, now: Int64) throws -> Int64 {
    guard let (moment, isDay) = parse(text) else {
      throw ValidationError(
        "\"\(text)\" is no time. Write it as 2026-11-23 or 2026-11-23T14:30.")
    }
    guard moment <= now else {
      // Today's end lies ahead, and means now.
      if isDay, moment - now < 25 * 3_600_000, let start = parse(text + "T00:00"), start.0 <= now {
        return now
      }
      throw ValidationError("\"\(text)\" lies in the future: what will be is not known.")
    }
    return moment
  }

  private static func parse(_ text: String) -> (Int64, isDay: Bool)? {
    let pattern =
      #/
        (\d{4})-(\d{2})-(\d{2})
        (?:(?:T|\ )(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?
      /#
    guard let match = text.wholeMatch(of: pattern)?.output else { return nil }
    func number(_ part: Substring?) -> Int32 { part.flatMap { Int32($0) } ?? 0 }
    let isDay = match.4 == nil
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (
      number(match.1) - 1900, number(match.2) - 1, number(match.3)
    )
    (parts.tm_hour, parts.tm_min, parts.tm_sec) =
      isDay ? (23, 59, 59) : (number(match.4), number(match.5), number(match.6))
    guard (0...23).contains(parts.tm_hour), (0...59).contains(parts.tm_min),
      (0...60).contains(parts.tm_sec), isDate(parts)
    else { return nil }
    let fraction = isDay ? 999 : milliseconds(fraction: match.7)
    parts.tm_isdst = -1
    guard let zone = match.8 else { return (Int64(mktime(&parts)) * 1000 + fraction, isDay) }
    guard let offset = offset(zone) else { return nil }
    return ((Int64(timegm(&parts)) - offset) * 1000 + fraction, isDay)
  }

  /// Whether the calendar has that day: the C library would take February 30 for March 2.
  private static func isDate(_ parts: tm) -> Bool {
    var copy = parts
    guard timegm(&copy) != -1 || parts.tm_year == 69 else { return false }
    return copy.tm_mday == parts.tm_mday && copy.tm_mon == parts.tm_mon
  }

  private static func milliseconds(fraction: Substring?) -> Int64 {
    guard let fraction else { return 0 }
    return Int64((fraction + "00").prefix(3)) ?? 0
  }

  /// Seconds east of Greenwich.
  private static func offset(_ zone: Substring) -> Int64? {
    guard zone != "Z" else { return 0 }
    let digits = zone.dropFirst().filter { $0 != ":" }
    guard let hours = Int64(digits.prefix(2)), let minutes = Int64(digits.suffix(2)), hours < 24,
      minutes < 60
    else { return nil }
    return (zone.hasPrefix("-") ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}

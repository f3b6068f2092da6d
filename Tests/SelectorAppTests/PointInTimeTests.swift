import ArgumentParser
import Foundation
import Testing

@testable import SelectorApp

@Suite struct PointInTimeTests {
  /// 2026-11-23 02:25:42 UTC.
  static let now: Int64 = 1_795_400_742_000

  @Test(
    arguments: [
      ("2026-11-23T02:25:42Z", 1_795_400_742_000), ("2026-11-23 02:25Z", 1_795_400_700_000),
      ("2026-11-23T03:25:42+01:00", 1_795_400_742_000),
      ("2026-11-22T21:25:42.5-0500", 1_795_400_742_000 - 0),
      ("1970-01-01T00:00:00Z", 0), ("2024-02-29T00:00Z", 1_709_164_800_000),
    ] as [(String, Int64)])
  func timesOfAZoneAreExact(_ text: String, _ expected: Int64) throws {
    let found = try PointInTime.milliseconds(text, now: Self.now + 1000)
    #expect(found / 1000 == expected / 1000)
  }

  @Test func fractionsAreMilliseconds() throws {
    let found = try PointInTime.milliseconds("2026-11-23T02:25:41.25Z", now: Self.now)
    #expect(found == 1_795_400_741_250)
  }

  @Test func withoutAZoneItIsLocalTime() throws {
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min) = (126, 9, 5, 14, 30)
    parts.tm_isdst = -1
    let expected = Int64(mktime(&parts)) * 1000
    #expect(try PointInTime.milliseconds("2026-10-05T14:30", now: Self.now) == expected)
  }

  @Test func aDateMeansItsEnd() throws {
    let day = try PointInTime.milliseconds("2026-10-05", now: Self.now)
    #expect(day == (try PointInTime.milliseconds("2026-10-05T23:59:59", now: Self.now)) + 999)
  }

  @Test func todayMeansNow() throws {
    let noon = try PointInTime.milliseconds("2026-10-05T12:00", now: Self.now)
    #expect(try PointInTime.milliseconds("2026-10-05", now: noon) == noon)
  }

  @Test(arguments: [
    "", "yesterday", "2026", "2026-13-01", "2026-02-30", "2025-02-29", "2026-10-05T24:00",
    "2026-10-05T10:61", "2026-10-05T10:00+25:00", "2026-10-05T", "26-10-05", "2026-10-05T10",
  ])
  func nonsenseIsRefused(_ text: String) {
    #expect(throws: ValidationError.self) {
      try PointInTime.milliseconds(text, now: Self.now)
    }
  }

  @Test(arguments: ["2026-11-23T02:25:43Z", "2027-01-01", "2026-11-25"])
  func theFutureIsRefused(_ text: String) {
    do {
      _ = try PointInTime.milliseconds(text, now: Self.now)
      Issue.record("taken")
    } catch {
      #expect(Failure(error).sentence.contains("future"))
    }
  }
}

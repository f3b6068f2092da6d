import Sync
import Wire

// Everything as it was at some time, to look at and to copy from.
extension Session {
  /// Commands that change something, or would seem to.
  static let changing: Set<Command.ID> = [
    .newContext, .addAttribute, .rename, .delete, .changePassword, .edit, .undo, .redo, .restore,
    .keepBoth, .apply, .moveDown, .moveUp, .pin,
  ]

  /// Asks for the contexts of a time a person typed.
  mutating func lookAt(_ text: String) -> [Effect] {
    guard let at = time.parse(text, now: now) else {
      complain("\(text) is no time. Write 12:03, 2026-11-10, 2026-11-10 12:03 or 3d, 2h, 20m ago.")
      return []
    }
    guard at <= now else {
      complain("\(time.date(at)) \(time.clock(at)) has not come yet.")
      return []
    }
    return [.loadPast(at)]
  }

  mutating func show(past records: [ContextRecord], at: Int64) {
    guard isUnlocked else { return }
    conceal()
    let marked = contexts.selectedID
    past = Past(at: at, present: past?.present ?? contexts)
    contexts = ContextList()
    contexts.replace(with: records)
    if let marked { contexts.select(marked) }
    detail = .attributes
    focus = .contexts
    attribute = contexts.selected?.attributes.first?.id
  }

  /// Goes back to now, with the mark where it is.
  mutating func leavePast() {
    guard let past else { return }
    conceal()
    let marked = contexts.selectedID
    contexts = past.present
    self.past = nil
    if let marked { contexts.select(marked) }
    detail = .attributes
    attribute = contexts.selected?.attributes.first?.id
  }

  /// Whether a command is refused because what is shown is the past.
  mutating func refuseInPast(_ command: Command.ID) -> Bool {
    Self.changing.contains(command) && refuseInPast()
  }

  mutating func refuseInPast() -> Bool {
    guard let past else { return false }
    say(
      "This is \(moment(past.at)): nothing can be changed. Esc goes back to now.")
    return true
  }

  /// `2026-11-10 12:03`
  func moment(_ at: Int64) -> String { "\(time.date(at)) \(time.minutes(at))" }
}

extension LocalTime {
  private static let dayMilliseconds: Int64 = 86_400_000

  /// The moment a person means: `12:03` and `12:03:20` today, `2026-11-10` the end of that day,
  /// `2026-11-10 12:03`, or `20m`, `2h`, `3d` before `now`. nil for anything else.
  func parse(_ text: String, now: Int64) -> Int64? {
    let words = text.split(separator: " ")
    switch words.count {
    case 1:
      if let ago = Self.ago(words[0]) { return now - ago }
      if let seconds = Self.seconds(words[0]) { return start(of: now) + seconds * 1000 }
      return Self.days(words[0]).map { moment(day: $0) + Self.dayMilliseconds - 1 }
    case 2:
      guard let day = Self.days(words[0]), let seconds = Self.seconds(words[1]) else { return nil }
      return moment(day: day) + seconds * 1000
    default: return nil
    }
  }

  private func moment(day: Int64) -> Int64 {
    day * Self.dayMilliseconds - Int64(offsetSeconds) * 1000
  }

  /// When the local day of a time began.
  private func start(of time: Int64) -> Int64 {
    let local = time + Int64(offsetSeconds) * 1000
    return moment(day: local.flooredDivision(by: Self.dayMilliseconds))
  }

  private static func ago(_ word: Substring) -> Int64? {
    let units: [Character: Int64] = ["m": 60_000, "h": 3_600_000, "d": dayMilliseconds]
    guard let unit = word.last.flatMap({ units[$0] }), let number = Int64(word.dropLast()),
      (0...100_000).contains(number)
    else { return nil }
    return number * unit
  }

  private static func numbers(_ word: Substring, separator: Character) -> [Int64]? {
    let parts = word.split(separator: separator, omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.count <= 4 && part.allSatisfy(\.isASCII) ? Int64(part) : nil
    }
    return numbers.count == parts.count ? numbers : nil
  }

  private static func seconds(_ word: Substring) -> Int64? {
    guard let parts = numbers(word, separator: ":"), parts.count == 2 || parts.count == 3,
      (0..<24).contains(parts[0]), parts.dropFirst().allSatisfy({ (0..<60).contains($0) })
    else { return nil }
    return parts[0] * 3600 + parts[1] * 60 + (parts.count == 3 ? parts[2] : 0)
  }

  /// Days since 1970-01-01 of a Gregorian date (Hinnant, "chrono-compatible low-level date
  /// algorithms", `days_from_civil`).
  private static func days(_ word: Substring) -> Int64? {
    guard let parts = numbers(word, separator: "-"), parts.count == 3,
      (1970...9999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2])
    else { return nil }
    let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
    let yearOfEra = year % 400
    let dayOfYear = (153 * (parts[1] + (parts[1] > 2 ? -3 : 9)) + 2) / 5 + parts[2] - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return year / 400 * 146_097 + dayOfEra - 719_468
  }
}

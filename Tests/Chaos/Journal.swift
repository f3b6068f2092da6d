/// What was asked of the programs, and what they answered: the truth a check is held against.
struct Journal {
  enum Outcome {
    /// The command said, by exit code 0, that the value is kept: it is there exactly once.
    case acknowledged
    /// The command said that nothing was changed: it is nowhere.
    case refused
    /// Killed, or failed without saying which: it is there once, or nowhere.
    case open
  }

  struct Entry {
    let token: String
    let device: String
    let context: String
    let label: String
    let moment: String
    var outcome: Outcome
  }

  private(set) var entries: [String: Entry] = [:]
  private(set) var order: [String] = []

  mutating func note(_ entry: Entry) {
    if entries.updateValue(entry, forKey: entry.token) == nil { order.append(entry.token) }
  }

  var acknowledged: Int { entries.values.count { $0.outcome == .acknowledged } }
}

/// Something that must not be, and how to see it again.
struct Finding {
  let moment: String
  let fact: String
}

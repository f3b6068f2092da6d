import Sync
import Wire

// The list of conflicts.
extension Session {
  func conflictListLines(marked row: Int, columns: Int) -> [PaneLine] {
    let entries = conflicts
    guard !entries.isEmpty else {
      return [.empty, PaneLine("No conflicts. Nothing waits for you.", column: 3, style: .dim)]
    }
    return [.empty]
      + entries.enumerated().flatMap { number, entry in
        var line = PaneLine("!", column: 1, style: .conflictMark)
        line.add(subject(of: entry), column: 3)
        if number == row {
          line.add(">", column: 0)
          line.isMarked = true
          line.cursor = 0
        }
        let words = Fit.wrap(summary(of: entry), columns: columns - 6)
        return [line] + words.map { PaneLine($0, column: 5, style: .dim).continued }
      }
  }

  private func subject(of entry: ConflictEntry) -> String {
    switch entry.subject {
    case .name: "\(entry.record.name) / its name"
    case .attribute: "\(entry.record.name) / \(entry.attribute?.label ?? "attribute")"
    case .label: "\(entry.record.name) / the label of \(entry.labelled?.label ?? "an attribute")"
    case .deletion: "\(entry.record.name) / deleted and edited"
    }
  }

  /// Which devices did what, and when.
  private func summary(of entry: ConflictEntry) -> String {
    if entry.subject == .deletion {
      return "\(deleter(of: entry.record)) deleted it; a later edit brought it back"
    }
    return entry.values.map { value in
      let verb = entry.hasDeletion ? (value.text == nil ? " deleted it" : " changed it") : ""
      return "\(name(of: value.device))\(verb) \(time.short(value.at, now: now))"
    }.joined(separator: ", ")
  }

  private func deleter(of record: ContextRecord) -> String {
    record.deletedOn.map { name(of: $0) } ?? "a device"
  }
}

// A conflict and its values.
extension Session {
  func conflictLines(_ view: ConflictView, columns: Int) -> [PaneLine] {
    guard let entry = entry(of: view) else { return [] }
    if view.subject == .deletion { return deletionLines(view, of: entry, columns: columns) }
    var lines = [PaneLine.empty]
    lines += Fit.wrap(headline(of: entry), columns: columns - 4).map { PaneLine($0, column: 3) }
    lines.append(.empty)
    let isConcealed = entry.attribute.map(Self.isSecret) ?? false
    for (number, value) in entry.values.enumerated() {
      let line = line(of: value, number: number + 1, view: view)
      lines += withValue(line, value, column: 30, columns: columns, isConcealed: isConcealed)
    }
    lines.append(.empty)
    if let ancestor = view.ancestor {
      let text = "common ancestor  \(time.date(ancestor.at)), still usable"
      lines += [PaneLine(text, column: 3), .empty]
    }
    let kept = "\(Self.all(entry.values)) are kept until you choose."
    lines += Fit.wrap(kept, columns: columns - 4).map { PaneLine($0, column: 3) }
    let others = entry.record.attributes.count { !$0.hasConflict }
    lines += Fit.wrap("Attributes without conflict: \(others)", columns: columns - 4).map {
      PaneLine($0, column: 3)
    }
    return lines
  }

  private func headline(of entry: ConflictEntry) -> String {
    let what =
      entry.attribute?.label ?? entry.labelled.map { "the label of \($0.label)" } ?? "the name"
    let devices = Set(entry.values.map(\.device)).count
    guard entry.hasDeletion else {
      return "\(what) was changed on \(Self.amount(devices)) devices"
    }
    let deleters = Set(entry.values.filter { $0.text == nil }.map(\.device)).map { name(of: $0) }
    let writers = Set(entry.values.filter { $0.text != nil }.map(\.device)).map { name(of: $0) }
    return "\(what) was deleted on \(deleters.sorted().joined(separator: ", ")) while "
      + "\(writers.sorted().joined(separator: ", ")) changed it"
  }

  private func deletionLines(
    _ view: ConflictView, of entry: ConflictEntry, columns: Int
  ) -> [PaneLine] {
    let text =
      "\(deleter(of: entry.record)) deleted \(entry.record.name) while another device went on "
      + "editing it. The edit brought it back: nothing is lost."
    var lines = [PaneLine.empty]
    lines += Fit.wrap(text, columns: columns - 4).map { PaneLine($0, column: 3) }
    lines.append(.empty)
    for (number, choice) in ["delete it, on all devices", "keep it"].enumerated() {
      var line = PaneLine("\(number + 1)", column: 5)
      line.add(choice, column: 8)
      if view.keepsContext == (number == 1) {
        line.add(">", column: 3)
        line.isMarked = true
        line.cursor = 3
      }
      lines.append(line)
    }
    lines.append(.empty)
    let rest = "It stays as it is until you choose. A deleted context can be restored for 30 days."
    return lines + Fit.wrap(rest, columns: columns - 4).map { PaneLine($0, column: 3) }
  }

  private static func amount(_ count: Int) -> String {
    switch count {
    case 0, 1: "several"
    case 2: "two"
    case 3: "three"
    default: "\(count)"
    }
  }

  private func line(of value: ValueRecord, number: Int, view: ConflictView) -> PaneLine {
    var line = PaneLine("\(number)", column: 5)
    line.add(String(name(of: value.device).prefix(10)), column: 8)
    line.add(time.clock(value.at), column: 19)
    if value.id == view.choice {
      line.add(">", column: 3)
      line.isMarked = true
      line.cursor = 3
    }
    return line
  }
}

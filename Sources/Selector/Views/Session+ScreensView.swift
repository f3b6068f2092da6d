import Sync
import Wire

// What takes the place of the attributes.
extension Session {
  func deviceLines(marked row: Int, columns: Int) -> [PaneLine] {
    let width = (status.peers.map { DisplayWidth.columns(of: $0.name) }.max() ?? 0)
      .clamped(to: 6...16)
    let places = [3, 3 + width + 3, 3 + width + 13, 3 + width + 25]
    var lines = [PaneLine.empty, cells(["device", "state", "seen", "system"], at: places, .dim)]
    for (number, peer) in status.peers.enumerated() {
      let state = peer.isThisDevice ? "this" : peer.isOnline ? "online" : "offline"
      let seen =
        peer.isOnline || peer.isThisDevice
        ? "now" : peer.lastSeen.map { time.short($0, now: now) } ?? "never"
      var line = cells([peer.name, state, seen, peer.platform], at: places, .text)
      if number == row { mark(&line) }
      lines.append(line)
    }
    lines.append(.empty)
    lines.append(contentsOf: behindLines(columns: columns))
    lines.append(PaneLine("+ pair a device: shows a code to type there", column: 3))
    return lines
  }

  private func cells(_ texts: [String], at columns: [Int], _ style: StyleKey) -> PaneLine {
    var line = PaneLine()
    for (text, column) in zip(texts, columns) { line.add(text, column: column, style: style) }
    return line
  }

  private func mark(_ line: inout PaneLine) {
    line.add(">", column: 1)
    line.isMarked = true
    line.cursor = 1
  }

  /// Which devices have everything that was changed here, and which do not yet.
  private func behindLines(columns: Int) -> [PaneLine] {
    var lines: [PaneLine] = []
    for peer in status.peers where !peer.isThisDevice && peer.behind > 0 {
      let text =
        "\(peer.name) is \(Self.counted(peer.behind, "change")) behind. "
        + (peer.isOnline
          ? "They are on their way." : "It gets them when it comes online; nothing to do.")
      lines += Fit.wrap(text, columns: columns - 4).map { PaneLine($0, column: 3) }
    }
    let others = status.peers.filter { !$0.isThisDevice }
    if lines.isEmpty && !others.isEmpty {
      lines = [PaneLine("Every device has everything you changed here.", column: 3)]
    }
    return lines + [.empty]
  }

  func conflictListLines(marked row: Int) -> [PaneLine] {
    let entries = conflicts
    guard !entries.isEmpty else {
      return [.empty, PaneLine("No conflicts. Nothing waits for you.", column: 3, style: .dim)]
    }
    return [.empty]
      + entries.enumerated().map { number, entry in
        var line = PaneLine("!", column: 1, style: .conflictMark)
        line.add("\(entry.record.name) / \(entry.attribute?.label ?? "its name")", column: 3)
        if number == row {
          line.add(">", column: 0)
          line.isMarked = true
          line.cursor = 0
        }
        return line
      }
  }

  func signalLines(marked row: Int) -> [PaneLine] {
    guard !log.entries.isEmpty else {
      return [.empty, PaneLine("Nothing has happened yet.", column: 3, style: .dim)]
    }
    return log.entries.enumerated().map { number, entry in
      var line = line(entry)
      if number == row {
        line.add(">", column: 0)
        line.isMarked = true
        line.cursor = 0
      }
      return line
    }
  }

  func historyLines(_ view: HistoryView, columns: Int) -> [PaneLine] {
    guard let versions = view.versions else {
      return [.empty, PaneLine("Reading the history.", column: 3, style: .dim)]
    }
    let found = record?.attributes.first { $0.id == view.attribute }
    let isConcealed = found.map { $0.isConcealed || $0.kind == .totp } ?? true
    let marked = row(of: view)
    return [.empty]
      + versions.enumerated().flatMap { number, version in
        var line = PaneLine("\(time.date(version.at)) \(time.clock(version.at))", column: 3)
        line.add(name(of: version.device), column: 24)
        if version.isHead { line.trailer = ("now", .dim) }
        if number == marked { mark(&line) }
        return withValue(
          line, version, column: 34, columns: columns - 4, isConcealed: isConcealed)
      }
  }

  /// Adds a value to its row, or below where the row is too short for it.
  private func withValue(
    _ line: PaneLine, _ value: ValueRecord, column: Int, columns: Int, isConcealed: Bool
  ) -> [PaneLine] {
    let text = shown(value, isConcealed: isConcealed)
    let style: StyleKey = isConcealed && !areVersionsRevealed ? .masked : .value
    var line = line
    if !areVersionsRevealed || column + DisplayWidth.columns(of: text) <= columns {
      line.add(text, column: column, style: style)
      return [line]
    }
    return [line]
      + Fit.chop(text, columns: columns - 6).map { PaneLine($0, column: 5, style: style) }
  }

  private func row(of view: HistoryView) -> Int {
    view.row.clamped(to: 0...max(0, (view.versions?.count ?? 1) - 1))
  }

  private func shown(_ version: ValueRecord, isConcealed: Bool) -> String {
    guard let text = version.text else { return "(deleted)" }
    if isConcealed && !areVersionsRevealed { return Fit.mask }
    return text.split(separator: "\n").joined(separator: " / ")
  }
}

// A conflict and its values.
extension Session {
  func conflictLines(_ view: ConflictView, columns: Int) -> [PaneLine] {
    guard let record = contexts.record(view.context) else { return [] }
    let found = record.attributes.first { $0.id == view.attribute }
    let values = conflictValues(view)
    let devices = Set(values.map(\.device)).count
    let what = found?.label ?? "the name"
    var lines = [
      PaneLine.empty,
      PaneLine("\(what) was changed on \(Self.amount(devices)) devices", column: 3),
      .empty,
    ]
    let isConcealed = found.map { $0.isConcealed || $0.kind == .totp } ?? false
    for (number, value) in values.enumerated() {
      let line = line(of: value, number: number + 1, view: view)
      lines += withValue(line, value, column: 30, columns: columns, isConcealed: isConcealed)
    }
    lines.append(.empty)
    if let ancestor = view.ancestor {
      let text = "common ancestor  \(time.date(ancestor.at)), still usable"
      lines += [PaneLine(text, column: 3), .empty]
    }
    lines += Fit.wrap("Both values are kept until you choose.", columns: columns - 4).map {
      PaneLine($0, column: 3)
    }
    let others = record.attributes.count { !$0.hasConflict }
    lines += Fit.wrap("Attributes without conflict: \(others)", columns: columns - 4).map {
      PaneLine($0, column: 3)
    }
    return lines
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

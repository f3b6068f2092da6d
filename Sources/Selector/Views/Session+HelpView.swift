// Keys in full, and the list above the command line.
extension Session {
  func paintHelp(_ help: HelpScreen, _ frame: inout Frame) {
    let body = body
    frame.fill(row: body.row, style: .bar, with: "─")
    frame.put(
      " Help for: \(help.place.caption) ", row: body.row, column: 1, style: .headingFocused)
    let area = Region(
      row: body.row + 1, column: 0, rows: body.rows - 1, columns: body.columns)
    let commands = helpCommands(help)
    let row = help.row.clamped(to: 0...max(0, commands.count - 1))
    let isWide = size.columns >= 76
    let parts = isWide ? Self.halves(commands) : [commands]
    var first = 0
    for (place, part) in parts.enumerated() {
      let columns = area.columns / parts.count
      var region = area
      region.column = place * columns
      region.columns = columns
      paint(part, marked: row - first, in: region, hasFilter: !help.filter.isEmpty, &frame)
      first += part.count
    }
    if commands.isEmpty { frame.put("No key or word matches.", row: area.row + 1, column: 3) }
  }

  /// Whole groups in two columns, as even as they can be.
  private static func halves(_ commands: [Command]) -> [[Command]] {
    let groups = Command.Group.allCases.map { group in commands.filter { $0.group == group } }
      .filter { !$0.isEmpty }
    func rows(_ part: ArraySlice<[Command]>) -> Int { part.reduce(0) { $0 + $1.count + 1 } }
    let split = (0...groups.count).min {
      max(rows(groups[..<$0]), rows(groups[$0...])) < max(rows(groups[..<$1]), rows(groups[$1...]))
    }
    let cut = max(split ?? 0, min(1, groups.count))
    return [groups[..<cut].flatMap(\.self), groups[cut...].flatMap(\.self)]
  }

  private func paint(
    _ commands: [Command], marked: Int, in region: Region, hasFilter: Bool, _ frame: inout Frame
  ) {
    let keys = commands.map { $0.keys.map(\.caption).joined(separator: " ") }
    let width = (keys.map { DisplayWidth.columns(of: $0) }.max() ?? 0).clamped(to: 6...18)
    var lines: [PaneLine] = []
    var group: Command.Group?
    for (place, command) in commands.enumerated() {
      if command.group != group {
        lines.append(PaneLine(command.group.rawValue, column: 1, style: .label))
        group = command.group
      }
      var line = PaneLine(String(keys[place].prefix(width)), column: 3, style: .hintKey)
      line.add(command.text, column: 3 + width + 1)
      if place == marked {
        line.add(">", column: 1)
        line.isMarked = true
        line.cursor = 1
      }
      lines.append(line)
    }
    let wanted = lines.firstIndex(where: \.isMarked)
    let top = Frame.top(showing: wanted, of: lines.count, rows: region.rows)
    frame.paint(lines, in: region, top: top)
  }

  func paintCandidates(_ line: CommandLine, _ frame: inout Frame) {
    let all = candidates(for: line.editor.text)
    guard !all.isEmpty else { return }
    let body = body
    let rows = min(all.count, 8, body.rows)
    let region = Region(
      row: body.row + body.rows - rows, column: 0, rows: rows, columns: body.columns)
    let width = (all.map(\.line.count).max() ?? 0).clamped(to: 8...30)
    let lines = all.enumerated().map { place, candidate in
      var row = PaneLine(candidate.line, column: 2)
      row.add(candidate.text, column: 2 + width + 2, style: .dim)
      if place == line.row {
        row.add(">", column: 0)
        row.isMarked = true
      }
      return row
    }
    frame.cursor = nil
    let top = Frame.top(showing: line.row, of: lines.count, rows: rows)
    frame.paint(lines, in: region, top: top, style: .dialog)
  }
}

import Sync
import Wire

// What takes the place of the attributes.
extension Session {
  func deviceLines(marked row: Int, columns: Int) -> [PaneLine] {
    let width = (status.peers.map { DisplayWidth.columns(of: $0.name) }.max() ?? 0)
      .clamped(to: 6...16)
    let first = 3 + width + 3
    let places = [3, first, first + 10, first + 22, first + 32].filter { $0 + 9 <= columns }
    let headings = ["device", "state", "seen", "revision", "keys"]
    var lines = [PaneLine.empty, cells(headings, at: places, .dim)]
    for (number, peer) in status.peers.enumerated() {
      let state = peer.isThisDevice ? "this" : peer.isOnline ? "online" : "offline"
      let seen =
        peer.isOnline || peer.isThisDevice
        ? "now" : peer.lastSeen.map { time.short($0, now: now) } ?? "not yet"
      let revision = revision(of: peer).map { "\($0)" } ?? "unknown"
      let keys = String((peer.keys ?? "").prefix(9))
      var line = cells([peer.name, state, seen, revision, keys], at: places, .text)
      if number == row { mark(&line) }
      lines.append(line)
      if peer.id == openDevice { lines += details(of: peer, columns: columns) }
    }
    for former in status.former {
      let state = former.hasErased ? "has erased itself" : "revoked"
      lines.append(cells([former.name, state], at: places, .dim))
    }
    lines.append(.empty)
    lines.append(contentsOf: behindLines(columns: columns))
    lines.append(PaneLine("+ pair a device: shows a code to type there", column: 3))
    if status.peers.count > 1 {
      lines += Fit.wrap(
        "x revoke a lost device: it is shut out and erases itself", columns: columns - 4
      ).map { PaneLine($0, column: 3) }
    }
    return lines
  }

  private func revision(of peer: SyncStatus.Peer) -> UInt64? {
    peer.behind.map { status.revision - min(status.revision, UInt64($0)) }
  }

  /// All that is known of a device; its keys are compared with what it shows of itself.
  private func details(of peer: SyncStatus.Peer, columns: Int) -> [PaneLine] {
    let seen = peer.lastSeen.map { "\(time.date($0)) \(time.clock($0))" }
    let facts: [(String, String?)] = [
      ("keys", peer.keys.map { "\($0)   compare there" }),
      ("system", peer.platform.isEmpty ? nil : peer.platform),
      ("seen", peer.isThisDevice || peer.isOnline ? nil : seen ?? "not yet"),
      ("has", revision(of: peer).map { "revision \($0) of \(status.revision)" } ?? "not known"),
    ]
    return facts.flatMap { label, text in
      Fit.wrap(text ?? "", columns: columns - 14).enumerated().compactMap { number, part in
        guard text != nil else { return nil }
        var line = PaneLine(number == 0 ? label : "", column: 5, style: .label)
        line.add(part, column: 13, style: .dim)
        return line.continued
      }
    }
  }

  private func cells(_ texts: [String], at columns: [Int], _ style: StyleKey) -> PaneLine {
    var line = PaneLine()
    for (text, column) in zip(texts, columns) { line.add(text, column: column, style: style) }
    return line
  }

  func mark(_ line: inout PaneLine) {
    line.add(">", column: 1)
    line.isMarked = true
    line.cursor = 1
  }

  private func lag(of peer: SyncStatus.Peer) -> String {
    guard let behind = peer.behind else {
      return "\(peer.name) has not said yet what it holds; its selector says so when it is open."
    }
    return "\(peer.name) is \(Self.counted(behind, "change")) behind. "
      + (peer.isOnline
        ? "They are on their way." : "It gets them when it comes online; nothing to do.")
  }

  /// Which devices have everything that was changed here, and which do not yet.
  private func behindLines(columns: Int) -> [PaneLine] {
    var lines: [PaneLine] = []
    for peer in status.peers where !peer.isThisDevice && peer.behind != 0 {
      lines += Fit.wrap(lag(of: peer), columns: columns - 4).map { PaneLine($0, column: 3) }
    }
    let others = status.peers.filter { !$0.isThisDevice }
    if let delivery, !others.isEmpty {
      let text =
        "Your last change, sent \(time.clock(delivery.sentAt)), is "
        + "\(delivery.words(status.peers))."
      lines += Fit.wrap(text, columns: columns - 4).map { PaneLine($0, column: 3) }
      return lines + [.empty]
    }
    if lines.isEmpty && !others.isEmpty {
      lines = [PaneLine("Every device has everything you changed here.", column: 3)]
    }
    return lines + [.empty]
  }

  func signalLines(marked row: Int) -> [PaneLine] {
    guard !log.entries.isEmpty else {
      return [.empty, PaneLine("Nothing has happened yet.", column: 3, style: .dim)]
    }
    var lines: [PaneLine] = []
    var day = time.date(now)
    for (number, entry) in log.entries.enumerated() {
      if time.date(entry.at) != day {
        day = time.date(entry.at)
        lines.append(PaneLine(day, column: 1, style: .label))
      }
      var line = line(entry, showsDay: false)
      if number == row {
        line.add(">", column: 0)
        line.isMarked = true
        line.cursor = 0
      }
      lines.append(line)
    }
    return lines
  }

  func historyLines(_ view: HistoryView, columns: Int) -> [PaneLine] {
    guard let lines = view.lines else {
      return [.empty, PaneLine("Reading the history.", column: 3, style: .dim)]
    }
    let attributes = Dictionary(
      (record?.attributes ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let marked = view.row.clamped(to: 0...max(0, lines.count - 1))
    return [.empty]
      + lines.enumerated().flatMap { number, entry in
        let version = entry.version
        let found = attributes[entry.attribute]
        var line = PaneLine("\(time.date(version.at)) \(time.clock(version.at))", column: 3)
        line.add(String(name(of: version.device).prefix(9)), column: 24)
        if version.isHead { line.trailer = ("now", .dim) }
        if number == marked { mark(&line) }
        let isConcealed = found.map(Self.isSecret) ?? true
        guard view.isWhole else {
          return withValue(
            line, version, column: 34, columns: columns - 4, isConcealed: isConcealed)
        }
        let label = String((found?.label ?? "").prefix(12))
        let value = withValue(
          PaneLine(label, column: 5, style: .label), version, column: 19, columns: columns,
          isConcealed: isConcealed)
        return [line] + value.map(\.continued)
      }
  }

  /// Whether a value is masked until it is revealed.
  static func isSecret(_ attribute: AttributeRecord) -> Bool {
    attribute.isConcealed || attribute.kind == .totp
  }

  /// Adds a value to its row, or below where the row is too short for it.
  func withValue(
    _ line: PaneLine, _ value: ValueRecord, column: Int, columns: Int, isConcealed: Bool
  ) -> [PaneLine] {
    let text = shown(value, isConcealed: isConcealed)
    let style: StyleKey = isConcealed && !areVersionsRevealed ? .masked : .value
    var line = line
    let room = columns - column
    if DisplayWidth.columns(of: text) <= room || !areVersionsRevealed && room >= Fit.mask.count {
      line.add(text, column: column, style: style)
      return [line]
    }
    return [line]
      + Fit.chop(text, columns: columns - 6).prefix(areVersionsRevealed ? Int.max : 1).map {
        PaneLine($0, column: 5, style: style).continued
      }
  }

  private func shown(_ version: ValueRecord, isConcealed: Bool) -> String {
    guard let text = version.text else { return "(deleted)" }
    if isConcealed && !areVersionsRevealed { return Fit.mask }
    return text.split(separator: "\n").joined(separator: " / ")
  }
}

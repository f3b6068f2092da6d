import Sync
import Wire

// Synchronisation, peers and the live log.
extension Session {
  func paintStatus(_ region: Region, _ frame: inout Frame) {
    let isNarrow = layout.isNarrow
    var lines = [syncLine(isNarrow: isNarrow), peersLine(isNarrow: isNarrow)]
    if let attentionWords { lines.append(labelled("you", attentionWords)) }
    let rows = max(0, region.rows - lines.count)
    for entry in log.entries.dropFirst(logTop).prefix(rows) {
      lines.append(isNarrow ? shortLine(entry) : line(entry))
    }
    if focus == .status, !lines.isEmpty { lines[min(2, lines.count - 1)].cursor = 0 }
    frame.paint(lines, in: region)
  }

  func syncLine(isNarrow: Bool) -> PaneLine {
    var parts = [syncState, "revision \(status.revision)"]
    if status.waiting > 0 && status.state != .waiting {
      let waiting = "\(Self.counted(status.waiting, "change")) waiting"
      parts.insert(waiting, at: isNarrow ? 1 : 2)
    }
    if status.state != .offline {
      if status.push == .down { parts.append("without push, every 30 s") }
      if let received = status.lastReceived { parts.append("received \(time.clock(received))") }
      if let sent = status.lastSent { parts.append("sent \(time.clock(sent))") }
    }
    let gap = isNarrow ? "  " : "   "
    // What does not fit is left out whole.
    while parts.count > 1, 8 + parts.joined(separator: gap).count > size.columns {
      parts.removeLast()
    }
    return labelled("sync", parts.joined(separator: gap))
  }

  private func labelled(_ label: String, _ text: String) -> PaneLine {
    var line = PaneLine(label, column: 1, style: .label)
    line.add(text, column: 8)
    return line
  }

  private var syncState: String {
    if let alarm = status.alarms.first { return "alarm: \(Self.words(alarm: alarm.code))" }
    if let progressWords { return progressWords }
    switch status.state {
    case .current: return "up to date"
    case .syncing: return "synchronising"
    case .waiting: return "\(Self.counted(status.waiting, "change")) waiting"
    case .offline:
      return status.offlineSince.map { "offline since \(time.minutes($0))" } ?? "offline"
    case .locked: return "locked"
    case .alarm: return "stopped"
    case .deleted: return "the account was deleted"
    }
  }

  private func peersLine(isNarrow: Bool) -> PaneLine {
    var line = PaneLine("peers", column: 1, style: .label)
    let gap = isNarrow ? 2 : 3
    let detail = PeerDetail.allCases.first { peersColumns($0, gap: gap) <= size.columns }
    var column = 8
    for peer in status.peers {
      let text = self.text(peer, detail ?? .name)
      line.add(text, column: column, style: peer.isOnline ? .online : .offline)
      column += DisplayWidth.columns(of: text) + gap
    }
    if status.peers.count < 2 {
      let words = isNarrow ? "D + pairs another" : "only this device; D and + pair another"
      line.add(words, column: column, style: .dim)
    }
    return line
  }

  /// How much is said about a peer, as far as there is room.
  private enum PeerDetail: CaseIterable {
    case full, short, name
  }

  private func peersColumns(_ detail: PeerDetail, gap: Int) -> Int {
    status.peers.reduce(8) { $0 + DisplayWidth.columns(of: text($1, detail)) + gap } - gap
  }

  private func text(_ peer: SyncStatus.Peer, _ detail: PeerDetail) -> String {
    let name = "\(sign(peer)) \(peer.name)"
    if peer.isThisDevice { return name + " (this)" }
    switch detail {
    case .full: return "\(name) \(words(peer))"
    case .short: return "\(name) \(state(peer))"
    case .name: return name
    }
  }

  private func state(_ peer: SyncStatus.Peer) -> String {
    let state = peer.isOnline ? "online" : "offline"
    return state + lag(peer)
  }

  private func sign(_ peer: SyncStatus.Peer) -> String {
    peer.isOnline || peer.isThisDevice ? "*" : "o"
  }

  private func words(_ peer: SyncStatus.Peer) -> String {
    var text = peer.isOnline ? "online" : "offline"
    if peer.isOnline, let took = delivery?.times[peer.id] {
      text += ", \(Delivery.duration(took))"
    }
    if !peer.isOnline, let seen = peer.lastSeen { text += ", seen \(time.short(seen, now: now))" }
    return text + lag(peer)
  }

  private func lag(_ peer: SyncStatus.Peer) -> String {
    guard let behind = peer.behind, behind > 0 else { return "" }
    return ", \(behind) behind"
  }

  // Log lines, in one row where there is room.

  private var whoColumns: Int {
    let names = status.peers.map(\.name) + [profile.deviceName, "server"]
    return (names.map { DisplayWidth.columns(of: $0) }.max() ?? 7).clamped(to: 7...12)
  }

  /// `showsDay` is for lists that do not say the day themselves.
  func line(_ entry: SignalEntry, showsDay: Bool = true) -> PaneLine {
    let who = whoColumns
    let at = showsDay ? time.stamp(entry.at, now: now) : time.clock(entry.at)
    var line = PaneLine(at, column: 1, style: .dim)
    line.add(String(entry.who.prefix(who)), column: 11)
    line.add(entry.verb, column: 13 + who)
    line.add(entry.what + waitingWords(entry), column: 23 + who)
    return line
  }

  private func shortLine(_ entry: SignalEntry) -> PaneLine {
    var line = PaneLine(time.stamp(entry.at, now: now), column: 1, style: .dim)
    let what = entry.what.split(separator: " / ").joined(separator: "/")
    let waiting = waitingWords(entry).isEmpty ? "" : " (waiting)"
    line.add("\(entry.who) \(entry.verb)\(waiting) \(what)", column: 10)
    return line
  }

  /// Says of a change made here that the server does not hold it yet.
  private func waitingWords(_ entry: SignalEntry) -> String {
    guard entry.isOwn, let id = entry.context, let record = contexts.record(id) else { return "" }
    let attribute = record.attributes.first { $0.id == entry.attribute }
    return attribute?.isPending ?? record.isPending ? "   (waiting)" : ""
  }
}

// The status pane as a column of its own.
extension Session {
  func paintStatusColumn(_ region: Region, _ frame: inout Frame) {
    var row = 0
    func section(_ lines: [PaneLine], heading: String?) {
      if let heading, row < region.rows {
        frame.fill(
          row: region.row + row, column: region.column, columns: region.columns, style: .bar,
          with: "─")
        frame.put("├", row: region.row + row, column: region.column - 1, style: .bar)
        frame.put(
          " \(heading) ", row: region.row + row, column: region.column, style: .heading)
        row += 1
      }
      var part = region
      part.row += row
      part.rows = min(lines.count, region.rows - row)
      frame.paint(lines, in: part)
      row += max(0, part.rows)
    }
    let peers = peerLines(rows: region.rows / 3, columns: region.columns)
    section(peers + [.empty], heading: nil)
    section(syncLines + [.empty], heading: "Sync")
    let unseen = news.unseen > 0 ? " (\(news.unseen) new)" : ""
    let log = columnLog(rows: region.rows - row - 1, columns: region.columns)
    section(log, heading: "Signals\(unseen)")
  }

  private func peerLines(rows: Int, columns: Int) -> [PaneLine] {
    let width = (status.peers.map { DisplayWidth.columns(of: $0.name) }.max() ?? 0)
      .clamped(to: 8...16)
    var lines = status.peers.prefix(max(1, rows - 1)).map { peer in
      var line = PaneLine("\(sign(peer)) \(peer.name)", column: 1)
      let full = peer.isThisDevice ? "this device" : words(peer)
      let isRoomy = 3 + width + 3 + DisplayWidth.columns(of: full) <= columns
      line.add(
        isRoomy ? full : state(peer), column: 3 + width + 3,
        style: peer.isOnline ? .online : .offline)
      return line
    }
    if status.peers.count < 2 {
      lines.append(PaneLine("D and + pair another device", column: 1, style: .dim))
    }
    return lines
  }

  private var syncLines: [PaneLine] {
    var lines = [PaneLine("\(syncState)   revision \(status.revision)")]
    if let attentionWords {
      lines += Fit.wrap(attentionWords, columns: 35).map { PaneLine($0, style: .pendingMark) }
    }
    if status.state == .offline {
      if let failure = status.failure { lines.append(PaneLine(failure)) }
      if let next = status.nextAttempt {
        lines.append(PaneLine("next try       \(time.clock(next))"))
      }
    } else if status.state == .waiting, let failure = status.failure {
      // What the server refused for good is not sent again by itself.
      lines += Fit.wrap(failure, columns: 35).map { PaneLine($0) }
    } else if status.push == .down {
      lines.append(PaneLine("without push, every 30 s"))
    }
    lines += pushLines
    if status.waiting > 0 && status.state != .waiting {
      lines.append(PaneLine("\(Self.counted(status.waiting, "change")) waiting"))
    }
    if let received = status.lastReceived {
      lines.append(PaneLine("last received  \(time.clock(received))"))
    }
    if let sent = status.lastSent { lines.append(PaneLine("last sent      \(time.clock(sent))")) }
    return lines
  }

  /// Which transport push has, when it is not the best, and why not the better ones.
  private var pushLines: [PaneLine] {
    guard !status.pushRefusals.isEmpty else { return [] }
    let head = status.pushTransport.map { [PaneLine("push           by \($0)")] } ?? []
    return head
      + status.pushRefusals.flatMap { refusal in
        Fit.wrap("not \(refusal.transport): \(refusal.reason)", columns: 35)
          .map { PaneLine($0, style: .dim) }
      }
  }

  private func columnLog(rows: Int, columns: Int) -> [PaneLine] {
    var lines: [PaneLine] = []
    for (place, entry) in log.entries.dropFirst(logTop).enumerated() where lines.count < rows {
      var line = PaneLine(time.stamp(entry.at, now: now), column: 1, style: .dim)
      line.add("\(entry.who) \(entry.verb)", column: 10)
      if focus == .status && place == 0 { line.cursor = 0 }
      lines.append(line)
      let what = entry.what + waitingWords(entry)
      guard !what.isEmpty else { continue }
      lines += Fit.wrap(what, columns: columns - 10).map { PaneLine($0, column: 10) }
    }
    return lines
  }
}

import Sync
import Wire

// What arrives without a key: records, changes, the state of synchronisation, the time.
extension Session {
  mutating func take(_ profile: Profile) -> [Effect] {
    let before = self.profile.phase
    self.profile = profile
    if !profile.themes.contains(theme), let first = profile.themes.first { theme = first }
    guard before != profile.phase else { return [] }
    switch profile.phase {
    case .locked, .empty: return hideForLock()
    case .unlocked:
      greet()
      return []
    }
  }

  /// Everything a locked selector must not show or know goes; text typed into open attributes
  /// waits in memory.
  mutating func hideForLock() -> [Effect] {
    var effects: [Effect] = []
    conceal()
    switch overlay {
    case .values(let form):
      parked = form.withoutSecrets
      if parked == nil { effects = [.formClosed(form.record.id)] }
    case .form(let form): effects = form.context.map { [.formClosed($0)] } ?? []
    case .generator(let generator): effects = [.formClosed(generator.context)]
    case .pairing: effects = [.admit(false)]
    default: break
    }
    // The account secret stays until it is written down: it is shown this once.
    if case .kit = overlay {} else { overlay = nil }
    detail = .attributes
    message = nil
    copyingCode = nil
    themePreview = nil
    lockScreen = LockScreen()
    contexts.replace(with: [])
    return effects
  }

  /// The store is open: goes on where the person was.
  mutating func greet() {
    lockScreen = LockScreen()
    lastKeyAt = now
    if case .form(let form) = overlay, form.context == nil { overlay = nil }
    if let form = parked {
      parked = nil
      overlay = .values(form)
      focus = .attributes
      attribute = form.current
      say("Unlocked. What you typed is still here; it is not saved yet.")
    }
  }

  mutating func take(_ records: [ContextRecord]) {
    let known = Set(contexts.records.map(\.id))
    contexts.replace(with: records)
    guard let name = awaitedName else { return }
    if let new = records.first(where: { $0.name == name && !known.contains($0.id) }) {
      awaitedName = nil
      contexts.select(new.id)
      attribute = new.attributes.first?.id
    }
  }

  /// A conflict rings the bell: it is the one thing that needs a person.
  mutating func take(_ changes: [Change]) -> [Effect] {
    let foreign = changes.filter { $0.device != profile.deviceID }
    if foreign.count > 1 {
      addLine("sync", by: authors(foreign), "\(foreign.count) changes received")
    }
    for change in changes.suffix(SignalLog.limit) { log(change) }
    for change in foreign { news.add(change) }
    guard let last = foreign.last else { return [] }
    if let notice = noticeForForm(foreign) {
      warnForm(notice)
    } else if isUnlocked {
      say(announcement(last, of: foreign))
    }
    return isUnlocked && foreign.contains { $0.kind == .conflict } ? [.bell] : []
  }

  private func announcement(_ change: Change, of all: [Change]) -> String {
    if all.count > 1 { return "~ \(all.count) changes from \(authors(all))  i show  S list" }
    let what = "\(name(of: change.device)) \(Self.verb(change)) \(Self.subject(change))"
    switch change.kind {
    case .conflict: return "! \(what)  X shows it"
    case .added: return "+ \(what)  i show"
    case .set, .removed: return "~ \(what)  i show  z undo"
    }
  }

  private func authors(_ changes: [Change]) -> String {
    let names = Set(changes.map { name(of: $0.device) })
    return names.count == 1 ? names.first ?? "" : "\(names.count) devices"
  }

  static func verb(_ change: Change) -> String {
    switch change.kind {
    case .added: "added"
    case .set: "changed"
    case .removed: "removed"
    case .conflict: "conflict"
    }
  }

  static func subject(_ change: Change) -> String {
    change.label.map { "\(change.contextName) / \($0)" } ?? change.contextName
  }

  private mutating func log(_ change: Change) {
    log.add(
      SignalLog.Entry(
        at: change.at, who: name(of: change.device), verb: Self.verb(change),
        what: Self.subject(change), context: change.context, attribute: change.attribute,
        isOwn: change.device == profile.deviceID))
  }

  /// Adds a line to the log, dated now.
  mutating func addLine(_ verb: String, by who: String, _ what: String = "", at: Int64? = nil) {
    log.add(SignalLog.Entry(at: at ?? now, who: who, verb: verb, what: what))
  }

  /// What a person who is typing must know about a peer's change; nil when it is about another
  /// context.
  private func noticeForForm(_ changes: [Change]) -> String? {
    guard let open = openContext, let change = changes.last(where: { $0.context == open.id })
    else { return nil }
    let who = name(of: change.device)
    if change.kind == .removed && change.attribute == nil {
      return "\(who) deleted it meanwhile. Your text stays; saving brings it back."
    }
    guard let id = change.attribute, open.attributes.contains(id) else { return nil }
    let label = change.label ?? "it"
    if change.kind == .removed {
      return "\(who) removed \(label) meanwhile. Your text stays; saving makes a conflict."
    }
    return "\(who) changed \(label) meanwhile. Your text stays; saving makes a conflict."
  }

  /// The context with an open form and the attributes in it.
  private var openContext: (id: ContextID, attributes: [AttributeID])? {
    switch overlay {
    case .values(let form): (form.record.id, form.drafts.map(\.attribute.id))
    case .generator(let generator):
      (generator.context, generator.attribute.map { [$0.id] } ?? [])
    default: nil
    }
  }

  private mutating func warnForm(_ notice: String) {
    switch overlay {
    case .values(var form):
      form.notice = notice
      overlay = .values(form)
    case .generator(var generator):
      generator.notice = notice
      overlay = .generator(generator)
    default: break
    }
  }

  mutating func take(_ status: SyncStatus) {
    let before = self.status
    self.status = status
    logPeers(before: before)
    if status.state == .offline && before.state != .offline {
      addLine("offline", by: "server", offlineReason)
    } else if before.state == .offline && status.state != .offline && before.offlineSince != nil {
      addLine("online", by: "server")
    }
    if let sent = status.lastSent, sent != before.lastSent, before.waiting > status.waiting {
      let count = before.waiting - status.waiting
      addLine("sync", by: profile.deviceName, "\(Self.counted(count, "change")) sent", at: sent)
    }
    for alarm in status.alarms where !before.alarms.contains(alarm) {
      addLine("alarm", by: "server", alarm.text)
    }
  }

  private var offlineReason: String {
    var parts = [status.failure ?? "not reachable"]
    if let next = status.nextAttempt { parts.append("next try \(time.clock(next))") }
    return parts.joined(separator: ", ")
  }

  private mutating func logPeers(before: SyncStatus) {
    for peer in status.peers where !peer.isThisDevice {
      let old = before.peers.first { $0.id == peer.id }
      if let old, old.isOnline != peer.isOnline {
        addLine(peer.isOnline ? "online" : "offline", by: peer.name)
      }
      if let old, old.behind > 0, peer.behind == 0 {
        addLine("arrived", by: peer.name, "has everything you changed")
      }
    }
  }

  static func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }

  mutating func advance(to time: Int64) -> [Effect] {
    if now == 0 { lastKeyAt = time }
    now = time
    if let until = lockScreen.pausedUntil, until <= now {
      lockScreen.pausedUntil = nil
      lockScreen.notice = nil
    }
    guard isUnlocked else { return [] }
    if now - lastKeyAt >= Self.idleMilliseconds {
      return lockNow(reason: "5 minutes without a key")
    }
    if case .pairing(.code(_, let expiresAt)) = overlay, expiresAt <= now {
      overlay = nil
      complain("The code has expired. + makes a new one.")
      return [.admit(false)]
    }
    if let reveal, reveal.until <= now { conceal() }
    return renewCodes()
  }

  /// Asks for the next code where one that is shown has ended.
  private mutating func renewCodes() -> [Effect] {
    guard reveal != nil, let context = record?.id else { return [] }
    let ended = codes.filter { $0.value.until <= now }.map(\.key)
    for id in ended { codes[id] = nil }
    return ended.sorted().map { .oneTimeCode(context, $0) }
  }

  mutating func lockNow(reason: String) -> [Effect] {
    profile.phase = .locked(since: now, reason: reason)
    addLine("locked", by: profile.deviceName, reason)
    return hideForLock() + [.lock]
  }
}

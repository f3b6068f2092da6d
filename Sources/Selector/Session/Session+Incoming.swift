import Sync
import Wire

// What arrives without a key: records, changes, the state of synchronisation, the time.
extension Session {
  mutating func take(_ profile: Profile) -> [Effect] {
    let before = self.profile.phase
    self.profile = profile
    if case .locked(_, let reason) = before, case .locked(let since, "") = profile.phase {
      // Who says that the store is closed does not know why it was to be.
      self.profile.phase = .locked(since: since, reason: reason)
    }
    if !profile.themes.contains(theme), let first = profile.themes.first { theme = first }
    guard before != self.profile.phase else { return [] }
    switch profile.phase {
    case .locked, .empty: return hideForLock()
    case .unlocked:
      greet()
      return []
    }
  }

  /// Everything a locked selector must not show or know goes; text typed into open forms waits
  /// sealed on disk.
  mutating func hideForLock() -> [Effect] {
    conceal()
    var effects = drafts.keep(openDrafts, at: now) + closingEffects + log.keepDue()
    if case .pairing = overlay { effects = [.admit(false)] }
    drafts.forget()
    saving = []
    past = nil
    progress = nil
    importing = nil
    // The account secret stays until it is written down.
    if case .kit = overlay {} else { overlay = nil }
    detail = .attributes
    message = nil
    copyingCode = nil
    themePreview = nil
    lockScreen = LockScreen()
    contexts.replace(with: [])
    // What was kept comes back when the store is open again.
    log.forget()
    lastQuery = ""
    awaitedName = nil
    awaitedAttribute = nil
    return effects
  }

  /// The store is open: goes on where the person was.
  mutating func greet() {
    lockScreen = LockScreen()
    lastKeyAt = now
    let unseen = news.changes.count
    if unseen > 0 {
      say("~ \(Self.counted(unseen, "change")) you have not looked at  i show  S list")
    }
    if case .form(let form) = overlay, form.context == nil { overlay = nil }
    if overlay == nil, let line = awaitedLine {
      awaitedLine = nil
      overlay = .command(line)
    }
  }

  mutating func take(all records: [ContextRecord]) -> [Effect] {
    let new = awaited(among: records)
    changeContexts { $0.replace(with: records) }
    return dropTrueDrafts() + follow(new)
  }

  mutating func take(_ changed: [ContextRecord], removed: [ContextID]) -> [Effect] {
    let new = awaited(among: changed)
    changeContexts { $0.update(changed, removed: removed) }
    return follow(new)
  }

  /// Changes the list of now, also while an earlier one is shown.
  private mutating func changeContexts(_ change: (inout ContextList) -> Void) {
    guard var taken = past else {
      change(&contexts)
      return
    }
    // Held once only, so that it is changed in place.
    past = nil
    change(&taken.present)
    past = taken
  }

  /// The context a person has just made here.
  private func awaited(among records: [ContextRecord]) -> ContextRecord? {
    guard let name = awaitedName else { return nil }
    return records.first { $0.name == name && contexts.record($0.id) == nil }
  }

  private mutating func follow(_ new: ContextRecord?) -> [Effect] {
    if let new, past == nil {
      awaitedName = nil
      contexts.select(new.id)
      attribute = awaitedAttribute ?? new.attributes.first?.id
      awaitedAttribute = nil
    }
    if case .trash = detail { return [.loadTrash] }
    return []
  }

  /// A conflict rings the bell: it is the one thing that needs a person.
  mutating func take(_ changes: [Change]) -> [Effect] {
    let foreign = changes.filter { $0.device != profile.deviceID }
    if foreign.count > 1 {
      addLine("sync", by: authors(foreign), "\(foreign.count) changes received")
    }
    log(changes)
    news.add(foreign)
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
    case .conflict:
      let other = name(of: change.device)
      return "! conflict with \(other): \(Self.subject(change))  X shows it"
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

  /// What a device changed at once has one line when it is an import's worth, so that the days
  /// before stay in the log. An import from here has its line when it is done.
  private mutating func log(_ changes: [Change]) {
    var (devices, byDevice): ([DeviceID], [DeviceID: [Change]]) = ([], [:])
    for change in changes {
      if byDevice[change.device] == nil { devices.append(change.device) }
      byDevice[change.device, default: []].append(change)
    }
    for device in devices {
      guard let changes = byDevice[device] else { continue }
      if device == profile.deviceID, importing != nil, changes.count > 1 { continue }
      if changes.count > SignalLog.batchLines {
        log(batch: changes, by: device)
      } else {
        for change in changes { log(change) }
      }
    }
  }

  private mutating func log(batch changes: [Change], by device: DeviceID) {
    let contexts = Self.counted(Set(changes.map(\.context)).count, "context")
    let isNew = changes.allSatisfy { $0.kind == .added && $0.attribute == nil }
    addLine(
      isNew ? "added" : "changed", by: name(of: device),
      isNew ? contexts : "\(Self.counted(changes.count, "value")) in \(contexts)",
      at: changes.map(\.at).max())
  }

  private mutating func log(_ change: Change) {
    log.add(
      SignalEntry(
        at: change.at, who: name(of: change.device), verb: Self.verb(change),
        what: Self.subject(change), context: change.context, attribute: change.attribute,
        isOwn: change.device == profile.deviceID), now: now)
  }

  /// Adds a line to the log, dated now.
  mutating func addLine(_ verb: String, by who: String, _ what: String = "", at: Int64? = nil) {
    log.add(SignalEntry(at: at ?? now, who: who, verb: verb, what: what), now: now)
  }

  /// What a person who is typing must know about a peer's change; nil when it is about another
  /// context.
  private func noticeForForm(_ changes: [Change]) -> String? {
    guard let open = openContext else { return nil }
    let here = changes.filter { $0.context == open.id }
    // What is being typed over matters more than what changed beside it.
    let inForm = here.last { change in
      change.attribute.map(open.attributes.contains) ?? (change.kind == .removed)
    }
    guard let change = inForm ?? here.last else { return nil }
    let who = name(of: change.device)
    if change.kind == .removed && change.attribute == nil {
      return "\(change.contextName) was deleted on \(who) while you edit; saving brings it back"
    }
    guard let id = change.attribute else {
      return "the name was changed on \(who) while you edit"
    }
    let label = change.label ?? "an attribute"
    let isOpen = open.attributes.contains(id)
    switch change.kind {
    case .removed:
      let what = "\(label) was deleted on \(who) while you edit"
      return isOpen ? what + "; saving brings it back" : what
    case .added: return "\(label) was added on \(who) while you edit"
    case .set, .conflict:
      let what = "\(label) was changed on \(who) while you edit"
      return isOpen ? what + "; saving keeps both" : what
    }
  }

  /// The context with an open form and the attributes in it.
  private var openContext: (id: ContextID, attributes: [AttributeID])? {
    switch overlay {
    case .values(let form): (form.record.id, form.entries.map(\.attribute.id))
    case .form(let form): form.context.map { ($0, []) }
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
    case .form(var form):
      form.news = notice
      overlay = .form(form)
    case .generator(var generator):
      generator.notice = notice
      overlay = .generator(generator)
    default: break
    }
  }

  mutating func take(_ status: SyncStatus) {
    let before = self.status
    self.status = status
    noteDelivery(before: before)
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
    correctMessage()
    for alarm in status.alarms where !before.alarms.contains(alarm) {
      addLine("alarm", by: "server", alarm.text)
    }
  }

  /// A delivery begins when the server took a change from here.
  private mutating func noteDelivery(before: SyncStatus) {
    if let sent = status.lastSent, sent != before.lastSent, before.waiting > status.waiting {
      delivery = Delivery(sentAt: sent)
    }
    delivery?.note(status.peers, now: now)
  }

  private var offlineReason: String {
    let failure = status.failure ?? "not reachable"
    guard let next = status.nextAttempt else { return failure }
    let when = time.clock(next)
    return failure.hasSuffix(".") ? "\(failure) Next try \(when)" : "\(failure), next try \(when)"
  }

  /// Peers have their names only once the store is open.
  private mutating func logPeers(before: SyncStatus) {
    guard isUnlocked else { return }
    for peer in status.peers where !peer.isThisDevice {
      let old = before.peers.first { $0.id == peer.id }
      if let old, old.isOnline != peer.isOnline {
        addLine(peer.isOnline ? "online" : "offline", by: peer.name)
      }
      if let old, old.behind != 0, peer.behind == 0 {
        addLine("arrived", by: peer.name, delivery?.words(status.peers) ?? "has everything now")
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
    let due = drafts.due.map { $0 <= now } ?? false
    let isLogDue = log.due.map { $0 <= now } ?? false
    return (due ? keepDrafts() : []) + (isLogDue ? log.keepDue() : []) + renewCodes()
  }

  /// Asks for the next code where one that is shown has ended.
  private mutating func renewCodes() -> [Effect] {
    guard reveal != nil, let record else { return [] }
    let ended = codes.filter { $0.value.until <= now }.map(\.key)
    for id in ended { codes[id] = nil }
    return ended.sorted().compactMap { id in
      record.attributes.first { $0.id == id }.map { .oneTimeCode(id, secret: $0.text) }
    }
  }

  mutating func lockNow(reason: String) -> [Effect] {
    profile.phase = .locked(since: now, reason: reason)
    addLine("locked", by: profile.deviceName, reason)
    return hideForLock() + [.lock]
  }

  /// A standing alarm comes with the status; anything else is listed until it is dealt with.
  mutating func take(_ notice: Notice) {
    if isUnlocked { say(notice.text) }
    guard !notice.isAlarm else {
      alarmTimes[notice.code] = notice.at
      return
    }
    addLine("notice", by: profile.deviceName, notice.text, at: notice.at)
    notices.removeAll { $0.code == notice.code }
    notices.append(notice)
    if notices.count > Self.noticeLimit { notices.removeFirst() }
  }
}

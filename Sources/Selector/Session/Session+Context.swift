import Sync
import Wire

// What can be done with the marked context and its attributes.
extension Session {
  mutating func performOnContext(_ command: Command.ID) -> [Effect] {
    switch command {
    case .newContext: return open(newContextForm())
    case .back: return goBack()
    case .whatChanged: return showWhatChanged()
    default: break
    }
    guard let record else {
      say("There is no context yet. o makes one, :import reads a file.")
      return []
    }
    switch command {
    case .open: return enter(record)
    case .addAttribute: return open(newAttributeForm(record))
    case .rename: return open(renameForm(record))
    case .delete: ask(deletion(in: record))
    case .changePassword: return openGenerator(for: record)
    case .copyUsername: return copyFirst([.username, .email], "username", of: record)
    case .copyPassword: return copyFirst([.password], "password", of: record)
    case .copyCode: return copyFirst([.totp], "one-time code", of: record)
    case .edit: return edit(markedAttribute, of: record)
    case .copy: return copy(markedAttribute, of: record)
    case .reveal: return toggleReveal(of: record)
    case .history: return openHistory(of: record)
    case .moveDown: return move(markedAttribute, of: record, by: max(1, count))
    case .moveUp: return move(markedAttribute, of: record, by: -max(1, count))
    case .pin: return togglePin(of: record)
    default: break
    }
    return []
  }

  private mutating func move(
    _ attribute: AttributeRecord?, of record: ContextRecord, by step: Int
  ) -> [Effect] {
    guard let attribute,
      let place = record.attributes.firstIndex(where: { $0.id == attribute.id })
    else { return [] }
    let target = (place + step).clamped(to: 0...(record.attributes.count - 1))
    guard target != place else {
      say("\(attribute.label) is the \(step > 0 ? "last" : "first") already.")
      return []
    }
    let others = record.attributes.filter { $0.id != attribute.id }
    let next = others.indices.contains(target) ? others[target].id : nil
    return save([.placeAttribute(record.id, attribute.id, before: next)])
  }

  /// A pinned context has an attribute that says so, which is removed to take it down again.
  private mutating func togglePin(of record: ContextRecord) -> [Effect] {
    let pins = record.attributes.filter(\.isPin)
    remark = pins.isEmpty ? "It is pinned to the top." : "It is not pinned any more."
    guard pins.isEmpty else {
      return save(pins.map { .removeAttribute(record.id, $0.id, base: $0.heads.map(\.id)) })
    }
    return save([
      .addAttribute(
        record.id,
        Edit.NewAttribute(label: AttributeRecord.pinLabel, kind: .boolean, text: "true"))
    ])
  }

  /// Leaves the attributes, then a narrowed list, then the past.
  private mutating func goBack() -> [Effect] {
    if focus == .attributes {
      focus(on: .contexts)
    } else if contexts.isNarrowed {
      contexts.narrow(to: "", marksBest: false)
    } else if past != nil {
      leavePast()
      say("Back to now.")
    }
    return []
  }

  private mutating func enter(_ record: ContextRecord) -> [Effect] {
    focus(on: .attributes)
    if record.names.count > 1, past == nil { return openConflict(record, about: .name) }
    return []
  }

  private func deletion(in record: ContextRecord) -> Question? {
    if focus == .attributes {
      guard let marked = markedAttribute else { return nil }
      return Question(
        text: "Delete \(marked.label) of \(record.name) on all devices? Its history stays.",
        action: .save([
          .removeAttribute(record.id, marked.id, base: marked.heads.map(\.id))
        ]))
    }
    return Question(
      text: "Delete \(record.name) on all devices? It can be restored for 30 days.",
      action: .save([.deleteContext(record.id)]))
  }

  private mutating func ask(_ question: Question?) {
    guard let question else {
      say("There is no attribute to delete.")
      return
    }
    overlay = .question(question)
  }

  mutating func answer(_ yes: Bool) -> [Effect] {
    guard case .question(let question) = overlay else { return [] }
    overlay = nil
    guard yes else {
      say("Nothing was done.")
      if case .discard = question.action { overlay = .drafts(row: 0) }
      return []
    }
    switch question.action {
    case .save(let edits): return save(edits)
    case .discard(let id): return discard(id)
    case .clearAlarm(let code): return [.clearAlarm(code: code)]
    case .export(let format, let path): return [.exportFile(format: format, path: path)]
    }
  }
}

// Copying and revealing.
extension Session {
  func copyLabel(_ id: AttributeID) -> String {
    guard let record, let attribute = record.attributes.first(where: { $0.id == id }) else {
      return "one-time code"
    }
    return "\(record.name) / \(attribute.label)"
  }

  private mutating func copyFirst(
    _ kinds: [AttributeRecord.Kind], _ noun: String, of record: ContextRecord
  ) -> [Effect] {
    let found = kinds.lazy.compactMap { kind in record.attributes.first { $0.kind == kind } }.first
    guard let found else {
      say("\(record.name) has no \(noun). a adds one.")
      return []
    }
    return copy(found, of: record)
  }

  private mutating func copy(
    _ attribute: AttributeRecord?, of record: ContextRecord
  ) -> [Effect] {
    guard let attribute else {
      say("There is no attribute to copy. a adds one.")
      return []
    }
    if attribute.kind == .totp {
      copyingCode = attribute.id
      return [.oneTimeCode(attribute.id, secret: attribute.text)]
    }
    if attribute.hasConflict {
      say("! \(attribute.label) is in conflict; this is the newest value. X shows all.")
    }
    return [
      .copy(
        text: attribute.text, label: "\(record.name) / \(attribute.label)",
        concealed: attribute.isConcealed)
    ]
  }

  /// Shows the marked attribute, or from the list of contexts the password, for 15 s.
  private mutating func toggleReveal(of record: ContextRecord) -> [Effect] {
    let password = record.attributes.first { $0.kind == .password }
    let target = focus == .attributes ? markedAttribute : password ?? markedAttribute
    guard let target else {
      say("There is nothing to reveal.")
      return []
    }
    if reveal?.target == .attribute(target.id) {
      conceal()
      return []
    }
    conceal()
    reveal = Reveal(target: .attribute(target.id), until: now + Reveal.milliseconds)
    return target.kind == .totp ? [.oneTimeCode(target.id, secret: target.text)] : []
  }

  mutating func toggleRevealOfVersions() {
    if reveal?.target == .versions {
      conceal()
    } else {
      reveal = Reveal(target: .versions, until: now + Reveal.milliseconds)
    }
  }

  func isRevealed(_ attribute: AttributeRecord) -> Bool {
    reveal?.target == .attribute(attribute.id)
  }

  var areVersionsRevealed: Bool { reveal?.target == .versions }
}

// Peers' changes that have not been looked at.
extension Session {
  /// Goes to the newest change that was not looked at and shows what it was.
  private mutating func showWhatChanged() -> [Effect] {
    let here = news.changes.last { $0.context == contexts.selectedID }
    guard let change = here ?? news.changes.last else {
      say("No peer changed anything you have not seen.")
      return []
    }
    let before = contexts.selectedID
    contexts.select(change.context)
    didSelect(insteadOf: before)
    news.look(at: change.context)
    news.lookAtSignals()
    let record = contexts.record(change.context)
    let changed = record?.attributes.first { $0.id == change.attribute }
    // News holds no names: they are looked up now.
    let subject = [record?.name, changed?.label].compactMap(\.self).joined(separator: " / ")
    say(
      "\(name(of: change.device)) \(Self.verb(change)) "
        + "\(record == nil ? "a context" : subject) at \(time.clock(change.at))")
    guard let record else { return [] }
    focus(on: .attributes)
    guard let changed else { return [] }
    attribute = changed.id
    return changed.hasConflict ? openConflict(record, about: .attribute(changed.id)) : []
  }
}

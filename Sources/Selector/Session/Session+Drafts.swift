import Sync
import Wire

// Keeping what is typed.
extension Session {
  /// What the open form says; empty when none is open.
  var openDrafts: [OpenDraft] {
    switch overlay {
    case .values(let form): form.entries.map { openDraft(of: $0, in: form) }
    case .form(let form): openDraft(of: form).map { [$0] } ?? []
    case .generator(let generator): [openDraft(of: generator)]
    default: []
    }
  }

  /// The ids of what the open form says.
  private var openDraftIDs: Set<DraftID> {
    switch overlay {
    case .values(let form): Set(form.entries.map(\.draft))
    case .form(let form): form.draft.map { [$0] } ?? []
    case .generator(let generator): [generator.draft]
    default: []
    }
  }

  private func openDraft(of entry: ValueForm.Entry, in form: ValueForm) -> OpenDraft {
    OpenDraft(
      draft: valueDraft(
        entry.draft, text: entry.editor.text, of: entry.attribute, base: entry.base,
        in: form.record.id, named: form.record.name),
      isModified: entry.isModified)
  }

  private func valueDraft(
    _ id: DraftID, text: String, of attribute: AttributeRecord, base: [VersionID],
    in context: ContextID, named name: String
  ) -> Draft {
    Draft(
      id: id, form: .editValue, context: context, attribute: attribute.id, base: base,
      fields: [
        DraftField.value: text, DraftField.context: name, DraftField.label: attribute.label,
        DraftField.kind: attribute.kind.rawValue,
        DraftField.isConcealed: attribute.isConcealed ? "1" : "0",
      ], at: now)
  }

  private func openDraft(of generator: Generator) -> OpenDraft {
    let value = generator.value ?? ""
    let draft: Draft
    if let attribute = generator.attribute {
      draft = valueDraft(
        generator.draft, text: value, of: attribute, base: attribute.heads.map(\.id),
        in: generator.context, named: generator.contextName)
    } else {
      draft = Draft(
        id: generator.draft, form: .addAttribute, context: generator.context, attribute: nil,
        base: nil,
        fields: [
          DraftField.label: "password", DraftField.kind: AttributeRecord.Kind.password.rawValue,
          DraftField.value: value, DraftField.context: generator.contextName,
        ], at: now)
    }
    return OpenDraft(draft: draft, isModified: generator.value != nil)
  }

  private func openDraft(of form: Form) -> OpenDraft? {
    guard let id = form.draft else { return nil }
    var fields = form.texts
    let kind: Draft.Form
    var attribute: AttributeID?
    switch form.purpose {
    case .newContext: kind = .newContext
    case .newAttribute: kind = .addAttribute
    case .renameContext: kind = .rename
    case .renameAttribute(_, let id):
      kind = .describe
      attribute = id
    default:
      // About the account or a device: secrets, and nothing to go on with.
      return nil
    }
    if let context = form.context.flatMap({ contexts.record($0) }) {
      fields[DraftField.context] = context.name
    }
    return OpenDraft(
      draft: Draft(
        id: id, form: kind, context: form.context, attribute: attribute,
        base: form.base.map { [$0] },
        fields: fields, at: now),
      isModified: form.texts != form.original)
  }

  /// Hands over what is typed, whatever the time: the program is about to lock, stop or end.
  mutating func keepDrafts() -> [Effect] {
    guard isUnlocked else { return [] }
    return drafts.keep(openDrafts, at: now)
  }

  /// Drops what was kept of a form that is closed.
  mutating func dropDrafts(of closed: Overlay?) -> [Effect] {
    var effects: [Effect] = []
    switch closed {
    case .values(let form): for entry in form.entries { effects += drafts.drop(entry.draft) }
    case .form(let form): effects = form.draft.map { drafts.drop($0) } ?? []
    case .generator(let generator): effects = drafts.drop(generator.draft)
    default: break
    }
    return effects
  }

  /// Closes the form without having saved it.
  mutating func abandon() -> [Effect] {
    let closed = overlay
    overlay = nil
    return dropDrafts(of: closed)
  }

  /// Asks for edits to be kept and closes the form they come from, if any. It is shown again if
  /// they cannot be, and what was kept of it is dropped only when they are.
  ///
  /// What was typed for a context that a peer deleted meanwhile takes the deletion back.
  mutating func save(_ edits: [Edit]) -> [Effect] {
    let closed = overlay
    saving.append(closed)
    overlay = nil
    let context: ContextID? =
      switch closed {
      case .values(let form): form.record.id
      case .form(let form): form.context
      case .generator(let generator): generator.context
      default: nil
      }
    guard let context, contexts.record(context) == nil else { return [.save(edits)] }
    if case .values(let form) = closed {
      awaitedName = form.record.name
      awaitedAttribute = form.current
    }
    return [.save([.restoreContext(context)] + edits)]
  }

  /// The edits are on disk.
  mutating func takeSaved() -> [Effect] {
    let closed = saving.isEmpty ? nil : saving.removeFirst()
    if overlay == nil { say(trimmed("Saved. \(remark ?? arrival)")) }
    remark = nil
    return dropDrafts(of: closed)
  }

  /// The edits could not be kept: the form is there again, with all that was typed.
  mutating func takeNotSaved(_ reason: String) -> [Effect] {
    let closed = saving.isEmpty ? nil : saving.removeFirst()
    remark = nil
    complain(reason)
    addLine("failed", by: profile.deviceName, reason)
    guard let form = closed, overlay == nil, isUnlocked else { return [] }
    overlay = form
    switch form {
    case .values(var form):
      form.notice = reason
      overlay = .values(form)
      return [.formOpened(form.record.id)]
    case .form(var form):
      form.notice = reason
      overlay = .form(form)
      return form.context.map { [.formOpened($0)] } ?? []
    case .generator(var generator):
      generator.notice = reason
      overlay = .generator(generator)
      return [.formOpened(generator.context)]
    default: return []
    }
  }
}

// Going on with what was not saved.
extension Session {
  /// Kept edits whose form is not open, the newest first.
  var waitingDrafts: [Draft] {
    guard !drafts.kept.isEmpty else { return [] }
    let open = openDraftIDs
    return drafts.kept.values.filter { !open.contains($0.id) }
      .sorted { ($0.at, $0.id) > ($1.at, $1.id) }
  }

  /// The store is open: what waits is offered, what has become true meanwhile is dropped.
  mutating func take(_ found: [Draft]) -> [Effect] {
    guard isUnlocked else { return [] }
    drafts.load(found)
    let effects = dropTrueDrafts()
    if overlay == nil, !waitingDrafts.isEmpty { overlay = .drafts(row: 0) }
    return effects
  }

  /// Drops edits that were saved after all.
  mutating func dropTrueDrafts() -> [Effect] {
    guard past == nil else { return [] }
    let effects = waitingDrafts.filter(isTrueAlready).flatMap { drafts.drop($0.id) }
    if case .drafts = overlay, waitingDrafts.isEmpty { overlay = nil }
    return effects
  }

  /// Whether an edit was saved after all, just before the power went.
  private func isTrueAlready(_ draft: Draft) -> Bool {
    guard draft.form == .editValue, let attribute = attribute(of: draft) else { return false }
    return attribute.text == draft.fields[DraftField.value] && !attribute.hasConflict
  }

  private func attribute(of draft: Draft) -> AttributeRecord? {
    let record = draft.context.flatMap { contexts.record($0) }
    return record?.attributes.first { $0.id == draft.attribute }
  }

  /// What an unsaved edit is about, in words.
  func words(_ draft: Draft) -> String {
    draft.words(
      context: draft.context.flatMap { contexts.record($0)?.name },
      label: attribute(of: draft)?.label)
  }

  mutating func openDraftList() {
    conceal()
    if waitingDrafts.isEmpty {
      say("There are no unsaved edits.")
    } else {
      overlay = .drafts(row: 0)
    }
  }

  mutating func performDrafts(_ command: Command.ID) -> [Effect] {
    guard case .drafts(let row) = overlay else { return [] }
    let waiting = waitingDrafts
    let last = max(0, waiting.count - 1)
    guard waiting.indices.contains(row) else {
      overlay = nil
      return []
    }
    switch command {
    case .down: overlay = .drafts(row: min(last, row + max(1, count)))
    case .up: overlay = .drafts(row: max(0, row - max(1, count)))
    case .open: return goOn(with: waiting[row])
    case .delete:
      overlay = .question(
        Question(
          text: "Discard the unsaved edit of \(words(waiting[row]))?",
          action: .discard(waiting[row].id)))
    case .back:
      overlay = nil
      say("Unsaved edits are kept. :drafts shows them.")
    default: break
    }
    return []
  }

  mutating func discard(_ id: DraftID) -> [Effect] {
    let effects = drafts.drop(id)
    overlay = waitingDrafts.isEmpty ? nil : .drafts(row: 0)
    say("The unsaved edit was discarded.")
    return effects
  }

  /// Opens the form of an interrupted edit, with what was typed and over what was seen then.
  private mutating func goOn(with draft: Draft) -> [Effect] {
    conceal()
    leavePast()
    if let context = draft.context { contexts.select(context) }
    detail = .attributes
    switch draft.form {
    case .editValue: return goOn(editing: draft)
    case .newContext: return goOn(with: draft, in: newContextForm())
    case .addAttribute: return goOn(with: draft, in: newAttributeForm(standIn(for: draft)))
    case .rename: return goOn(with: draft, in: renameForm(nameOf: standIn(for: draft)))
    case .describe:
      guard let attribute = attribute(of: draft) else {
        say("That attribute is gone; there is nothing to rename. d discards the edit.")
        return []
      }
      return goOn(with: draft, in: renameForm(attribute, of: standIn(for: draft)))
    }
  }

  private mutating func goOn(editing draft: Draft) -> [Effect] {
    let record = standIn(for: draft)
    let held = self.attribute(of: draft)
    let attribute = held ?? standInAttribute(for: draft)
    var form = ValueForm(
      record, goingOnWith: draft.fields[DraftField.value] ?? "", of: attribute, base: draft.base,
      draft: draft.id)
    if contexts.record(record.id) == nil {
      form.notice = "\(record.name) was deleted since you typed this; saving brings it back."
    } else if held == nil {
      form.notice = "\(attribute.label) was deleted since you typed this; saving brings it back."
    } else if Set(draft.base ?? []) != Set(attribute.heads.map(\.id)), draft.base != nil {
      form.notice =
        "\(attribute.label) was changed on \(name(of: attribute.updatedBy)) since you typed this; "
        + "saving keeps both."
    }
    focus = .attributes
    self.attribute = attribute.id
    overlay = .values(form)
    return [.formOpened(record.id)]
  }

  private mutating func goOn(with draft: Draft, in empty: Form) -> [Effect] {
    var form = empty
    form.draft = draft.id
    form.base = draft.base?.first
    form.fill(draft.fields)
    fitValue(of: &form)
    overlay = .form(form)
    return form.context.map { [.formOpened($0)] } ?? []
  }

  /// The draft's context, or what is known of one that is gone.
  private func standIn(for draft: Draft) -> ContextRecord {
    if let record = draft.context.flatMap({ contexts.record($0) }) { return record }
    return ContextRecord(
      id: draft.context ?? .zero, name: draft.fields[DraftField.context] ?? "deleted context",
      kind: .account, attributes: draft.attribute == nil ? [] : [standInAttribute(for: draft)],
      updatedAt: draft.at, updatedBy: profile.deviceID ?? .zero)
  }

  private func standInAttribute(for draft: Draft) -> AttributeRecord {
    AttributeRecord(
      id: draft.attribute ?? .zero, label: draft.fields[DraftField.label] ?? "value",
      kind: AttributeRecord.Kind(rawValue: draft.fields[DraftField.kind] ?? "text"),
      isConcealed: draft.fields[DraftField.isConcealed] == "1", text: "",
      heads: (draft.base ?? []).map {
        ValueRecord(
          id: $0, device: profile.deviceID ?? .zero, at: draft.at, text: "", isHead: true)
      }, updatedAt: draft.at, updatedBy: profile.deviceID ?? .zero)
  }
}

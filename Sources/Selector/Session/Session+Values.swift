import Sync
import Vault
import Wire

// Editing attributes where they stand.
extension Session {
  /// Opens the form of an attribute; a conflict has to be settled first.
  mutating func edit(_ attribute: AttributeRecord?, of record: ContextRecord) -> [Effect] {
    guard let attribute else {
      say("There is no attribute yet. a adds one.")
      return []
    }
    if attribute.hasConflict { return openConflict(record, about: .attribute(attribute.id)) }
    return openForm(of: attribute, in: record)
  }

  mutating func openForm(of attribute: AttributeRecord, in record: ContextRecord) -> [Effect] {
    conceal()
    focus = .attributes
    if waitingDrafts.contains(where: { $0.form == .editValue && $0.attribute == attribute.id }) {
      say("There is an unsaved edit of \(attribute.label) already; :drafts shows it.")
    }
    overlay = .values(ValueForm(record, editing: attribute, draft: drafts.newID(at: now)))
    return [.formOpened(record.id)]
  }

  mutating func performValues(_ command: Command.ID) -> [Effect] {
    guard case .values(var form) = overlay else { return [] }
    switch command {
    case .save: return save(form)
    case .back: return discard(form)
    case .next: return editNeighbour(of: form, step: 1)
    case .previous: return editNeighbour(of: form, step: -1)
    case .show: form.isShown.toggle()
    case .generate: return [.generate(generatorForm(for: form.currentEntry?.attribute))]
    default: return []
    }
    overlay = .values(form)
    return []
  }

  private mutating func save(_ form: ValueForm) -> [Effect] {
    let edits = form.edits
    if edits.isEmpty {
      say("Nothing was changed.")
      return abandon() + [.formClosed(form.record.id)]
    }
    let changed = form.entries.filter(\.isModified)
    if let entry = changed.first(where: { !$0.attribute.kind.isUsable($0.editor.text) }) {
      let attribute = entry.attribute
      var form = form
      form.edit(attribute, draft: entry.draft)
      form.notice = doubt(attribute.label, attribute.kind, entry.editor.text)
      overlay = .values(form)
      return []
    }
    remark = nil
    for entry in changed where remark == nil {
      remark = doubt(entry.attribute.label, entry.attribute.kind, entry.editor.text)
    }
    return save(edits) + [.formClosed(form.record.id)]
  }

  private mutating func discard(_ form: ValueForm) -> [Effect] {
    say(form.edits.isEmpty ? "Nothing was changed." : "Cancelled. The old value stays.")
    return abandon() + [.formClosed(form.record.id)]
  }

  /// Goes to the next attribute of the same form; all of it is saved together.
  private mutating func editNeighbour(of form: ValueForm, step: Int) -> [Effect] {
    var form = form
    let record = form.over(contexts.record(form.record.id))
    let attributes = record.attributes.filter { !$0.hasConflict }
    guard let place = attributes.firstIndex(where: { $0.id == form.current }),
      attributes.count > 1
    else { return [] }
    let next = attributes[(place + step + attributes.count) % attributes.count]
    form.edit(next, draft: drafts.newID(at: now))
    form.isShown = false
    attribute = next.id
    overlay = .values(form)
    return []
  }
}

// The dialog that makes a new password.
extension Session {
  /// What was asked for the last time: for this attribute on any device, else for any here.
  func generatorForm(for attribute: AttributeRecord?) -> GeneratorForm {
    attribute?.recipe.flatMap(PasswordRecipe.init(text:)).map(GeneratorForm.init) ?? generatorForm
  }

  mutating func openGenerator(for record: ContextRecord) -> [Effect] {
    let marked = focus == .attributes ? markedAttribute : nil
    let password =
      marked?.kind == .password ? marked : record.attributes.first { $0.kind == .password }
    conceal()
    let form = generatorForm(for: password)
    overlay = .generator(
      Generator(
        context: record.id, contextName: record.name, attribute: password, form: form,
        draft: drafts.newID(at: now)))
    if let password { attribute = password.id }
    return [.formOpened(record.id), .generate(form)]
  }

  mutating func performGenerator(_ command: Command.ID) -> [Effect] {
    guard case .generator(var generator) = overlay else { return [] }
    let form = generator.form
    switch command {
    case .apply: return use(generator)
    case .back, .no:
      say("The old password stays.")
      return abandon() + [.formClosed(generator.context)]
    case .another: return [.generate(form)]
    case .show: generator.isShown.toggle()
    case .copy: return copy(generator.value, "new password", of: generator)
    case .copyOld: return copy(generator.attribute?.text, "old password", of: generator)
    case .shorter: generator.form.lengthen(by: -1)
    case .longer: generator.form.lengthen(by: 1)
    case .kind: generator.form.chooseNextKind()
    default: generator.form.toggle(command)
    }
    overlay = .generator(generator)
    generatorForm = generator.form
    return generator.form == form ? [] : [.generate(generator.form)]
  }

  private mutating func use(_ generator: Generator) -> [Effect] {
    guard let edit = generator.edit else { return [] }
    return save([edit]) + [.formClosed(generator.context)]
  }

  private func copy(_ text: String?, _ noun: String, of generator: Generator) -> [Effect] {
    guard let text else { return [] }
    return [.copy(text: text, label: "\(generator.contextName) / \(noun)", concealed: true)]
  }
}

extension GeneratorForm {
  /// Carries out a command about a class of characters; any other does nothing.
  fileprivate mutating func toggle(_ command: Command.ID) {
    guard kind == .random else { return }
    if command == .lookAlikes { return toggleLookAlikes() }
    let classes: [Command.ID: CharacterClass] = [
      .lower: .lower, .upper: .upper, .digits: .digits, .symbols: .symbols,
    ]
    if let chosen = classes[command] { toggle(chosen) }
  }
}

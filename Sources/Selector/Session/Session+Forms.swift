import Foundation
import Sync
import Wire

// Dialogs with fields.
extension Session {
  static let contextKinds: [ContextRecord.Kind] = [.account, .personal, .card, .note]
  static let attributeKinds = AttributeRecord.Kind.offered
  /// 8: with the slowness of the key derivation enough against guessing a stolen store for a day;
  /// the form advises more.
  public static let passphraseCharacters = 8

  mutating func open(_ form: Form) -> [Effect] {
    conceal()
    var form = form
    form.draft = drafts.newID(at: now)
    overlay = .form(form)
    return form.context.map { [.formOpened($0)] } ?? []
  }

  func newContextForm(named name: String = "", _ kind: ContextRecord.Kind = .account) -> Form {
    let kinds = Self.contextKinds
    return Form(
      .newContext, title: "New context",
      fields: [
        Form.Field(name: "name", content: .text(LineEditor(name)), help: "home, bank.example"),
        Form.Field(
          name: "kind",
          content: .choice(kinds.map(\.rawValue), kinds.firstIndex(of: kind) ?? 0)),
      ])
  }

  /// Begins with what contexts of this kind usually have and this one has not.
  func newAttributeForm(_ record: ContextRecord) -> Form {
    let entry = Template(of: record.kind).missing(in: record).first
    let kinds = Self.attributeKinds
    let kind = entry.flatMap { kinds.firstIndex(of: $0.kind) } ?? 0
    var form = Form(
      .newAttribute(record.id), title: "New attribute  \(record.name)",
      fields: [
        Form.Field(name: "label", content: .text(LineEditor())),
        Form.Field(name: "kind", content: .choice(kinds.map(\.rawValue), kind)),
        Form.Field(name: "value", content: .text(LineEditor())),
      ])
    form.proposal = entry
    fitValue(of: &form)
    return form
  }

  func renameForm(_ record: ContextRecord) -> Form {
    if focus == .attributes, let marked = markedAttribute {
      return renameForm(marked, of: record)
    }
    return renameForm(nameOf: record)
  }

  func renameForm(_ attribute: AttributeRecord, of record: ContextRecord) -> Form {
    Form(
      .renameAttribute(record.id, attribute.id),
      title: "Rename  \(record.name) / \(attribute.label)", base: attribute.description,
      fields: [Form.Field(name: "label", content: .text(LineEditor(attribute.label)))])
  }

  func renameForm(nameOf record: ContextRecord) -> Form {
    Form(
      .renameContext(record.id), title: "Rename  \(record.name)", base: record.description,
      fields: [Form.Field(name: "name", content: .text(LineEditor(record.name)))])
  }

  mutating func performForm(_ command: Command.ID) -> [Effect] {
    guard case .form(var form) = overlay else { return [] }
    if command == .back { return close(form) }
    guard !form.isWaiting else { return [] }
    switch command {
    case .save: return submit(form)
    case .run:
      if form.editor?.isMultiline == true { return withEditor { $0.type("\n") } }
      if form.isAtLast { return submit(form) }
      form = moved(form, by: 1)
    case .next: form = moved(form, by: 1)
    case .previous: form = moved(form, by: -1)
    case .chooseNext, .choosePrevious:
      return chooseOrMove(command)
    case .show: form.isShown.toggle()
    case .generate: return canGenerate(form) ? [.generate(generatorForm)] : []
    default: return []
    }
    overlay = .form(form)
    return []
  }

  func canGenerate(_ form: Form) -> Bool {
    guard case .newAttribute = form.purpose else { return false }
    return form.fields[form.focus].name == "value" && form.editor?.isMultiline == false
  }

  /// Left and Right choose in a choice and move in a text.
  private mutating func chooseOrMove(_ command: Command.ID) -> [Effect] {
    if changeChoice(command == .chooseNext ? 1 : -1) { return [] }
    return withEditor {
      $0.move(command == .chooseNext ? .right : .left)
      return nil
    }
  }

  /// Goes to the next or previous choice of a dialog; false when a text has the focus.
  mutating func changeChoice(_ step: Int) -> Bool {
    guard case .form(var form) = overlay, form.choose(step) else { return false }
    fitValue(of: &form)
    overlay = .form(form)
    return true
  }

  /// Leaves a field: a label that names a kind chooses it.
  private func moved(_ form: Form, by step: Int) -> Form {
    var form = form
    if case .newAttribute = form.purpose, form.focus == 0 {
      let kinds = Self.attributeKinds
      let label = trimmed(form.text("label")).lowercased()
      let isProposed = form.text("kind") == form.proposal?.kind.rawValue
      if let kind = kinds.firstIndex(where: { $0.rawValue == label }) {
        form.fields[1].content = .choice(kinds.map(\.rawValue), kind)
      } else if !label.isEmpty, label != form.proposal?.label, isProposed {
        form.fields[1].content = .choice(kinds.map(\.rawValue), 0)
      }
      fitValue(of: &form)
    }
    form.move(by: step)
    return form
  }

  /// Makes the value's field fit the chosen kind: several lines for notes, hidden for secrets.
  func fitValue(of form: inout Form) {
    guard case .newAttribute = form.purpose, case .text(let editor) = form.fields[2].content else {
      return
    }
    let kind = AttributeRecord.Kind(rawValue: form.text("kind"))
    form.fields[0].help = "empty: \(form.chosenEntry?.label ?? kind.rawValue)"
    form.fields[2].isSecret = form.chosenEntry?.isConcealed ?? kind.isConcealedByDefault
    let isMultiline = kind == .note || kind == .address
    if editor.isMultiline != isMultiline {
      let text =
        isMultiline ? editor.text : editor.text.split(separator: "\n").joined(separator: " ")
      form.fields[2].content = .text(LineEditor(text, isMultiline: isMultiline))
    }
  }

  private mutating func close(_ form: Form) -> [Effect] {
    let effects = abandon()
    if let context = form.context {
      say("Cancelled. Nothing was changed.")
      return effects + [.formClosed(context)]
    }
    if form.purpose == .newContext { say("Cancelled. Nothing was changed.") }
    return effects
  }

  private mutating func submit(_ form: Form) -> [Effect] {
    if let field = firstMistake(in: form) {
      var form = form
      form.focus(on: field.place)
      form.notice = field.notice
      overlay = .form(form)
      return []
    }
    switch form.purpose {
    case .createAccount, .join, .recover: return submitFirstRun(form)
    default: if form.isAboutDevice { return submitDevice(form) }
    }
    guard let edit = edit(from: form) else { return close(form) }
    if case .addAttribute(_, let new) = edit { remark = doubt(new.label, new.kind, new.text) }
    if form.purpose == .newContext { awaitedName = trimmed(form.text("name")) }
    return save([edit]) + (form.context.map { [.formClosed($0)] } ?? [])
  }

  private func edit(from form: Form) -> Edit? {
    let name = trimmed(form.text("name"))
    let label = trimmed(form.text("label"))
    switch form.purpose {
    case .newContext:
      return .createContext(
        name: name, kind: ContextRecord.Kind(rawValue: form.text("kind")), attributes: [])
    case .newAttribute(let context):
      let kind = AttributeRecord.Kind(rawValue: form.text("kind"))
      return .addAttribute(
        context,
        Edit.NewAttribute(
          label: label.isEmpty ? form.chosenEntry?.label ?? kind.rawValue : label, kind: kind,
          isConcealed: form.chosenEntry?.isConcealed, text: form.text("value")))
    case .renameContext(let context):
      guard contexts.record(context)?.name != name else { return nil }
      return .renameContext(context, name: name, base: form.base)
    case .renameAttribute(let context, let id):
      let found = contexts.record(context)?.attributes.first { $0.id == id }
      guard let found, found.label != label else { return nil }
      return .describeAttribute(
        context, id, label: label, kind: found.kind, isConcealed: found.isConcealed,
        base: form.base)
    default: return nil
    }
  }

  /// The first field that cannot stay as it is, and why.
  private func firstMistake(in form: Form) -> (place: Int, notice: String)? {
    for (place, field) in form.fields.enumerated() {
      if let notice = mistake(in: field, of: form) { return (place, notice) }
    }
    return nil
  }

  private func mistake(in field: Form.Field, of form: Form) -> String? {
    let text = trimmed(field.text)
    switch field.name {
    case "name", "device", "account", "server", "code", "kit":
      if text.isEmpty { return "\(field.name): please type one." }
    case "label":
      if case .renameAttribute = form.purpose, text.isEmpty { return "label: please type one." }
    case "value":
      let kind = AttributeRecord.Kind(rawValue: form.text("kind"))
      if !kind.isUsable(field.text) { return doubt("value", kind, field.text) }
    case "passphrase":
      if form.isAboutDevice || form.purpose == .recover {
        return field.text.isEmpty ? "passphrase: please type it." : nil
      }
      return shortness(of: field)
    case "new": return shortness(of: field)
    case "again":
      let first = form.text(form.isAboutDevice ? "new" : "passphrase")
      if field.text != first { return "again: this is not the same passphrase." }
    default: break
    }
    let limit = field.name == "device" ? Limits.deviceNameCharacters : Limits.nameCharacters
    if ["name", "label", "device"].contains(field.name), text.count > limit {
      return "\(field.name): at most \(limit) characters; this has \(text.count)."
    }
    return nil
  }

  /// What is said of a passphrase that nobody has yet.
  private func shortness(of field: Form.Field) -> String? {
    guard field.text.count < Self.passphraseCharacters else { return nil }
    return "\(field.name): at least \(Self.passphraseCharacters) characters, better four words."
  }

  /// What is said of a value that is unlikely to be what its kind says; nil of any other.
  func doubt(_ label: String, _ kind: AttributeRecord.Kind, _ text: String) -> String? {
    kind.doubt(about: text).map { "\(label) \($0)." }
  }

  func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

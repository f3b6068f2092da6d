import Sync
import Wire

/// Attribute values being edited where they stand. Everything typed is one edit when it is saved.
struct ValueForm: Hashable, Sendable {
  struct Draft: Hashable, Sendable {
    /// As it was when it was first edited: what the person saw.
    let attribute: AttributeRecord
    var editor: LineEditor

    var isModified: Bool { editor.text != attribute.text }
    /// The values this one replaces.
    var base: [VersionID] { attribute.heads.map(\.id) }
  }

  /// The context as it was when the form was opened; stays on the screen if a peer deletes it.
  let record: ContextRecord
  private(set) var drafts: [Draft] = []
  private(set) var current: AttributeID
  /// Whether concealed values are shown while typed.
  var isShown = false
  /// What a peer did to this context meanwhile.
  var notice: String?

  init(_ record: ContextRecord, editing attribute: AttributeRecord) {
    self.record = record
    current = attribute.id
    edit(attribute)
  }

  /// Goes to an attribute; what was typed into it before is still there.
  mutating func edit(_ attribute: AttributeRecord) {
    current = attribute.id
    guard draft(of: attribute.id) == nil else { return }
    drafts.append(
      Draft(
        attribute: attribute,
        editor: LineEditor(attribute.text, isMultiline: attribute.isMultiline)))
  }

  func draft(of id: AttributeID) -> Draft? {
    drafts.first { $0.attribute.id == id }
  }

  var currentDraft: Draft? { draft(of: current) }

  var editor: LineEditor {
    get { currentDraft?.editor ?? LineEditor() }
    set {
      for place in drafts.indices where drafts[place].attribute.id == current {
        drafts[place].editor = newValue
      }
    }
  }

  var edits: [Edit] {
    drafts.filter(\.isModified).map {
      .setValue(record.id, $0.attribute.id, text: $0.editor.text, base: $0.base)
    }
  }

  /// The form without concealed values, as it may wait in a locked selector; nil when nothing that
  /// was typed is left.
  var withoutSecrets: ValueForm? {
    var form = self
    form.isShown = false
    form.drafts.removeAll { $0.attribute.isConcealed || !$0.isModified }
    guard let last = form.drafts.last else { return nil }
    form.current = last.attribute.id
    return form
  }
}

extension AttributeRecord {
  /// Whether its value may have several lines.
  var isMultiline: Bool { kind == .note || kind == .address || text.contains(where: \.isNewline) }
}

/// A dialog with named fields.
struct Form: Hashable, Sendable {
  enum Purpose: Hashable, Sendable {
    case newContext
    case newAttribute(ContextID)
    case renameContext(ContextID)
    case renameAttribute(ContextID, AttributeID)
    case createAccount
    case join
  }

  struct Field: Hashable, Sendable {
    enum Content: Hashable, Sendable {
      case text(LineEditor)
      case choice([String], Int)
    }

    let name: String
    var content: Content
    /// Shown beside it while it is empty or has the focus.
    var help = ""
    var isSecret = false

    var text: String {
      switch content {
      case .text(let editor): editor.text
      case .choice(let choices, let place): choices[place]
      }
    }
  }

  let purpose: Purpose
  let title: String
  var fields: [Field]
  private(set) var focus = 0
  var isShown = false
  /// What is wrong with what was typed.
  var notice: String?
  /// Whether it was handed over and an answer is awaited.
  var isWaiting = false

  init(_ purpose: Purpose, title: String, fields: [Field], focus: Int = 0) {
    self.purpose = purpose
    self.title = title
    self.fields = fields
    self.focus = focus
  }

  /// The context whose form this is.
  var context: ContextID? {
    switch purpose {
    case .newContext, .createAccount, .join: nil
    case .newAttribute(let id), .renameContext(let id), .renameAttribute(let id, _): id
    }
  }

  var isAtLast: Bool { focus == fields.count - 1 }

  /// The text of the field that takes what is typed; nil while a choice has the focus.
  var editor: LineEditor? {
    get {
      if case .text(let editor) = fields[focus].content { editor } else { nil }
    }
    set {
      if let newValue { fields[focus].content = .text(newValue) }
    }
  }

  mutating func move(by step: Int) {
    focus = ((focus + step) % fields.count + fields.count) % fields.count
  }

  mutating func focus(on field: Int) {
    focus = field.clamped(to: 0...(fields.count - 1))
  }

  /// The next or previous choice; false when a text field has the focus.
  mutating func choose(_ step: Int) -> Bool {
    guard case .choice(let choices, let place) = fields[focus].content else { return false }
    fields[focus].content = .choice(
      choices, ((place + step) % choices.count + choices.count) % choices.count)
    return true
  }

  func text(_ name: String) -> String {
    fields.first { $0.name == name }?.text ?? ""
  }

  mutating func clearSecrets() {
    isShown = false
    for place in fields.indices where fields[place].isSecret {
      fields[place].content = .text(LineEditor())
    }
  }
}

/// The dialog that makes a new password.
struct Generator: Hashable, Sendable {
  let context: ContextID
  let contextName: String
  /// The password it will replace; nil when the context has none yet.
  let attribute: AttributeRecord?
  var form: GeneratorForm
  /// nil until the first one has been made.
  var value: String?
  var isShown = false
  var notice: String?

  var edit: Edit? {
    guard let value else { return nil }
    guard let attribute else {
      return .addAttribute(
        context, Edit.NewAttribute(label: "password", kind: .password, text: value))
    }
    return .setValue(context, attribute.id, text: value, base: attribute.heads.map(\.id))
  }
}
